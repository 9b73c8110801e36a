package call

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// 101 talks with 102, who transfers to 103.
func TestBlindTransfer(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		sleep(10 * time.Second)
		h.refers(b, "103", nil)
		want(t, b, "transfer 0 0")
		h.alone(a)
		h.alone(b)
		c := h.rings("103")
		if d := h.last(); d.Caller.Number != "101" || d.Caller.Name != "Name of 101" {
			t.Errorf("103 sees %+v, want who is transferred", d.Caller)
		}
		h.does(c, Event{Kind: EventRinging})
		wantLast(t, b, "transfer 0 0", "transfer 1 0")
		wantLast(t, a, "answer") // it is connected: we make the ringing tone
		if a.audio.plays == nil {
			t.Error("101 hears nothing while 103 rings")
		}
		sleep(5 * time.Second)
		h.answers(c)
		wantLast(t, b, "transfer 2 0", "hangup 16")
		h.joined(a, c)
		if a.audio.plays != nil {
			t.Error("101 still hears the ringing tone")
		}
		sleep(20 * time.Second)
		h.hangsUp(a)
		want(t, c, "hangup 16")
		h.wantJournal("101 out 102 answered 35", "102 in 101 answered 10", "103 in 101 answered 20")
		h.traced("102 transfers 101 to 103")
	})
}

// The transferor hangs up at once, as many phones do.
func TestTransferorHangsUp(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.refers(b, "103", nil)
		h.hangsUp(b)
		c := h.rings("103")
		want(t, c)
		h.answers(c)
		h.joined(a, c)
		want(t, b, "transfer 0 0")
	})
}

// A transfer that fails gives the call back.
func TestTransferFails(t *testing.T) {
	for name, act := range map[string]func(h *house){
		"busy":     func(h *house) { h.does(h.rings("103"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy}) },
		"no phone": func(h *house) {},
		"silence":  func(h *house) { sleep(31 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, func(h *house) {
				h.gone["103"] = name == "no phone"
				a, b := h.talk("101", "102")
				sleep(10 * time.Second)
				h.refers(b, "103", nil)
				act(h)
				cause := map[string]string{"busy": "transfer 3 17", "no phone": "transfer 3 20", "silence": "transfer 3 19"}[name]
				wantLast(t, b, "transfer 0 0", cause)
				h.joined(a, b)
				sleep(10 * time.Second)
				h.refers(b, "104", nil) // it may be tried again
				d := h.rings("104")
				h.answers(d)
				h.joined(a, d)
				h.hangsUp(d)
				journal := []string{"103 in 101 missed 0", "104 in 101 answered 0"}
				if name == "silence" { // 30 s of it, and one until the test looked
					journal = append(journal, "101 out 102 answered 51", "102 in 101 answered 21")
				} else {
					journal = append(journal, "101 out 102 answered 20", "102 in 101 answered 20")
				}
				h.wantJournal(journal...)
			})
		})
	}
}

// Who has hung up after a transfer that fails is called back; when nobody takes
// the call, the other hears the busy tone and is released.
func TestFailedTransferCallsBack(t *testing.T) {
	for _, taken := range []bool{true, false} {
		inHouse(t, func(h *house) {
			a, b := h.talk("101", "102")
			h.refers(b, "999", nil)
			wantLast(t, b, "transfer 0 0", "transfer 3 1")
			h.refers(b, "103", nil)
			h.hangsUp(b)
			h.does(h.rings("103"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
			back := h.rings("102")
			if taken {
				h.answers(back)
				h.joined(a, back)
				h.hangsUp(back)
				want(t, a, "answer", "hangup 16")
				return
			}
			sleep(recallTime)
			want(t, back, "hangup 19")
			want(t, a, "answer")
			sleep(releaseTime)
			want(t, a, "answer", "hangup 19")
		})
	}
}

// 102 holds 101, asks 103, and connects both, whichever leg the phone names.
func TestAttendedTransfer(t *testing.T) {
	for _, other := range []bool{false, true} {
		inHouse(t, func(h *house) {
			a, b := h.talk("101", "102")
			sleep(10 * time.Second)
			h.does(b, Event{Kind: EventHeld})
			if a.audio.plays == nil {
				t.Error("101 hears no silence while it is held")
			}
			b2, c := h.talk("102", "103")
			sleep(5 * time.Second)
			h.does(b2, Event{Kind: EventHeld})
			with, target := b, b2
			if other {
				with, target = b2, b
			}
			h.refers(with, "103", target)
			h.joined(a, c)
			if a.audio.plays != nil || c.audio.plays != nil {
				t.Error("something is played to them")
			}
			wantLast(t, with, "transfer 2 0", "hangup 16")
			wantLast(t, target, "hangup 16")
			sleep(20 * time.Second)
			h.hangsUp(c)
			wantLast(t, a, "hangup 16")
			h.wantJournal("101 out 102 answered 35", "102 in 101 answered 15", "102 out 103 answered 5", "103 in 102 answered 25")
		})
	}
}

// 102 connects 101 with 103 while 103 still rings.
func TestAttendedTransferWhileRinging(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.does(b, Event{Kind: EventHeld})
		b2 := h.call("102", "103")
		c := h.rings("103")
		h.does(c, Event{Kind: EventRinging})
		h.refers(b, "103", b2)
		wantLast(t, b, "transfer 2 0", "hangup 16")
		wantLast(t, b2, "hangup 16")
		if a.audio.plays == nil {
			t.Error("101 hears nothing while 103 rings")
		}
		h.answers(c)
		h.joined(a, c)
		h.hangsUp(a)
		want(t, c, "hangup 16")
	})
}

// Nobody takes the place of a leg that is somebody else's.
func TestAttendedTransferIntoForeignCall(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		c, d := h.talk("103", "104")
		h.refers(b, "104", c)
		want(t, b, "transfer 3 57")
		h.joined(a, b)
		h.joined(c, d)
		h.refers(b, "104", a) // of the same call
		wantLast(t, b, "transfer 3 41")
		h.hangsUp(d)
		h.refers(b, "104", d) // which has ended
		wantLast(t, b, "transfer 3 41")
		h.joined(a, b)
	})
}

// Both calls are transferred into each other at once: neither is lost.
func TestTransfersIntoEachOther(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		b2, c := h.talk("102", "103")
		notify, notify2 := h.notify[b], h.notify[b2]
		notify(Event{Leg: b, Kind: EventTransfer, Transfer: &Transfer{Target: "103", Replaces: b2}})
		notify2(Event{Leg: b2, Kind: EventTransfer, Transfer: &Transfer{Target: "101", Replaces: b}})
		sleep(time.Second)
		if a.audio.peer == c.Audio() {
			h.joined(a, c)
		} else {
			h.joined(a, b)
			h.joined(b2, c)
		}
	})
}

// What a leg reports while it moves is dealt with by its new call.
func TestEventsInFlight(t *testing.T) {
	inHouse(t, func(h *house) {
		_, b := h.talk("101", "102")
		b2, c := h.talk("102", "103")
		a := h.notify
		var caller *actor
		for l := range a {
			if x := l.(*actor); x.name == "101" {
				caller = x
			}
		}
		h.notify[b](Event{Leg: b, Kind: EventTransfer, Transfer: &Transfer{Target: "103", Replaces: b2}})
		h.notify[caller](Event{Leg: caller, Kind: EventOffer, Description: speaks(0)})
		h.notify[caller](Event{Leg: caller, Kind: EventEnded, Cause: pbx.CauseNormalClearing})
		sleep(time.Second)
		wantLast(t, c, "hangup 16")
		wantLast(t, caller, "answer", "respond true")
	})
}

// Ended by the administrator, or with the whole PBX, in the middle.
func TestTransferIsCutOff(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.refers(b, "103", nil)
		c := h.rings("103")
		if !h.engine.Hangup(h.facts[0].ID, "admin") || h.engine.Hangup("77", "admin") {
			t.Error("the wrong calls can be hung up")
		}
		sleep(0)
		want(t, c, "hangup 16")
		wantLast(t, a, "hangup 16")
		wantLast(t, b, "transfer 0 0", "transfer 3 16", "hangup 16")
		h.traced("admin ends the call")
	})
}

// A fault of the call that a side is handed to costs that call; the one that
// gave the side ends, and nobody is left behind.
func TestHandOverMeetsFault(t *testing.T) {
	for _, throw := range []string{"hangup", "transfer"} {
		inHouse(t, func(h *house) {
			a, b := h.talk("101", "102")
			b2, c := h.talk("102", "103")
			if throw == "hangup" {
				b2.throw = throw
			} else {
				b.throw = throw
			}
			h.refers(b, "103", b2)
			if throw == "hangup" {
				wantLast(t, a, "hangup 41")
				wantLast(t, c, "hangup 41")
				wantLast(t, b, "transfer 2 0", "hangup 16")
				return
			}
			h.joined(a, c)
			wantLast(t, b, "transfer 2 0", "hangup 41")
		})
	}
}

// A phone that floods its call with what can be lost loses it; what counts
// comes through.
func TestFlood(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		busy := make(chan struct{})
		h.engine.post(h.engine.callOf(a), func() { <-busy })
		for range 10 * maxBehind {
			h.notify[b](Event{Leg: b, Kind: EventDigit, Digit: '5'})
		}
		h.notify[b](Event{Leg: b, Kind: EventEnded, Cause: pbx.CauseNormalClearing})
		close(busy)
		sleep(0)
		if n := len(b.audio.keys); n < maxBehind-1 || n > maxBehind {
			t.Errorf("%d digits came through, want %d", n, maxBehind-1)
		}
		wantLast(t, a, "hangup 16")
	})
}
