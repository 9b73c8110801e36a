// Package transport carries SIP messages over UDP, TCP and TLS (RFC 3261
// section 18, RFC 3581, the keep-alives of RFC 5626). It parses with sipgo and does
// the sockets itself: one reader a socket, so that messages of one source
// stay in order; nothing is remembered of a UDP source; what a peer can make
// us hold is bounded.
package transport

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Limits of what peers can make us hold.
const (
	MaxMessage       = 65535 // octets in one message, on any transport
	maxConns         = 1024  // TCP and TLS connections in all
	maxConnsPerHost  = 100   // of one IPv4 address or IPv6 /64
	connQueue        = 128   // messages that wait for a slow TCP peer
	udpReceiveBuffer = 4 << 20
)

// Errors of Send and Connect.
var (
	ErrClosed    = errors.New("connection is closed")
	ErrQueueFull = errors.New("peer does not read: its queue is full")
	ErrNoSocket  = errors.New("no socket of this kind is open")
)

// Flow is where a message came from or goes to. The zero Flow goes nowhere.
type Flow struct {
	Network string         // "udp", "tcp" or "tls"
	Local   netip.AddrPort // our side; the address is unspecified for UDP on a wildcard socket
	Remote  netip.AddrPort // the peer, IPv4 never as mapped IPv6
	conn    *conn
}

func (f Flow) String() string { return f.Network + ":" + f.Remote.String() }

// Reliable reports whether the transport itself retransmits (RFC 3261 section
// 17.1.1.1).
func (f Flow) Reliable() bool { return f.Network != "udp" }

// Same reports whether both flows are the same UDP peer or the same connection.
func (f Flow) Same(g Flow) bool {
	return f.Network == g.Network && f.Remote == g.Remote && f.conn == g.conn
}

// Trust lets the flow's connection stay open without traffic: its peer has
// proved who it is.
func (f Flow) Trust() {
	if f.conn != nil {
		f.conn.trusted.Store(true)
	}
}

// Within has the flow's connection end when its peer has been silent for d: it
// sends keep-alives, and without them it is gone (RFC 5626 section 5.4). It holds
// from the next message on.
func (f Flow) Within(d time.Duration) {
	if f.conn != nil {
		f.conn.quiet.Store(int64(d))
	}
}

// Alive reports whether the flow's connection is still open; UDP always is.
func (f Flow) Alive() bool { return f.conn == nil || !f.conn.isClosed() }

// Why returns why the flow's connection has ended; nil while it is open, and for
// UDP.
func (f Flow) Why() error {
	if f.conn == nil || !f.conn.isClosed() {
		return nil
	}
	f.conn.mu.Lock()
	defer f.conn.mu.Unlock()
	if f.conn.why == nil {
		return ErrClosed
	}
	return f.conn.why
}

// Events is who hears of messages and of connections that end. Its methods
// are called from the reader of the socket and must not block.
type Events interface {
	Message(m sip.Message, f Flow)
	Closed(f Flow)
}

// Tap sees every message as it is on the wire, before it is parsed or when it
// is given to the network. It must not block, change m or keep it.
type Tap func(f Flow, sent bool, m []byte)

// Layer owns the SIP sockets.
type Layer struct {
	log    *slog.Logger
	events Events
	tap    Tap // nil for none
	parser *sip.Parser

	mu    sync.Mutex
	udp   []*net.UDPConn
	tcp   []net.Listener
	conns map[*conn]bool
	perIP map[netip.Prefix]int
	wg    sync.WaitGroup
	done  bool

	key       [32]byte // of the tags of refusals
	malformed atomic.Uint64
	working   working
}

// New returns a layer without sockets; Serve starts to deliver to events.
func New(log *slog.Logger, events Events) *Layer {
	l := &Layer{
		log: log, events: events, parser: sip.NewParser(),
		conns: map[*conn]bool{}, perIP: map[netip.Prefix]int{},
	}
	rand.Read(l.key[:])
	return l
}

// SetTap sets who sees all messages; nil for nobody. It must be called before
// Listen.
func (l *Layer) SetTap(t Tap) { l.tap = t }

// Malformed returns how many messages could not be parsed.
func (l *Layer) Malformed() uint64 { return l.malformed.Load() }

// Close ends all sockets and waits for their readers.
func (l *Layer) Close() {
	l.mu.Lock()
	l.done = true
	for _, u := range l.udp {
		u.Close()
	}
	for _, t := range l.tcp {
		t.Close()
	}
	for c := range l.conns {
		c.close()
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// UDP returns the flow to a UDP peer.
func (l *Layer) UDP(remote netip.AddrPort) (Flow, error) {
	remote = unmap(remote)
	u := l.socketFor(remote.Addr())
	if u == nil {
		return Flow{}, fmt.Errorf("UDP to %s: %w", remote, ErrNoSocket)
	}
	return Flow{Network: "udp", Local: unmap(u.LocalAddr().(*net.UDPAddr).AddrPort()), Remote: remote}, nil
}

func (l *Layer) socketFor(peer netip.Addr) *net.UDPConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.udp {
		a := u.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
		if a.IsUnspecified() && (a.Is6() || peer.Is4()) || a.Unmap().Is4() == peer.Is4() {
			return u
		}
	}
	return nil
}

// Send writes one message. To a connection it only queues: a peer that does not read
// loses its connection instead of stalling the sender.
func (l *Layer) Send(f Flow, m []byte) error {
	if l.tap != nil {
		l.tap(f, true, m)
	}
	if f.conn != nil {
		return f.conn.send(m)
	}
	u := l.socketFor(f.Remote.Addr())
	if u == nil {
		return fmt.Errorf("send to %s: %w", f, ErrNoSocket)
	}
	if _, err := u.WriteToUDPAddrPort(m, f.Remote); err != nil {
		return fmt.Errorf("send %d octets to %s: %w", len(m), f, err)
	}
	return nil
}

func (l *Layer) readUDP(u *net.UDPConn) {
	local := unmap(u.LocalAddr().(*net.UDPAddr).AddrPort())
	buf := make([]byte, MaxMessage+1)
	for failed := 0; ; {
		n, from, err := u.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.log.Debug("SIP read failed", "socket", local, "err", err) // an ICMP error of some peer; the socket lives
			if failed++; failed > 100 {
				time.Sleep(10 * time.Millisecond) // of no peer, then
			}
			continue
		}
		failed = 0
		f := Flow{Network: "udp", Local: local, Remote: unmap(from)}
		switch {
		case blank(buf[:n]): // keep-alive without an answer
		case isSTUN(buf[:n]):
			if answer := stunAnswer(buf[:n], f.Remote); answer != nil {
				_ = l.Send(f, answer) // a lost one is asked for again
			}
		default:
			l.datagram(buf[:n], f)
		}
	}
}

// datagram parses and delivers one message. Whatever a peer sends, the reader
// survives: a panic in a parser or handler is logged and costs that message.
func (l *Layer) datagram(b []byte, f Flow) {
	defer l.recovered(f)
	defer l.working.begin()()
	if l.tap != nil {
		l.tap(f, false, b)
	}
	m, err := l.parse(b, f)
	if err != nil {
		l.malformed.Add(1)
		l.log.Debug("malformed SIP message dropped", "from", f.String(), "octets", len(b), "err", brief(err))
		return
	}
	l.events.Message(m, f)
}

// Parse reads one message of a peer as the sockets do, and answers what they
// refuse.
func (l *Layer) Parse(b []byte, f Flow) (sip.Message, error) { return l.parse(b, f) }

// Stuck returns for how long the message that is being handled the longest
// has been: more than some milliseconds is a fault of ours.
func (l *Layer) Stuck() time.Duration { return l.working.longest() }

func (l *Layer) recovered(f Flow) {
	if r := recover(); r != nil {
		l.malformed.Add(1)
		l.log.Error("SIP message dropped: its handler panicked", "from", f.String(), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	}
}

// blank reports whether b is a keep-alive: only CR, LF, spaces or NUL.
func blank(b []byte) bool {
	for _, c := range b {
		if c != '\r' && c != '\n' && c != ' ' && c != 0 {
			return false
		}
	}
	return true
}

// unmap turns an IPv4 address in IPv6 clothes into plain IPv4.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
