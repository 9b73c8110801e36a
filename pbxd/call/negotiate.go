package call

import (
	"slices"
	"strings"

	"galilei/pbxd/media"
)

// ours are the formats that the media engine makes and takes itself, the best
// first: what any two sides can be joined by.
func ours() []media.Format {
	list := []media.Format{}
	for _, pt := range []uint8{9, 8, 0} { // G.722, PCMA, PCMU
		f, _ := media.StaticFormat(pt)
		list = append(list, f)
	}
	return append(list, media.Format{PT: 101, Name: media.TelephoneEvent, Clock: 8000, Channels: 1, FMTP: "0-16"})
}

// transcodes reports whether the engine turns f into other formats.
func transcodes(f media.Format) bool {
	return f.Speech() && slices.ContainsFunc(ours(), f.Same)
}

// offerFor is what a phone is offered for a call with a side that described
// itself by d: the formats of that side, which need no transcoding, then ours
// that it lacks. first is put before all others when it is set. A side with
// which nothing of ours can be exchanged is passed on as it is. d may be nil.
func offerFor(d *media.Description, first media.Format) *media.Description {
	o := &media.Description{Direction: media.SendRecv, PTime: 20}
	add := func(f media.Format) {
		if !slices.ContainsFunc(o.Formats, f.Same) {
			f.PT = freeType(o.Formats, f.PT)
			o.Formats = append(o.Formats, f)
		}
	}
	if first.Name != "" {
		add(first)
	}
	if d != nil {
		o.PTime, o.MaxPTime = d.PTime, d.MaxPTime
		for _, f := range d.Formats {
			add(f)
		}
		if !slices.ContainsFunc(d.Formats, transcodes) {
			return o
		}
	}
	for _, f := range ours() {
		add(f)
	}
	return o
}

// freeType returns pt unless a format of the list has it: then a dynamic
// payload type that none has (RFC 3551 section 3).
func freeType(list []media.Format, pt uint8) uint8 {
	taken := func(pt uint8) bool {
		return slices.ContainsFunc(list, func(f media.Format) bool { return f.PT == pt })
	}
	for next := uint8(96); taken(pt) && next < 128; next++ {
		pt = next
	}
	return pt
}

// answerTo answers what a side offers for a call with another, which is nil
// when the device itself is the other: the codec that the other side uses, or
// one that it could use, or one that the engine turns into the other's. Digits
// and comfort noise are agreed to wherever they are offered, of several clocks
// with that of the codec (RFC 4733 section 2.1): phones send the first that they
// find. A side that left
// the offer to us (nil) gets one. The second result is the codec agreed on;
// without one nothing can be agreed on.
func answerTo(offer *media.Description, other *side) (*media.Description, media.Format) {
	var theirs *media.Description
	var speaks media.Format
	if other != nil {
		theirs, speaks = other.theirs, other.speech
	}
	if offer == nil {
		return offerFor(theirs, speaks), media.Format{}
	}
	d := &media.Description{Direction: media.SendRecv}
	chosen := choose(offer.Formats, theirs, speaks)
	if chosen.Name == "" {
		return d, chosen
	}
	if chosen.Same(speaks) {
		chosen.FMTP = speaks.FMTP
		d.PTime, d.MaxPTime = theirs.PTime, theirs.MaxPTime
	}
	d.Formats = append(d.Formats, chosen)
	for _, f := range offer.Formats {
		if !f.Speech() && (f.Clock == chosen.Clock || !transcodes(chosen) || !has(offer, atClock(f, chosen.Clock))) {
			d.Formats = append(d.Formats, f)
		}
	}
	return d, chosen
}

// atClock is f with another clock.
func atClock(f media.Format, clock int) media.Format {
	f.Clock = clock
	return f
}

// choose picks the codec of an offer.
func choose(offer []media.Format, theirs *media.Description, speaks media.Format) media.Format {
	fits := []func(media.Format) bool{
		func(f media.Format) bool { return speaks.Name != "" && f.Same(speaks) },
		func(f media.Format) bool {
			return speaks.Name == "" && theirs != nil && slices.ContainsFunc(theirs.Formats, f.Same)
		},
		transcodes,
	}
	for i, fit := range fits {
		for _, f := range offer {
			if !f.Speech() || !fit(f) {
				continue
			}
			if i == 2 && speaks.Name != "" && !transcodes(speaks) {
				return media.Format{} // the other side's cannot be turned into it
			}
			return f
		}
	}
	return media.Format{}
}

// speechOf is the codec that a side uses who answered d: the first that it
// names (RFC 3264 section 6.1).
func speechOf(d *media.Description) media.Format {
	if d != nil {
		for _, f := range d.Formats {
			if f.Speech() {
				return f
			}
		}
	}
	return media.Format{}
}

// changed is what a side is offered in the middle of a call so that it uses the
// codec want: that one first, what it uses now second.
func changed(s *side, want media.Format) *media.Description {
	d := &media.Description{Direction: media.SendRecv}
	add := func(f media.Format) {
		if f.Name == "" || slices.ContainsFunc(d.Formats, f.Same) {
			return
		}
		if s.theirs != nil {
			if i := slices.IndexFunc(s.theirs.Formats, f.Same); i >= 0 {
				f.PT = s.theirs.Formats[i].PT // a type keeps its meaning (RFC 3264 section 8.3.2)
			} else {
				f.PT = freeType(s.theirs.Formats, f.PT)
			}
		}
		f.PT = freeType(d.Formats, f.PT)
		d.Formats = append(d.Formats, f)
	}
	add(want)
	add(s.speech)
	if s.theirs != nil {
		for _, f := range s.theirs.Formats {
			if strings.EqualFold(f.Name, media.TelephoneEvent) || strings.EqualFold(f.Name, "CN") {
				add(f)
			}
		}
	}
	return d
}

// fits reports whether a side that waits for an answer has a codec in which it
// can talk with other.
func (s *side) fits(other *side) bool {
	if s.up || s.theirs == nil {
		return true
	}
	_, speech := answerTo(s.theirs, other)
	return speech.Name != ""
}
