package netconf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Kernel is the network of the kernel: one LAN interface, the host's name and
// its name servers.
type Kernel struct {
	// ResolvConf is where the name servers are written: /etc/resolv.conf.
	ResolvConf string
	// SetHostname sets the host's name: unix.Sethostname.
	SetHostname func([]byte) error
}

// routeProtocol marks the routes that are ours: RTPROT_STATIC, by an
// administrator.
const routeProtocol = netlink.RouteProtocol(unix.RTPROT_STATIC)

// LoopbackUp brings the loopback interface up.
func LoopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	return nil
}

// WaitForInterface waits until one of names is there, brings it up and returns
// its name, the earlier ones preferred. It returns an error when ctx ends
// first.
func WaitForInterface(ctx context.Context, names []string) (string, error) {
	for {
		for _, name := range names {
			l, err := netlink.LinkByName(name)
			if err != nil {
				continue // not there yet
			}
			if err := netlink.LinkSetUp(l); err != nil {
				return "", fmt.Errorf("bring %s up: %w", name, err)
			}
			return name, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("wait for LAN interface %s: %w", strings.Join(names, " or "), context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Apply makes the interface, the routes, the name servers and the host's name
// agree with p. It touches only what differs, goes on after a failure and
// returns every error.
func (k Kernel) Apply(iface string, p Plan) error {
	var errs []error
	if err := k.SetHostname([]byte(p.Hostname)); err != nil {
		errs = append(errs, fmt.Errorf("set host name %q: %w", p.Hostname, err))
	}
	if err := os.WriteFile(k.ResolvConf, []byte(resolvConf(p.DNS)), 0o644); err != nil {
		errs = append(errs, fmt.Errorf("write name servers: %w", err))
	}
	l, err := netlink.LinkByName(iface)
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("find interface %s: %w", iface, err))...)
	}
	if err := netlink.LinkSetUp(l); err != nil {
		errs = append(errs, fmt.Errorf("bring %s up: %w", iface, err))
	}
	if err := setAddress(l, p.Address); err != nil {
		errs = append(errs, err)
	}
	if err := setGateway(l, p); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func resolvConf(servers []netip.Addr) string {
	var b strings.Builder
	for _, a := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", a)
	}
	return b.String()
}

// Addresses returns the addresses of the interface, IPv4 first, without
// link-local ones.
func Addresses(iface string) ([]netip.Prefix, error) {
	l, err := netlink.LinkByName(iface)
	if err != nil {
		return nil, fmt.Errorf("find interface %s: %w", iface, err)
	}
	var all []netip.Prefix
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		list, err := netlink.AddrList(l, family)
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", iface, err)
		}
		for _, a := range list {
			if p, ok := prefixOf(a.IPNet); ok && !p.Addr().IsLinkLocalUnicast() {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// setAddress leaves want as the only IPv4 address of the link.
func setAddress(l netlink.Link, want netip.Prefix) error {
	name := l.Attrs().Name
	have, err := netlink.AddrList(l, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", name, err)
	}
	present := false
	var errs []error
	for _, a := range have {
		if p, ok := prefixOf(a.IPNet); ok && p == want {
			present = true
			continue
		}
		// Old ones go first: the kernel takes a later address of the same
		// network for a secondary one, which goes with its primary.
		if err := netlink.AddrDel(l, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			errs = append(errs, fmt.Errorf("remove address %s from %s: %w", a.IPNet, name, err))
		}
	}
	if want.IsValid() && !present {
		if err := netlink.AddrReplace(l, &netlink.Addr{IPNet: ipNet(want)}); err != nil {
			errs = append(errs, fmt.Errorf("add address %s to %s: %w", want, name, err))
		}
	}
	return errors.Join(errs...)
}

// setGateway leaves p's gateway as the only IPv4 default route of ours over
// the link.
func setGateway(l netlink.Link, p Plan) error {
	name := l.Attrs().Name
	all, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{LinkIndex: l.Attrs().Index, Protocol: routeProtocol},
		netlink.RT_FILTER_OIF|netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return fmt.Errorf("list routes over %s: %w", name, err)
	}
	present := false
	var errs []error
	for _, r := range all {
		gw, _ := netip.AddrFromSlice(r.Gw.To4())
		if isDefault(r.Dst) && p.Gateway.IsValid() && gw == p.Gateway && !present {
			present = true
			continue
		}
		if err := netlink.RouteDel(&r); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("remove route over %s: %w", gw, err))
		}
	}
	if p.Gateway.IsValid() && !present {
		r := &netlink.Route{
			LinkIndex: l.Attrs().Index,
			Dst:       &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
			Gw:        p.Gateway.AsSlice(),
			Protocol:  routeProtocol,
		}
		if !p.Address.Contains(p.Gateway) {
			r.Flags = int(netlink.FLAG_ONLINK) // a /32-like lease: the router is on the wire all the same
		}
		if err := netlink.RouteReplace(r); err != nil {
			errs = append(errs, fmt.Errorf("add default route over %s: %w", p.Gateway, err))
		}
	}
	return errors.Join(errs...)
}

func isDefault(dst *net.IPNet) bool {
	if dst == nil {
		return true
	}
	ones, _ := dst.Mask.Size()
	return ones == 0
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	a, ok := netip.AddrFromSlice(n.IP)
	ones, bits := n.Mask.Size()
	if !ok || bits == 0 {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a.Unmap(), ones), true
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: slices.Clone(p.Addr().AsSlice()), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
