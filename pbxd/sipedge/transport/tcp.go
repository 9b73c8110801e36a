package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Times of TCP connections.
const (
	dialTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = 2 * time.Hour    // longer than any registration's refresh
	strangerIdle   = 30 * time.Second // the same until the peer has proved who it is
	partialTimeout = 20 * time.Second // to complete a message that has begun
)

// conn is one TCP connection with its own reader and writer.
type conn struct {
	layer  *Layer
	remote netip.AddrPort
	local  netip.AddrPort // set before the first message is delivered
	out    chan []byte
	ended  chan struct{}
	once   sync.Once
	mu     sync.Mutex
	nc     net.Conn // nil until connected

	trusted atomic.Bool  // the peer has proved who it is, or we called it
	heard   atomic.Int64 // when it last sent something, Unix ns
	crlfs   int          // CRLFs in a row before a message; the reader's own
}

func (c *conn) flow() Flow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Flow{Network: "tcp", Local: c.local, Remote: c.remote, conn: c}
}

func (c *conn) isClosed() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

func (c *conn) close() {
	c.once.Do(func() {
		close(c.ended)
		c.mu.Lock()
		if c.nc != nil {
			c.nc.Close()
		}
		c.mu.Unlock()
	})
}

func (c *conn) send(m []byte) error {
	if c.isClosed() {
		return fmt.Errorf("send to tcp:%s: %w", c.remote, ErrClosed)
	}
	select {
	case c.out <- m:
		return nil
	default:
		c.close()
		return fmt.Errorf("send to tcp:%s: %w", c.remote, ErrQueueFull)
	}
}

func (l *Layer) accept(t net.Listener) {
	for {
		nc, err := t.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.log.Warn("SIP over TCP: accept failed", "err", err)
			time.Sleep(100 * time.Millisecond) // out of descriptors: give some back first
			continue
		}
		remote := unmap(nc.RemoteAddr().(*net.TCPAddr).AddrPort())
		if c := l.add(remote, nc); c == nil {
			nc.Close()
		}
	}
}

// add starts a connection unless a limit forbids it. nc is nil for a
// connection that has yet to be dialled.
func (l *Layer) add(remote netip.AddrPort, nc net.Conn) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	host := hostOf(remote)
	if l.done || l.perIP[host] >= maxConnsPerHost || len(l.conns) >= maxConns && !l.makeRoom() {
		return nil
	}
	c := &conn{layer: l, remote: remote, out: make(chan []byte, connQueue), ended: make(chan struct{})}
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

func (c *conn) connected(nc net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nc = nc
	c.local = unmap(nc.LocalAddr().(*net.TCPAddr).AddrPort())
}

func (c *conn) run() {
	defer func() {
		c.close()
		l := c.layer
		l.mu.Lock()
		delete(l.conns, c)
		host := hostOf(c.remote)
		if l.perIP[host]--; l.perIP[host] <= 0 {
			delete(l.perIP, host)
		}
		l.mu.Unlock()
		l.events.Closed(c.flow())
	}()
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	if nc == nil {
		var err error
		if nc, err = c.dial(); err != nil {
			c.layer.log.Info("SIP over TCP: no connection", "to", c.remote, "err", err)
			return
		}
		c.connected(nc)
		if c.isClosed() { // closed while it was being dialled
			nc.Close()
			return
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.write(nc) })
	c.read(nc)
	c.close()
	wg.Wait()
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
	var d net.Dialer
	return d.DialContext(ctx, "tcp", c.remote.String())
}

func (c *conn) write(nc net.Conn) {
	for {
		select {
		case <-c.ended:
			return
		case m := <-c.out:
			_ = nc.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails only on a closed connection, as Write then does
			if _, err := nc.Write(m); err != nil {
				c.close()
				return
			}
		}
	}
}

// read frames messages by Content-Length (RFC 3261 section 18.3) and hands
// them on. A stream that cannot be framed ends the connection: there is no
// way to find the next message.
func (c *conn) read(nc net.Conn) {
	f := c.flow()
	var pending []byte
	buf := make([]byte, 16<<10)
	for {
		if len(pending) == 0 { // the deadline of a begun message is not moved by dripping octets
			idle := strangerIdle
			if c.trusted.Load() {
				idle = idleTimeout
			}
			_ = nc.SetReadDeadline(time.Now().Add(idle))
		}
		n, err := nc.Read(buf)
		c.heard.Store(time.Now().UnixNano())
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				c.layer.log.Debug("SIP over TCP: connection ended", "from", f.String(), "err", err)
			}
			return
		}
		if len(pending) == 0 {
			_ = nc.SetReadDeadline(time.Now().Add(partialTimeout))
		}
		before := len(pending)
		pending = append(pending, buf[:n]...)
		if pending, err = c.deliver(pending, f); err != nil {
			c.layer.malformed.Add(1)
			c.layer.log.Info("SIP over TCP: connection closed", "from", f.String(), "err", brief(err))
			return
		}
		if len(pending) > 0 && len(pending) < before+n { // another message has begun
			_ = nc.SetReadDeadline(time.Now().Add(partialTimeout))
		}
	}
}

// deliver hands on every whole message of b and returns the rest.
func (c *conn) deliver(b []byte, f Flow) ([]byte, error) {
	for len(b) > 0 {
		if bytes.HasPrefix(b, []byte("\r\n")) { // not part of a message (RFC 3261 section 7.5)
			b = b[2:]
			if c.crlfs++; c.crlfs == 2 { // RFC 5626 section 4.4.1: a ping, answered by a pong
				c.crlfs = 0
				if err := c.send([]byte("\r\n")); err != nil {
					return nil, err
				}
			}
			continue
		}
		n, err := frame(b)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		c.crlfs = 0
		if err := c.one(b[:n], f); err != nil {
			return nil, err
		}
		b = b[n:]
	}
	if len(b) == 0 {
		return nil, nil
	}
	return append([]byte(nil), b...), nil // lets go of the consumed part
}

func (c *conn) one(raw []byte, f Flow) error {
	defer c.layer.recovered(f)
	defer c.layer.working.begin()()
	m, _, err := c.layer.parser.Parse(raw, true)
	if err != nil {
		return err
	}
	if err := check(m, raw); err != nil {
		return err
	}
	c.layer.events.Message(m, f)
	return nil
}

var (
	errTooLarge = errors.New("message is larger than 65535 octets")
	errNoLength = errors.New("message on a stream has no usable Content-Length")
)

// frame returns the length of the first message in b, 0 when it is not whole
// yet.
func frame(b []byte) (int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > MaxMessage {
			return 0, errTooLarge
		}
		return 0, nil
	}
	length := -1
	for line := range bytes.SplitSeq(b[:end], []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if !ok || !(bytes.EqualFold(name, []byte("Content-Length")) || bytes.EqualFold(name, []byte("l"))) {
			continue
		}
		n, err := contentLength(bytes.TrimSpace(value))
		if err != nil || length >= 0 && length != n {
			return 0, errNoLength // two different lengths are an attack on the framing
		}
		length = n
	}
	switch {
	case length < 0:
		return 0, errNoLength
	case end+4+length > MaxMessage:
		return 0, errTooLarge
	case len(b) < end+4+length:
		return 0, nil
	}
	return end + 4 + length, nil
}

func contentLength(b []byte) (int, error) {
	if len(b) == 0 || len(b) > 5 {
		return 0, errNoLength
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, errNoLength
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}

// TCPOpen returns the flow to a TCP peer if it is connected; otherwise a flow
// that is not alive and only names the peer.
func (l *Layer) TCPOpen(remote netip.AddrPort) Flow {
	remote = unmap(remote)
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.remote == remote && !c.isClosed() {
			return c.flow()
		}
	}
	gone := &conn{layer: l, remote: remote, ended: make(chan struct{})}
	gone.close()
	return gone.flow()
}

// TCP returns the flow to a TCP peer: a connection that is open, or one that
// is dialled while messages already queue. A peer that cannot be reached shows
// as Events.Closed.
func (l *Layer) TCP(remote netip.AddrPort) (Flow, error) {
	remote = unmap(remote)
	l.mu.Lock()
	for c := range l.conns {
		if c.remote == remote && !c.isClosed() {
			l.mu.Unlock()
			return c.flow(), nil
		}
	}
	l.mu.Unlock()
	c := l.add(remote, nil)
	if c == nil {
		return Flow{}, fmt.Errorf("TCP to %s: %w: %d connections are open", remote, ErrNoSocket, maxConns)
	}
	return c.flow(), nil
}
