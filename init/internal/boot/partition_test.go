package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// disks is a folder like /sys/class/block.
type disks struct {
	t   *testing.T
	sys string
}

func newDisks(t *testing.T) disks {
	d := disks{t, t.TempDir()}
	if err := os.Mkdir(d.class(), 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d disks) class() string { return filepath.Join(d.sys, "class") }

// add adds a disk with partitions of the names given, numbered from 1.
func (d disks) add(disk string, names ...string) {
	d.t.Helper()
	for i, name := range names {
		part := fmt.Sprintf("%s%d", disk, i+1)
		dir := filepath.Join(d.sys, "devices", disk, part)
		write(d.t, filepath.Join(dir, "size"), "2048\n")
		write(d.t, filepath.Join(dir, "uevent"), fmt.Sprintf("DEVTYPE=partition\nPARTN=%d\nPARTNAME=%s\n", i+1, name))
		if err := os.Symlink(dir, filepath.Join(d.class(), part)); err != nil {
			d.t.Fatal(err)
		}
	}
}

var errElsewhere = errors.New("neither slot-a nor slot-b")

// loaderNames returns what FindData asks; the loader named a slot of those disks.
func loaderNames(disks ...string) func(string) (string, error) {
	return func(disk string) (string, error) {
		for _, d := range disks {
			if d == disk {
				return "b", nil
			}
		}
		return "", errElsewhere
	}
}

func loaderSilent(string) (string, error) { return "", nil }

func TestFindDataStaysOnTheDiskOfTheRunningSlot(t *testing.T) {
	full := []string{"slot-a", "slot-b", "bootstate", "data"}
	for _, tt := range []struct {
		name    string
		disks   map[string][]string
		running func(string) (string, error)
		disk    string // wanted; empty: an error
		err     error
	}{
		{"the only disk", map[string][]string{"vda": full}, loaderNames("/dev/vda"), "/dev/vda", nil},
		{"the only disk, loader silent", map[string][]string{"vda": full}, loaderSilent, "/dev/vda", nil},
		{"foreign data first", map[string][]string{"sda": {"data", "bootstate"}, "vda": full}, loaderNames("/dev/vda"), "/dev/vda", nil},
		{"foreign data first, loader silent", map[string][]string{"sda": {"data", "bootstate"}, "vda": full}, loaderSilent, "/dev/vda", nil},
		{"two whole disks, the second named", map[string][]string{"sda": full, "sdb": full}, loaderNames("/dev/sdb"), "/dev/sdb", nil},
		{"foreign disk lacks a slot", map[string][]string{"sda": {"slot-a", "bootstate", "data"}, "sdb": full}, loaderSilent, "/dev/sdb", nil},
		{"data only elsewhere", map[string][]string{"sda": full, "vda": {"slot-a", "slot-b", "bootstate"}}, loaderNames("/dev/vda"), "", ErrNoPartition},
		{"bootstate only elsewhere", map[string][]string{"sda": {"bootstate"}, "vda": {"slot-a", "slot-b", "data"}}, loaderNames("/dev/vda"), "", ErrNoPartition},
		{"halves on two disks, loader silent", map[string][]string{"sda": {"slot-a", "data"}, "vda": {"slot-b", "bootstate"}}, loaderSilent, "", ErrNoPartition},
		{"we run from none of them", map[string][]string{"sda": full}, loaderNames("/dev/vda"), "", errElsewhere},
		{"two disks, loader silent", map[string][]string{"sda": full, "sdb": full}, loaderSilent, "", ErrTwoDisks},
		{"the loader's name is on two", map[string][]string{"sda": full, "sdb": full}, loaderNames("/dev/sda", "/dev/sdb"), "", ErrTwoDisks},
		{"no disk", nil, loaderSilent, "", ErrNoPartition},
		{"no slot at all", map[string][]string{"sda": {"bootstate", "data"}}, loaderSilent, "", ErrNoPartition},
	} {
		d := newDisks(t)
		for disk, names := range tt.disks {
			d.add(disk, names...)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // look once
		state, data, err := FindData(ctx, d.class(), tt.running)
		if tt.disk == "" {
			if !errors.Is(err, tt.err) || data != (Partition{}) {
				t.Errorf("%s: got %+v, %+v and %v, want %v", tt.name, state, data, err, tt.err)
			}
			continue
		}
		if err != nil || state.Disk != tt.disk || data.Disk != tt.disk || state.Name != "bootstate" || data.Name != "data" || data.Size != 1<<20 {
			t.Errorf("%s: got %+v, %+v and %v, want both on %s", tt.name, state, data, err, tt.disk)
		}
	}
}

func TestFindDataRefusesTwoOfOneName(t *testing.T) {
	d := newDisks(t)
	d.add("vda", "slot-a", "slot-b", "bootstate", "data", "data")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, data, err := FindData(ctx, d.class(), loaderNames("/dev/vda")); err == nil {
		t.Errorf("got %+v, want an error", data)
	}
}

func TestFindDataWaitsForItsOwnDisk(t *testing.T) {
	d := newDisks(t)
	d.add("sda", "slot-a", "slot-b", "bootstate", "data") // another disk is there first
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		type found struct {
			state, data Partition
			err         error
		}
		answer := make(chan found, 1)
		go func() {
			state, data, err := FindData(ctx, d.class(), loaderNames("/dev/vda"))
			answer <- found{state, data, err}
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		select {
		case f := <-answer:
			t.Fatalf("took %+v and %v before its disk was there", f.data, f.err)
		default:
		}
		d.add("vda", "slot-a", "slot-b", "bootstate", "data")
		if f := <-answer; f.err != nil || f.state.Disk != "/dev/vda" || f.data.Disk != "/dev/vda" {
			t.Errorf("got %+v, %+v and %v, want both on /dev/vda", f.state, f.data, f.err)
		}
	})
}
