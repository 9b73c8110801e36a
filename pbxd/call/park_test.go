package call

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// 102 parks 101 by transferring it to a place, 103 takes it from there.
func TestPark(t *testing.T) {
	for _, place := range []string{"1", "102"} {
		inHouse(t, func(h *house) {
			a, b := h.talk("101", "102")
			sleep(10 * time.Second)
			code := "*70"
			if place == "1" {
				code += place
			}
			h.refers(b, code, nil)
			want(t, b, "transfer 0 0", "transfer 2 0", "hangup 16")
			h.alone(a)
			if a.audio.plays == nil || h.fact().State != pbx.CallParked {
				t.Errorf("101 hears %v; the call is %s", a.audio.plays, h.fact().State)
			}
			sleep(5 * time.Second)
			c := h.call("103", "*70"+place)
			want(t, c, "answer")
			h.joined(a, c)
			h.traced("103 takes the call from " + place)
			sleep(10 * time.Second)
			h.hangsUp(c)
			h.wantJournal("101 out 102 answered 25", "102 in 101 answered 10", "103 in 101 answered 10")
		})
	}
}

// Nobody takes the call: it rings where it was parked, goes back, and is given
// up the third time.
func TestParkedCallComesBack(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.refers(b, "*701", nil)
		for range maxRecalls - 1 {
			h.silent("102")
			sleep(20 * time.Second) // parkTime
			back := h.rings("102")
			if d := h.last(); d.Caller.Number != "101" || d.Prefix != "*701" {
				t.Errorf("102 sees %+v", d)
			}
			sleep(recallTime)
			want(t, back, "hangup 19")
		}
		sleep(20 * time.Second)
		h.rings("102")
		sleep(recallTime)
		want(t, a, "answer")
		sleep(releaseTime)
		want(t, a, "answer", "hangup 19")
	})
}

func TestParkedCallIsAnsweredAgain(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.refers(b, "*701", nil)
		sleep(20 * time.Second)
		back := h.rings("102")
		h.answers(back)
		h.joined(a, back)
		sleep(time.Hour)
		h.hangsUp(a)
		want(t, back, "hangup 16")
	})
}

// A place that is taken takes no second call; the transfer fails.
func TestParkingPlaceIsTaken(t *testing.T) {
	inHouse(t, func(h *house) {
		_, b := h.talk("101", "102")
		h.refers(b, "*701", nil)
		c, d := h.talk("103", "104")
		h.refers(d, "*701", nil)
		want(t, d, "transfer 0 0", "transfer 3 17")
		h.joined(c, d)
	})
}

// The place is dialled first, and the held call transferred there.
func TestParkByDialling(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.does(b, Event{Kind: EventHeld})
		b2 := h.call("102", "*703")
		want(t, b2, "answer")
		if b2.audio.plays == nil {
			t.Error("102 hears nothing at a free place")
		}
		h.refers(b, "*703", b2)
		wantLast(t, b2, "hangup 16")
		wantLast(t, b, "transfer 2 0", "hangup 16")
		c := h.call("103", "*703")
		h.joined(a, c)
	})
}

// Who dials a free place and parks nobody is released.
func TestNobodyIsParked(t *testing.T) {
	inHouse(t, func(h *house) {
		a := h.call("101", "*704")
		sleep(parkWait + releaseTime)
		want(t, a, "answer", "hangup 31")
		want(t, h.call("101", "*7099"), "hangup 28")
	})
}

// While who has parked a call is called back the place stays its own: it goes
// back there, or is taken from there.
func TestPlaceIsKeptForRecall(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.refers(b, "*701", nil)
		sleep(20 * time.Second) // parkTime
		back := h.rings("102")
		_, d := h.talk("103", "104")
		h.refers(d, "*701", nil)
		want(t, d, "transfer 0 0", "transfer 3 17")
		h.hangsUp(d)
		h.does(back, Event{Kind: EventEnded, Cause: pbx.CauseCallRejected})
		h.traced("102 declines the call")
		if s := h.fact(); s.State != pbx.CallParked || s.To != "*701" {
			t.Errorf("the call is %s to %s, want parked again", s.State, s.To)
		}
		sleep(20 * time.Second)
		back = h.rings("102")
		c := h.call("104", "*701")
		h.joined(a, c)
		want(t, back, "hangup 26")
		want(t, h.call("103", "*701"), "answer") // the place is free
	})
}
