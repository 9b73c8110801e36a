package dhcp

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// wire is a network with one server whose answers a test decides.
type wire struct {
	answers chan *dhcpv4.DHCPv4
	begin   time.Time
	mu      sync.Mutex
	sent    []sending
	reply   func(m *dhcpv4.DHCPv4, unicast bool) *dhcpv4.DHCPv4
}

type sending struct {
	at      time.Duration
	kind    dhcpv4.MessageType
	unicast bool
}

func (w *wire) Messages() <-chan *dhcpv4.DHCPv4  { return w.answers }
func (w *wire) Broadcast(m *dhcpv4.DHCPv4) error { return w.send(m, false) }
func (w *wire) Unicast(m *dhcpv4.DHCPv4, _, _ netip.Addr) error {
	return w.send(m, true)
}

func (w *wire) send(m *dhcpv4.DHCPv4, unicast bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, sending{time.Since(w.begin), m.MessageType(), unicast})
	if a := w.reply(m, unicast); a != nil {
		w.answers <- a
	}
	return nil
}

func (w *wire) all() []sending {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sending{}, w.sent...)
}

var hardware = net.HardwareAddr{2, 0, 0, 0, 0, 1}

// grant answers like a server that gives a lease of an hour.
func grant(m *dhcpv4.DHCPv4, _ bool) *dhcpv4.DHCPv4 {
	a := ack(dhcpv4.WithTransactionID(m.TransactionID), dhcpv4.WithHwAddr(hardware), dhcpv4.WithMessageType(dhcpv4.MessageTypeAck))
	if m.MessageType() == dhcpv4.MessageTypeDiscover {
		a.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeOffer))
	}
	return a
}

func refuse(m *dhcpv4.DHCPv4, _ bool) *dhcpv4.DHCPv4 {
	a := grant(m, false)
	if m.MessageType() == dhcpv4.MessageTypeRequest {
		a.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeNak))
	}
	return a
}

func silence(*dhcpv4.DHCPv4, bool) *dhcpv4.DHCPv4 { return nil }

// on runs a client on w for f. f gets what process 1 is told.
func on(t *testing.T, reply func(*dhcpv4.DHCPv4, bool) *dhcpv4.DHCPv4, f func(w *wire, told func() []string)) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answers: make(chan *dhcpv4.DHCPv4, 64), begin: time.Now(), reply: reply}
		var mu sync.Mutex
		var kinds []string
		c := Client{
			Wire: w, Hardware: hardware, Hostname: "galilei", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Random: rand.New(rand.NewPCG(1, 2)),
			Tell: func(e Event) error {
				mu.Lock()
				defer mu.Unlock()
				kinds = append(kinds, e.Kind)
				return nil
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		f(w, func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return append([]string{}, kinds...)
		})
		cancel()
		if err := <-done; err == nil {
			t.Error("Run ended without an error")
		}
	})
}

func (w *wire) answerWith(reply func(*dhcpv4.DHCPv4, bool) *dhcpv4.DHCPv4) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reply = reply
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range got {
		ok = ok && got[i] == want[i]
	}
	if !ok {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestLeaseAtOnceAndRenewedAtHalfOfIt(t *testing.T) {
	on(t, grant, func(w *wire, told func() []string) {
		same(t, "at once", told(), Bound)
		if s := w.all(); len(s) != 2 || s[0].kind != dhcpv4.MessageTypeDiscover || s[1].kind != dhcpv4.MessageTypeRequest || s[1].at != 0 {
			t.Errorf("sent %v", s)
		}
		time.Sleep(time.Hour)
		s := w.all()
		if len(s) != 4 || s[2].at != 30*time.Minute || !s[2].unicast || s[3].at != time.Hour {
			t.Errorf("renewals: sent %v", s)
		}
		same(t, "a renewal of the same", told(), Bound)
	})
}

func TestBackOffUntilAServerAnswers(t *testing.T) {
	on(t, silence, func(w *wire, told func() []string) {
		time.Sleep(9 * time.Second)
		same(t, "for 9 s", told())
		time.Sleep(51 * time.Second)
		same(t, "for a minute", told(), NoTime)
		time.Sleep(time.Hour)
		same(t, "for an hour", told(), NoTime)
		s := w.all()
		for i := 1; i < len(s); i++ {
			nominal := min(firstWait<<min(i-1, 10), maxWait)
			if gap := s[i].at - s[i-1].at; gap < nominal*3/4 || gap > nominal*5/4 {
				t.Errorf("gap %d: %v, want %v within a quarter", i, gap, nominal)
			}
		}
		w.answerWith(grant)
		time.Sleep(2 * maxWait)
		same(t, "a server at last", told(), NoTime, Bound)
	})
}

func TestSilentServerLosesTheLeaseAtItsEnd(t *testing.T) {
	on(t, grant, func(w *wire, told func() []string) {
		same(t, "at once", told(), Bound)
		w.answerWith(silence)
		time.Sleep(59 * time.Minute)
		same(t, "before the end", told(), Bound)
		var unicast, broadcast int
		for _, s := range w.all()[2:] {
			if s.unicast != (s.at < 3150*time.Second) {
				t.Errorf("at %v: unicast %t", s.at, s.unicast)
			}
			if s.unicast {
				unicast++
			} else {
				broadcast++
			}
		}
		if unicast < 3 || broadcast < 2 || unicast+broadcast > 20 {
			t.Errorf("%d renewals, %d rebindings", unicast, broadcast)
		}
		time.Sleep(time.Minute + time.Second)
		same(t, "after the end", told(), Bound, Lost)
		w.answerWith(grant)
		time.Sleep(5 * time.Second)
		same(t, "server back", told(), Bound, Lost, Bound)
	})
}

func TestRebindingSavesTheLease(t *testing.T) {
	on(t, grant, func(w *wire, told func() []string) {
		synctest.Wait()
		w.answerWith(func(m *dhcpv4.DHCPv4, unicast bool) *dhcpv4.DHCPv4 {
			if unicast {
				return nil
			}
			return grant(m, false)
		})
		time.Sleep(5 * time.Hour)
		same(t, "after five hours", told(), Bound)
	})
}

func TestARefusedRenewalLosesTheLeaseAtOnce(t *testing.T) {
	on(t, grant, func(w *wire, told func() []string) {
		synctest.Wait()
		w.answerWith(refuse)
		time.Sleep(30*time.Minute + time.Second)
		same(t, "after T1", told(), Bound, Lost)
		n := len(w.all())
		time.Sleep(10 * time.Minute)
		if more := len(w.all()) - n; more > 60 {
			t.Errorf("%d messages in 10 minutes of refusals", more)
		}
	})
}

func TestAnswersThatAreNotOurs(t *testing.T) {
	for name, change := range map[string]func(a *dhcpv4.DHCPv4){
		"transaction": func(a *dhcpv4.DHCPv4) { a.TransactionID[0] ^= 1 },
		"hardware":    func(a *dhcpv4.DHCPv4) { a.ClientHWAddr = net.HardwareAddr{2, 9, 9, 9, 9, 9} },
		"request":     func(a *dhcpv4.DHCPv4) { a.OpCode = dhcpv4.OpcodeBootRequest },
		"no server":   func(a *dhcpv4.DHCPv4) { a.DeleteOption(dhcpv4.OptionServerIdentifier) },
		"lease":       func(a *dhcpv4.DHCPv4) { a.YourIPAddr = net.IPv4(127, 0, 0, 1) },
	} {
		on(t, func(m *dhcpv4.DHCPv4, u bool) *dhcpv4.DHCPv4 {
			a := grant(m, u)
			change(a)
			return a
		}, func(_ *wire, told func() []string) {
			time.Sleep(time.Minute)
			same(t, name, told(), NoTime)
		})
	}
}

func TestAWireThatFailsEndsTheClient(t *testing.T) {
	on(t, silence, func(w *wire, _ func() []string) {
		synctest.Wait()
		close(w.answers)
	})
}
