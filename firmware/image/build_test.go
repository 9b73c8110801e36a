package image

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"
)

func TestBuildTwiceIsEqual(t *testing.T) {
	o := testOptions(t)
	first, err := Build(o)
	if err != nil {
		t.Fatal(err)
	}
	one, err := os.ReadFile(o.Output)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Build(o)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(o.Output)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) || first != second {
		t.Errorf("two builds differ: %+v, %+v", first, second)
	}
	if int64(len(one)) != first.Disk || first.Modules != 2 || first.Release != testRelease || first.Binary != int64(len(program(1000))) {
		t.Errorf("report %+v for a disk of %d bytes", first, len(one))
	}
	var sizes strings.Builder
	if err := first.Write(&sizes); err != nil || strings.Count(sizes.String(), "\n") != 6 {
		t.Errorf("report prints %q, %v", sizes.String(), err)
	}
}

func TestDisk(t *testing.T) {
	o := testOptions(t)
	if _, err := Build(o); err != nil {
		t.Fatal(err)
	}
	if out := run(t, "sgdisk", "-v", o.Output); !strings.Contains(out, "No problems found") {
		t.Errorf("sgdisk says\n%s", out)
	}
	for i, want := range []string{
		"EF00 slot-a " + SlotAUUID, "EF00 slot-b " + SlotBUUID,
		"8300 bootstate " + BootStateUUID, "8300 data " + DataUUID,
	} {
		w := strings.Fields(want)
		out := run(t, "sgdisk", "-i", string(rune('1'+i)), o.Output)
		if !strings.Contains(out, "'"+w[1]+"'") || !strings.Contains(out, "unique GUID: "+strings.ToUpper(w[2])) {
			t.Errorf("partition %d, want %s:\n%s", i+1, want, out)
		}
	}
	disk, err := os.ReadFile(o.Output)
	if err != nil {
		t.Fatal(err)
	}
	parts, size := layOut(o.SlotMiB, o.DataMiB)
	if int64(len(disk)) != size {
		t.Fatalf("disk has %d bytes, want %d", len(disk), size)
	}
	for _, p := range parts[1:] {
		if len(bytes.Trim(disk[p.start:p.start+p.size], "\x00")) != 0 {
			t.Errorf("partition %s is not zero", p.name)
		}
	}
	checkSlot(t, disk[parts[0].start:][:parts[0].size], o.Board, o.Version)
}

// checkSlot takes a slot apart with other programs' code and checks each part.
func checkSlot(t *testing.T, slot []byte, board, version string) {
	t.Helper()
	dir := t.TempDir()
	img := filepath.Join(dir, "slot.img")
	if err := os.WriteFile(img, slot, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "fsck.vfat", "-n", img)
	uki := filepath.Join(dir, "uki")
	run(t, "mcopy", "-i", img, "::/EFI/BOOT/BOOTX64.EFI", uki)
	f, err := pe.Open(uki)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := map[string][]byte{}
	for _, s := range f.Sections {
		b, err := s.Data()
		if err != nil {
			t.Fatalf("section %s: %v", s.Name, err)
		}
		text[s.Name] = b[:min(len(b), int(s.VirtualSize))]
	}
	if got := string(text[".osrel"]); !strings.Contains(got, `VERSION_ID="`+version) {
		t.Errorf(".osrel is %q", got)
	}
	release := string(text[".uname"])
	if got, err := bzImageRelease(text[".linux"]); err != nil || got != release {
		t.Errorf("kernel is %q (%v), .uname %q", got, err, release)
	}
	files := unpack(t, text[".initrd"])
	if got := files["etc/galilei/board"].content; got != board+"\n" {
		t.Errorf("board is %q, want %q", got, board)
	}
	if got := files["etc/galilei/kernel"].content; got != release+"\n" {
		t.Errorf("kernel is %q, want %q", got, release)
	}
	load := strings.Fields(files["lib/modules/load"].content)
	if len(load) == 0 {
		t.Error("no module is loaded")
	}
	for _, m := range load {
		if !strings.HasPrefix(m, "lib/modules/"+release+"/kernel/") || len(files[m].content) == 0 {
			t.Errorf("module %q has %d bytes", m, len(files[m].content))
		}
	}
	for name, mode := range map[string]uint64{
		"init": cpio.S_IFREG | 0o755, "dev/console": cpio.S_IFCHR | 0o600, "dev/null": cpio.S_IFCHR | 0o666,
		"proc": cpio.S_IFDIR | 0o755, "sys": cpio.S_IFDIR | 0o755, "data": cpio.S_IFDIR | 0o755, "run": cpio.S_IFDIR | 0o755,
		"etc/hosts": cpio.S_IFREG | 0o644,
	} {
		if got := files[name].mode; got != mode {
			t.Errorf("%s has mode %o, want %o", name, got, mode)
		}
	}
}

type unpacked struct {
	mode    uint64
	content string
}

// unpack reads an initramfs and makes sure that every parent comes first and
// that nothing tells when and where it was built.
func unpack(t *testing.T, b []byte) map[string]unpacked {
	t.Helper()
	z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]unpacked{".": {}}
	err = cpio.ForEachRecord(cpio.Newc.Reader(bytes.NewReader(raw)), func(r cpio.Record) error {
		if _, ok := files[filepath.Dir(r.Name)]; !ok {
			t.Errorf("%s comes before its directory", r.Name)
		}
		if _, twice := files[r.Name]; twice {
			t.Errorf("%s is there twice", r.Name)
		}
		if r.MTime != 0 || r.UID != 0 || r.GID != 0 {
			t.Errorf("%s: time %d, owner %d:%d", r.Name, r.MTime, r.UID, r.GID)
		}
		u := unpacked{mode: r.Mode}
		if r.Mode&cpio.S_IFMT == cpio.S_IFREG {
			content, err := io.ReadAll(io.NewSectionReader(r, 0, int64(r.FileSize)))
			if err != nil {
				return err
			}
			u.content = string(content)
		}
		files[r.Name] = u
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestBuildRefuses(t *testing.T) {
	replace := func(path *string, b []byte) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if err := os.WriteFile(*path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	noise := make([]byte, MaxInitramfs-100_000) // does not compress: a linear congruence
	x := uint32(1)
	for i := range noise {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	for name, c := range map[string]struct {
		prepare func(o *Options) func(*testing.T)
		message string
		is      error
	}{
		"big binary": {func(o *Options) func(*testing.T) { return replace(&o.Binary, program(MaxBinary)) }, fmt.Sprintf("at most %d", MaxBinary), ErrTooBig},
		"big initramfs": {func(o *Options) func(*testing.T) {
			return replace(&o.Binary, elfFile(elf.ET_EXEC, nil, map[string]string{".text": string(noise) + string(noise[:200_000])}, ".text"))
		}, "initramfs has", ErrTooBig},
		"dynamic binary": {func(o *Options) func(*testing.T) {
			return replace(&o.Binary, elfFile(elf.ET_DYN, []elf.ProgType{elf.PT_INTERP}, nil))
		}, "dynamic loader", nil},
		"unstripped binary": {func(o *Options) func(*testing.T) {
			return replace(&o.Binary, elfFile(elf.ET_EXEC, nil, map[string]string{".symtab": ""}, ".symtab"))
		}, "not stripped", nil},
		"script":         {func(o *Options) func(*testing.T) { return replace(&o.Binary, []byte("#!/bin/sh\n")) }, "binary", nil},
		"module":         {func(o *Options) func(*testing.T) { return replace(&o.Binary, module()) }, "want a program", nil},
		"bad stub":       {func(o *Options) func(*testing.T) { return replace(&o.Stub, []byte("MZ")) }, "DOS header", ErrStub},
		"missing stub":   {func(o *Options) func(*testing.T) { o.Stub += "x"; return nil }, "no such file", os.ErrNotExist},
		"missing module": {func(o *Options) func(*testing.T) { o.Modules = []string{"ext4", "i6300esb"}; return nil }, "i6300esb", ErrNoModule},
		"no kernel":      {func(o *Options) func(*testing.T) { o.KernelDir += "x"; return nil }, "found 0 module directories", nil},
		"other kernel": {func(o *Options) func(*testing.T) {
			path := filepath.Join(o.KernelDir, "boot", "vmlinuz-"+testRelease)
			return replace(&path, bzImage("6.1.0-other"))
		}, `vmlinuz is "6.1.0-other"`, nil},
		"small slot": {func(o *Options) func(*testing.T) { o.SlotMiB = 15; return nil }, "slots of 15 MiB", nil},
		"huge data":  {func(o *Options) func(*testing.T) { o.DataMiB = 1 << 20; return nil }, "data of 1048576 MiB", nil},
		"no folder":  {func(o *Options) func(*testing.T) { o.Output = filepath.Join(o.Output, "x"); return nil }, "write disk", nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t)
			if prepare := c.prepare(&o); prepare != nil {
				prepare(t)
			}
			_, err := Build(o)
			if err == nil || !strings.Contains(err.Error(), c.message) || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("error %v, want one with %q", err, c.message)
			}
			left, err := filepath.Glob(filepath.Join(filepath.Dir(o.Stub), "disk.img*"))
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
}

func TestGUID(t *testing.T) {
	got, err := guid(typeESP)
	want := []byte{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}
	if err != nil || !slices.Equal(got[:], want) {
		t.Errorf("guid(%s) = %x, %v; want %x", typeESP, got, err, want)
	}
	for _, s := range []string{"", "c12a7328", strings.Replace(typeESP, "c", "x", 1), strings.ReplaceAll(typeESP, "-", "")} {
		if _, err := guid(s); err == nil {
			t.Errorf("guid(%q) is accepted", s)
		}
	}
}

// TestShippedImage checks the image that scripts/image built, when it says
// which one: the real kernel, modules and stub.
func TestShippedImage(t *testing.T) {
	path := os.Getenv("GALILEI_IMAGE")
	if path == "" {
		t.Skip("GALILEI_IMAGE is not set")
	}
	if out := run(t, "sgdisk", "-v", path); !strings.Contains(out, "No problems found") {
		t.Errorf("sgdisk says\n%s", out)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	slot := make([]byte, 64*mib)
	if _, err := f.ReadAt(slot, gptReserved); err != nil {
		t.Fatal(err)
	}
	checkSlot(t, slot, "qemu-t640", "")
}
