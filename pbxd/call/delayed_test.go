package call

import (
	"testing"
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
