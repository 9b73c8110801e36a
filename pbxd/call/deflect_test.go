package call

import (
	"slices"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// deflects has a phone that rings send the call on.
func (h *house) deflects(a *actor, to string) {
	h.does(a, Event{Kind: EventEnded, Cause: pbx.CauseCallRejected, Deflected: to})
}

// A phone that sends a call on by itself does so as a forwarding of its user.
func TestDeflection(t *testing.T) {
	inHouse(t, func(h *house) {
		a := h.call("101", "102")
		h.deflects(h.rings("102"), "103")
		c := h.rings("103")
		if d := h.last().Diversions; len(d) != 1 || d[0].Number != "102" || d[0].Reason != pbx.DivertDeflection {
			t.Errorf("103 is told of %+v, want 102, deflection", d)
		}
		h.deflects(c, "102") // where the call has been
		want(t, a, "hangup 21")
		h.silent("102")
		h.traced("The phone of Ben Demo (102) sends the call on to 103")
		h.traced("103 declines the call")
	})
	for to, cause := range map[string]string{
		"102": "hangup 21", "101": "hangup 21", "999": "hangup 1", "112": "hangup 57", "*701": "hangup 1",
		"1234567890123456789012345678901234567890123456789": "hangup 21",
	} {
		inHouse(t, func(h *house) {
			a := h.call("101", "102")
			h.deflects(h.rings("102"), to)
			if want(t, a, cause); t.Failed() {
				t.Errorf("sent on to %s; the trace is %q", to, h.steps)
			}
		})
	}
}

// Nobody sends calls on who may not forward them.
func TestDeflectionNeedsPermission(t *testing.T) {
	inHouse(t, func(h *house) {
		for i := range h.cfg.PermissionGroups {
			g := &h.cfg.PermissionGroups[i]
			g.Permissions = slices.DeleteFunc(g.Permissions, func(x pbx.GroupPermission) bool { return x.Permission == pbx.PermitCallForwarding })
		}
		a := h.call("101", "102")
		h.deflects(h.rings("102"), "103")
		want(t, a, "hangup 21")
		h.silent("103")
	})
}

// Who is called back may decline, but does not send the call on.
func TestDeflectionOfRecall(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.refers(b, "103", nil)
		h.hangsUp(b)
		h.does(h.rings("103"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		h.deflects(h.rings("102"), "104") // it is called back, nobody else
		h.silent("104")
		sleep(releaseTime)
		wantLast(t, a, "hangup 21")
	})
}

// The phone of a member of a hunt group that sends its call on only declines it:
// the others ring on.
func TestDeflectionInGroup(t *testing.T) {
	inHouse(t, func(h *house) {
		sales("parallel", false)(h.cfg)
		a := h.call("101", "600")
		h.deflects(h.rings("102"), "104")
		h.silent("104")
		h.traced("102 declines the call")
		c := h.rings("103")
		h.answers(c)
		h.joined(a, c)
		h.hangsUp(a)
		h.wantJournal("101 out 600 answered 0 Sales", "102 in 101 declined 0 Sales", "103 in 101 answered 0 Sales")
	})
}

// What a phone says of itself is told as what it is.
func TestRefusalsAreTold(t *testing.T) {
	for _, tt := range []struct {
		cause   pbx.Cause
		end     string
		step    string
		journal string
	}{
		{pbx.CauseUnallocated, "hangup 20", "102 cannot be reached", "101 out 102 noAnswer 0"},
		{pbx.CauseIncompatible, "hangup 88", "The phone of 102 has no audio that goes with the caller's", "101 out 102 failed 0"},
		{pbx.CauseUserBusy, "hangup 17", "102 is busy", "101 out 102 busy 0"},
	} {
		inHouse(t, func(h *house) {
			a := h.call("101", "102")
			h.does(h.rings("102"), Event{Kind: EventEnded, Cause: tt.cause})
			want(t, a, tt.end)
			h.traced(tt.step)
			h.wantJournal(tt.journal, "102 in 101 missed 0")
		})
	}
}

// A caller whose phone turns out to have no audio has not hung up.
func TestNoAudioIsNoHangup(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.does(a, Event{Kind: EventEnded, Cause: pbx.CauseIncompatible})
		want(t, b, "hangup 88")
		h.traced("The phone of 101 has no audio that goes with the other's")
		if slices.Contains(h.steps, "101 hangs up") {
			t.Errorf("the trace says that 101 hangs up: %q", h.steps)
		}
	})
}

// Each of several phones that ring is told for its own reason.
func TestEachOfAGroupIsTold(t *testing.T) {
	inHouse(t, func(h *house) {
		h.cfg.HuntGroups[0].CallScheme = "parallel"
		h.cfg.HuntGroups[0].GroupBusy = false
		h.call("104", h.cfg.HuntGroups[0].Extension)
		members := []string{}
		for _, m := range h.cfg.HuntGroups[0].Members {
			members = append(members, h.cfg.UserByID(m.User).Extension)
		}
		members = slices.DeleteFunc(members, func(x string) bool { return x == "104" })
		if len(members) < 2 {
			t.Fatalf("the group has %q", members)
		}
		for i, ext := range members {
			cause := pbx.CauseUserBusy
			if i == 1 {
				cause = pbx.CauseNoAnswer
			}
			h.does(h.rings(ext), Event{Kind: EventEnded, Cause: cause})
		}
		h.traced(members[0] + " is busy")
		h.traced(members[1] + " does not answer")
		h.traced(members[1] + " does not take the call")
		if slices.Contains(h.steps, members[1]+" is busy") {
			t.Errorf("the trace says of %s that it is busy: %q", members[1], h.steps)
		}
	})
}

// Hold that comes with the first description of either side is told.
func TestHeldAtOnce(t *testing.T) {
	inHouse(t, func(h *house) {
		offer, answer := speaks(), speaks()
		offer.Direction, answer.Direction = media.SendOnly, media.SendOnly
		a := h.invite(Incoming{Caller: Party{Number: "101"}, Digits: "102", Offer: offer})
		b := h.rings("102")
		h.does(b, Event{Kind: EventAnswered, Description: answer})
		want(t, a, "answer")
		h.traced("101 holds the call")
		h.traced("102 holds the call")
		if !h.fact().Held {
			t.Error("the call is not listed as held")
		}
	})
}

// A semi-attended transfer, to a phone that still rings, that comes to nothing
// calls back whoever wanted it.
func TestSemiAttendedTransferCallsBack(t *testing.T) {
	for _, cause := range []pbx.Cause{pbx.CauseUserBusy, pbx.CauseCallRejected} {
		inHouse(t, func(h *house) {
			b, a := h.talk("102", "101") // 101 transfers 102
			x := h.call("101", "103")
			c := h.rings("103")
			h.does(c, Event{Kind: EventRinging})
			h.refers(a, "103", x)
			wantLast(t, a, "transfer 2 0", "hangup 16")
			h.does(c, Event{Kind: EventEnded, Cause: cause})
			back := h.rings("101")
			if f := h.fact(); f.From != "102" || f.To != "101" {
				t.Errorf("the call back is listed as %+v", f)
			}
			h.answers(back)
			h.joined(b, back)
			h.hangsUp(back)
		})
	}
	inHouse(t, func(h *house) { // taken, it is nobody's to be called back
		b, a := h.talk("102", "101")
		x := h.call("101", "103")
		c := h.rings("103")
		h.refers(a, "103", x)
		h.answers(c)
		h.joined(b, c)
		h.hangsUp(c)
		h.silent("101")
		wantLast(t, b, "hangup 16")
	})
}

// The list of calls says who talks with whom, and what one hears who waits.
func TestListedAfterTransfer(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.refers(a, "103", nil)
		c := h.rings("103")
		if f := h.fact(); f.From != "102" || f.To != "103" {
			t.Errorf("listed as %+v, want from 102 to 103", f)
		}
		h.does(c, Event{Kind: EventRinging})
		h.does(c, Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		if f := h.fact(); f.From != "102" || f.To != "101" || f.With != "101" {
			t.Errorf("given back it is listed as %+v, want from 102 to 101", f)
		}
		h.refers(a, "103", nil)
		h.hangsUp(a)
		h.gone["101"] = true // cannot be called back
		c = h.rings("103")
		h.does(c, Event{Kind: EventRinging})
		h.does(c, Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		if f := h.fact(); f.State != pbx.CallUp {
			t.Errorf("who hears the busy tone is listed as %s, want up", f.State)
		}
		_ = b
		sleep(releaseTime)
	})
	inHouse(t, func(h *house) {
		a := h.call("101", "*701")
		want(t, a, "answer")
		if f := h.fact(); f.State != pbx.CallUp || f.Answered.IsZero() {
			t.Errorf("who waits in a parking place is listed as %+v, want up and answered", f)
		}
		sleep(time.Second)
		h.hangsUp(a)
	})
}

// What a call was for before it came here goes along, and counts.
func TestDivertedBefore(t *testing.T) {
	inHouse(t, func(h *house) {
		before := []Diversion{{Number: "103", Reason: pbx.DivertNoAnswer}}
		a := h.invite(Incoming{Caller: Party{Number: "104"}, Digits: "102", Offer: speaks(), Diversions: before, Passed: 3})
		if d := h.last(); !slices.Equal(d.Diversions, before) || d.Passed != 4 {
			t.Errorf("102 is told of %+v after %d hops, want 103 after 4", d.Diversions, d.Passed)
		}
		h.deflects(h.rings("102"), "103")
		want(t, a, "hangup 21")
		h.silent("103")
		want(t, h.invite(Incoming{Caller: Party{Number: "104"}, Digits: "103", Offer: speaks(), Diversions: before}), "hangup 21")
		h.traced("The call has been at 103 already: it is not sent there again")
	})
}
