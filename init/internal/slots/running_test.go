package slots

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// disk makes a disk with a partition table of the named partitions, numbered
// from 1 in the first byte of their GUIDs.
func disk(names ...string) []byte {
	b := make([]byte, 34*sectorSize)
	entries := b[2*sectorSize:]
	for i, n := range names {
		e := entries[i*entrySize:]
		e[0] = 1            // a type
		e[16] = byte(i + 1) // the first field is little endian
		for j, u := range utf16.Encode([]rune(n)) {
			binary.LittleEndian.PutUint16(e[56+2*j:], u)
		}
	}
	h := b[sectorSize : 2*sectorSize]
	copy(h, "EFI PART")
	binary.LittleEndian.PutUint32(h[12:], 92)
	binary.LittleEndian.PutUint64(h[72:], 2)
	binary.LittleEndian.PutUint32(h[80:], maxEntries)
	binary.LittleEndian.PutUint32(h[84:], entrySize)
	binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(entries[:maxEntries*entrySize]))
	binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
	return b
}

func variable(t *testing.T, text string) string {
	dir := t.TempDir()
	b := []byte{6, 0, 0, 0} // attributes
	for _, u := range utf16.Encode([]rune(text + "\x00")) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	if err := os.WriteFile(filepath.Join(dir, loaderVariable), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRunning(t *testing.T) {
	table := disk("slot-a", "slot-b", "bootstate", "data")
	for _, tt := range []struct {
		name, guid, slot, err string
	}{
		{"a", "00000001-0000-0000-0000-000000000000", "a", ""},
		{"b", "00000002-0000-0000-0000-000000000000", "b", ""},
		{"capitals", strings.ToUpper("00000002-0000-0000-0000-000000000000"), "b", ""},
		{"neither", "00000004-0000-0000-0000-000000000000", Unknown, "neither slot-a nor slot-b"},
		{"another disk", "deadbeef-0000-0000-0000-000000000000", Unknown, "neither slot-a nor slot-b"},
		{"too long", strings.Repeat("0", 100), Unknown, "no text"},
	} {
		slot, err := Running(variable(t, tt.guid), bytes.NewReader(table))
		if slot != tt.slot || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %q and %v, want %q and %q", tt.name, slot, err, tt.slot, tt.err)
		}
	}
	if slot, err := Running(t.TempDir(), nil); slot != Unknown || err != nil {
		t.Errorf("without the variable: got %q and %v, want %q and nil", slot, err, Unknown)
	}
}

func TestATableWithAWrongChecksumIsNotBelieved(t *testing.T) {
	for _, at := range []int{sectorSize + 72, sectorSize + 80, 2*sectorSize + 16} {
		b := disk("slot-a")
		b[at] ^= 1
		if table, err := readTable(bytes.NewReader(b)); err == nil {
			t.Errorf("byte %d changed: got %v, want an error", at, table)
		}
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add(disk("slot-a", "slot-b"), true)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend && len(b) >= 34*sectorSize { // let the fuzzer behind the checksums
			h := b[sectorSize : 2*sectorSize]
			binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(b[2*sectorSize:2*sectorSize+maxEntries*entrySize]))
			if n := binary.LittleEndian.Uint32(h[12:]); n <= sectorSize {
				clear(h[16:20])
				binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:n]))
			}
		}
		table, err := readTable(bytes.NewReader(b))
		if len(table) > maxEntries || err != nil && table != nil {
			t.Errorf("%d entries and %v", len(table), err)
		}
	})
}

func FuzzVariableText(f *testing.F) {
	f.Add([]byte{6, 0, 0, 0, 'a', 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := variableText(b); err == nil && len(s) > 3*64 {
			t.Errorf("%d bytes of text", len(s))
		}
	})
}
