package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Times of TCP and TLS connections.
const (
	writeTimeout   = 10 * time.Second
	idleTimeout    = 2 * time.Hour    // longer than any registration's refresh
	strangerIdle   = 30 * time.Second // the same until the peer has proved who it is
	partialTimeout = 20 * time.Second // to complete a message that has begun
	farewellTime   = time.Second      // to read why the connection ends
	handshakeTime  = 10 * time.Second // of TLS
)

// conn is one TCP or TLS connection with its own reader and writer.
type conn struct {
	layer   *Layer
	network string // "tcp" or "tls"
	remote  netip.AddrPort
	local   netip.AddrPort // set before the first message is delivered
	out     chan []byte
	ended   chan struct{}
	once    sync.Once
	mu      sync.Mutex
	nc      net.Conn // nil until connected
	why     error    // it ended
	secure  *secured // of a TLS connection that we dial

	trusted   atomic.Bool  // the peer has proved who it is, or we called it
	quiet     atomic.Int64 // for how long the peer may be silent, ns; 0 when it has promised nothing
	heard     atomic.Int64 // when it last sent something, Unix ns
	unwritten atomic.Int32 // messages that are queued or being written
	crlfs     int          // CRLFs in a row before a message; the reader's own
}

func (c *conn) flow() Flow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Flow{Network: c.network, Local: c.local, Remote: c.remote, conn: c}
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
		if t, ok := c.nc.(*tls.Conn); ok {
			t.NetConn().Close() // TLS would wait for its peer, and callers hold locks
		} else if c.nc != nil {
			c.nc.Close()
		}
		c.mu.Unlock()
	})
}

func (c *conn) send(m []byte) error {
	if c.isClosed() {
		return fmt.Errorf("send to %s:%s: %w", c.network, c.remote, ErrClosed)
	}
	c.unwritten.Add(1)
	select {
	case c.out <- m:
		return nil
	default:
		c.close()
		return fmt.Errorf("send to %s:%s: %w", c.network, c.remote, ErrQueueFull)
	}
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
			c.because(err)
			c.layer.log.Info("SIP over "+strings.ToUpper(c.network)+": no connection", "to", c.remote, "err", err)
			return
		}
		if c.secure != nil {
			nc = tls.Client(nc, c.secure.conf)
		}
		c.connected(nc)
		if c.isClosed() { // closed while it was being dialled
			nc.Close()
			return
		}
	}
	if t, ok := nc.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
		err := t.HandshakeContext(ctx)
		cancel()
		if err != nil {
			c.because(err)
			c.layer.log.Info("SIP over TLS: no connection", "with", c.remote, "err", err)
			return
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.write(nc) })
	c.read(nc)
	if !c.isClosed() {
		nc.Close() // TLS takes its leave
	}
	c.close()
	wg.Wait()
}

// because notes why the connection ended; the first reason counts.
func (c *conn) because(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.why = err
	}
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
			c.unwritten.Add(-1)
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
			if quiet := time.Duration(c.quiet.Load()); quiet > 0 {
				idle = quiet
			}
			_ = nc.SetReadDeadline(time.Now().Add(idle))
		}
		n, err := nc.Read(buf)
		c.heard.Store(time.Now().UnixNano())
		if err != nil {
			c.because(err)
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				c.layer.log.Debug("SIP connection ended", "from", f.String(), "err", err)
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
			c.layer.log.Info("SIP connection closed", "from", f.String(), "err", brief(err))
			c.farewell(nc)
			return
		}
		if len(pending) > 0 && len(pending) < before+n { // another message has begun
			_ = nc.SetReadDeadline(time.Now().Add(partialTimeout))
		}
	}
}

// farewell lets the peer read why its connection ends: what is queued is
// written, and what it still sends is read away, since closing before that
// would reset the connection and lose the answer.
func (c *conn) farewell(nc net.Conn) {
	end := time.Now().Add(farewellTime)
	for c.unwritten.Load() > 0 && time.Now().Before(end) && !c.isClosed() {
		time.Sleep(time.Millisecond)
	}
	if half, ok := nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = nc.SetReadDeadline(end)
		_, _ = io.CopyN(io.Discard, nc, MaxMessage) // whatever it is, it is over
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
			if p, e := split(b); e == nil {
				c.layer.refuse(&p, f, err)
			}
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
	if c.layer.tap != nil {
		c.layer.tap(f, false, raw)
	}
	m, err := c.layer.parse(raw, f)
	switch {
	case errors.Is(err, errNotSIP), errors.Is(err, errMute):
		return err
	case err != nil: // it was framed, so the next message is found
		c.layer.malformed.Add(1)
		c.layer.log.Debug("malformed SIP message dropped", "from", f.String(), "octets", len(raw), "err", brief(err))
		return nil
	}
	c.layer.events.Message(m, f)
	return nil
}
