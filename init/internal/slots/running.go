package slots

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// Unknown is the slot of a device that was not started through a slot, for
// example by a kernel given to QEMU directly.
const Unknown = "?"

// loaderVariable is set by systemd's EFI stub to the unique GUID of the
// partition that it was started from
// (https://systemd.io/BOOT_LOADER_INTERFACE).
const loaderVariable = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

// Running returns "a" or "b", the slot that the firmware was started from:
// the one of the partitions slot-a and slot-b in the table of disk whose GUID
// stands in the loader's variable below efivars. Without that variable it is
// Unknown and no error.
func Running(efivars string, disk io.ReaderAt) (string, error) {
	b, err := os.ReadFile(filepath.Join(efivars, loaderVariable))
	if os.IsNotExist(err) {
		return Unknown, nil
	}
	if err != nil {
		return Unknown, fmt.Errorf("read loader's partition: %w", err)
	}
	want, err := variableText(b)
	if err != nil {
		return Unknown, err
	}
	table, err := readTable(disk)
	if err != nil {
		return Unknown, fmt.Errorf("find running slot: %w", err)
	}
	for _, e := range table {
		if slot, ok := strings.CutPrefix(e.name, "slot-"); ok && (slot == "a" || slot == "b") && strings.EqualFold(e.guid, want) {
			return slot, nil
		}
	}
	return Unknown, fmt.Errorf("find running slot: partition %s is neither slot-a nor slot-b", want)
}

// variableText returns the text of a file of efivarfs: 4 bytes of attributes,
// then UTF-16.
func variableText(b []byte) (string, error) {
	const longest = 4 + 2*64
	if len(b) < 4 || len(b) > longest || len(b)%2 != 0 {
		return "", fmt.Errorf("read loader's partition: %d bytes are no text of 4 to %d bytes", len(b), longest)
	}
	return utf16Text(b[4:]), nil
}

// utf16Text decodes little endian UTF-16 up to the first zero.
func utf16Text(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
