package transport

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The faults of sipgo 1.7.2 that made us own the sockets; each has a test here
// or in transaction or sipedge. See ARCHITECTURE.md section 13.

// Fault: messages over 1300 octets are refused on UDP. Both ways up to the
// largest datagram of IPv4, and beyond it an error and no silence.
func TestFaultLargeMessagesOnUDP(t *testing.T) {
	l, h, at := open(t, "127.0.0.1:0")
	u := dial(t, "udp", at)
	u.(*net.UDPConn).SetReadBuffer(1 << 20)
	const largest = 65507 // 65535 less the headers of IP and UDP
	head := len(options("1", strings.Repeat("x", 10_000))) - 10_000
	for _, size := range []int{1200, 1301, 1473, 9000, largest} {
		m := options("1", strings.Repeat("x", max(10_000, size-head)))
		if size < 10_000 {
			m = options("1", strings.Repeat("x", size))
		}
		if _, err := u.Write([]byte(m)); err != nil {
			t.Fatalf("%d octets: %v", len(m), err)
		}
		got := h.next(t)
		f := <-h.flows
		if _, body, _ := strings.Cut(m, "\r\n\r\n"); string(got.Body()) != body {
			t.Errorf("%d octets: a body of %d octets came", len(m), len(got.Body()))
		}
		if err := l.Send(f, []byte(m)); err != nil {
			t.Errorf("%d octets were not sent: %v", len(m), err)
		}
		buf := make([]byte, 1<<16)
		u.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := u.Read(buf); err != nil || string(buf[:n]) != m {
			t.Errorf("%d octets: %d came back, %v", len(m), n, err)
		}
		if size == largest {
			if err := l.Send(f, append([]byte(m), 'x')); err == nil {
				t.Error("a message that fits no datagram was sent without an error")
			}
		}
	}
}

// Fault: every UDP source is remembered for ever.
func TestFaultUDPSourcesAreNotRemembered(t *testing.T) {
	h := &heard{messages: make(chan sip.Message, 1), flows: make(chan Flow, 1)}
	l := New(slog.New(slog.DiscardHandler), h)
	receive := func(n, from int) {
		for i := range n {
			a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), uint16(from))
			l.datagram([]byte(options("1", "")), Flow{Network: "udp", Remote: a})
			<-h.messages
			<-h.flows
		}
	}
	receive(1000, 1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	receive(100_000, 2)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("100,000 sources made the heap grow by %d octets, want at most 1 MiB", grown)
	}
	if len(l.conns) != 0 || len(l.perIP) != 0 {
		t.Errorf("%d connections of %d hosts are held for UDP sources", len(l.conns), len(l.perIP))
	}
}

// Fault: a goroutine for each message changes their order. Phones send at the
// same time over UDP, TCP and TLS; those of each Call-ID come as they were sent.
func TestFaultOrderOfOneCallID(t *testing.T) {
	const phones, each = 12, 400
	next := make(map[string]int)
	var mu sync.Mutex
	done := make(chan error, 1)
	total := 0
	order := listener(func(m sip.Message, _ Flow) {
		id, n := m.CallID().Value(), int(m.CSeq().SeqNo)
		if n%7 == 0 {
			runtime.Gosched() // as a handler that waits for a lock
		}
		mu.Lock()
		defer mu.Unlock()
		if next[id]++; next[id] != n {
			select {
			case done <- fmt.Errorf("call %s: message %d came as number %d", id, n, next[id]):
			default:
			}
		}
		if total++; total == phones*each {
			close(done)
		}
	})
	l := New(slog.New(slog.DiscardHandler), order)
	t.Cleanup(l.Close)
	at, err := l.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure, err := l.ListenTLS(t.Context(), "127.0.0.1:0", serverTLS(t))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for p := range phones {
		network := []string{"udp", "tcp", "tls"}[p%3]
		var c net.Conn
		if network == "tls" {
			c = dialTLS(t, secure, &tls.Config{})
		} else {
			c = dial(t, network, at)
		}
		wg.Go(func() {
			for i := 1; i <= each; i++ {
				m := fmt.Sprintf("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK%[1]d-%[2]d\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: %[1]d\r\nCSeq: %[2]d OPTIONS\r\nContent-Length: 0\r\n\r\n", p, i)
				if _, err := c.Write([]byte(m)); err != nil {
					t.Error(err)
					return
				}
				for network == "udp" { // the socket's buffer is not what is tested
					mu.Lock()
					behind := i - next[fmt.Sprint(p)]
					mu.Unlock()
					if behind < 200 {
						break
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("%d messages came, want %d", total, phones*each)
	}
}

// listener is Events of a function.
type listener func(sip.Message, Flow)

func (l listener) Message(m sip.Message, f Flow) { l(m, f) }
func (listener) Closed(Flow)                     {}

// Fault: an error of reading ends the UDP listener. On a socket of Linux such
// an error is an ICMP answer to what we sent; here it comes by force.
func TestFaultReadErrorKeepsTheListener(t *testing.T) {
	l, h, at := open(t, "127.0.0.1:0")
	l.udp[0].SetReadDeadline(time.Unix(1, 0)) // every read fails now
	gone, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	to, err := l.UDP(gone.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for range 20 {
		_ = l.Send(to, []byte("x")) // ICMP says that nobody is there
	}
	l.udp[0].SetReadDeadline(time.Time{})
	u := dial(t, "udp", at)
	u.Write([]byte(options("1", "")))
	if m := h.next(t); m.CallID().Value() != "1" {
		t.Errorf("got message %s, want 1", m.CallID().Value())
	}
}

// Fault: methods are upper-cased. Those of extensions keep their letters, and
// one in small letters is not the method (RFC 3261 section 7.1).
func TestFaultMethodsKeepTheirCase(t *testing.T) {
	_, h, at := open(t, "127.0.0.1:0")
	u := dial(t, "udp", at)
	for _, method := range []string{"OPTIONS", "options", "Invite", "!interesting-Method0123456789_*+`.%indeed'~"} {
		u.Write([]byte(strings.ReplaceAll(options("1", ""), "OPTIONS", method)))
		req, ok := h.next(t).(*sip.Request)
		if !ok || string(req.Method) != method || string(req.CSeq().MethodName) != method {
			t.Errorf("%s came as %v", method, req.Method)
		}
	}
}

// Fault: what cannot be parsed is logged whole: with what is secret in it.
func TestFaultPacketsAreNotLogged(t *testing.T) {
	var log syncBuffer
	h := &heard{messages: make(chan sip.Message, 100), flows: make(chan Flow, 100), closed: make(chan Flow, 100)}
	l := New(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), h)
	t.Cleanup(l.Close)
	at, err := l.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "6629fae49393a05397450978507c4ef1"
	auth := "Authorization: Digest username=\"101\", response=\"" + secret + "\"\r\n"
	whole := strings.Replace(options("1", secret), "Content-Length", auth+"Content-Length", 1)
	for i, m := range []string{
		strings.Replace(whole, "CSeq: 1", "CSeq: x", 1), strings.Replace(whole, "To: ", "To: \"", 1), strings.Replace(whole, "Via", "V1a", 1),
		strings.Replace(whole, "Content-Length: 32", "Content-Length: 99", 1), whole[:len(whole)-40], strings.Replace(whole, " SIP/2.0", "", 1),
		auth, "INVITE " + secret, strings.ReplaceAll(whole, "\r\n", "\n"), strings.Replace(whole, "Authorization: ", "Authorization ", 1),
	} {
		u, c := dial(t, "udp", at), dial(t, "tcp", at)
		u.Write([]byte(m))
		c.Write([]byte(m))
		u.Write([]byte(options("after", "")))
		for h.next(t).CallID().Value() != "after" {
		}
		if text := log.String(); strings.Contains(text, secret[:12]) {
			t.Errorf("message %d is in the log: %s", i, text)
		}
	}
	if l.Malformed() < 8 {
		t.Errorf("%d messages were malformed, so that this tests nothing", l.Malformed())
	}
}

// syncBuffer is a bytes.Buffer that goroutines share.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A stream cut at any octet, and at any two, gives the same messages.
func TestStreamCutAtEveryOctet(t *testing.T) {
	stream := []byte("\r\n" + options("1", "") + "\r\n\r\n" + options("2", "v=0\r\n\r\nx") + options("3", "") + "\r\n")
	var got []string
	l := New(slog.New(slog.DiscardHandler), listener(func(m sip.Message, _ Flow) {
		got = append(got, m.CallID().Value()+":"+string(m.Body()))
	}))
	const want = "1: 2:v=0\r\n\r\nx 3:"
	run := func(cuts ...int) {
		got = nil
		c := &conn{layer: l, network: "tcp", out: make(chan []byte, connQueue), ended: make(chan struct{})}
		var pending []byte
		from := 0
		for _, to := range append(cuts, len(stream)) {
			var err error
			if pending, err = c.deliver(append(pending, stream[from:to]...), c.flow()); err != nil {
				t.Fatalf("cut at %v: %v", cuts, err)
			}
			from = to
		}
		if s := strings.Join(got, " "); s != want || len(pending) != 0 || len(c.out) != 1 {
			t.Fatalf("cut at %v: got %q, %d octets left, %d pongs", cuts, s, len(pending), len(c.out))
		}
	}
	for i := range stream {
		run(i)
		for j := i; j < len(stream); j += 13 {
			run(i, j)
		}
	}
}
