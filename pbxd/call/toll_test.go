package call

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/toll"
)

const (
	abroad  = "000431234567"
	premium = "00900123456"
)

// withMeter plays in a house with lines whose calls are counted.
func withMeter(t *testing.T, play func(h *house, x *exchange, l *toll.Ledger)) {
	withLines(t, func(h *house, x *exchange) {
		l := toll.New(toll.Deps{
			Config: func() *pbx.Config { return h.cfg }, Now: time.Now, Log: slog.New(slog.DiscardHandler), Tell: func(pbx.TollAlarm) {},
			Spoken: func(context.Context, time.Time, time.Time) ([]pbx.Spoken, error) { return nil, nil },
		})
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { l.Run(ctx); close(done) }()
		h.engine.deps.Meter = l
		play(h, x, l)
		h.engine.Stop()
		for _, user := range []string{"demo101", "demo102", "demo103"} {
			if n := l.UserToll(user).Calls; n != 0 {
				t.Errorf("%s has %d calls left", user, n)
			}
		}
		stop()
		<-done
	})
}

func wantSpoken(t *testing.T, l *toll.Ledger, user string, foreign, premium int) {
	t.Helper()
	s := l.UserToll(user)
	if want := (pbx.TollState{Calls: s.Calls, Foreign: time.Duration(foreign) * time.Minute, Premium: time.Duration(premium) * time.Minute}); s != want {
		t.Errorf("%s: %+v, want %+v", user, s, want)
	}
}

// wantTalks fails the test when a leg was hung up.
func wantTalks(t *testing.T, a *actor) {
	t.Helper()
	if slices.ContainsFunc(a.saw(), func(s string) bool { return strings.HasPrefix(s, "hangup") }) {
		t.Errorf("%s was told %q", a.name, a.saw())
	}
}

// The 121st minute is not spoken, and no further call begins.
func TestMinutesOfADay(t *testing.T) {
	withMeter(t, func(h *house, x *exchange, l *toll.Ledger) {
		a := h.call("101", abroad)
		line := h.rings("g1")
		time.Sleep(time.Minute) // that it rings costs nothing
		h.answers(line)
		time.Sleep(120*time.Minute - 1)
		synctest.Wait()
		wantTalks(t, line)
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		wantLast(t, a, "hangup 57")
		wantLast(t, line, "hangup 57")
		h.traced("Anna Demo (101) has spoken 120 of 120 minutes to other countries today")
		h.traced("The limit of the day is reached")
		wantSpoken(t, l, "demo101", 120, 0)
		wantLast(t, h.call("101", abroad), "hangup 57")
		h.silent("g1")
		home := h.call("101", "0030123456")
		h.answers(h.rings("g1"))
		h.hangsUp(home)
		h.call("101", premium)
		h.answers(h.rings("g1"))
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		wantSpoken(t, l, "demo101", 120, 15)
		if n := l.UserToll("demo101").Calls; n != 0 {
			t.Errorf("101 has %d calls", n)
		}
	})
}

// Whoever talks, a call counts for who called, forwarded or transferred, and ends
// at that user's limit wherever it is by then.
func TestTollOfOthers(t *testing.T) {
	const limit = 120 * time.Minute
	over := func(t *testing.T, h *house, l *toll.Ledger, after time.Duration, line *actor, user string) {
		t.Helper()
		time.Sleep(limit - after - 1)
		synctest.Wait()
		wantTalks(t, line)
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		wantLast(t, line, "hangup 57")
		wantSpoken(t, l, user, 120, 0)
		for _, other := range []string{"demo101", "demo102", "demo103"} {
			if other != user {
				wantSpoken(t, l, other, 0, 0)
			}
		}
	}
	for name, play := range map[string]func(t *testing.T, h *house, l *toll.Ledger){
		"handed on": func(t *testing.T, h *house, l *toll.Ledger) {
			a := h.call("101", abroad)
			line := h.rings("g1")
			h.answers(line)
			time.Sleep(10 * time.Minute)
			h.refers(a, "102", nil)
			h.answers(h.rings("102"))
			over(t, h, l, 10*time.Minute, line, "demo101")
		},
		"handed on after talking": func(t *testing.T, h *house, l *toll.Ledger) {
			a := h.call("101", abroad)
			line := h.rings("g1")
			h.answers(line)
			b, c := h.talk("101", "102")
			h.refers(a, "", b) // the line goes to the other call
			over(t, h, l, 0, line, "demo101")
			wantLast(t, c, "hangup 57")
		},
		"transferred to another country": func(t *testing.T, h *house, l *toll.Ledger) {
			_, b := h.talk("101", "102")
			h.refers(b, abroad, nil)
			line := h.rings("g1")
			h.answers(line)
			over(t, h, l, 0, line, "demo102")
		},
		"forwarded": func(t *testing.T, h *house, l *toll.Ledger) {
			h.cfg.UserByExtension("102").Calls.SetForwarding(true, pbx.DivertAlways, true, abroad)
			h.invite(Incoming{Gateway: "g2", Caller: Party{Number: "089555"}, Digits: "102", Offer: speaks()})
			line := h.rings("g1")
			h.answers(line)
			over(t, h, l, 0, line, "demo102")
		},
	} {
		t.Run(name, func(t *testing.T) {
			withMeter(t, func(h *house, _ *exchange, l *toll.Ledger) { play(t, h, l) })
		})
	}
}

// meanwhile is a ledger for calls that are all decided before one of them leaves.
type meanwhile struct{ *toll.Ledger }

func (meanwhile) UserToll(string) pbx.TollState { return pbx.TollState{} }

// Of calls that begin at the same time no more leave than are allowed.
func TestCallsOfAUserAtOnce(t *testing.T) {
	withMeter(t, func(h *house, x *exchange, l *toll.Ledger) {
		h.engine.deps.Meter = meanwhile{l}
		h.cfg.Toll.UserCalls = 2
		legs := make([]*actor, 8)
		for i := range legs {
			legs[i] = &actor{name: "101"}
			h.engine.Incoming(Incoming{Leg: legs[i], Caller: Party{Number: "101"}, Digits: fmt.Sprintf("003012345%d", i), Offer: speaks()})
		}
		synctest.Wait()
		busy := 0
		for _, a := range legs {
			if slices.Contains(a.saw(), "hangup 17") {
				busy++
			}
		}
		if len(x.dials) != 2 || busy != 6 || l.UserToll("demo101").Calls != 2 {
			t.Errorf("%d lines, %d busy, %+v", len(x.dials), busy, l.UserToll("demo101"))
		}
		h.traced("Anna Demo (101) has 2 calls to the outside; at most 2 are allowed")
		h.call("102", "0030123456")
		h.rings("g1")
		h.call("101", "112") // never hindered, never counted
		h.rings("g1")
		if n := l.UserToll("demo101").Calls; n != 2 {
			t.Errorf("101 has %d calls", n)
		}
	})
}

// What does not come about counts for nothing.
func TestTollOfCallsThatFail(t *testing.T) {
	withMeter(t, func(h *house, x *exchange, l *toll.Ledger) {
		h.cfg.Toll.UserCalls = 1
		x.err = fmt.Errorf("dial: %w", ErrLineBusy)
		wantLast(t, h.call("101", abroad), "hangup 34")
		x.err = nil
		a := h.call("101", abroad)
		h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: pbx.CauseTemporaryFailure})
		second := h.rings("g2") // one call, by another line
		if one, two := l.GatewayToll("g1").Calls, l.GatewayToll("g2").Calls; one != 0 || two != 1 {
			t.Errorf("%d and %d calls", one, two)
		}
		time.Sleep(time.Minute)
		h.does(second, Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		wantLast(t, a, "hangup 17")
		wantSpoken(t, l, "demo101", 0, 0)
		h.hangsUp(h.call("101", abroad)) // while it rings
		h.rings("g1")
		a = h.call("101", abroad)
		h.answers(h.rings("g1"))
		time.Sleep(time.Minute)
		h.hangsUp(a)
		wantSpoken(t, l, "demo101", 1, 0)
	})
}
