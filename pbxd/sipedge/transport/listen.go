package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Listen opens UDP and TCP sockets on addr; port 0 picks one that is free for
// both. It returns the address in use. Messages arrive at once.
func (l *Layer) Listen(ctx context.Context, addr string) (netip.AddrPort, error) {
	var lastErr error
	for range 10 { // with port 0, the UDP port may be taken on TCP
		u, t, err := listenBoth(ctx, addr)
		if err != nil {
			lastErr = err
			if _, port, _ := net.SplitHostPort(addr); port == "0" {
				continue
			}
			break
		}
		local := u.LocalAddr().(*net.UDPAddr).AddrPort()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.done {
			u.Close()
			t.Close()
			return netip.AddrPort{}, fmt.Errorf("listen for SIP on %s: %w", addr, ErrClosed)
		}
		l.udp, l.tcp = append(l.udp, u), append(l.tcp, t)
		l.wg.Go(func() { l.readUDP(u) })
		l.wg.Go(func() { l.accept(t, nil) })
		return local, nil
	}
	return netip.AddrPort{}, fmt.Errorf("listen for SIP on %s: %w", addr, lastErr)
}

// ListenUDP opens a UDP socket on addr; one on 0.0.0.0 is for IPv4 alone. Messages
// arrive at once.
func (l *Layer) ListenUDP(ctx context.Context, addr string) (netip.AddrPort, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, "udp"+family(addr), addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen for SIP over UDP on %s: %w", addr, err)
	}
	u := pc.(*net.UDPConn)
	_ = u.SetReadBuffer(udpReceiveBuffer) // a smaller buffer only costs retransmissions
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		u.Close()
		return netip.AddrPort{}, fmt.Errorf("listen for SIP over UDP on %s: %w", addr, ErrClosed)
	}
	l.udp = append(l.udp, u)
	l.wg.Go(func() { l.readUDP(u) })
	return u.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

// family is what restricts a socket to IPv4 whose address is of it; without that,
// Go has 0.0.0.0 mean IPv6, too.
func family(addr string) string {
	if a, err := netip.ParseAddrPort(addr); err == nil && a.Addr().Is4() {
		return "4"
	}
	return ""
}

// ListenTCP opens a TCP socket on addr; one on 0.0.0.0 is for IPv4 alone. Messages
// arrive at once.
func (l *Layer) ListenTCP(ctx context.Context, addr string) (netip.AddrPort, error) {
	return l.listenStream(ctx, "TCP", "tcp"+family(addr), addr, nil)
}

// ListenTLS opens a socket for SIP over TLS on addr (RFC 3261 section 26.2.1).
// conf chooses the certificate anew for each connection. Messages arrive at
// once.
func (l *Layer) ListenTLS(ctx context.Context, addr string, conf *tls.Config) (netip.AddrPort, error) {
	return l.listenStream(ctx, "TLS", "tcp"+family(addr), addr, conf)
}

func (l *Layer) listenStream(ctx context.Context, what, network, addr string, conf *tls.Config) (netip.AddrPort, error) {
	var lc net.ListenConfig
	t, err := lc.Listen(ctx, network, addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen for SIP over %s on %s: %w", what, addr, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		t.Close()
		return netip.AddrPort{}, fmt.Errorf("listen for SIP over %s on %s: %w", what, addr, ErrClosed)
	}
	l.tcp = append(l.tcp, t)
	l.wg.Go(func() { l.accept(t, conf) })
	return t.Addr().(*net.TCPAddr).AddrPort(), nil
}

// CloseTLS ends a socket that ListenTLS opened. Its connections stay.
func (l *Layer) CloseTLS(at netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tcp = slices.DeleteFunc(l.tcp, func(t net.Listener) bool {
		if t.Addr().(*net.TCPAddr).AddrPort() != at {
			return false
		}
		t.Close()
		return true
	})
}

func listenBoth(ctx context.Context, addr string) (*net.UDPConn, net.Listener, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return nil, nil, err
	}
	u := pc.(*net.UDPConn)
	_ = u.SetReadBuffer(udpReceiveBuffer) // a smaller buffer only costs retransmissions
	t, err := lc.Listen(ctx, "tcp", u.LocalAddr().String())
	if err != nil {
		u.Close()
		return nil, nil, err
	}
	return u, t, nil
}
