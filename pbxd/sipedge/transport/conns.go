package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// accept takes connections; conf is nil for plain TCP.
func (l *Layer) accept(t net.Listener, conf *tls.Config) {
	for {
		nc, err := t.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.log.Warn("SIP connection not accepted", "err", err)
			time.Sleep(100 * time.Millisecond) // out of descriptors: give some back first
			continue
		}
		remote := unmap(nc.RemoteAddr().(*net.TCPAddr).AddrPort())
		network := "tcp"
		if conf != nil {
			network, nc = "tls", tls.Server(nc, conf)
		}
		if c := l.add(network, remote, nc, nil); c == nil {
			nc.Close()
		}
	}
}

// add starts a connection unless a limit forbids it. nc is nil for a
// connection that has yet to be dialled, with secure for one over TLS.
func (l *Layer) add(network string, remote netip.AddrPort, nc net.Conn, secure *secured) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	host := hostOf(remote)
	if l.done || l.perIP[host] >= maxConnsPerHost || len(l.conns) >= maxConns && !l.makeRoom() {
		return nil
	}
	c := &conn{layer: l, network: network, remote: remote, secure: secure, out: make(chan []byte, connQueue), ended: make(chan struct{})}
	c.heard.Store(time.Now().UnixNano())
	if nc != nil {
		c.connected(nc)
	} else {
		c.trusted.Store(true)
	}
	l.conns[c] = true
	l.perIP[host]++
	l.wg.Go(func() { c.run() })
	return c
}

// hostOf is what counts as one host: an IPv4 address, or an IPv6 /64, of
// which a single machine has every address.
func hostOf(a netip.AddrPort) netip.Prefix {
	bits := 32
	if a.Addr().Is6() {
		bits = 64
	}
	p, _ := a.Addr().WithZone("").Prefix(bits) // the length fits the family
	return p
}

// makeRoom closes the stranger that has been silent the longest. It reports
// false when every connection belongs to a phone. The caller holds mu.
func (l *Layer) makeRoom() bool {
	var oldest *conn
	for c := range l.conns {
		if !c.trusted.Load() && !c.isClosed() && (oldest == nil || c.heard.Load() < oldest.heard.Load()) {
			oldest = c
		}
	}
	if oldest == nil {
		return false
	}
	oldest.close()
	return true
}

// Open returns the flow over the open connection to a peer, network "tcp" or
// "tls"; without one a flow that is not alive and only names the peer.
func (l *Layer) Open(network string, remote netip.AddrPort) Flow {
	remote = unmap(remote)
	if c := l.connected(network, remote); c != nil {
		return c.flow()
	}
	gone := &conn{layer: l, network: network, remote: remote, ended: make(chan struct{})}
	gone.close()
	return gone.flow()
}

func (l *Layer) connected(network string, remote netip.AddrPort) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.remote == remote && c.network == network && !c.isClosed() {
			return c
		}
	}
	return nil
}

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
