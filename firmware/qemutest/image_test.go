package qemutest

import (
	"bytes"
	"context"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"
)

// Where slot A is on the disk (firmware/image), and what a slot holds.
const (
	slotOffset = 1 << 20
	slotSize   = 64 << 20
	kernelFile = "EFI/BOOT/BOOTX64.EFI"
)

// channelName is the name of the test control channel's port, which its
// package carries.
const channelName = "org.galilei.test"

// slotA writes the contents of slot A to a file of its own.
func slotA(t testing.TB, image string) string {
	t.Helper()
	disk, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	slot := filepath.Join(t.TempDir(), "slot")
	f, err := os.Create(slot)
	if err == nil {
		_, err = io.Copy(f, io.NewSectionReader(disk, slotOffset, slotSize))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return slot
}

// tool runs a foreign program and returns what it prints.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// unifiedKernel returns the sections of the unified kernel image in slot A.
func unifiedKernel(t testing.TB, image string) map[string][]byte {
	t.Helper()
	uki := filepath.Join(t.TempDir(), "uki")
	tool(t, "mcopy", "-i", slotA(t, image), "::/"+kernelFile, uki)
	f, err := pe.Open(uki)
	if err != nil {
		t.Fatalf("read unified kernel image: %v", err)
	}
	defer f.Close()
	sections := map[string][]byte{}
	for _, s := range f.Sections {
		data, err := s.Data()
		if err != nil {
			t.Fatalf("section %s of unified kernel image: %v", s.Name, err)
		}
		sections[s.Name] = data[:min(int(s.VirtualSize), len(data))]
	}
	return sections
}

// initramfs returns the files of the initramfs by name.
func initramfs(t testing.TB, image string) map[string][]byte {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	raw, err := z.DecodeAll(unifiedKernel(t, image)[".initrd"], nil)
	if err != nil {
		t.Fatalf("unpack initramfs: %v", err)
	}
	files := map[string][]byte{}
	err = cpio.ForEachRecord(cpio.Newc.Reader(bytes.NewReader(raw)), func(r cpio.Record) error {
		content := make([]byte, r.FileSize)
		if _, err := r.ReadAt(content, 0); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		files[r.Name] = content
		return nil
	})
	if err != nil {
		t.Fatalf("read initramfs of %d bytes: %v", len(raw), err)
	}
	return files
}

// TestReleaseHasNoTestChannel searches all that a release image runs for the
// channel, and then asks at its door. The same search finds it in the test
// image, and TestFaults gets answers at that door.
func TestReleaseHasNoTestChannel(t *testing.T) {
	release, test := releaseImage(t), testImage(t)
	has := func(image string) (found []string) {
		files := initramfs(t, image)
		if len(files["init"]) == 0 || len(files) < 10 {
			t.Fatalf("%s: the initramfs holds %d files and an init of %d bytes", image, len(files), len(files["init"]))
		}
		for name, content := range files {
			if bytes.Contains(content, []byte(channelName)) {
				found = append(found, name)
			}
		}
		return found
	}
	if found := has(test); len(found) != 1 || found[0] != "init" {
		t.Errorf("the test image has the channel in %q, want init", found)
	}
	if found := has(release); len(found) != 0 {
		t.Errorf("the release image has the test channel in %q", found)
	}

	m := boot(t, newDisk(t, release))
	for _, command := range []string{"ping", "ps", "kill pbxd"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		r, err := m.control.do(ctx, command)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) { // silence, and nothing else
			t.Errorf("%s: the release image answers %+v, %v", command, r, err)
		}
	}
}

// TestImageSatisfiesOthers has programs that we did not write read the images.
func TestImageSatisfiesOthers(t *testing.T) {
	for _, image := range []string{releaseImage(t), testImage(t)} {
		t.Run(filepath.Base(image), func(t *testing.T) {
			if out := tool(t, "sgdisk", "-v", image); !strings.Contains(out, "No problems found") {
				t.Errorf("sgdisk:\n%s", out)
			}
			slot := slotA(t, image)
			tool(t, "fsck.vfat", "-n", slot) // it fails when there is something to mend
			if out, want := strings.Fields(tool(t, "mdir", "-/", "-b", "-i", slot)), []string{"::/EFI/", "::/EFI/BOOT/", "::/" + kernelFile}; !slices.Equal(out, want) {
				t.Errorf("slot A holds %q, want %q", out, want)
			}
			sections := unifiedKernel(t, image)
			for _, name := range []string{".osrel", ".uname", ".cmdline", ".initrd", ".linux"} {
				if len(sections[name]) == 0 {
					t.Errorf("the unified kernel image has no %s", name)
				}
			}
			if info, err := os.Stat(image); err != nil || info.Size()%512 != 0 {
				t.Errorf("the disk has %d bytes (%v)", info.Size(), err)
			}
		})
	}
}
