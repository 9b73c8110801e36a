package rtpio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// expedited is the traffic class of DSCP EF, expedited forwarding (RFC 3246,
// RFC 4594 section 4.1), in the upper six bits.
const expedited = 46 << 2

// listen opens a UDP socket at port of addr; an unspecified or invalid addr
// means every address of both families.
func listen(addr netip.Addr, port uint16) (*net.UDPConn, error) {
	at := fmt.Sprintf(":%d", port)
	if addr.IsValid() && !addr.IsUnspecified() {
		at = netip.AddrPortFrom(addr, port).String()
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			// Best effort: a socket of one family refuses the other's option,
			// and a network without traffic classes carries calls all the same.
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, expedited)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expedited)
		})
	}}
	pc, err := lc.ListenPacket(context.Background(), "udp", at)
	if err != nil {
		return nil, fmt.Errorf("listen at udp %s: %w", at, err)
	}
	return pc.(*net.UDPConn), nil
}

// listenPair opens port for RTP and the one after it for RTCP.
func listenPair(addr netip.Addr, port uint16) (rtp, rtcp *net.UDPConn, err error) {
	if rtp, err = listen(addr, port); err != nil {
		return nil, nil, err
	}
	if rtcp, err = listen(addr, port+1); err != nil {
		rtp.Close()
		return nil, nil, err
	}
	return rtp, rtcp, nil
}

func isInUse(err error) bool { return errors.Is(err, unix.EADDRINUSE) }

// localAddrs returns the addresses of this machine's interfaces; none when
// the system does not tell.
func localAddrs() []netip.Addr {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	addrs := make([]netip.Addr, 0, len(list))
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, addr.Unmap())
			}
		}
	}
	return addrs
}
