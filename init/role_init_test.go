package main

import (
	"bytes"
	"context"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"galilei/init/internal/boot"
	"galilei/init/internal/dhcp"
	"galilei/init/internal/supervise"
)

// output collects what the console shows.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// thrower throws once in each task.
type thrower struct {
	mu       sync.Mutex
	attempts map[string]int
}

func (x *thrower) before(task string) {
	x.mu.Lock()
	x.attempts[task]++
	first := x.attempts[task] == 1
	x.mu.Unlock()
	if first {
		panic("thrown at " + task)
	}
}

func (x *thrower) count(task string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.attempts[task]
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestEveryTaskOutlivesAPanic(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	x, out := &thrower{attempts: map[string]int{}}, &output{}
	d := newDevice(ctx, out, x.before)
	if _, err := d.loadBoard(); d.board.Name == "" {
		t.Fatal(err)
	}
	d.board.Network.Interfaces = []string{"no-such-lan"} // leave the network of this machine alone
	if _, err := d.startNetwork(); err != nil {
		t.Fatal(err)
	}
	r := d.startRole(supervise.Spec{Name: "sleeper", Binary: "/bin/sleep", Args: []string{"sleep", "60"}, Dir: "/", UID: 65534, GID: 65534}, true, supervise.Events{})
	for _, task := range []string{"console", "reaper", "network", "network interface", "role sleeper"} {
		eventually(t, task+" runs again", func() bool { return x.count(task) >= 2 })
	}
	eventually(t, "the log of the role was thrown at", func() bool { return x.count("sleeper log") >= 1 })
	eventually(t, "the role runs", func() bool { return r.Status().PID != 0 })
	if !d.healthy() {
		t.Error("the watchdog would not be fed")
	}
	if s := d.Status(); len(s.Roles) != 1 || s.Roles[0].RSS == 0 {
		t.Errorf("status: %+v", s)
	}
	if err := r.Signal(9); err != nil { // the reaper, too, still works
		t.Error(err)
	}
	eventually(t, "the role runs again", func() bool { st := r.Status(); return st.Restarts == 1 && st.PID != 0 })
	d.stop()
	if st := r.Status(); st.State != supervise.Stopped {
		t.Errorf("after stop: %+v", st)
	}
	cancel()
	d.tasks.Wait()
	for _, task := range []string{"console", "reaper", "network", "role sleeper", "sleeper log"} {
		if !strings.Contains(out.String(), "thrown at "+task) {
			t.Errorf("the console does not tell of the panic in %s:\n%s", task, out)
		}
	}
}

func TestAPhaseThatThrowsDoesNotEndTheBoot(t *testing.T) {
	err := supervise.Contain("phase", func() error {
		var d *device
		_, err := d.findSlot() // no device at all
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("got %v", err)
	}
}

// TestGoroutinesStartInOnePlace keeps process 1 from starting a goroutine whose
// panic nobody catches.
func TestGoroutinesStartInOnePlace(t *testing.T) {
	found := map[string]bool{}
	eachFile(t, func(file string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			if _, is := n.(*ast.GoStmt); is {
				found[file] = true
			}
			return true
		})
	})
	// Tasks is that place; the DHCP client is a process of its own.
	allowed := []string{"internal/supervise/tasks.go", "role_dhcp.go", "role_pbxd.go", "role_image.go"}
	for file := range found {
		if !slices.Contains(allowed, file) {
			t.Errorf("%s starts a goroutine by itself; use supervise.Tasks", file)
		}
	}
	if !found[allowed[0]] {
		t.Errorf("%s starts none: this test looks at the wrong thing", allowed[0])
	}
}

// TestTestChannelIsInTestImagesOnly keeps the channel behind its build tag.
func TestTestChannelIsInTestImagesOnly(t *testing.T) {
	importers := 0
	eachFile(t, func(file string, f *ast.File) {
		for _, i := range f.Imports {
			if i.Path.Value != `"galilei/init/internal/testchannel"` {
				continue
			}
			importers++
			tagged := false
			for _, group := range f.Comments {
				for _, c := range group.List {
					if !constraint.IsGoBuild(c.Text) || c.Pos() > f.Package {
						continue
					}
					expr, err := constraint.Parse(c.Text)
					if err != nil {
						t.Fatal(err)
					}
					tagged = !expr.Eval(func(tag string) bool { return tag != "testcontrol" })
				}
			}
			if !tagged {
				t.Errorf("%s imports the test channel into release images", file)
			}
		}
	})
	if importers != 1 {
		t.Errorf("%d files import the test channel, want 1", importers)
	}
}

// eachFile parses every file of this folder that is no test.
func eachFile(t *testing.T, visit func(file string, f *ast.File)) {
	err := fs.WalkDir(os.DirFS("."), ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err == nil {
			visit(file, f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestServicesAt(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.5")
	for ready, want := range map[string][2]string{
		"ready web=https://[::]:443 sip=[::]:5060":        {"https://192.0.2.5", "192.0.2.5:5060"},
		"ready web=https://0.0.0.0:8443 sip=0.0.0.0:5070": {"https://192.0.2.5:8443", "192.0.2.5:5070"},
		"ready": {"https://192.0.2.5", "192.0.2.5:5060"},
		"ready web=%zz sip=x:99999 web=https://h sip=nothing": {"https://192.0.2.5", "192.0.2.5:5060"},
	} {
		if web, sip := servicesAt(addr, ready); web != want[0] || sip != want[1] {
			t.Errorf("%q: got %s and %s, want %s and %s", ready, web, sip, want[0], want[1])
		}
	}
}

func TestTheFirstWordToGoDownCounts(t *testing.T) {
	d := newDevice(t.Context(), &output{}, nil)
	d.Reboot()
	d.Shutdown()
	if got := d.waitForEnd(nil); got != boot.Reboot {
		t.Errorf("got %s, want %s", got, boot.Reboot)
	}
	for s, want := range map[os.Signal]boot.Way{unix.SIGINT: boot.Reboot, unix.SIGTERM: boot.PowerOff, unix.SIGPWR: boot.PowerOff} {
		sig := make(chan os.Signal, 1)
		sig <- s
		if got := d.waitForEnd(sig); got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
}

func TestLostLeaseFallsBackToTheFactoryAddress(t *testing.T) {
	d := newDevice(t.Context(), &output{}, nil)
	n := newNetwork(d)
	n.client = &running{}
	l := dhcp.Lease{Address: netip.MustParsePrefix("192.0.2.20/24")}
	n.take(dhcp.Event{Kind: dhcp.Bound, Lease: &l})
	if n.lease == nil || n.lease.Address != l.Address {
		t.Errorf("lease: %+v", n.lease)
	}
	n.take(dhcp.Event{Kind: dhcp.Lost})
	if n.lease != nil || !n.gaveUp {
		t.Errorf("after its loss: %+v, gave up %t", n.lease, n.gaveUp)
	}
	n.client = nil
	n.take(dhcp.Event{Kind: dhcp.Bound, Lease: &l})
	if n.lease != nil {
		t.Error("a word of a client that was stopped is taken")
	}
}
