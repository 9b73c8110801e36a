package transaction

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/sipedge/transport"
)

// wire keeps what is sent, with its time.
type wire struct {
	mu    sync.Mutex
	start time.Time
	sent  []sentMessage
	err   error
}

type sentMessage struct {
	at   time.Duration
	line string // start line
	text string
}

func (w *wire) Send(_ transport.Flow, m []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	line, _, _ := strings.Cut(string(m), "\r\n")
	w.sent = append(w.sent, sentMessage{time.Since(w.start), line, string(m)})
	return w.err
}

// times returns when messages that start with prefix were sent.
func (w *wire) times(prefix string) (at []time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.sent {
		if strings.HasPrefix(m.line, prefix) {
			at = append(at, m.at)
		}
	}
	return at
}

func (w *wire) last(prefix string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range slices.Backward(w.sent) {
		if strings.HasPrefix(m.line, prefix) {
			return m.text
		}
	}
	return ""
}

type user struct {
	requests []*Server
	acks     int
}

func (u *user) Request(tx *Server, _ *sip.Request)   { u.requests = append(u.requests, tx) }
func (u *user) ACK(_ *sip.Request, _ transport.Flow) { u.acks++ }

func start(t *testing.T) (*Layer, *wire, *user) {
	w, u := &wire{start: time.Now()}, &user{}
	l := New(w, u, slog.New(slog.DiscardHandler))
	t.Cleanup(l.Close)
	return l, w, u
}

func udp() transport.Flow {
	return transport.Flow{Network: "udp", Remote: netip.MustParseAddrPort("192.0.2.1:5060")}
}

func message[M sip.Message](t *testing.T, text string) M {
	t.Helper()
	m, err := sip.ParseMessage([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return m.(M)
}

func request(t *testing.T, method, branch string) *sip.Request {
	t.Helper()
	return message[*sip.Request](t, fmt.Sprintf("%[1]s sip:102@192.0.2.9 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=%[2]s\nRoute: <sip:p@192.0.2.7;lr>\nFrom: <sip:101@x>;tag=f\nTo: <sip:102@x>\nCall-ID: c\nCSeq: 7 %[1]s\nContent-Length: 0\n\n", method, branch))
}

func response(t *testing.T, to *sip.Request, status int, tag string) *sip.Response {
	t.Helper()
	res := sip.NewResponseFromRequest(to, status, "X", nil)
	if tag != "" {
		res.To().Params.Add("tag", tag)
	}
	return res
}

func ms(v ...int) (d []time.Duration) {
	for _, n := range v {
		d = append(d, time.Duration(n)*time.Millisecond)
	}
	return d
}

func TestClientTimers(t *testing.T) {
	tests := []struct {
		method string
		want   []time.Duration
	}{
		// Timer A doubles without bound, B ends it after 32 s (section 17.1.1.2).
		{"INVITE", ms(0, 500, 1500, 3500, 7500, 15500, 31500)},
		// Timer E doubles to 4 s (section 17.1.2.2).
		{"OPTIONS", ms(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500)},
	}
	for _, tt := range tests {
		t.Run(tt.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w, _ := start(t)
				var failed error
				var at time.Duration
				if _, err := l.Request(request(t, tt.method, "z9hG4bKa"), udp(), func(res *sip.Response, err error) {
					failed, at = err, time.Since(w.start)
				}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := w.times(tt.method); !slices.Equal(got, tt.want) {
					t.Errorf("sent at %v, want %v", got, tt.want)
				}
				if failed != ErrTimeout || at != 32*time.Second {
					t.Errorf("ended after %v with %v, want %v after 32 s", at, failed, ErrTimeout)
				}
				if c, _ := l.Count(); c != 0 {
					t.Errorf("%d transactions are left", c)
				}
			})
		})
	}
}

// A refusal is acknowledged by the transaction, again for each of its
// retransmissions, along the Route of the INVITE.
func TestRefusalIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, _ := start(t)
		inv := request(t, "INVITE", "z9hG4bKa")
		var got []int
		if _, err := l.Request(inv, udp(), func(res *sip.Response, err error) { got = append(got, res.StatusCode) }); err != nil {
			t.Fatal(err)
		}
		for range 15 { // more than ten provisional answers are no reason to lose the leg
			l.Message(response(t, inv, 180, "t"), udp())
		}
		for range 3 {
			l.Message(response(t, inv, 486, "t"), udp())
		}
		if len(got) != 16 || got[15] != 486 {
			t.Errorf("got responses %v, want 15 of 180 and one 486", got)
		}
		ack := w.last("ACK")
		if n := len(w.times("ACK")); n != 3 {
			t.Errorf("%d ACKs were sent, want 3", n)
		}
		for _, part := range []string{"CSeq: 7 ACK", "branch=z9hG4bKa", "tag=t", "Route: <sip:p@192.0.2.7;lr>"} {
			if !strings.Contains(ack, part) {
				t.Errorf("ACK lacks %q:\n%s", part, ack)
			}
		}
		time.Sleep(33 * time.Second) // timer D
		synctest.Wait()
		if c, _ := l.Count(); c != 0 {
			t.Errorf("%d transactions are left", c)
		}
	})
}

// Each 2xx reaches the user, since forks answer one by one, for 32 s (RFC 6026
// timer M).
func TestEveryForkIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, _ := start(t)
		inv := request(t, "INVITE", "z9hG4bKa")
		var tags []string
		if _, err := l.Request(inv, udp(), func(res *sip.Response, err error) {
			tag, _ := res.To().Params.Get("tag")
			tags = append(tags, tag)
		}); err != nil {
			t.Fatal(err)
		}
		l.Message(response(t, inv, 200, "one"), udp())
		l.Message(response(t, inv, 200, "two"), udp())
		l.Message(response(t, inv, 486, "three"), udp()) // absurd after a 2xx
		time.Sleep(33 * time.Second)
		synctest.Wait()
		l.Message(response(t, inv, 200, "late"), udp())
		if !slices.Equal(tags, []string{"one", "two"}) {
			t.Errorf("saw %v, want one and two", tags)
		}
		if n := len(w.times("ACK")); n != 0 {
			t.Errorf("the transaction sent %d ACKs; those of a 2xx are the dialog's", n)
		}
		if c, _ := l.Count(); c != 0 {
			t.Errorf("%d transactions are left", c)
		}
	})
}

// CANCEL waits for a provisional response, takes the branch and Route of the
// INVITE, and an INVITE that stays silent then ends.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, _ := start(t)
		inv := request(t, "INVITE", "z9hG4bKa")
		var failed error
		c, err := l.Request(inv, udp(), func(_ *sip.Response, err error) { failed = err })
		if err != nil {
			t.Fatal(err)
		}
		c.Cancel(sip.NewHeader("Reason", "SIP;cause=200"))
		synctest.Wait()
		if w.last("CANCEL") != "" {
			t.Error("CANCEL was sent before any response")
		}
		ringing := response(t, inv, 180, "t")
		ringing.AppendHeader(sip.NewHeader("Record-Route", "<sip:other@192.0.2.8;lr>"))
		l.Message(ringing, udp())
		synctest.Wait()
		cancel := w.last("CANCEL")
		for _, part := range []string{"CSeq: 7 CANCEL", "branch=z9hG4bKa", "Route: <sip:p@192.0.2.7;lr>", "Reason: SIP;cause=200"} {
			if !strings.Contains(cancel, part) {
				t.Errorf("CANCEL lacks %q:\n%s", part, cancel)
			}
		}
		if strings.Contains(cancel, "192.0.2.8") {
			t.Error("CANCEL takes the Record-Route of a response")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if failed != ErrTimeout {
			t.Errorf("the INVITE ended with %v, want %v", failed, ErrTimeout)
		}
		if c, _ := l.Count(); c != 0 {
			t.Errorf("%d transactions are left", c)
		}
	})
}

func TestServerINVITE(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		want    []time.Duration // final responses while nobody acknowledges
		noACK   bool
		dialogs bool // the ACK is handed to the user
	}{
		{"2xx is repeated, T1 doubling to T2", 200, ms(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500), true, true},
		{"refusal is repeated by timer G", 486, ms(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500), false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w, u := start(t)
				inv := request(t, "INVITE", "z9hG4bKa")
				l.Message(inv, udp())
				l.Message(request(t, "INVITE", "z9hG4bKa"), udp()) // a retransmission is no second request
				if len(u.requests) != 1 {
					t.Fatalf("the user got %d requests, want 1", len(u.requests))
				}
				told := false
				u.requests[0].OnNoACK(func() { told = true })
				if err := u.requests[0].Respond(response(t, inv, tt.status, "s")); err != nil {
					t.Fatal(err)
				}
				if err := u.requests[0].Respond(response(t, inv, 500, "s")); err == nil {
					t.Error("a second final response was taken")
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := w.times("SIP/2.0 "); !slices.Equal(got, tt.want) {
					t.Errorf("sent at %v, want %v", got, tt.want)
				}
				if told != tt.noACK {
					t.Errorf("told of the missing ACK: %v, want %v", told, tt.noACK)
				}
				if _, s := l.Count(); s != 0 {
					t.Errorf("%d transactions are left", s)
				}
			})
		})
		t.Run(tt.name+", until the ACK", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, w, u := start(t)
				inv := request(t, "INVITE", "z9hG4bKa")
				l.Message(inv, udp())
				told := false
				u.requests[0].OnNoACK(func() { told = true })
				if err := u.requests[0].Respond(response(t, inv, tt.status, "s")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				branch := "z9hG4bKa" // that of a refusal
				if tt.dialogs {
					branch = "z9hG4bKother"
					u.requests[0].Acknowledged()
				}
				l.Message(request(t, "ACK", branch), udp())
				time.Sleep(time.Minute)
				synctest.Wait()
				if got, want := w.times("SIP/2.0 "), ms(0, 500); !slices.Equal(got, want) {
					t.Errorf("sent at %v, want %v", got, want)
				}
				if (u.acks == 1) != tt.dialogs || told {
					t.Errorf("the user got %d ACKs, told of none: %v", u.acks, told)
				}
				if _, s := l.Count(); s != 0 {
					t.Errorf("%d transactions are left", s)
				}
			})
		})
	}
}

func TestServerAnswersRetransmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, u := start(t)
		req := request(t, "OPTIONS", "z9hG4bKa")
		l.Message(req, udp())
		if err := u.requests[0].Respond(response(t, req, 200, "s")); err != nil {
			t.Fatal(err)
		}
		l.Message(request(t, "OPTIONS", "z9hG4bKa"), udp())
		if n := len(w.times("SIP/2.0 200")); n != 2 || len(u.requests) != 1 {
			t.Errorf("%d answers to %d requests, want 2 to 1", n, len(u.requests))
		}
		time.Sleep(33 * time.Second) // timer J
		synctest.Wait()
		if _, s := l.Count(); s != 0 {
			t.Errorf("%d transactions are left", s)
		}
	})
}

func TestServerIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, u := start(t)
		inv := request(t, "INVITE", "z9hG4bKa")
		l.Message(inv, udp())
		cancelled := 0
		u.requests[0].OnCancel(func(*sip.Request) { cancelled++ })
		l.Message(request(t, "CANCEL", "z9hG4bKa"), udp())
		l.Message(request(t, "CANCEL", "z9hG4bKa"), udp())
		l.Message(request(t, "CANCEL", "z9hG4bKnone"), udp())
		if cancelled != 1 || len(w.times("SIP/2.0 200")) != 2 || len(w.times("SIP/2.0 481")) != 1 {
			t.Errorf("cancelled %d times, %d of 200 and %d of 481; want 1, 2, 1", cancelled, len(w.times("SIP/2.0 200")), len(w.times("SIP/2.0 481")))
		}
		late := false
		u.requests[0].OnCancel(func(*sip.Request) { late = true }) // who asks late is told at once
		if !late {
			t.Error("the CANCEL that had come was not told")
		}
	})
}

// Requests of RFC 2543 phones carry no magic cookie: they are told apart by
// the whole of their identity.
func TestOldBranches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, u := start(t)
		l.Message(request(t, "OPTIONS", "1"), udp())
		l.Message(request(t, "OPTIONS", "1"), udp())
		other := request(t, "OPTIONS", "1")
		other.CSeq().SeqNo = 8
		l.Message(other, udp())
		if len(u.requests) != 2 {
			t.Errorf("the user got %d requests, want 2", len(u.requests))
		}
	})
}

// Responses go where RFC 3581 says.
func TestResponseDestination(t *testing.T) {
	tests := []struct{ name, via, want string }{
		{"rport", "192.0.2.1:9999;rport", "192.0.2.1:5060"},
		{"port of Via", "192.0.2.1:9999", "192.0.2.1:9999"},
		{"default port of Via", "192.0.2.1", "192.0.2.1:5060"},
		{"other address, so behind translation", "10.0.0.1:9999", "192.0.2.1:5060"},
		{"host name", "phone.example:9999", "192.0.2.1:5060"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := message[*sip.Request](t, "OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/UDP "+tt.via+";branch=z9hG4bKa\nFrom: <sip:a@x>;tag=f\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n")
			s := &Server{flow: udp(), request: req}
			if got := s.destination().Remote.String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTransportFailure(t *testing.T) {
	l, w, _ := start(t)
	w.err = fmt.Errorf("no route")
	if _, err := l.Request(request(t, "OPTIONS", "z9hG4bKa"), udp(), func(*sip.Response, error) { t.Error("told twice") }); err == nil {
		t.Error("no error")
	}
}

// However many requests one address sends and has answered, the next is
// served: the oldest answers are forgotten.
func TestManyAnsweredRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, u := start(t)
		for i := range 3 * maxCompleted {
			req := request(t, "REGISTER", fmt.Sprintf("z9hG4bK%d", i))
			l.Message(req, udp())
			if len(u.requests) != i+1 {
				t.Fatalf("request %d was dropped", i)
			}
			if err := u.requests[i].Respond(response(t, req, 200, "s")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if _, s := l.Count(); s != maxCompleted {
			t.Errorf("%d transactions are held, want %d", s, maxCompleted)
		}
		time.Sleep(Lifetime + time.Second)
		synctest.Wait()
		if _, s := l.Count(); s != 0 || l.done.Len() != 0 {
			t.Errorf("%d transactions and %d places are left", s, l.done.Len())
		}
	})
}
