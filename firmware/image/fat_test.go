package image

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFATIsAccepted(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16+3)
	files := []fatFile{
		{"/EFI/BOOT/BOOTX64.EFI", big},
		{"/EFI/BOOT/EMPTY", nil},
		{"/EFI/A.TXT", []byte("a")},
		{"/README.TXT", bytes.Repeat([]byte("r"), clusterSize)},
	}
	for _, size := range []int64{16 * mib, 17*mib + 3*clusterSize, 64 * mib, 256 * mib} {
		b, err := fatImage(size, 0x12345678, "GALILEI", files)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(b)) != size {
			t.Fatalf("image has %d bytes, want %d", len(b), size)
		}
		dir := t.TempDir()
		img := filepath.Join(dir, "slot.img")
		if err := os.WriteFile(img, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if out := run(t, "fsck.vfat", "-n", "-v", img); strings.Contains(out, "differ") || strings.Contains(out, "Dirty") || !strings.Contains(out, "16 bit entries") {
			t.Errorf("%d bytes: fsck.vfat says\n%s", size, out)
		}
		for i, f := range files {
			got := filepath.Join(dir, fmt.Sprint(i))
			run(t, "mcopy", "-i", img, "::"+f.path, got)
			content, err := os.ReadFile(got)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(content, f.data) {
				t.Errorf("%d bytes: mcopy reads %d bytes of %s, want %d equal ones", size, len(content), f.path, len(f.data))
			}
		}
		if out := run(t, "mdir", "-i", img, "::/EFI/BOOT"); !strings.Contains(out, "1980-01-01") || !strings.Contains(out, "Volume in drive : is GALILEI") || !strings.Contains(out, "1234-5678") {
			t.Errorf("mdir says\n%s", out)
		}
	}
}

func TestFATFull(t *testing.T) {
	v := newFATVolume(16 * mib)
	most := (v.clusters) * clusterSize
	if _, err := fatImage(16*mib, 1, "X", []fatFile{{"/A", make([]byte, most)}}); err != nil {
		t.Errorf("a file that just fits: %v", err)
	}
	if _, err := fatImage(16*mib, 1, "X", []fatFile{{"/A", make([]byte, most+1)}}); err == nil || !strings.Contains(err.Error(), "clusters") {
		t.Errorf("a file of one byte more: %v", err)
	}
}

func TestFATRefuses(t *testing.T) {
	many := func(prefix string, n int) (files []fatFile) {
		for i := range n {
			files = append(files, fatFile{fmt.Sprintf("%s/F%d", prefix, i), nil})
		}
		return files
	}
	for _, c := range []struct {
		size    int64
		label   string
		files   []fatFile
		message string
	}{
		{15 * mib, "X", nil, "size"},
		{257 * mib, "X", nil, "size"},
		{64*mib + 1, "X", nil, "size"},
		{64 * mib, "", nil, "label"},
		{64 * mib, "galilei", nil, "label"},
		{64 * mib, "TWELVELETTER", nil, "label"},
		{64 * mib, "X", []fatFile{{"A", nil}}, "not absolute"},
		{64 * mib, "X", []fatFile{{"/a", nil}}, "8.3"},
		{64 * mib, "X", []fatFile{{"/NINELETTE", nil}}, "8.3"},
		{64 * mib, "X", []fatFile{{"/A//B", nil}}, "8.3"},
		{64 * mib, "X", []fatFile{{"/../B", nil}}, "8.3"},
		{64 * mib, "X", []fatFile{{"/A", nil}, {"/A", nil}}, "twice"},
		{64 * mib, "X", []fatFile{{"/A", nil}, {"/A/B", nil}}, "twice"},
		{64 * mib, "X", []fatFile{{"/A/B", nil}, {"/A", nil}}, "twice"},
		{64 * mib, "X", many("", rootEntries), "root"},
		{64 * mib, "X", many("/D", clusterSize/dirEntry-1), "it holds 126"},
	} {
		if _, err := fatImage(c.size, 1, c.label, c.files); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("fatImage(%d, %q, %d files): error %v, want one with %q", c.size, c.label, len(c.files), err, c.message)
		}
	}
}
