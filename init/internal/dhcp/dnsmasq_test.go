package dhcp

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// text is a buffer that a process writes and a test reads.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// namespace makes a network namespace and runs on a thread within it what is
// sent to the function that it returns.
func namespace(t *testing.T) (run func(f func() error) error, tid int) {
	work, results, ready := make(chan func() error), make(chan error), make(chan int)
	go func() {
		runtime.LockOSThread() // never unlocked: the namespace goes with the thread
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("make a network namespace: %v", err)
		}
		ready <- unix.Gettid()
		for f := range work {
			results <- f()
		}
	}()
	t.Cleanup(func() { close(work) })
	tid = <-ready
	return func(f func() error) error {
		work <- f
		return <-results
	}, tid
}

func TestLeaseFromDnsmasq(t *testing.T) {
	dnsmasq, err := exec.LookPath("dnsmasq")
	if err != nil {
		t.Skip("dnsmasq is not installed")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	inServer, _ := namespace(t)
	inClient, clientTID := namespace(t)
	err = inServer(func() error {
		la := netlink.NewLinkAttrs()
		la.Name = "srv"
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: la, PeerName: "cli"}); err != nil {
			return fmt.Errorf("make interfaces: %w", err)
		}
		cli, err := netlink.LinkByName("cli")
		if err != nil {
			return err
		}
		ns, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", clientTID))
		if err != nil {
			return err
		}
		defer ns.Close()
		if err := netlink.LinkSetNsFd(cli, int(ns.Fd())); err != nil {
			return err
		}
		srv, err := netlink.LinkByName("srv")
		if err != nil {
			return err
		}
		addr, err := netlink.ParseAddr("192.0.2.1/24")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(srv, addr); err != nil {
			return err
		}
		return netlink.LinkSetUp(srv)
	})
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	out := &text{}
	server := exec.Command(dnsmasq, "--no-daemon", "--conf-file=/dev/null", "--port=0", "--log-dhcp", "--user=root", "--leasefile-ro",
		"--pid-file="+filepath.Join(dir, "pid"), "--interface=srv", "--bind-interfaces", "--no-ping",
		"--dhcp-range=192.0.2.20,192.0.2.20,255.255.255.0,1h",
		"--dhcp-option=option:router,192.0.2.1", "--dhcp-option=option:dns-server,192.0.2.1,192.0.2.2",
		"--dhcp-option=59,4") // T2 of 4 s, from which it makes T1 3 s
	server.Stdout, server.Stderr = out, out
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := inServer(server.Start); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()

	var socket *Socket
	var ifi *net.Interface
	err = inClient(func() error {
		l, err := netlink.LinkByName("cli")
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(l); err != nil {
			return err
		}
		if ifi, err = net.InterfaceByName("cli"); err != nil {
			return err
		}
		socket, err = OpenSocket(ifi)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	events := make(chan Event, 8)
	log := &text{}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		if err := socket.Receive(ctx); err != nil {
			t.Errorf("receive: %v", err)
		}
	})
	wg.Go(func() {
		c := Client{
			Wire: socket, Hardware: ifi.HardwareAddr, Hostname: "galilei-test", Random: rand.New(rand.NewPCG(1, 2)),
			Log:  slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Tell: func(e Event) error { events <- e; return nil },
		}
		_ = c.Run(ctx) // ends with ctx
	})
	select {
	case e := <-events:
		if e.Kind != Bound || e.Lease.Address.String() != "192.0.2.20/24" || e.Lease.Gateway.String() != "192.0.2.1" ||
			len(e.Lease.DNS) != 2 || e.Lease.Seconds != 3600 || e.Lease.Renew != 3 {
			t.Fatalf("got %+v with lease %+v", e, e.Lease)
		}
	case <-ctx.Done():
		t.Fatalf("no lease; server:\n%s\nclient:\n%s", out, log)
	}
	err = inClient(func() error { // as process 1 does
		l, err := netlink.LinkByName("cli")
		if err != nil {
			return err
		}
		addr, err := netlink.ParseAddr("192.0.2.20/24")
		if err != nil {
			return err
		}
		return netlink.AddrAdd(l, addr)
	})
	if err != nil {
		t.Fatal(err)
	}
	for strings.Count(log.String(), "lease renewed") < 2 { // unicast, over the UDP socket
		select {
		case e := <-events:
			t.Fatalf("told %+v while the lease is renewed; server:\n%s\nclient:\n%s", e, out, log)
		case <-ctx.Done():
			t.Fatalf("not renewed; server:\n%s\nclient:\n%s", out, log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	if !strings.Contains(out.String(), "galilei-test") {
		t.Errorf("the server was not told the host name:\n%s", out)
	}
}
