package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Times of connections that we dial.
const (
	dialTimeout = 5 * time.Second
	unheardTime = 30 * time.Second // that what we have sent may be without acknowledgement
)

// TCP returns the flow to a TCP peer: a connection that is open, or one that
// is dialled while messages already queue. A peer that cannot be reached shows
// as Events.Closed.
func (l *Layer) TCP(remote netip.AddrPort) (Flow, error) {
	remote = unmap(remote)
	if c := l.connected("tcp", remote); c != nil {
		return c.flow(), nil
	}
	return l.dialled("tcp", remote, nil)
}

// TLS returns the flow to a TLS peer, as TCP does. conf has the name of the peer
// and says how its certificate is checked; connections to peers of different names
// at one address are different ones. A peer whose certificate is not taken shows
// as Events.Closed, with the reason in Flow.Why. A connection that is open is used
// again when it was made by the same rules: what they are compared by.
func (l *Layer) TLS(remote netip.AddrPort, conf *tls.Config, rules any) (Flow, error) {
	remote = unmap(remote)
	by := &secured{conf, rules}
	if c := l.connectedAs(remote, by); c != nil {
		return c.flow(), nil
	}
	return l.dialled("tls", remote, by)
}

// secured is how a connection that we dial is encrypted.
type secured struct {
	conf  *tls.Config
	rules any
}

func (l *Layer) dialled(network string, remote netip.AddrPort, secure *secured) (Flow, error) {
	c := l.add(network, remote, nil, secure)
	if c == nil {
		return Flow{}, fmt.Errorf("%s to %s: %w: %d connections are open", network, remote, ErrNoSocket, maxConns)
	}
	return c.flow(), nil
}

// connectedAs finds the TLS connection that we have dialled to a peer under a name
// by the same rules.
func (l *Layer) connectedAs(remote netip.AddrPort, by *secured) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.remote == remote && c.secure != nil && c.secure.conf.ServerName == by.conf.ServerName && c.secure.rules == by.rules && !c.isClosed() {
			return c
		}
	}
	return nil
}

// dialFrom is the address that connections to a peer begin at: that of our socket
// where it has one; nil leaves it to the system.
func (l *Layer) dialFrom(peer netip.Addr) net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.tcp {
		if a := t.Addr().(*net.TCPAddr).AddrPort().Addr().Unmap(); !a.IsUnspecified() && a.Is4() == peer.Is4() && a.IsLoopback() == peer.IsLoopback() {
			return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
		}
	}
	return nil
}

func (c *conn) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	go func() { // a close must end the dial too
		select {
		case <-c.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	d := net.Dialer{LocalAddr: c.layer.dialFrom(c.remote.Addr()), Control: endsUnheard}
	return d.DialContext(ctx, "tcp", c.remote.String())
}

// endsUnheard has a connection end when nothing of what is sent arrives (RFC 5482).
// By itself the kernel goes on for a quarter of an hour, in which a provider beyond
// a router that has forgotten the connection could not be reached.
func endsUnheard(_, _ string, raw syscall.RawConn) error {
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheardTime/time.Millisecond))
	}); err != nil {
		return err
	}
	return failed
}
