package boot

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// notes is a Record in memory.
type notes struct {
	blank, valid, complete bool
	fail                   bool
}

func (n *notes) Blank() bool        { return n.blank }
func (n *notes) Valid() bool        { return n.valid }
func (n *notes) DataComplete() bool { return n.complete }
func (n *notes) SetDataComplete(c bool) error {
	if n.fail {
		return errors.New("medium failed")
	}
	n.blank, n.valid, n.complete = false, true, c
	return nil
}

func TestDecide(t *testing.T) {
	blank, damaged := notes{blank: true}, notes{}
	never, done := notes{valid: true}, notes{valid: true, complete: true}
	for _, tt := range []struct {
		name       string
		record     notes
		zero, used bool
		want       dataStep
	}{
		{"new device", blank, true, false, formatIt},
		{"blank record over something", blank, false, false, mountOnly},
		{"blank record over a used file system", blank, false, true, mountOnly},
		{"cut in formatting", never, false, false, formatIt},
		{"cut before the first byte", never, true, false, formatIt},
		{"stale record over a used file system", never, false, true, mountOnly},
		{"completed", done, false, true, mountOnly},
		{"completed, not mounted yet", done, false, false, mountOnly},
		{"completed, now zero", done, true, false, mountOnly},
		{"damaged record", damaged, false, true, mountOnly},
		{"damaged record over zeros", damaged, true, false, mountOnly},
	} {
		if got := decide(&tt.record, tt.zero, tt.used); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func dataFile(t *testing.T, size int64) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFormatIsAFileSystemThatE2fsckAccepts(t *testing.T) {
	e2fsck, err := exec.LookPath("e2fsck")
	if err != nil {
		t.Skip("e2fsck is not installed")
	}
	sizes := []int64{32 << 20, 100<<20 + 512, 128 << 20, 129 << 20, 256 << 20, 384 << 20, 1<<30 + 12345, 1152 << 20, 17 * 128 << 20, 4<<30 + 1<<20}
	if testing.Short() {
		sizes = sizes[:5]
	}
	for _, size := range sizes {
		f := dataFile(t, size)
		if _, err := f.WriteAt([]byte(strings.Repeat("old", 1000)), 5000); err != nil {
			t.Fatal(err)
		}
		if err := FormatExt4(f, size); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(e2fsck, "-fn", f.Name()).CombinedOutput()
		if err != nil || strings.Contains(string(out), "? no") {
			t.Errorf("%d bytes: e2fsck: %v\n%s", size, err, out)
		}
	}
}

func TestTooSmallForAFileSystem(t *testing.T) {
	if err := FormatExt4(dataFile(t, minData-1), minData-1); err == nil {
		t.Error("got no error")
	}
}

func TestPowerCutInFormattingEndsInACompletedFormat(t *testing.T) {
	const size = 64 << 20
	f, record := dataFile(t, size), &notes{blank: true}
	cut := errors.New("power failed")
	for _, share := range []int64{0, 1024, 1 << 20, size / 2, size} {
		made, err := PrepareData(f, size, record, func(f *os.File, size int64) error {
			whole := dataFile(t, size)
			if err := FormatExt4(whole, size); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.NewOffsetWriter(f, 0), io.NewSectionReader(whole, 0, share)); err != nil {
				t.Fatal(err)
			}
			return cut
		})
		if made || !errors.Is(err, cut) || record.complete {
			t.Fatalf("cut after %d bytes: made %t, %v, complete %t", share, made, err, record.complete)
		}
	}
	made, err := PrepareData(f, size, record, FormatExt4)
	if !made || err != nil || !record.complete {
		t.Fatalf("next boot: made %t, %v, complete %t", made, err, record.complete)
	}
	made, err = PrepareData(f, size, record, func(*os.File, int64) error {
		t.Error("a completed partition is formatted")
		return nil
	})
	if made || err != nil {
		t.Errorf("boot after it: made %t, %v", made, err)
	}
}

func TestNothingIsFormattedWhileTheRecordCannotBeWritten(t *testing.T) {
	_, err := PrepareData(dataFile(t, 64<<20), 64<<20, &notes{blank: true, fail: true}, func(*os.File, int64) error {
		t.Error("formatted")
		return nil
	})
	if err == nil {
		t.Error("got no error")
	}
}
