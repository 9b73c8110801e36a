package netconf

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inNamespace runs f in a network namespace of its own, with an interface
// named lan.
func inNamespace(t *testing.T, f func(t *testing.T)) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes a network namespace")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread takes its namespace with it
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("make a network namespace: %v", err)
			return
		}
		la := netlink.NewLinkAttrs()
		la.Name = "lan"
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: la, PeerName: "peer"}); err != nil {
			t.Errorf("make an interface: %v", err)
			return
		}
		f(t)
	}()
	<-done
}

// state is what the kernel holds, as text.
func state(t *testing.T) string {
	l, err := netlink.LinkByName("lan")
	if err != nil {
		t.Error(err)
		return ""
	}
	var lines []string
	addrs, err := netlink.AddrList(l, netlink.FAMILY_V4)
	if err != nil {
		t.Error(err)
	}
	for _, a := range addrs {
		lines = append(lines, "address "+a.IPNet.String())
	}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		t.Error(err)
	}
	for _, r := range routes {
		if isDefault(r.Dst) {
			lines = append(lines, "default "+r.Gw.String())
		}
	}
	return strings.Join(lines, ", ")
}

func TestApplyLeavesTheKernelInTheState(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
		var host string
		k := Kernel{
			ResolvConf:  filepath.Join(t.TempDir(), "resolv.conf"),
			SetHostname: func(b []byte) error { host = string(b); return nil },
		}
		if err := LoopbackUp(); err != nil {
			t.Error(err)
		}
		for _, peer := range []string{"peer"} {
			l, err := netlink.LinkByName(peer)
			if err == nil {
				err = netlink.LinkSetUp(l)
			}
			if err != nil {
				t.Error(err)
			}
		}
		for _, tt := range []struct {
			name string
			plan Plan
			want string
			dns  string
		}{
			{"factory", Plan{Hostname: "galilei", Address: FactoryAddress()}, "address 192.168.0.50/24", ""},
			{"gateway", Plan{Hostname: "a", Address: FactoryAddress(), Gateway: addr("192.168.0.1"), DNS: []netip.Addr{addr("9.9.9.9")}},
				"address 192.168.0.50/24, default 192.168.0.1", "nameserver 9.9.9.9\n"},
			{"another gateway", Plan{Hostname: "a", Address: FactoryAddress(), Gateway: addr("192.168.0.2")},
				"address 192.168.0.50/24, default 192.168.0.2", ""},
			{"another address in the same network", Plan{Hostname: "a", Address: prefix("192.168.0.51/24"), Gateway: addr("192.168.0.2")},
				"address 192.168.0.51/24, default 192.168.0.2", ""},
			{"longer prefix", Plan{Hostname: "a", Address: prefix("192.168.0.51/29"), Gateway: addr("192.168.0.49")},
				"address 192.168.0.51/29, default 192.168.0.49", ""},
			{"gateway on the wire only", Plan{Hostname: "a", Address: prefix("10.0.0.5/30"), Gateway: addr("10.99.0.1")},
				"address 10.0.0.5/30, default 10.99.0.1", ""},
			{"without gateway", Plan{Hostname: "a", Address: prefix("10.0.0.5/30")}, "address 10.0.0.5/30", ""},
			{"nothing", Plan{Hostname: "b"}, "", ""},
		} {
			for range 2 { // the second time changes nothing
				if err := k.Apply("lan", tt.plan); err != nil {
					t.Errorf("%s: %v", tt.name, err)
				}
				if got := state(t); got != tt.want {
					t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
				}
				if b, err := os.ReadFile(k.ResolvConf); err != nil || string(b) != tt.dns || host != tt.plan.Hostname {
					t.Errorf("%s: name servers %q, %v, host %q", tt.name, b, err, host)
				}
			}
		}
		if err := k.Apply("lan", Plan{Address: FactoryAddress()}); err != nil {
			t.Error(err)
		}
		got, err := Addresses("lan")
		if err != nil || !slices.Equal(got, []netip.Prefix{FactoryAddress()}) {
			t.Errorf("addresses: got %v and %v", got, err)
		}
	})
}

func TestWaitForInterface(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if got, err := WaitForInterface(ctx, []string{"absent", "lan"}); got != "lan" || err != nil {
			t.Errorf("got %q and %v, want lan", got, err)
		}
		cancel()
		if got, err := WaitForInterface(ctx, []string{"absent"}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %q and %v, want %v", got, err, context.Canceled)
		}
		if err := (Kernel{ResolvConf: os.DevNull, SetHostname: func([]byte) error { return nil }}).Apply("absent", Plan{}); err == nil {
			t.Error("an interface that there is not: got no error")
		}
	})
}
