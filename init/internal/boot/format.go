package boot

import (
	"fmt"
	"os"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/ext4"
)

// minData is the smallest data partition: below it the journal and the tables
// leave too little.
const minData = 32 << 20

// blockGroup is what one block group of 4096-byte blocks covers. The library
// lays the tables of a last group that is not whole beyond the end of the
// disk, so the file system ends with the last whole group.
const blockGroup = 128 << 20

// FormatExt4 makes an empty ext4 with a journal on f, which has size bytes,
// and makes it durable. It takes what was there.
func FormatExt4(f *os.File, size int64) error {
	if size > blockGroup {
		size -= size % blockGroup
	}
	size -= size % 4096
	if size < minData {
		return fmt.Errorf("format data partition: %d bytes, at least %d are needed", size, int64(minData))
	}
	fs, err := ext4.Create(file.New(f, false), size, 0, 512, &ext4.Params{
		VolumeName:      "data",
		SectorsPerBlock: 8, // blocks of 4096 bytes, the kernel's page: the library's choice for small disks is 1024
		// One inode for 64 KiB: the partition holds a database and voice
		// messages, and every inode costs 256 bytes to write now.
		InodeRatio: 64 << 10,
		// The partition never grows, and the library cannot make room to grow
		// in a disk of one block group.
		Features: []ext4.FeatureOpt{ext4.WithFeatureReservedGDTBlocksForExpansion(false)},
	})
	if err != nil {
		return fmt.Errorf("format data partition of %d bytes: %w", size, err)
	}
	if err := fs.Close(); err != nil {
		return fmt.Errorf("format data partition: close: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("format data partition: sync: %w", err)
	}
	return nil
}
