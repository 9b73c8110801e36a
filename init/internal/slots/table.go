package slots

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// entry is one partition of a GUID partition table.
type entry struct {
	guid string // unique GUID as text, lowercase
	name string
}

// Sizes of a GUID partition table (UEFI 2.10 section 5.3).
const (
	sectorSize = 512
	entrySize  = 128
	maxEntries = 128
)

// errNoTable means that the disk has no valid GUID partition table.
var errNoTable = errors.New("no valid GUID partition table")

// readTable reads the primary GUID partition table of disk. It believes
// nothing that the checksums do not cover.
func readTable(disk io.ReaderAt) ([]entry, error) {
	h := make([]byte, sectorSize)
	if _, err := disk.ReadAt(h, sectorSize); err != nil {
		return nil, fmt.Errorf("read partition table: %w", err)
	}
	size := binary.LittleEndian.Uint32(h[12:])
	if string(h[:8]) != "EFI PART" || size < 92 || size > sectorSize {
		return nil, errNoTable
	}
	sum := binary.LittleEndian.Uint32(h[16:])
	clear(h[16:20])
	if crc32.ChecksumIEEE(h[:size]) != sum {
		return nil, fmt.Errorf("%w: checksum of the header", errNoTable)
	}
	first := binary.LittleEndian.Uint64(h[72:])
	n, each := binary.LittleEndian.Uint32(h[80:]), binary.LittleEndian.Uint32(h[84:])
	if first < 2 || first > 1<<40 || n > maxEntries || each != entrySize {
		return nil, fmt.Errorf("%w: %d entries of %d bytes at sector %d", errNoTable, n, each, first)
	}
	b := make([]byte, n*entrySize)
	if _, err := disk.ReadAt(b, int64(first)*sectorSize); err != nil {
		return nil, fmt.Errorf("read partition entries: %w", err)
	}
	if crc32.ChecksumIEEE(b) != binary.LittleEndian.Uint32(h[88:]) {
		return nil, fmt.Errorf("%w: checksum of the entries", errNoTable)
	}
	var table []entry
	for ; len(b) >= entrySize; b = b[entrySize:] {
		if [16]byte(b[:16]) == ([16]byte{}) {
			continue // an unused entry has no type
		}
		table = append(table, entry{guid: guidText([16]byte(b[16:32])), name: utf16Text(b[56:entrySize])})
	}
	return table, nil
}

// guidText writes a GUID as text: its first three fields are little endian
// (UEFI 2.10 appendix A).
func guidText(g [16]byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(g[:]), binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}
