package image

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf16"
)

// Names of the partitions, as the GPT and the kernel's PARTNAME have them.
const (
	SlotA     = "slot-a"
	SlotB     = "slot-b"
	BootState = "bootstate"
	Data      = "data"
)

// Unique identifiers of the partitions. They are the same on every device, so
// that a boot entry written on one names the slots of any. The EFI variable
// LoaderDevicePartUUID holds SlotAUUID or SlotBUUID, in capitals.
const (
	SlotAUUID     = "a0000000-0000-4000-8000-00000000000a"
	SlotBUUID     = "b0000000-0000-4000-8000-00000000000b"
	BootStateUUID = "c0000000-0000-4000-8000-00000000000c"
	DataUUID      = "d0000000-0000-4000-8000-00000000000d"
	diskUUID      = "e0000000-0000-4000-8000-00000000000e"
)

// Partition types: an EFI system partition, and a Linux file system.
const (
	typeESP   = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	typeLinux = "0fc63daf-8483-4772-8e79-3d69d8477de4"
)

const (
	gptEntries   = 128
	gptEntrySize = 128
	gptTableSize = gptEntries * gptEntrySize // bytes
	gptHeader    = 92                        // bytes that the header's CRC covers

	// gptReserved is kept free at either end of the disk: the tables need 17
	// and 33 KiB, and partitions start on whole MiB.
	gptReserved = mib
)

// partition is one entry of the table. Start and size are in bytes, whole MiB.
type partition struct {
	name, kind, uuid string
	start, size      int64
}

// layOut returns the partitions of a board and the size of the whole disk.
func layOut(slotMiB, dataMiB int) (parts []partition, disk int64) {
	slot := int64(slotMiB) * mib
	parts = []partition{
		{name: SlotA, kind: typeESP, uuid: SlotAUUID, size: slot},
		{name: SlotB, kind: typeESP, uuid: SlotBUUID, size: slot},
		{name: BootState, kind: typeLinux, uuid: BootStateUUID, size: mib},
		{name: Data, kind: typeLinux, uuid: DataUUID, size: int64(dataMiB) * mib},
	}
	disk = gptReserved
	for i := range parts {
		parts[i].start = disk
		disk += parts[i].size
	}
	return parts, disk + gptReserved
}

// writeGPT writes the protective MBR, and the header and the table at either
// end of a disk of size bytes (UEFI specification, section 5).
func writeGPT(w io.WriterAt, size int64, parts []partition) error {
	last := size/sectorSize - 1
	table, err := gptTable(parts)
	if err != nil {
		return err
	}
	disk, err := guid(diskUUID)
	if err != nil {
		return err
	}
	tableSectors := int64(gptTableSize / sectorSize)
	header := func(own, other, tableAt int64) []byte {
		le := binary.LittleEndian
		h := make([]byte, sectorSize)
		copy(h, "EFI PART")
		le.PutUint32(h[8:], 0x00010000)
		le.PutUint32(h[12:], gptHeader)
		le.PutUint64(h[24:], uint64(own))
		le.PutUint64(h[32:], uint64(other))
		le.PutUint64(h[40:], uint64(2+tableSectors)) // first usable sector
		le.PutUint64(h[48:], uint64(last-tableSectors-1))
		copy(h[56:], disk[:])
		le.PutUint64(h[72:], uint64(tableAt))
		le.PutUint32(h[80:], gptEntries)
		le.PutUint32(h[84:], gptEntrySize)
		le.PutUint32(h[88:], crc32.ChecksumIEEE(table))
		le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:gptHeader]))
		return h
	}
	for _, piece := range []struct {
		sector int64
		b      []byte
	}{
		{0, protectiveMBR(last)},
		{1, header(1, last, 2)},
		{2, table},
		{last - tableSectors, table},
		{last, header(last, 1, last-tableSectors)},
	} {
		if _, err := w.WriteAt(piece.b, piece.sector*sectorSize); err != nil {
			return fmt.Errorf("write GPT at sector %d of %d: %w", piece.sector, last, err)
		}
	}
	return nil
}

func gptTable(parts []partition) ([]byte, error) {
	le := binary.LittleEndian
	table := make([]byte, gptTableSize)
	for i, p := range parts {
		kind, err := guid(p.kind)
		if err != nil {
			return nil, fmt.Errorf("partition %s: %w", p.name, err)
		}
		unique, err := guid(p.uuid)
		if err != nil {
			return nil, fmt.Errorf("partition %s: %w", p.name, err)
		}
		e := table[i*gptEntrySize:]
		copy(e, kind[:])
		copy(e[16:], unique[:])
		le.PutUint64(e[32:], uint64(p.start/sectorSize))
		le.PutUint64(e[40:], uint64((p.start+p.size)/sectorSize-1))
		for j, u := range utf16.Encode([]rune(p.name)) {
			le.PutUint16(e[56+2*j:], u)
		}
	}
	return table, nil
}

// protectiveMBR says to programs that know no GPT that the disk is taken.
func protectiveMBR(last int64) []byte {
	b := make([]byte, sectorSize)
	e := b[446:]
	copy(e[1:], "\x00\x02\x00\xee\xff\xff\xff")
	binary.LittleEndian.PutUint32(e[8:], 1)
	binary.LittleEndian.PutUint32(e[12:], uint32(min(last, 0xffffffff)))
	b[510], b[511] = 0x55, 0xaa
	return b
}

// guid returns the 16 bytes of a GUID as a GPT has them: the first three
// groups little-endian, the rest in the order written (UEFI specification,
// appendix A).
func guid(s string) (g [16]byte, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 || len(s) != 36 {
		return g, fmt.Errorf("GUID %q: want 32 hexadecimal digits in 5 groups", s)
	}
	copy(g[:], b)
	g[0], g[1], g[2], g[3] = b[3], b[2], b[1], b[0]
	g[4], g[5] = b[5], b[4]
	g[6], g[7] = b[7], b[6]
	return g, nil
}
