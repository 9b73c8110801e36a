package main

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"
)

// diskWith writes a disk whose partition table (UEFI 2.10 section 5.3) has one
// partition of that name, with the GUID 00000007-0000-0000-0000-000000000000.
func diskWith(t *testing.T, name string) string {
	b := make([]byte, 34*512)
	e := b[2*512:]
	e[0], e[16] = 1, 7 // type, GUID
	for i, u := range utf16.Encode([]rune(name)) {
		binary.LittleEndian.PutUint16(e[56+2*i:], u)
	}
	h := b[512:]
	copy(h, "EFI PART")
	binary.LittleEndian.PutUint32(h[12:], 92)
	binary.LittleEndian.PutUint64(h[72:], 2)
	binary.LittleEndian.PutUint32(h[80:], 128)
	binary.LittleEndian.PutUint32(h[84:], 128)
	binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(e[:128*128]))
	binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
	return file(t, "disk", b)
}

func file(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSlotOnADisk(t *testing.T) {
	variable := []byte{6, 0, 0, 0} // attributes
	for _, u := range utf16.Encode([]rune("00000007-0000-0000-0000-000000000000\x00")) {
		variable = binary.LittleEndian.AppendUint16(variable, u)
	}
	named := filepath.Dir(file(t, "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", variable))
	for _, tt := range []struct {
		name, efivars, disk, slot string
		fails                     bool
	}{
		{"the disk we run from", named, diskWith(t, "slot-b"), "b", false},
		{"not a slot", named, diskWith(t, "data"), "", true},
		{"no table", named, file(t, "disk", make([]byte, 1<<16)), "", true},
		{"no disk", named, filepath.Join(t.TempDir(), "none"), "", true},
		{"no variable", t.TempDir(), diskWith(t, "slot-b"), "", false},
	} {
		if slot, err := slotOn(tt.efivars, tt.disk); slot != tt.slot || (err != nil) != tt.fails {
			t.Errorf("%s: got %q and %v, want %q and an error %t", tt.name, slot, err, tt.slot, tt.fails)
		}
	}
}
