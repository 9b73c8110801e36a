package call

import (
	"slices"
	"testing"
	"testing/synctest"

	"galilei/pbxd/pbx"
)

// A provider's early audio is heard although another gateway may come after it,
// and what comes after is heard, too.
func TestEarlyAudioOfALine(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		a := h.call("101", "0030123456")
		first := h.rings("g1")
		h.does(first, Event{Kind: EventRinging, Description: speaks()})
		wantLast(t, a, "ringing early=true")
		h.joined(a, first)
		h.does(first, Event{Kind: EventEnded, Cause: pbx.CauseTemporaryFailure})
		second := h.rings("g2")
		h.does(second, Event{Kind: EventRinging})
		if n := tonesOf(a); n != 1 {
			t.Errorf("%d tones were played to a caller whose phone makes none any more, want 1", n)
		}
		h.answers(second)
		h.joined(a, second)
		h.hangsUp(a)
	})
}

// With inband_progress a caller from outside hears our ringing tone.
func TestRingingToneForALine(t *testing.T) {
	for _, on := range []bool{false, true} {
		withLines(t, func(h *house, x *exchange) {
			if on {
				h.cfg.Gateways[0].Parameters = []string{"inband_progress=yes"}
			}
			line := h.invite(Incoming{Gateway: "g1", Caller: Party{Number: "089555"}, Digits: "102", Offer: speaks()})
			phone := h.rings("102")
			h.does(phone, Event{Kind: EventRinging})
			want, tones := "ringing early=false", 0
			if on {
				want, tones = "ringing early=true", 1
			}
			if got := line.saw(); !slices.Contains(got, want) || tonesOf(line) != tones {
				t.Errorf("inband_progress %v: told %q, %d tones", on, got, tonesOf(line))
			}
			h.answers(phone)
			h.joined(line, phone)
			h.hangsUp(line)
		})
	}
}

func tonesOf(a *actor) int {
	synctest.Wait()
	a.audio.mu.Lock()
	defer a.audio.mu.Unlock()
	return a.audio.tones
}
