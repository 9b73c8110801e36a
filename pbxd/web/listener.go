package web

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// idleWhenBusy is how long a connection may say nothing while more than half
// of all are taken. Event streams say something every 15 s.
const idleWhenBusy = 30 * time.Second

// limitedListener keeps connections within a total and within a number for
// each client address, so that a few clients cannot take the port from the
// rest. At the total the address that has most loses the connection that was
// idle longest; beyond its own number an address gets no more.
type limitedListener struct {
	net.Listener
	max, maxPerAddr int
	start           time.Time

	mu     sync.Mutex
	byAddr map[netip.Addr]map[*limitedConn]struct{} // open; absent when none
	total  int
}

func limitConns(l net.Listener, max, maxPerAddr int) net.Listener {
	return &limitedListener{Listener: l, max: max, maxPerAddr: maxPerAddr, start: time.Now(),
		byAddr: map[netip.Addr]map[*limitedConn]struct{}{}}
}

// Accept waits for the next connection within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &limitedConn{Conn: inner, l: l, addr: parseAddr(inner.RemoteAddr().String())}
		c.touch()
		out, ok := l.enter(c)
		for _, x := range out {
			x.Close() // its client may come again; nothing to be done about an error
		}
		if ok {
			return c, nil
		}
		inner.Close() // the client is refused; nothing to be done about an error
	}
}

// enter counts c and returns the connections that must go for it, or false
// when c itself must.
func (l *limitedListener) enter(c *limitedConn) (out []*limitedConn, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.max/2 {
		latest := int64(time.Since(l.start) - idleWhenBusy)
		for _, conns := range l.byAddr {
			for x := range conns {
				if x.used.Load() < latest {
					out = append(out, x)
				}
			}
		}
	}
	for _, x := range out {
		l.drop(x)
	}
	if len(l.byAddr[c.addr]) >= l.maxPerAddr {
		return out, false
	}
	if l.total >= l.max {
		x := l.idlest()
		l.drop(x)
		out = append(out, x)
	}
	if l.byAddr[c.addr] == nil {
		l.byAddr[c.addr] = map[*limitedConn]struct{}{}
	}
	l.byAddr[c.addr][c] = struct{}{}
	l.total++
	return out, true
}

// idlest returns the connection that was idle longest among those of the
// addresses that have most.
func (l *limitedListener) idlest() (idlest *limitedConn) {
	most := 0
	for _, conns := range l.byAddr {
		if len(conns) > most {
			most, idlest = len(conns), nil
		}
		if len(conns) < most {
			continue
		}
		for x := range conns {
			if idlest == nil || x.used.Load() < idlest.used.Load() {
				idlest = x
			}
		}
	}
	return idlest
}

// drop takes c out of the count, once.
func (l *limitedListener) drop(c *limitedConn) {
	conns := l.byAddr[c.addr]
	if _, ok := conns[c]; !ok {
		return
	}
	delete(conns, c)
	l.total--
	if len(conns) == 0 {
		delete(l.byAddr, c.addr)
	}
}

// limitedConn notes when it was last used.
type limitedConn struct {
	net.Conn
	l    *limitedListener
	addr netip.Addr
	used atomic.Int64 // ns since the listener's start

	// served is the certificate that the client was shown, nil before the
	// handshake and without TLS.
	served atomic.Pointer[servedCertificate]
}

func (c *limitedConn) touch() { c.used.Store(int64(time.Since(c.l.start))) }

// Read reads what the client sent, and notes the use.
func (c *limitedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.touch()
	}
	return n, err
}

// Write sends to the client, and notes the use.
func (c *limitedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if n > 0 {
		c.touch()
	}
	return n, err
}

// Close closes the connection and gives its place to another.
func (c *limitedConn) Close() error {
	c.l.mu.Lock()
	c.l.drop(c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}
