package web

import (
	"net"
	"net/netip"
	"sync"
)

// limitedListener closes connections beyond a total and beyond a number for
// each client address, so that one client cannot take the port from the rest.
type limitedListener struct {
	net.Listener
	max, maxPerAddr int

	mu     sync.Mutex
	total  int
	byAddr map[netip.Addr]int // connections open; absent when none
}

func limitConns(l net.Listener, max, maxPerAddr int) net.Listener {
	return &limitedListener{Listener: l, max: max, maxPerAddr: maxPerAddr, byAddr: map[netip.Addr]int{}}
}

// Accept waits for the next connection within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr := parseAddr(c.RemoteAddr().String())
		if l.enter(addr) {
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(addr) })}, nil
		}
		c.Close() // the client is refused; nothing to be done about an error
	}
}

func (l *limitedListener) enter(addr netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.max || l.byAddr[addr] >= l.maxPerAddr {
		return false
	}
	l.total++
	l.byAddr[addr]++
	return true
}

func (l *limitedListener) leave(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.byAddr[addr]--; l.byAddr[addr] <= 0 {
		delete(l.byAddr, addr)
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection and gives its place to another.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
