package call

import (
	"errors"
	"testing"
	"testing/synctest"

	"galilei/pbxd/pbx"
)

// A user calls from the page: one call at a time rings at the phones, and who
// asks learns at once when none does.
func TestFetch(t *testing.T) {
	inHouse(t, func(h *house) {
		o := Origination{Extension: "102", Digits: "103"}
		id, refused := h.engine.Fetch(o)
		if id == "" || refused != 0 {
			t.Fatalf("call %q, %v", id, refused)
		}
		first := h.rings("102")
		if _, refused := h.engine.Fetch(o); refused != pbx.CauseUserBusy {
			t.Errorf("a second one while the phone rings: %v", refused)
		}
		h.silent("102")
		if _, refused := h.engine.Fetch(Origination{Extension: "101", Digits: "103"}); refused != 0 {
			t.Errorf("somebody else: %v", refused)
		}
		h.answers(first)
		h.answers(h.rings("103"))
		if _, refused := h.engine.Fetch(o); refused != 0 {
			t.Errorf("one more when the phone has answered: %v", refused)
		}
		h.does(h.rings("102"), Event{Kind: EventEnded, Cause: pbx.CauseCallRejected})
		if _, refused := h.engine.Fetch(o); refused != 0 {
			t.Errorf("after the ringing: %v", refused)
		}
		h.gone["104"] = true
		if _, refused := h.engine.Fetch(Origination{Extension: "104", Digits: "103"}); refused != pbx.CauseSubscriberAbsent {
			t.Errorf("without a phone: %v", refused)
		}
		h.err = errors.New("no RTP port free")
		if _, refused := h.engine.Fetch(Origination{Extension: "103", Digits: "101"}); refused != pbx.CauseTemporaryFailure {
			t.Errorf("no leg: %v", refused)
		}
	})
}

// Auto answer (F098): the phone of who dials in the page answers by itself where
// All hosts may speak to its user, and only then.
func TestFetchAnswersItself(t *testing.T) {
	inHouse(t, func(h *house) {
		hosts := h.cfg.PermissionGroupByID(pbx.GroupAllHosts)
		all := h.cfg.PermissionGroupByID(pbx.GroupAllUsers)
		fetch := func(why string, want bool, o Origination) {
			t.Helper()
			if o.Program != nil {
				_, err := h.engine.Originate(o)
				if err != nil {
					t.Fatal(err)
				}
			} else if _, refused := h.engine.Fetch(o); refused != 0 {
				t.Fatal(refused)
			}
			synctest.Wait()
			a := h.rings("102")
			if d := h.last(); d.AutoAnswer != want || (d.Alert == "alert-autoanswer") != want {
				t.Errorf("%s: %+v, want auto answer %v", why, d, want)
			}
			h.does(a, Event{Kind: EventEnded, Cause: pbx.CauseCallRejected})
		}
		page := Origination{Extension: "102", Digits: "103"}
		fetch("on a new device", false, page)
		granted := []pbx.GroupPermission{{Permission: pbx.PermitIntercom, AppliesTo: pbx.GroupAllUsers}}
		hosts.Permissions = granted
		fetch("All hosts towards users", true, page)
		h.traced("The phone of Ben Demo (102) answers by itself")
		fetch("a reminder", false, Origination{Extension: "102", Program: func(*Conversation) pbx.Cause { return pbx.CauseNormalClearing }})
		h.cfg.UserByExtension("102").Calls.RefuseIntercom = true
		fetch("a user who takes no intercom calls", false, page)
		h.cfg.UserByExtension("102").Calls.RefuseIntercom = false
		hosts.Permissions[0].AppliesTo = pbx.GroupInvisibleUsers
		fetch("All hosts towards others", false, page)
		hosts.Permissions = nil
		all.Permissions = append(all.Permissions, pbx.GroupPermission{Permission: pbx.PermitIntercom, AppliesTo: pbx.GroupAllHosts})
		fetch("users towards All hosts", true, page)
		h.talk("101", "102")
		fetch("who is on the phone", false, page)
	})
}

// What an extension starts is bounded; what rings there, and an emergency call,
// is not.
func TestOwnCalls(t *testing.T) {
	inHouse(t, func(h *house) {
		var trying []*actor
		for range OwnTrying {
			trying = append(trying, h.call("101", "102"))
		}
		want(t, h.call("101", "102"), "hangup 42")
		if _, refused := h.engine.Fetch(Origination{Extension: "101", Digits: "102"}); refused != pbx.CauseCongestion {
			t.Errorf("from the page: %v", refused)
		}
		if got := h.call("101", "112").saw(); len(got) > 0 && got[0] == "hangup 42" {
			t.Error("an emergency call is refused for the number of others")
		}
		want(t, h.call("103", "101"))
		h.hangsUp(trying[0])
		want(t, h.call("101", "102"))

		// Those that are answered leave room for more, up to the bound of all.
		h.answers(h.rings("102"))
		up := 1
		for ; up < OwnCalls-OwnTrying+1; up++ {
			a := h.call("101", "102")
			if got := a.saw(); len(got) > 0 {
				t.Fatalf("with %d calls up: %q", up, got)
			}
			h.answers(h.rings("102"))
		}
		want(t, h.call("101", "102"), "hangup 42")
	})
}

// Two phones send each other's calls on by calls of their own and say nothing of
// it: the circle ends soon. Those that ring at both may still be called.
func TestCircleOfPhones(t *testing.T) {
	inHouse(t, func(h *house) {
		h.call("103", "101")
		rounds := 0
		for next := []string{"101", "102"}; h.rung[next[0]] != nil; next[0], next[1] = next[1], next[0] {
			h.rings(next[0])
			h.call(next[0], next[1])
			if rounds++; rounds > OwnTrying {
				t.Fatal("the circle does not end")
			}
		}
		if rounds > 2*maxRounds+1 {
			t.Errorf("the circle ends after %d calls, want %d", rounds, 2*maxRounds+1)
		}
		want(t, h.call("101", "102"), "hangup 17")
		want(t, h.call("101", "104"))
		want(t, h.call("104", "101"))
	})
}

// Who declines at one phone is left in peace by the others; the phones of
// another member of a group go on.
func TestDeclineEndsAllPhones(t *testing.T) {
	b, c, d := &actor{name: "b"}, &actor{name: "c"}, &actor{name: "d"}
	s := &stage{called: []*actor{b, c}}
	play(t, s, func() {
		s.event(b, EventRinging, nil, 0)
		s.event(b, EventEnded, nil, pbx.CauseCallRejected)
		want(t, c, "hangup 26")
		want(t, s.caller, "ringing early=false", "hangup 21")
	})
	b, c = &actor{name: "b"}, &actor{name: "c"}
	s = &stage{phones: map[string][]*actor{"102": {b, c}, "103": {d}}, digits: "600", office: sales("parallel", false)}
	play(t, s, func() {
		s.event(b, EventEnded, nil, pbx.CauseCallRejected)
		want(t, c, "hangup 26")
		want(t, d)
	})
}
