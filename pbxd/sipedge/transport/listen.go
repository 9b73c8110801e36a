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

// ListenTLS opens a socket for SIP over TLS on addr (RFC 3261 section 26.2.1).
// conf chooses the certificate anew for each connection. Messages arrive at
// once.
func (l *Layer) ListenTLS(ctx context.Context, addr string, conf *tls.Config) (netip.AddrPort, error) {
	var lc net.ListenConfig
	t, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen for SIP over TLS on %s: %w", addr, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		t.Close()
		return netip.AddrPort{}, fmt.Errorf("listen for SIP over TLS on %s: %w", addr, ErrClosed)
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
