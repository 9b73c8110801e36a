package qemutest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"galilei/pbxd/pbxdtest/peer"
)

// benchVariable names the file for the table of BenchmarkDevice; scripts/bench
// sets it.
const benchVariable = "GALILEI_BENCH"

// benchCalls is how many calls are up when memory is measured with calls.
const benchCalls = 50

// BenchmarkDevice measures the device once, whatever b.N is, and writes a
// table. It judges nothing: a number is neither right nor wrong.
func BenchmarkDevice(b *testing.B) {
	path := os.Getenv(benchVariable)
	if path == "" {
		b.Skipf("%s names no file for the table; scripts/bench does", benchVariable)
	}
	peer.NeedSipp(b)
	release, test := releaseImage(b), testImage(b)
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Galilei, %d processors, QEMU with %s, %s\n", runtime.NumCPU(), accelerator(), time.Now().UTC().Format(time.DateOnly))

	first, later := bootTimes(b, release)
	fmt.Fprintf(w, "Power-on to ready, first boot\t%s\n", first)
	fmt.Fprintf(w, "Power-on to ready, later boots\t%s\n", later)
	sections, files := unifiedKernel(b, release), initramfs(b, release)
	fmt.Fprintf(w, "Unified kernel image\t%s\n", mebibytes(slotUse(b, release)))
	fmt.Fprintf(w, "  initramfs\t%s\n", mebibytes(int64(len(sections[".initrd"]))))
	fmt.Fprintf(w, "  binary, uncompressed\t%s\n", mebibytes(int64(len(files["init"]))))
	for _, role := range idleMemory(b, test) {
		fmt.Fprintf(w, "RSS in the image at idle, %s\t%s\n", role.name, mebibytes(role.rss))
	}
	idle, busy, cpu := callMemory(b, files["init"])
	fmt.Fprintf(w, "RSS of pbxd --host at idle\t%s\n", mebibytes(idle))
	fmt.Fprintf(w, "RSS of pbxd --host with %d calls\t%s\n", benchCalls, mebibytes(busy))
	fmt.Fprintf(w, "CPU of pbxd --host with %d calls\t%.0f %% of one processor\n", benchCalls, 100*cpu)
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, table.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
}

func accelerator() string {
	if a := os.Getenv("ACCEL"); a != "" {
		return a
	}
	return "tcg"
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB (%d bytes)", float64(n)/(1<<20), n) }

// bootTime is a median of three, of QEMU's start and of the kernel's start.
type bootTime struct{ power, kernel []time.Duration }

func (t bootTime) String() string {
	slices.Sort(t.power)
	slices.Sort(t.kernel)
	return fmt.Sprintf("%.1f s, of which from the kernel's start %.1f s (median of %d)", t.power[1].Seconds(), t.kernel[1].Seconds(), len(t.power))
}

// bootTimes boots three new disks twice each.
func bootTimes(b *testing.B, image string) (first, later bootTime) {
	b.Helper()
	for range 3 {
		disk := newDisk(b, image)
		for _, t := range []*bootTime{&first, &later} {
			m := boot(b, disk)
			m.switchOff()
			found := m.console.matches(regexp.MustCompile(`galilei ready .* boot=([0-9.]+)s`))
			if len(found) != 1 {
				b.Fatalf("%d ready lines", len(found))
			}
			s, err := strconv.ParseFloat(found[0][1], 64)
			if err != nil {
				b.Fatal(err)
			}
			t.power = append(t.power, m.booted)
			t.kernel = append(t.kernel, time.Duration(s*float64(time.Second)))
		}
	}
	return first, later
}

// slotUse returns the size of the unified kernel image in bytes.
func slotUse(b *testing.B, image string) int64 {
	b.Helper()
	uki := filepath.Join(b.TempDir(), "uki")
	tool(b, "mcopy", "-i", slotA(b, image), "::/"+kernelFile, uki)
	info, err := os.Stat(uki)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// roleMemory is what a role takes of the memory.
type roleMemory struct {
	name string
	rss  int64 // bytes
}

func idleMemory(b *testing.B, image string) (list []roleMemory) {
	b.Helper()
	m := boot(b, newDisk(b, image))
	talk(b, 10*time.Second) // what starting took is given back
	for _, role := range []string{"init", "pbxd", "dhcp"} {
		list = append(list, roleMemory{role, m.command(b, "rss", role).RSS})
	}
	m.switchOff()
	return list
}

// hostPBX is the shipped binary as a program of this machine.
type hostPBX struct {
	cmd   *exec.Cmd
	users map[string]string // SIP password by extension
}

// startHost starts it on the board without limits and waits until it is ready.
func startHost(b *testing.B, binary []byte) *hostPBX {
	b.Helper()
	dir := b.TempDir()
	program := filepath.Join(dir, "galilei")
	if err := os.WriteFile(program, binary, 0o755); err != nil {
		b.Fatal(err)
	}
	p := &hostPBX{users: map[string]string{}}
	p.cmd = exec.Command(program, "pbxd", "--host", "--board", "lab", "--data", filepath.Join(dir, "data"), "--show-demo",
		"--web", webAddress, "--sip", sipAddress, "--rtp", "127.0.0.1:20000-29999")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log := &bytes.Buffer{}
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	ready := false
	for !ready && lines.Scan() {
		if m := demoLine.FindStringSubmatch(lines.Text()); m != nil {
			p.users[m[1]] = m[2]
		}
		ready = strings.HasPrefix(lines.Text(), "ready ")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // it prints nothing more that counts
	b.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.cmd.Wait(); err != nil {
			b.Errorf("pbxd: %v\n%s", err, log)
		}
	})
	if !ready {
		b.Fatalf("pbxd ended before it was ready: %v", lines.Err())
	}
	return p
}

// rss returns its resident memory in bytes.
func (p *hostPBX) rss(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		b.Fatal("no VmRSS")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib << 10
}

// ticksPerSecond is the unit of proc(5)'s times, USER_HZ of x86.
const ticksPerSecond = 100

// cpu returns the processor time that it has used.
func (p *hostPBX) cpu(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, i := range []int{11, 12} { // utime and stime, fields 14 and 15 of proc(5)
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// callMemory measures the memory without calls and with calls that carry audio
// both ways, and what part of one processor they take.
func callMemory(b *testing.B, binary []byte) (idle, busy int64, cpu float64) {
	b.Helper()
	const settle, measure = 5 * time.Second, 15 * time.Second
	p := startHost(b, binary)
	talk(b, 10*time.Second)
	idle = p.rss(b)

	caller := peer.SippUser{User: "101", Password: p.users["101"], Number: "102"}
	sippRegister(b, caller, sippCaller)
	sippRegister(b, peer.SippUser{User: "102", Password: p.users["102"]}, sippCallee)
	ctx, cancel := context.WithTimeout(b.Context(), awaitTime)
	defer cancel()
	sending, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	sides, heard := [2]*peer.Sipp{}, [2]*peer.RTP{}
	for i, scenario := range []peer.Scenario{peer.SippAnswer, peer.SippCallAuth} {
		audio, err := peer.ListenRTP(netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { audio.Close() })
		o := sippOptions(b, scenario, []int{sippCallee, sippCaller}[i])
		o.RTPPort, o.Calls, o.Rate = int(audio.Addr().Port()), benchCalls, 10
		if scenario == peer.SippCallAuth {
			o.Users, o.Talk = []peer.SippUser{caller}, time.Minute
		}
		s, err := peer.StartSipp(ctx, o)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(s.Stop)
		if scenario == peer.SippAnswer {
			err = s.WaitReady(ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
		sides[i], heard[i] = s, audio
		wg.Go(func() {
			for n := 1; n <= benchCalls; n++ {
				port, err := s.AwaitMediaPort(sending, n)
				if err != nil {
					if sending.Err() == nil {
						b.Error(err)
					}
					return
				}
				wg.Go(func() {
					if _, err := audio.SendTone(sending, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), 440); err != nil {
						b.Error(err)
					}
				})
			}
		})
	}
	for _, s := range sides {
		if _, err := s.AwaitMediaPort(ctx, benchCalls); err != nil {
			b.Fatal(err)
		}
	}
	talk(b, settle)
	before, start := p.cpu(b), time.Now()
	talk(b, measure)
	busy, cpu = p.rss(b), float64(p.cpu(b)-before)/float64(time.Since(start))
	for i, r := range heard { // a number of silent calls would tell little
		if streams, _ := r.Streams(); len(streams) != benchCalls {
			b.Errorf("%s: %d streams arrive, want %d", []string{"callee", "caller"}[i], len(streams), benchCalls)
		}
	}
	var failed error
	for _, s := range sides {
		_, err := s.Wait()
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		b.Fatal(failed)
	}
	return idle, busy, cpu
}
