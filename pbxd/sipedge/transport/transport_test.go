package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/sys/unix"
)

type heard struct {
	messages chan sip.Message
	flows    chan Flow
	closed   chan Flow
}

func (h *heard) Message(m sip.Message, f Flow) {
	if m.CallID().Value() == "panic" {
		panic("a fault of ours")
	}
	h.messages <- m
	h.flows <- f
}

func (h *heard) Closed(f Flow) { h.closed <- f }

func open(t *testing.T, addr string) (*Layer, *heard, netip.AddrPort) {
	t.Helper()
	h := &heard{messages: make(chan sip.Message, 1000), flows: make(chan Flow, 1000), closed: make(chan Flow, 1000)}
	l := New(slog.New(slog.DiscardHandler), h)
	t.Cleanup(l.Close)
	at, err := l.Listen(context.Background(), addr)
	if err != nil {
		t.Fatal(err)
	}
	return l, h, at
}

func options(callID, body string) string {
	return fmt.Sprintf("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKa\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: %d\r\n\r\n%s", callID, len(body), body)
}

func (h *heard) next(t *testing.T) sip.Message {
	t.Helper()
	select {
	case m := <-h.messages:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("no message came")
	}
	return nil
}

func dial(t *testing.T, network string, at netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial(network, at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A stream may be cut anywhere; the messages come whole and in order.
func TestStreamCutAnywhere(t *testing.T) {
	_, h, at := open(t, "127.0.0.1:0")
	stream := "\r\n\r\n" + options("1", "") + options("2", strings.Repeat("x", 3000)) + "\r\n" + options("3", "v=0\r\n\r\nOPTIONS sip:y SIP/2.0\r\n")
	for _, step := range []int{1, 2, 7, 100, len(stream)} {
		c := dial(t, "tcp", at)
		for rest := stream; rest != ""; {
			n := min(step, len(rest))
			if _, err := c.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		for i, size := range []int{0, 3000, 30} {
			m := h.next(t)
			if m.CallID().Value() != fmt.Sprint(i+1) || len(m.Body()) != size {
				t.Errorf("cut every %d: got message %s with %d octets, want %d with %d", step, m.CallID().Value(), len(m.Body()), i+1, size)
			}
		}
	}
}

func TestKeepAliveIsAnswered(t *testing.T) {
	_, _, at := open(t, "127.0.0.1:0")
	c := dial(t, "tcp", at)
	if _, err := c.Write([]byte("\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 2)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "\r\n" {
		t.Errorf("got %q, %v; want CRLF", got, err)
	}
}

// What cannot be framed ends the connection, and only that one.
func TestUnframeableStreamIsClosed(t *testing.T) {
	tests := map[string]string{
		"no length":         "OPTIONS sip:x SIP/2.0\r\nVia: a\r\n\r\n",
		"two lengths":       "OPTIONS sip:x SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\nab",
		"negative length":   "OPTIONS sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n",
		"huge length":       "OPTIONS sip:x SIP/2.0\r\nContent-Length: 99999\r\n\r\n",
		"endless header":    strings.Repeat("X: y\r\n", 20_000),
		"not SIP at all":    "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
		"fields are absent": "OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			l, h, at := open(t, "127.0.0.1:0")
			other := dial(t, "tcp", at)
			c := dial(t, "tcp", at)
			c.Write([]byte(text)) // the far end may close before all of it is written
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			answer, err := io.ReadAll(c)
			if errors.Is(err, os.ErrDeadlineExceeded) || len(answer) > 0 && !strings.HasPrefix(string(answer), "SIP/2.0 400 ") {
				t.Errorf("got %q, %v; want at most a refusal, and the end", answer, err)
			}
			if _, err := other.Write([]byte(options("1", ""))); err != nil {
				t.Fatal(err)
			}
			h.next(t)
			if l.Malformed() != 1 {
				t.Errorf("%d malformed messages were counted, want 1", l.Malformed())
			}
		})
	}
}

func TestPanicCostsOneMessage(t *testing.T) {
	_, h, at := open(t, "127.0.0.1:0")
	for _, network := range []string{"udp", "tcp"} {
		c := dial(t, network, at)
		c.Write([]byte(options("panic", "")))
		c.Write([]byte(options("2", "")))
		if m := h.next(t); m.CallID().Value() != "2" {
			t.Errorf("%s: got message %s, want 2", network, m.CallID().Value())
		}
	}
}

// A method in small letters is not the method (RFC 3261 section 7.1), though
// sipgo takes it for that.
func TestMethodIsCaseSensitive(t *testing.T) {
	l, h, at := open(t, "127.0.0.1:0")
	u := dial(t, "udp", at)
	u.Write([]byte(strings.Replace(options("1", ""), "OPTIONS sip", "options sip", 1)))
	u.Write([]byte(options("2", "")))
	if m := h.next(t); m.CallID().Value() != "2" || l.Malformed() != 1 {
		t.Errorf("got message %s after %d malformed ones, want 2 after 1", m.CallID().Value(), l.Malformed())
	}
}

func TestLargeDatagrams(t *testing.T) {
	l, h, at := open(t, "127.0.0.1:0")
	u := dial(t, "udp", at)
	body := strings.Repeat("x", 60_000)
	if _, err := u.Write([]byte(options("1", body))); err != nil {
		t.Fatal(err)
	}
	if m := h.next(t); len(m.Body()) != len(body) {
		t.Errorf("got %d octets, want %d", len(m.Body()), len(body))
	}
	f := <-h.flows
	if err := l.Send(f, []byte(options("2", body))); err != nil {
		t.Errorf("a large message was not sent: %v", err)
	}
	buf := make([]byte, 65536)
	u.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := u.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("xxx")) {
		t.Errorf("got %d octets, %v", n, err)
	}
}

// A peer that never reads costs its connection, not our memory.
func TestSlowPeerIsDropped(t *testing.T) {
	l, h, at := open(t, "127.0.0.1:0")
	c := dial(t, "tcp", at)
	c.Write([]byte(options("1", "")))
	h.next(t)
	f := <-h.flows
	m := []byte(options("2", strings.Repeat("x", 60_000)))
	var err error
	for i := 0; i < 100_000 && err == nil; i++ {
		err = l.Send(f, m)
	}
	if err == nil {
		t.Fatal("the queue has no end")
	}
	select {
	case <-h.closed:
	case <-time.After(20 * time.Second):
		t.Error("the connection was not closed")
	}
	if f.Alive() {
		t.Error("the flow still counts as alive")
	}
}

func TestConnectionsPerHostAreBounded(t *testing.T) {
	_, _, at := open(t, "127.0.0.1:0")
	for range maxConnsPerHost {
		dial(t, "tcp", at)
	}
	c := dial(t, "tcp", at)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("connection %d was not refused: %v", maxConnsPerHost+1, err)
	}
}

func TestDialledConnection(t *testing.T) {
	l, h, _ := open(t, "127.0.0.1:0")
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	f, err := l.TCP(far.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Send(f, []byte(options("1", ""))); err != nil { // queued while it is dialled
		t.Fatal(err)
	}
	c, err := far.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 2000)
	if n, err := c.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "OPTIONS ") {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	again, err := l.TCP(far.Addr().(*net.TCPAddr).AddrPort())
	if err != nil || !again.Same(f) {
		t.Errorf("a second connection was made: %v", err)
	}
	far.Close()
	c.Close()
	<-h.closed
	if gone, err := l.TCP(netip.MustParseAddrPort("127.0.0.1:1")); err != nil {
		t.Error(err)
	} else if err := l.Send(gone, []byte("x")); err == nil {
		select { // refused: it shows as closed
		case <-h.closed:
		case <-time.After(10 * time.Second):
			t.Error("a connection that was refused did not end")
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(options("1", "v=0")))
	f.Add([]byte("a\r\nl:1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := frame(b)
		if n < 0 || n > len(b) || n > MaxMessage || err != nil && n != 0 {
			t.Errorf("frame of %d octets is %d, %v", len(b), n, err)
		}
	})
}

// A connection whose peer has promised keep-alives ends when they stay out, not
// while they come (RFC 5626 section 5.4).
func TestQuietFlowEnds(t *testing.T) {
	flows := make(chan Flow, 4)
	l := New(slog.New(slog.DiscardHandler), listener(func(_ sip.Message, f Flow) {
		f.Within(1500 * time.Millisecond)
		flows <- f
	}))
	t.Cleanup(l.Close)
	at, err := l.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(options("1", ""))); err != nil {
		t.Fatal(err)
	}
	f := <-flows
	pong := make([]byte, 2)
	for range 8 {
		time.Sleep(300 * time.Millisecond)
		if _, err := c.Write([]byte("\r\n\r\n")); err != nil {
			t.Fatalf("keep-alive: %v", err)
		}
		if _, err := io.ReadFull(c, pong); err != nil || string(pong) != "\r\n" {
			t.Fatalf("keep-alive is answered %q, %v", pong, err)
		}
	}
	if !f.Alive() {
		t.Fatal("the connection has ended in spite of keep-alives")
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(pong); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the silent connection: %v, want its end", err)
	}
}

// What we send over a connection that we have dialled is given up after a while
// without acknowledgement (RFC 5482): a router on the way may have forgotten it.
func TestConnectionEndsUnheard(t *testing.T) {
	t.Parallel()
	l, _, _ := open(t, "127.0.0.1:0")
	_, far, at := open(t, "127.0.0.1:0")
	f, err := l.TCP(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Send(f, []byte(options("a", ""))); err != nil {
		t.Fatal(err)
	}
	far.next(t)
	f.conn.mu.Lock()
	raw, err := f.conn.nc.(*net.TCPConn).SyscallConn()
	f.conn.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	var timeout int
	if bad := raw.Control(func(fd uintptr) {
		timeout, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}); bad != nil || err != nil || timeout != int(unheardTime/time.Millisecond) {
		t.Errorf("given up after %d ms: %v, %v", timeout, bad, err)
	}
}
