package call

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestJournal(t *testing.T) {
	declines := Event{Kind: EventEnded, Cause: pbx.CauseCallRejected}
	tests := []struct {
		name string
		set  func(*house)
		play func(*house)
		want []string
	}{
		{"answered", nil, func(h *house) {
			a, _ := h.talk("101", "102")
			sleep(61 * time.Second)
			h.hangsUp(a)
		}, []string{"101 out 102 answered 61", "102 in 101 answered 61"}},
		{"given up", nil, func(h *house) {
			a := h.call("101", "102")
			sleep(5 * time.Second)
			h.hangsUp(a)
		}, []string{"101 out 102 noAnswer 0", "102 in 101 missed 0"}},
		{"given up since somebody else has answered, as the caller says", nil, func(h *house) {
			h.does(h.call("101", "102"), Event{Kind: EventEnded, Cause: pbx.CauseAnsweredElsewhere})
			wantLast(h.t, h.rings("102"), "hangup 26")
		}, []string{"101 out 102 noAnswer 0", "102 in 101 elsewhere 0"}},
		{"declined", nil, func(h *house) {
			h.call("101", "102")
			h.does(h.rings("102"), declines)
		}, []string{"101 out 102 busy 0", "102 in 101 declined 0"}},
		{"declined by busy while it rings", nil, func(h *house) {
			h.call("101", "102")
			b := h.rings("102")
			h.does(b, Event{Kind: EventRinging})
			h.does(b, Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		}, []string{"101 out 102 busy 0", "102 in 101 declined 0"}},
		{"busy", nil, func(h *house) {
			h.call("101", "102")
			h.does(h.rings("102"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		}, []string{"101 out 102 busy 0", "102 in 101 missed 0"}},
		{"no phone", func(h *house) { h.gone["102"] = true }, func(h *house) { h.call("101", "102") },
			[]string{"101 out 102 noAnswer 0", "102 in 101 missed 0"}},
		{"no such number", nil, func(h *house) { h.call("101", "999") }, []string{"101 out 999 failed 0"}},
		{"sent on and taken", func(h *house) {
			h.cfg.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertNoAnswer, true, "103")
		}, func(h *house) {
			a := h.call("101", "102")
			sleep(20 * time.Second)
			h.answers(h.rings("103"))
			sleep(7 * time.Second)
			h.hangsUp(a)
		}, []string{"101 out 102 answered 7", "102 in 101 elsewhere 0", "103 in 101 answered 7"}},
		{"sent on always and not taken", func(h *house) {
			h.cfg.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertAlways, true, "103")
		}, func(h *house) {
			h.hangsUp(h.call("101", "102"))
		}, []string{"101 out 102 noAnswer 0", "102 in 101 missed 0", "103 in 101 missed 0"}},
		{"group", nil, func(h *house) {
			a := h.call("104", "601")
			h.does(h.rings("101"), declines)
			h.answers(h.rings("103"))
			sleep(9 * time.Second)
			h.hangsUp(a)
		}, []string{"104 out 601 answered 9 All", "101 in 104 declined 0 All", "102 in 104 elsewhere 0 All", "103 in 104 answered 9 All"}},
		{"hidden", nil, func(h *house) { h.hangsUp(h.call("101", "*31102")) },
			[]string{"101 out 102 noAnswer 0", "102 in  missed 0"}},
		{"two phones of one user", nil, func(h *house) {
			_, b := h.talk("101", "102")
			h.hangsUp(b)
		}, []string{"101 out 102 answered 0", "102 in 101 answered 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inHouse(t, func(h *house) {
				if tt.set != nil {
					tt.set(h)
				}
				tt.play(h)
				sleep(0)
				h.wantJournal(tt.want...)
			})
		})
	}
}

// A change of the configuration holds for the next decision, and disturbs no
// call.
func TestConfigurationChanges(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		next := *h.cfg
		next.Users = append([]pbx.User(nil), h.cfg.Users...)
		for i := range next.Users {
			if next.Users[i].Extension == "103" {
				next.Users[i].Calls.SetForwarding(false, pbx.DivertAlways, true, "104")
			}
		}
		h.cfg = &next
		sleep(time.Minute)
		h.joined(a, b)
		h.refers(b, "103", nil)
		h.silent("103")
		h.answers(h.rings("104"))
		wantLast(t, b, "transfer 2 0", "hangup 16")
	})
}
