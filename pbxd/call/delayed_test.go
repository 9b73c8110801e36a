package call

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// A caller who left the offer to us answers in its ACK with another codec than
// the one who was called uses: that one is asked to change, since it has it.
func TestDelayedOfferIsAligned(t *testing.T) {
	inHouse(t, func(h *house) {
		a := h.invite(Incoming{Caller: Party{Number: "101"}, Digits: "102"})
		b := h.rings("102")
		h.answers(b, 8, 0)
		want(t, a, "answer")
		h.does(a, Event{Kind: EventOfferAnswered, Description: speaks(0)})
		want(t, b, "offer")
		h.does(b, Event{Kind: EventOfferAnswered, Description: speaks(0)})
		want(t, b, "offer")
		want(t, a, "answer")
	})
}

// A caller who left the offer to us and answers it with nothing of use has not
// hung up, and nobody has talked.
func TestDelayedOfferWithoutAnswer(t *testing.T) {
	inHouse(t, func(h *house) {
		a := h.invite(Incoming{Caller: Party{Number: "101"}, Digits: "102"})
		b := h.rings("102")
		h.answers(b)
		want(t, a, "answer")
		sleep(3 * time.Second)
		h.does(a, Event{Kind: EventEnded, Cause: pbx.CauseIncompatible})
		want(t, b, "hangup 88")
		h.traced("The phone of 101 has no audio that goes with the other's")
		h.wantJournal("101 out 102 failed 0", "102 in 101 missed 0")
	})
}

// The trace of a call that is given to another says where it goes on.
func TestCallGoesOnElsewhere(t *testing.T) {
	inHouse(t, func(h *house) {
		_, a := h.talk("102", "101")
		x, c := h.talk("101", "103")
		into := h.fact().ID
		h.refers(a, "103", x)
		wantLast(t, x, "hangup 16")
		h.traced("The call goes on as call " + into)
		h.hangsUp(c)
		h.traced("The call ends: hung up")
	})
	inHouse(t, func(h *house) {
		office(h.cfg)
		h.call("101", "102")
		h.rings("102")
		into := h.fact().ID
		h.call("103", "*82102")
		h.traced("The call goes on as call " + into)
	})
}
