package call

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// told tells what was said of emergency calls, in order: number, gateway, phone.
func (x *exchange) told() string {
	x.h.mu.Lock()
	defer x.h.mu.Unlock()
	var list []string
	for _, e := range x.emergencies {
		s := fmt.Sprintf("%s over %q by %q", e.Number, e.Gateway, e.Phone)
		if e.Likely != "" {
			s += " likely " + e.Likely
		}
		if e.Address != "" {
			s += " at " + e.Address
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

// talkOutside connects a phone with the outside and returns both legs.
func (h *house) talkOutside(from string) (a, line *actor) {
	h.t.Helper()
	a = h.call(from, "0030123456")
	line = h.rings("g1")
	h.answers(line)
	h.joined(a, line)
	return a, line
}

// When all lines are taken an emergency call gets that of the call that began last,
// once that has been hung up; another one gets the next, and none that of an
// emergency call.
func TestEmergencyCallSeizesALine(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		h.cfg.Gateways[0].MaxCalls, h.cfg.Gateways[1].MaxCalls = 2, 1
		x.down["g2"] = true
		first, firstLine := h.talkOutside("101")
		last, lastLine := h.talkOutside("103")
		x.calls["g1"] = 2
		x.asked = func(d LineDial) {
			if d.Number == "112" && (!slices.Contains(last.saw(), "hangup 34") || !slices.Contains(lastLine.saw(), "hangup 34")) {
				t.Error("the emergency call dials before the line is free")
			}
		}
		b := h.call("102", "112")
		help := h.rings("g1")
		want(t, first, first.saw()...)
		h.joined(first, firstLine)
		h.answers(help)
		h.joined(b, help)
		if d := x.dials[2]; !d.Emergency || d.Number != "112" || d.Caller.Number != "102" {
			t.Errorf("told %+v", d)
		}
		h.call("104", "110")
		h.rings("g1")
		wantLast(t, first, "hangup 34")
		h.call("101", "112")
		h.rings("g1") // beyond what the gateway may have: no line is taken from the others
		h.joined(b, help)
		h.traced("A call over g1 is ended for this one")
		h.traced("The line is needed for an emergency call")
	})
}

// The line of a call is found where a transfer has put it.
func TestEmergencyCallSeizesATransferredLine(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		h.cfg.Gateways[0].MaxCalls = 1
		x.down["g2"] = true
		a, line := h.talkOutside("101")
		consults, other := h.talk("101", "103")
		h.refers(a, "103", consults)
		h.joined(line, other)
		x.calls["g1"] = 1
		h.call("102", "112")
		h.rings("g1")
		wantLast(t, line, "hangup 34")
	})
}

// What seems to be gone may be there: lines are tried one after the other, whatever
// a provider says of the number.
func TestEmergencyCallTriesEveryLine(t *testing.T) {
	for _, cause := range []pbx.Cause{pbx.CauseTemporaryFailure, pbx.CauseUnallocated, pbx.CauseUserBusy, pbx.CauseCallRejected, pbx.CauseNoUserResponding, pbx.CauseInvalidNumber} {
		withLines(t, func(h *house, x *exchange) {
			x.down["g1"], x.down["g2"] = true, true
			a := h.call("101", "112")
			h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: cause, Deflected: "102"})
			line := h.rings("g2")
			h.answers(line)
			h.joined(a, line)
			h.silent("102")
			if got := x.told(); got != `112 over "g1" by ""` {
				t.Errorf("told %s", got)
			}
		})
		withLines(t, func(h *house, x *exchange) {
			a := h.call("101", "0112")
			h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: cause})
			h.does(h.rings("g2"), Event{Kind: EventEnded, Cause: cause})
			wantLast(t, a, fmt.Sprintf("hangup %d", cause))
			if got := x.told(); got != `112 over "g1" by "", 112 over "" by ""` {
				t.Errorf("told %s", got)
			}
		})
	}
}

// A provider that has no line left for us says so by refusing the call: the last
// other one over it ends then, after all lines were tried, and once.
func TestEmergencyCallFindsTheProviderFull(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		first, firstLine := h.talkOutside("101")
		second, secondLine := h.talkOutside("104")
		a := h.call("102", "112")
		h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		h.joined(second, secondLine)
		h.does(h.rings("g2"), Event{Kind: EventEnded, Cause: pbx.CauseUnallocated})
		wantLast(t, second, "hangup 34")
		wantLast(t, secondLine, "hangup 34")
		line := h.rings("g1")
		h.answers(line)
		h.joined(a, line)
		h.joined(first, firstLine)
		h.hangsUp(a)

		a = h.call("102", "112")
		h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: pbx.CauseTemporaryFailure})
		h.does(h.rings("g2"), Event{Kind: EventEnded, Cause: pbx.CauseTemporaryFailure})
		wantLast(t, first, "hangup 34")
		h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: pbx.CauseTemporaryFailure}) // it was not that
		wantLast(t, a, "hangup 41")
		h.silent("g1")
		h.silent("g2")
	})
	for _, cause := range []pbx.Cause{pbx.CauseUnallocated, pbx.CauseNoUserResponding, pbx.CauseCallRejected} { // no line would change that
		withLines(t, func(h *house, x *exchange) {
			other, line := h.talkOutside("101")
			h.call("102", "112")
			h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: cause})
			h.does(h.rings("g2"), Event{Kind: EventEnded, Cause: cause})
			h.silent("g1")
			h.joined(other, line)
		})
	}
}

// A phone that has not shown whose it is makes emergency calls alone; who looks
// after the office is told where it is.
func TestEmergencyCallOfAnUnknownPhone(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		in := Incoming{Unknown: true, Caller: Party{Name: "192.0.2.7"}, Likely: "103", Address: "192.0.2.7:5060", Digits: "112", Offer: speaks()}
		a := h.invite(in)
		line := h.rings("g1")
		if d := x.dials[0]; d.Caller != (Party{}) || d.Asserted != "" || d.Hidden || !d.Emergency {
			t.Errorf("told %+v", d)
		}
		h.answers(line)
		h.joined(a, line)
		if n := h.engine.Calls("103"); n != 0 {
			t.Errorf("103 has %d calls", n)
		}
		for _, digits := range []string{"102", "0030123456", "*93", "*40", "600"} {
			in.Digits = digits
			wantLast(t, h.invite(in), "hangup 57")
		}
		h.hangsUp(a)
		h.wantJournal()
		if got := x.told(); got != `112 over "g1" by "" likely 103 at 192.0.2.7:5060` {
			t.Errorf("told %s", got)
		}
	})
}

// Whatever hinders other calls, an emergency call is made, and shows who calls.
func TestNothingHindersAnEmergencyCall(t *testing.T) {
	for name, hinder := range map[string]func(h *house){
		"do not disturb": func(h *house) { h.cfg.UserByExtension("102").Calls.DoNotDisturb = true },
		"no permission": func(h *house) {
			for i := range h.cfg.PermissionGroups {
				h.cfg.PermissionGroups[i].Permissions = nil
			}
		},
		"hidden number": func(h *house) { h.cfg.UserByExtension("102").Calls.HideNumber = true },
		"one call at once": func(h *house) {
			h.cfg.SIP.CallsAtOnce = 1
			h.call("102", "103")
		},
		"own calls": func(h *house) {
			for range OwnTrying {
				h.call("102", "103")
			}
			wantLast(h.t, h.call("102", "103"), "hangup 42")
		},
		"calls of the device": func(h *house) {
			h.engine.live.Add(MaxCalls)
			wantLast(h.t, h.call("101", "103"), "hangup 42")
		},
		"limits of calls": func(h *house) {
			h.engine.deps.Meter = used{}
			wantLast(h.t, h.call("102", "0030123456"), "hangup 57")
		},
		"no route": func(h *house) { h.cfg.OutboundRoutes = nil },
		"forwarding": func(h *house) {
			h.cfg.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertAlways, true, "103")
		},
	} {
		for _, away := range []bool{false, true} {
			withLines(t, func(h *house, x *exchange) {
				hinder(h)
				defer func() {
					if h.engine.live.Load() >= MaxCalls {
						h.engine.live.Add(-MaxCalls)
					}
				}()
				for _, digits := range []string{"112", "0112", "*31112"} {
					a := h.invite(Incoming{Caller: Party{Number: "102"}, Phone: "102", Away: away, Digits: digits, Offer: speaks(), Anonymous: true, Address: "192.0.2.7:5060"})
					line := h.rings("g1")
					h.answers(line)
					h.joined(a, line)
					if d := x.dials[len(x.dials)-1]; d.Number != "112" || d.Hidden || d.Caller.Number != "102" {
						t.Errorf("%s, %s: told %+v", name, digits, d)
					}
					h.hangsUp(a)
				}
				if got := x.emergencies; len(got) != 3 || got[0].Phone != "102" || got[0].Address != "192.0.2.7:5060" || got[0].User != h.cfg.UserByExtension("102").ID {
					t.Errorf("%s: told %+v", name, got)
				}
			})
		}
	}
}

// used is a meter that lets nobody call.
type used struct{}

func (used) UserToll(string) pbx.TollState    { return pbx.TollState{} }
func (used) GatewayToll(string) pbx.TollState { return pbx.TollState{} }
func (used) Begin(string, string, pbx.TollClass, func(pbx.Message)) (uint64, []pbx.Message, pbx.Cause) {
	return 0, nil, pbx.CauseNotAuthorised
}
func (used) Answered(uint64) {}
func (used) End(uint64)      {}

// Who calls a help line is nobody's business, and no call ends for it.
func TestHelpLine(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		h.cfg.Locale.Country = "AT"
		h.cfg.Gateways[0].MaxCalls = 1
		x.down["g2"] = true
		a, line := h.talkOutside("101")
		x.calls["g1"] = 1
		h.call("102", "142")
		h.rings("g1")
		if d := x.dials[1]; d.Emergency || d.Number != "142" {
			t.Errorf("told %+v", d)
		}
		h.joined(a, line)
		if got := x.told(); got != "" {
			t.Errorf("told %s", got)
		}
	})
}
