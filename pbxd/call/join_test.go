package call

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

func types(d *media.Description) string {
	var list []string
	for _, f := range d.Formats {
		list = append(list, fmt.Sprint(f.PT, f.Name))
	}
	return strings.Join(list, " ")
}

func TestOffer(t *testing.T) {
	opus := media.Format{PT: 101, Name: "opus", Clock: 48000, Channels: 2}
	digits := media.Format{PT: 96, Name: media.TelephoneEvent, Clock: 8000, Channels: 1}
	tests := []struct {
		name  string
		d     *media.Description
		first uint8
		want  string
	}{
		{"nothing said", nil, 0, "9G722 8PCMA 0PCMU 101telephone-event"},
		{"the caller's first", speaks(0), 0, "0PCMU 9G722 8PCMA 101telephone-event"},
		{"a type that is taken", &media.Description{Formats: append([]media.Format{opus}, speaks(8).Formats...)}, 0, "101opus 8PCMA 9G722 0PCMU 96telephone-event"},
		{"digits of the caller's type", &media.Description{Formats: append(speaks(8).Formats, digits)}, 0, "8PCMA 96telephone-event 9G722 0PCMU"},
		{"none of ours", &media.Description{Formats: []media.Format{opus}}, 0, "101opus"},
		{"the codec in use first", speaks(0, 8), 8, "8PCMA 0PCMU 9G722 101telephone-event"},
	}
	for _, tt := range tests {
		first := media.Format{}
		if tt.first != 0 {
			first, _ = media.StaticFormat(tt.first)
		}
		if got := types(offerFor(tt.d, first)); got != tt.want {
			t.Errorf("%s: offered %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestAnswer(t *testing.T) {
	g729, _ := media.StaticFormat(18)
	other := func(answered bool, types ...uint8) *side {
		s := &side{theirs: speaks(types...)}
		if answered {
			s.speech = speechOf(s.theirs)
		}
		return s
	}
	tests := []struct {
		name  string
		offer *media.Description
		other *side
		want  string
	}{
		{"what the other uses", speaks(0, 8), other(true, 8), "8PCMA"},
		{"what the other could use", speaks(9, 0, 8), other(false, 8, 0), "0PCMU"},
		{"transcoded", speaks(0), other(true, 9), "0PCMU"},
		{"passed on though we cannot transcode it", speaks(0, 18), other(true, 18), "18G729"},
		{"cannot be transcoded", speaks(0), other(true, 18), ""},
		{"unknown and ours", speaks(18, 8), nil, "8PCMA"},
		{"with the device alone", speaks(0, 8), nil, "0PCMU"},
		{"nothing of ours", &media.Description{Formats: []media.Format{g729}}, nil, ""},
		{"left to us", nil, other(true, 0), "0PCMU 9G722 8PCMA 101telephone-event"},
	}
	for _, tt := range tests {
		d, speech := answerTo(tt.offer, tt.other)
		if got := types(d); got != tt.want || tt.offer != nil && got != "" && fmt.Sprint(speech.PT, speech.Name) != tt.want {
			t.Errorf("%s: answered %q with %s, want %q", tt.name, got, speech.Name, tt.want)
		}
	}
	events := media.Format{PT: 97, Name: media.TelephoneEvent, Clock: 8000, Channels: 1, FMTP: "0-15"}
	d, _ := answerTo(&media.Description{Formats: append(speaks(8).Formats, events)}, other(true, 0))
	if types(d) != "8PCMA 97telephone-event" || d.Formats[1].FMTP != "0-15" {
		t.Errorf("digits are answered with %+v", d.Formats)
	}
	fast := events
	fast.PT, fast.Clock = 96, 48000
	for _, tt := range []struct {
		events []media.Format
		want   string
	}{{[]media.Format{fast, events}, "8PCMA 97telephone-event"}, {[]media.Format{fast}, "8PCMA 96telephone-event"}} {
		if d, _ := answerTo(&media.Description{Formats: append(speaks(8).Formats, tt.events...)}, other(true, 8)); types(d) != tt.want {
			t.Errorf("digits of several clocks are answered with %s, want %s", types(d), tt.want)
		}
	}
}

// Hold is answered at once; the other side hears silence and is told nothing.
func TestHold(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.does(b, Event{Kind: EventOffer, Description: &media.Description{Direction: media.SendOnly, Formats: speaks(8).Formats}})
		h.does(b, Event{Kind: EventHeld})
		want(t, b, "respond true")
		want(t, a, "answer")
		if a.audio.plays == nil || b.audio.plays != nil {
			t.Errorf("101 hears %v, 102 %v", a.audio.plays, b.audio.plays)
		}
		h.joined(a, b)
		if f := h.fact(); !f.Held || f.With != "102" {
			t.Errorf("the call is %+v", f)
		}
		h.does(a, Event{Kind: EventHeld}) // both
		h.does(b, Event{Kind: EventResumed})
		if a.audio.plays != nil || b.audio.plays == nil {
			t.Errorf("101 hears %v, 102 %v, while 101 holds", a.audio.plays, b.audio.plays)
		}
		h.does(a, Event{Kind: EventResumed})
		if a.audio.plays != nil || b.audio.plays != nil {
			t.Error("something is played after both went on")
		}
		h.traced("102 holds the call")
		h.traced("101 goes on with the call")
	})
}

// Two who are joined later and have a codec in common use it.
func TestCodecsAreAligned(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102") // PCMA
		h.refers(b, "103", nil)
		c := h.rings("103")
		h.answers(c, 0) // PCMU
		want(t, c, "offer")
		h.does(c, Event{Kind: EventOfferRefused})
		wantLast(t, a, "answer") // its offer had PCMA only
		h.does(a, Event{Kind: EventOffer, Description: speaks(0)})
		wantLast(t, a, "answer", "respond true")
		want(t, c, "offer") // both use PCMU now
		h.does(a, Event{Kind: EventOffer, Description: speaks(8)})
		want(t, c, "offer", "offer") // asked once more, since 101 has changed
		h.does(c, Event{Kind: EventOfferAnswered, Description: speaks(8)})
		want(t, c, "offer", "offer")
		h.does(a, Event{Kind: EventOffer, Description: &media.Description{Formats: []media.Format{{PT: 18, Name: "G729", Clock: 8000, Channels: 1}}}})
		wantLast(t, a, "respond false")
	})
}

// A phone that has an offer of its own under way is asked again, a few times.
func TestAligningIsRepeated(t *testing.T) {
	inHouse(t, func(h *house) {
		_, b := h.talk("101", "102") // PCMA
		h.refers(b, "103", nil)
		c := h.rings("103")
		h.answers(c, 0, 8) // PCMU first
		for range maxRetries {
			wantLast(t, c, "offer")
			h.does(c, Event{Kind: EventOfferRefused, Retry: true})
			sleep(retryAfter)
		}
		h.does(c, Event{Kind: EventOfferRefused, Retry: true})
		sleep(time.Hour)
		want(t, c, "offer", "offer", "offer", "offer")
	})
}

// Who answers or calls without wanting to hear holds the call from its
// beginning.
func TestHeldFromTheBeginning(t *testing.T) {
	inHouse(t, func(h *house) {
		sendonly := &media.Description{Direction: media.SendOnly, Formats: speaks(8).Formats}
		a := h.invite(Incoming{Caller: Party{Number: "101"}, Digits: "102", Offer: sendonly})
		b := h.rings("102")
		h.does(b, Event{Kind: EventAnswered, Description: sendonly})
		h.joined(a, b)
		if a.audio.plays == nil || b.audio.plays == nil || !h.fact().Held {
			t.Errorf("101 hears %v, 102 %v", a.audio.plays, b.audio.plays)
		}
		h.does(a, Event{Kind: EventResumed})
		h.does(b, Event{Kind: EventResumed})
		if a.audio.plays != nil || b.audio.plays != nil || h.fact().Held {
			t.Error("the call is still held")
		}
	})
}

func TestDigitsArePassedOn(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		h.does(b, Event{Kind: EventDigit, Digit: '5'})
		h.does(b, Event{Kind: EventDigit, Digit: '#'})
		if b.audio.keys != "5#" || a.audio.keys != "" {
			t.Errorf("102 has pressed %q, 101 %q", b.audio.keys, a.audio.keys)
		}
	})
}

// A caller with whom nothing is in common is refused by its leg; the called
// phone is let go.
func TestNoCodecInCommon(t *testing.T) {
	inHouse(t, func(h *house) {
		a := h.call("101", "102", 18)
		b := h.rings("102")
		if got := types(h.last().Offer); got != "18G729" {
			t.Errorf("102 is offered %s", got)
		}
		h.answers(b, 8)
		h.does(a, Event{Kind: EventEnded, Cause: pbx.CauseIncompatible})
		want(t, b, "hangup 88")
	})
}
