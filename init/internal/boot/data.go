package boot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Record remembers over boots whether the data partition was completed.
type Record interface {
	// Blank reports whether nothing was ever written to the record.
	Blank() bool
	// Valid reports whether the record can be read.
	Valid() bool
	// DataComplete reports what was set last.
	DataComplete() bool
	// SetDataComplete is durable when it returns, in every copy of the
	// record.
	SetDataComplete(bool) error
}

// dataStep is what has to be done with the data partition.
type dataStep int

const (
	mountOnly dataStep = iota
	formatIt
)

// blankProbe is how much of the partition must be zero for it to count as
// new.
const blankProbe = 1 << 20

// decide returns what to do. The partition is made anew only when the record
// says that it was never completed, or when both record and partition are as
// the factory made them. used means that it holds a file system that was
// mounted once, which only a completed one is.
func decide(r Record, zero, used bool) dataStep {
	switch {
	case used:
		return mountOnly
	case r.Valid() && !r.DataComplete():
		return formatIt
	case r.Blank() && zero:
		return formatIt
	}
	return mountOnly
}

// PrepareData formats the data partition if it is new or its formatting was
// cut short, and reports whether it did. It never touches one that was
// completed. format is FormatExt4; tests cut it short.
func PrepareData(f *os.File, size int64, r Record, format func(*os.File, int64) error) (made bool, err error) {
	zero, used, err := look(f)
	if err != nil {
		return false, err
	}
	if decide(r, zero, used) == mountOnly {
		return false, nil
	}
	// From here on a loss of power leaves a record that is valid and says that
	// the partition is not complete.
	if err := r.SetDataComplete(false); err != nil {
		return false, fmt.Errorf("before formatting: %w", err)
	}
	if err := format(f, size); err != nil {
		return false, err
	}
	if err := r.SetDataComplete(true); err != nil {
		return false, fmt.Errorf("after formatting: %w", err)
	}
	return true, nil
}

// look reports whether the start of the partition is zero and whether it holds
// an ext file system that was mounted once.
func look(f io.ReaderAt) (zero, used bool, err error) {
	b := make([]byte, blankProbe)
	if _, err := f.ReadAt(b, 0); err != nil {
		return false, false, fmt.Errorf("read start of the data partition, %d bytes: %w", len(b), err)
	}
	const (
		superblock = 1024
		mountCount = superblock + 0x34 // s_mnt_count: Documentation/filesystems/ext4/super.rst
		magic      = superblock + 0x38
	)
	used = binary.LittleEndian.Uint16(b[magic:]) == 0xef53 && binary.LittleEndian.Uint16(b[mountCount:]) > 0
	return len(bytes.Trim(b, "\x00")) == 0, used, nil
}

// MountData mounts the data partition at target.
func MountData(device, target string) error {
	return Mount{
		Source: device, Target: target, Type: "ext4",
		Flags:   unix.MS_NOATIME | noDev | noSuid | noExec,
		Options: "errors=remount-ro",
	}.mount()
}

// MountMemory mounts memory at target in place of a data partition that does
// not mount: the telephones work, and nothing outlives a restart.
func MountMemory(target string) error {
	return Mount{
		Source: "tmpfs", Target: target, Type: "tmpfs",
		Flags: noDev | noSuid | noExec, Options: "mode=0755,size=128m",
	}.mount()
}
