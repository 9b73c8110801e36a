package boot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoPartition means that no disk has a partition of that name.
var ErrNoPartition = errors.New("no such partition")

// ErrTwoDisks means that more than one disk may be the one that we run from.
var ErrTwoDisks = errors.New("more than one disk may be ours")

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
	all, err := named(sysBlock, name)
	if err != nil {
		return Partition{}, fmt.Errorf("find partition %s: %w", name, err)
	}
	if len(all) == 0 {
		return Partition{}, fmt.Errorf("find partition %s: %w", name, ErrNoPartition)
	}
	return all[0].partition()
}

// The partitions that a disk of ours has.
const (
	slotA     = "slot-a"
	slotB     = "slot-b"
	bootState = "bootstate"
	dataName  = "data"
)

// FindData returns the partitions bootstate and data of the disk that the
// running slot is on, and never those of another one: a second disk may have
// partitions of the same names, and its data must be neither used nor
// formatted.
//
// running is asked for the slot, "a" or "b", that the boot loader names in the
// table of a disk, which is given by its path below /dev. It returns "" when
// the loader named none at all, and an error when it named one that this disk
// does not have. Without a name from the loader it is the disk that has all of
// slot-a, slot-b, bootstate and data. Two disks that could be meant are
// ErrTwoDisks: every device has the same GUIDs.
//
// What is not there yet is looked for again until ctx ends. The error is then
// the last one, ErrNoPartition when no disk has what is needed.
func FindData(ctx context.Context, sysBlock string, running func(disk string) (slot string, err error)) (state, data Partition, err error) {
	for {
		state, data, err = lookForData(sysBlock, running)
		if err == nil || errors.Is(err, ErrTwoDisks) {
			return state, data, err
		}
		select {
		case <-ctx.Done():
			return Partition{}, Partition{}, err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func lookForData(sysBlock string, running func(disk string) (slot string, err error)) (state, data Partition, err error) {
	all, err := named(sysBlock, slotA, slotB, bootState, dataName)
	if err != nil {
		return Partition{}, Partition{}, fmt.Errorf("find data: %w", err)
	}
	disks := map[string]diskEntries{}
	for _, e := range all {
		if disks[e.disk] == nil {
			disks[e.disk] = diskEntries{}
		}
		disks[e.disk][e.name] = append(disks[e.disk][e.name], e)
	}
	disk, err := ownDisk(disks, running)
	if err != nil {
		return Partition{}, Partition{}, fmt.Errorf("find data: %w", err)
	}
	if state, err = disks[disk].only(disk, bootState); err != nil {
		return Partition{}, Partition{}, err
	}
	data, err = disks[disk].only(disk, dataName)
	return state, data, err
}

// ownDisk returns which of the disks is the one that we run from.
func ownDisk(disks map[string]diskEntries, running func(disk string) (slot string, err error)) (string, error) {
	var fromIt, complete []string
	var problems []error
	silent := false // the loader named nothing
	for _, disk := range slices.Sorted(maps.Keys(disks)) {
		has := disks[disk]
		if len(has[slotA]) == 0 && len(has[slotB]) == 0 {
			continue
		}
		if len(has[slotA]) > 0 && len(has[slotB]) > 0 && len(has[bootState]) > 0 && len(has[dataName]) > 0 {
			complete = append(complete, disk)
		}
		switch slot, err := running(disk); {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", disk, err))
		case slot == "":
			silent = true
		default:
			fromIt = append(fromIt, disk)
		}
	}
	if len(fromIt) == 0 && silent {
		fromIt = complete
	}
	switch {
	case len(fromIt) == 1:
		return fromIt[0], nil
	case len(fromIt) > 1:
		return "", fmt.Errorf("%w: %s", ErrTwoDisks, strings.Join(fromIt, " and "))
	case len(problems) > 0:
		return "", errors.Join(problems...)
	}
	return "", fmt.Errorf("disk of the running slot: %w", ErrNoPartition)
}

// diskEntries are the entries of one disk by name.
type diskEntries map[string][]partEntry

// only returns the one partition of that name.
func (d diskEntries) only(disk, name string) (Partition, error) {
	switch n := len(d[name]); n {
	case 0:
		return Partition{}, fmt.Errorf("find partition %s of %s: %w", name, disk, ErrNoPartition)
	case 1:
		return d[name][0].partition()
	default:
		return Partition{}, fmt.Errorf("find partition %s of %s: there are %d of that name", name, disk, n)
	}
}

// partEntry is a partition as sysfs lists it.
type partEntry struct {
	name   string
	number string
	dir    string // of sysfs
	disk   string // path below /dev
}

// named returns the partitions of those names on all disks.
func named(sysBlock string, names ...string) ([]partEntry, error) {
	entries, err := os.ReadDir(sysBlock)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	var all []partEntry
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
		if !slices.Contains(names, vars["PARTNAME"]) || vars["DEVTYPE"] != "partition" {
			continue
		}
		target, err := filepath.EvalSymlinks(dir) // .../block/vda/vda3
		if err != nil {
			return nil, fmt.Errorf("disk of %s: %w", e.Name(), err)
		}
		all = append(all, partEntry{
			name: vars["PARTNAME"], number: vars["PARTN"], dir: dir,
			disk: "/dev/" + filepath.Base(filepath.Dir(target)),
		})
	}
	return all, nil
}

// partition reads the rest of what sysfs tells.
func (e partEntry) partition() (Partition, error) {
	number, err := strconv.Atoi(e.number)
	if err != nil {
		return Partition{}, fmt.Errorf("find partition %s: number: %w", e.name, err)
	}
	size, err := os.ReadFile(filepath.Join(e.dir, "size"))
	if err != nil {
		return Partition{}, fmt.Errorf("find partition %s: %w", e.name, err)
	}
	sectors, err := strconv.ParseInt(strings.TrimSpace(string(size)), 10, 64)
	if err != nil || sectors < 0 || sectors > 1<<53 {
		return Partition{}, fmt.Errorf("find partition %s: size %q is no number of sectors", e.name, size)
	}
	return Partition{
		Name:   e.name,
		Device: "/dev/" + filepath.Base(e.dir),
		Disk:   e.disk,
		Number: number,
		Size:   sectors * 512, // sysfs counts 512 bytes whatever the disk's sector is
	}, nil
}
