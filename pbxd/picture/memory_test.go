package picture

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
)

// peakLimit is what ten uploads at once may add to the process, in bytes. The
// device has 512 MB.
const peakLimit = 120_000_000

const worstVariable = "PICTURE_TEST_WORST"

// worst are files whose decoding needs nearly as much memory as is admitted.
func worst(t testing.TB, name string) []byte {
	t.Helper()
	switch name {
	case "PNG":
		return pngChunks(t, 6000, 4000, 8, 6, 0, 6000*4+1, 4000)
	case "interlaced PNG":
		return interlaced(t, 3450)
	case "progressive JPEG":
		return scans(t, 2500, 2_000)
	case "TIFF":
		return rgbTIFF(1900, 1800, 1800, 8, deflated(t, 3*1900*1800))
	case "TIFF that inflates to 8 bytes a pixel":
		return rgbTIFF(1900, 1800, 1800, 8, deflated(t, 8*1900*1800))
	}
	t.Fatalf("no file %q", name)
	return nil
}

// interlaced returns a square PNG in the seven passes of Adam7 (PNG section
// 8.2).
func interlaced(t testing.TB, side int) []byte {
	bytesOfRows := 0
	for _, p := range [][4]int{{8, 8, 0, 0}, {8, 8, 4, 0}, {4, 8, 0, 4}, {4, 4, 2, 0}, {2, 4, 0, 2}, {2, 2, 1, 0}, {1, 2, 0, 1}} {
		w, h := (side-p[2]+p[0]-1)/p[0], (side-p[3]+p[1]-1)/p[1]
		bytesOfRows += h * (1 + 4*w)
	}
	return pngChunks(t, side, side, 8, 6, 1, bytesOfRows, 1)
}

// TestPeakMemory uploads ten of the worst files at once in a process of its
// own and reads its peak of resident memory.
func TestPeakMemory(t *testing.T) {
	if name := os.Getenv(worstVariable); name != "" {
		uploadTen(t, name)
		return
	}
	if raceDetector {
		t.Skip("the race detector multiplies memory")
	}
	for _, name := range []string{"PNG", "interlaced PNG", "progressive JPEG", "TIFF", "TIFF that inflates to 8 bytes a pixel"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPeakMemory$", "-test.v")
			cmd.Env = append(os.Environ(), worstVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var before, after int64
			_, line, found := strings.Cut(string(out), "peak ")
			if _, err := fmt.Sscanf(line, "%d %d", &before, &after); err != nil || !found {
				t.Fatalf("no peak in %s", out)
			}
			t.Logf("ten uploads raise the peak by %d MB", (after-before)/1_000_000)
			if after-before > peakLimit {
				t.Errorf("ten uploads raise the peak by %d bytes, more than %d", after-before, peakLimit)
			}
		})
	}
}

func uploadTen(t *testing.T, name string) {
	file := worst(t, name)
	d := NewDecoder()
	debug.FreeOSMemory() // what the making of the file left behind
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skipf("the kernel does not reset the peak: %v", err)
	}
	before := peak(t)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := d.Decode(t.Context(), io.MultiReader(bytes.NewReader(file), io.LimitReader(zeros{}, int64(MaxUpload-len(file))))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	fmt.Printf("peak %d %d\n", before, peak(t))
}

// peak returns the most resident memory that the process had since the last
// reset, in bytes (VmHWM of proc(5)).
func peak(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var kib int64
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(line, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// zeros are read without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
