package transaction

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/sipedge/transport"
)

// The faults of sipgo 1.7.2 that made us own the transactions.

// Fault: finished INVITE transactions keep their messages in memory for 32 s,
// since timers L and M are never stopped. Ours keep what a retransmission
// needs; and once acknowledged over TCP nothing at all.
func TestFaultFinishedINVITEsHoldNoMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, u := start(t)
		c, err := l.Request(request(t, "INVITE", "z9hG4bKclient"), udp(), func(*sip.Response, error) {})
		if err != nil {
			t.Fatal(err)
		}
		refused := request(t, "INVITE", "z9hG4bKclient")
		l.Message(response(t, refused, 486, "t"), udp())
		c.mu.Lock()
		wrong := c.request != nil || c.bytes != nil || c.ack == nil
		c.mu.Unlock()
		if wrong {
			t.Error("the refused INVITE still holds its request, or lacks its ACK")
		}
		l.Message(request(t, "INVITE", "z9hG4bKserver"), udp())
		s := u.requests[0]
		if err := s.Respond(response(t, refused, 200, "s")); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		wrong = s.request != nil || s.last == nil
		s.mu.Unlock()
		if wrong {
			t.Error("the answered INVITE still holds its request, or lacks its answer")
		}
		s.Acknowledged()
		s.mu.Lock()
		wrong = s.last != nil
		s.mu.Unlock()
		if wrong {
			t.Error("the acknowledged INVITE still holds its answer")
		}
		time.Sleep(Lifetime + time.Second)
		synctest.Wait()
		if c, s := l.Count(); c != 0 || s != 0 {
			t.Errorf("%d and %d transactions are left after %v", c, s, Lifetime)
		}
	})
}

// The same by the heap: 2,000 calls with descriptions of 8 KB that were
// answered and acknowledged hold less than 1 KB each while timer L runs.
func TestFaultAnsweredCallsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, u := start(t)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		const calls = 2000
		body := []byte(strings.Repeat("x", 8000))
		for i := range calls {
			req := request(t, "INVITE", fmt.Sprintf("z9hG4bK%d", i))
			req.SetBody(body)
			l.Message(req, udp())
			res := response(t, req, 200, "s")
			res.SetBody(body)
			if err := u.requests[i].Respond(res); err != nil {
				t.Fatal(err)
			}
			u.requests[i].Acknowledged()
			w.sent = nil
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if _, s := l.Count(); s != calls {
			t.Fatalf("%d transactions are held, want %d", s, calls)
		}
		if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / calls; each > 2048 {
			t.Errorf("each answered call holds %d octets, want at most 2048", each)
		}
		l.Close()
	})
}

// Fault: the 2xx is not repeated with T1 doubling to T2, over any transport,
// until the ACK (RFC 3261 section 13.3.1.4).
func TestFault2xxIsRepeatedUntilTheACK(t *testing.T) {
	tcp := transport.Flow{Network: "tcp"}
	for _, f := range []transport.Flow{udp(), tcp} {
		for _, ackAfter := range []time.Duration{0, 700 * time.Millisecond, 20 * time.Second, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				l, w, u := start(t)
				inv := request(t, "INVITE", "z9hG4bKa")
				l.Message(inv, f)
				u.requests[0].OnNoACK(func() {})
				if err := u.requests[0].Respond(response(t, inv, 200, "s")); err != nil {
					t.Fatal(err)
				}
				acknowledge := time.AfterFunc(ackAfter, u.requests[0].Acknowledged)
				defer acknowledge.Stop()
				time.Sleep(time.Minute)
				synctest.Wait()
				var want []time.Duration
				for _, at := range ms(0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500) {
					if at == 0 || at < ackAfter {
						want = append(want, at)
					}
				}
				if got := w.times("SIP/2.0 200"); !slices.Equal(got, want) {
					t.Errorf("%s, ACK after %v: sent at %v, want %v", f.Network, ackAfter, got, want)
				}
			})
		}
	}
}

// Fault: more than ten provisional answers orphan the leg. A phone may ring
// for long and say so each minute (RFC 3261 section 13.3.1.1).
func TestFaultManyProvisionalAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, _ := start(t)
		inv := request(t, "INVITE", "z9hG4bKa")
		var got []int
		if _, err := l.Request(inv, udp(), func(res *sip.Response, err error) {
			if err != nil {
				t.Error(err)
				return
			}
			got = append(got, res.StatusCode)
		}); err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			l.Message(response(t, inv, []int{180, 183, 181, 182}[i%4], "t"), udp())
			time.Sleep(time.Minute)
		}
		l.Message(response(t, inv, 200, "t"), udp())
		if len(got) != 61 || got[60] != 200 {
			t.Errorf("%d responses were seen, the last %d; want 61 and 200", len(got), got[len(got)-1])
		}
	})
}

// Fault: CANCEL copies Route from the Record-Route of a response, and takes the
// last CSeq of the dialog. Ours takes both, and the branch, from the INVITE,
// whatever PRACK or UPDATE went between.
func TestFaultCANCELTakesTheINVITEsRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, _ := start(t)
		inv := request(t, "INVITE", "z9hG4bKa")
		c, err := l.Request(inv, udp(), func(*sip.Response, error) {})
		if err != nil {
			t.Fatal(err)
		}
		ringing := response(t, request(t, "INVITE", "z9hG4bKa"), 183, "t")
		ringing.AppendHeader(sip.NewHeader("Record-Route", "<sip:elsewhere@192.0.2.8;lr>"))
		l.Message(ringing, udp())
		prack := request(t, "PRACK", "z9hG4bKprack")
		prack.CSeq().SeqNo = 8
		if _, err := l.Request(prack, udp(), func(*sip.Response, error) {}); err != nil {
			t.Fatal(err)
		}
		c.Cancel()
		synctest.Wait()
		cancel := w.last("CANCEL")
		for _, part := range []string{"CANCEL sip:102@192.0.2.9 ", "CSeq: 7 CANCEL", "branch=z9hG4bKa\r", "Route: <sip:p@192.0.2.7;lr>", "Call-ID: c\r"} {
			if !strings.Contains(cancel, part) {
				t.Errorf("CANCEL lacks %q:\n%s", part, cancel)
			}
		}
		if strings.Contains(cancel, "192.0.2.8") || strings.Contains(cancel, "tag=t") || strings.Count(cancel, "Route:") != 1 || strings.Count(cancel, "Via:") != 1 {
			t.Errorf("CANCEL takes something of the response:\n%s", cancel)
		}
		l.Message(response(t, request(t, "INVITE", "z9hG4bKa"), 487, "t"), udp())
		if ack := w.last("ACK"); !strings.Contains(ack, "CSeq: 7 ACK") || !strings.Contains(ack, "Route: <sip:p@192.0.2.7;lr>") {
			t.Errorf("the refusal after PRACK is acknowledged with another number or way:\n%s", ack)
		}
	})
}
