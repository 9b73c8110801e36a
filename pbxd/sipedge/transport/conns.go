package transport

import (
	"crypto/tls"
	"errors"
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
