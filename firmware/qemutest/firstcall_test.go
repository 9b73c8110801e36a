package qemutest

import (
	"cmp"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"galilei/pbxd/pbxdtest/peer"
)

// TestFirstCall does with the release image what its first owner does: changes
// the PIN, adds users, registers phones and calls. Then the power fails, and
// all must be there again.
func TestFirstCall(t *testing.T) {
	peer.NeedBaresip(t)
	peer.NeedSipp(t)
	m := boot(t, newDisk(t, releaseImage(t)))
	a := firstLogin(t)
	caller := peer.SippUser{User: "201", Password: a.addUser(t, "sipp-caller", "201"), Number: "202"}
	callee := peer.SippUser{User: "202", Password: a.addUser(t, "sipp-callee", "202")}

	one := startPhone(t, peer.BaresipOptions{User: "101", Password: m.passwords["101"], Tone: 440})
	two := startPhone(t, peer.BaresipOptions{User: "102", Password: m.passwords["102"], Tone: 880, Transport: "tcp"})
	three := startPhone(t, peer.BaresipOptions{User: "103", Password: m.passwords["103"], Tone: 880})
	a.awaitStatus(t, "three phones are registered", func(s status) bool { return len(s.Registrations) == 3 })

	connect(t, one, two, "102")
	a.awaitStatus(t, "the call is up", func(s status) bool {
		return len(s.Calls) == 1 && s.Calls[0].State == "up" && s.Calls[0].From == "101" && s.Calls[0].To == "102"
	})
	talk(t, talkTime)
	hangUp(t, one, two)
	hears(t, one, "101", 880, talkTime)
	hears(t, two, "102", 440, talkTime)
	toTwo := stats(t, two, 1) // its connection would not outlive the power cut
	a.awaitStatus(t, "102 is gone, and the call", func(s status) bool { return len(s.Registrations) == 2 && len(s.Calls) == 0 })

	sippRegister(t, caller, sippCaller)
	sippRegister(t, callee, sippCallee)
	sippCall(t, caller, talkTime)
	a.awaitNoCalls(t)

	usersBefore, before := a.users(t), byExtension(a.status(t))
	m.reset(t)
	a.refused(t, http.StatusUnauthorized, "POST", "/api/v1/login", loginRequest{"admin", factoryPIN})
	if a.logIn(t, "admin", adminPIN) {
		t.Error("after the power cut the PIN is to be changed again")
	}
	if got := a.users(t); !reflect.DeepEqual(got, usersBefore) {
		t.Errorf("users after the power cut: %+v, want %+v", got, usersBefore)
	}
	if got := byExtension(a.status(t)); !reflect.DeepEqual(got, before) {
		t.Errorf("registrations after the power cut: %+v, want %+v", got, before)
	}
	connect(t, one, three, "103") // neither has registered again
	talk(t, talkTime)
	hangUp(t, three, one)
	hears(t, one, "101", 880, talkTime)
	hears(t, three, "103", 440, talkTime)
	a.awaitNoCalls(t)
	if got := byExtension(a.status(t)); !reflect.DeepEqual(got, before) {
		t.Errorf("a phone has registered again: %+v, want %+v", got, before)
	}

	sent, toThree := stats(t, one, 2), stats(t, three, 1)
	for i, other := range []peer.CallStats{toTwo[0], toThree[0]} {
		name := []string{"102", "103 after the power cut"}[i]
		arrived(t, "101 to "+name, sent[i].Sent, other.Received, talkTime)
		arrived(t, name+" to 101", other.Sent, sent[i].Received, talkTime)
	}
	a.awaitStatus(t, "only the sipp phones are registered", func(s status) bool {
		return len(s.Registrations) == 2 && len(s.Calls) == 0 && s.Healthy
	})
}

// byExtension returns the registrations in the order of extensions.
func byExtension(s status) []registration {
	list := slices.Clone(s.Registrations)
	slices.SortFunc(list, func(a, b registration) int { return cmp.Compare(a.Extension, b.Extension) })
	return list
}
