package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrNoPartition means that no disk has a partition of that name.
var ErrNoPartition = errors.New("no such partition")

// Partition is one partition of a disk with a GUID partition table.
type Partition struct {
	Name   string // as the table calls it
	Device string // path below /dev
	Disk   string // path of the whole disk below /dev
	Number int    // in the table, from 1
	Size   int64  // bytes
}

// FindPartition looks below sysBlock, which is /sys/class/block, for the
// partition of that name. When it is not there yet it looks again until ctx
// ends, then returns ErrNoPartition: disks appear a little after their
// driver.
func FindPartition(ctx context.Context, sysBlock, name string) (Partition, error) {
	for {
		p, err := lookForPartition(sysBlock, name)
		if !errors.Is(err, ErrNoPartition) {
			return p, err
		}
		select {
		case <-ctx.Done():
			return Partition{}, err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func lookForPartition(sysBlock, name string) (Partition, error) {
	entries, err := os.ReadDir(sysBlock)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Partition{}, fmt.Errorf("find partition %s: %w", name, err)
	}
	for _, e := range entries {
		dir := filepath.Join(sysBlock, e.Name())
		uevent, err := os.ReadFile(filepath.Join(dir, "uevent"))
		if err != nil {
			continue // it went away while we looked
		}
		vars := map[string]string{}
		for _, line := range strings.Split(string(uevent), "\n") {
			k, v, _ := strings.Cut(line, "=")
			vars[k] = v
		}
		if vars["PARTNAME"] != name || vars["DEVTYPE"] != "partition" {
			continue
		}
		number, err := strconv.Atoi(vars["PARTN"])
		if err != nil {
			return Partition{}, fmt.Errorf("find partition %s: number: %w", name, err)
		}
		size, err := os.ReadFile(filepath.Join(dir, "size"))
		if err != nil {
			return Partition{}, fmt.Errorf("find partition %s: %w", name, err)
		}
		sectors, err := strconv.ParseInt(strings.TrimSpace(string(size)), 10, 64)
		if err != nil || sectors < 0 || sectors > 1<<53 {
			return Partition{}, fmt.Errorf("find partition %s: size %q is no number of sectors", name, size)
		}
		target, err := filepath.EvalSymlinks(dir) // .../block/vda/vda3
		if err != nil {
			return Partition{}, fmt.Errorf("find partition %s: %w", name, err)
		}
		return Partition{
			Name:   name,
			Device: "/dev/" + e.Name(),
			Disk:   "/dev/" + filepath.Base(filepath.Dir(target)),
			Number: number,
			Size:   sectors * 512, // sysfs counts 512 bytes whatever the disk's sector is
		}, nil
	}
	return Partition{}, fmt.Errorf("find partition %s: %w", name, ErrNoPartition)
}
