package transport

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// tapped collects what a tap sees.
type tapped struct {
	mu   sync.Mutex
	seen []string
}

func (s *tapped) tap(f Flow, sent bool, m []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	way := "received"
	if sent {
		way = "sent"
	}
	s.seen = append(s.seen, f.Network+" "+way+" "+f.Remote.String()+" "+string(m))
}

// TestTap sees both directions over UDP and TCP, octet by octet as they are on
// the wire, malformed messages included, each TCP message by itself.
func TestTap(t *testing.T) {
	var s tapped
	h := &heard{messages: make(chan sip.Message, 10), flows: make(chan Flow, 10), closed: make(chan Flow, 10)}
	l := New(slog.New(slog.DiscardHandler), h)
	t.Cleanup(l.Close)
	l.SetTap(s.tap)
	at, err := l.Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"udp", "tcp"} {
		s.mu.Lock()
		s.seen = nil
		s.mu.Unlock()
		c := dial(t, network, at)
		one, two := options("1", "body"), strings.Replace(options("2", ""), "Call-ID", "call-id ", 1)
		if network == "udp" {
			c.Write([]byte("OPTIONS sip:x SIP/2.0\r\n\r\n")) // malformed: refused without a word to the listener
			c.Write([]byte(one))
			c.Write([]byte(two))
		} else {
			c.Write([]byte("\r\n\r\n" + one + two))
		}
		h.next(t)
		h.next(t)
		f := <-h.flows
		<-h.flows
		if err := l.Send(f, []byte("SIP/2.0 200 OK\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		who := " " + netip.MustParseAddrPort(c.LocalAddr().String()).String() + " "
		want := []string{network + " received" + who + one, network + " received" + who + two, network + " sent" + who + "SIP/2.0 200 OK\r\n\r\n"}
		s.mu.Lock()
		got := s.seen
		if network == "udp" {
			if len(got) == 0 || got[0] != "udp received"+who+"OPTIONS sip:x SIP/2.0\r\n\r\n" {
				t.Errorf("the malformed message was not seen: %q", got)
			}
			got = got[len(got)-3:]
		} else {
			got = got[len(got)-3:] // before it, the answer to the ping
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: saw %q; want %q", network, got[i], want[i])
			}
		}
		s.mu.Unlock()
	}
}

// What a tap costs a message that is sent: nothing without one.
func BenchmarkSend(b *testing.B) {
	sink, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	for _, tap := range []Tap{nil, func(Flow, bool, []byte) {}} {
		name := "without a tap"
		if tap != nil {
			name = "with one"
		}
		b.Run(name, func(b *testing.B) {
			l := New(slog.New(slog.DiscardHandler), listener(func(sip.Message, Flow) {}))
			defer l.Close()
			l.SetTap(tap)
			if _, err := l.Listen(context.Background(), "127.0.0.1:0"); err != nil {
				b.Fatal(err)
			}
			f, err := l.UDP(netip.MustParseAddrPort(sink.LocalAddr().String()))
			if err != nil {
				b.Fatal(err)
			}
			m := []byte(registerText)
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Send(f, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
