package sipedge

import (
	"slices"
	"strings"

	"galilei/pbxd/media"
)

// ours are the codecs between which audio is carried over when the sides of a
// call have none in common, the best known first.
func ours() []media.Format {
	var list []media.Format
	for _, pt := range []uint8{8, 0, 9} {
		f, _ := media.StaticFormat(pt)
		list = append(list, f)
	}
	return list
}

// carried reports whether f can be carried over into another codec.
func carried(f media.Format) bool { return slices.ContainsFunc(ours(), f.Same) }

func isEvent(f media.Format) bool {
	return strings.EqualFold(f.Name, media.TelephoneEvent) && f.Clock == 8000
}

// withEvent returns formats with telephone-event.
func withEvent(formats []media.Format) []media.Format {
	if slices.ContainsFunc(formats, isEvent) {
		return formats
	}
	free := func(pt uint8) bool {
		return !slices.ContainsFunc(formats, func(f media.Format) bool { return f.PT == pt })
	}
	for pt := uint8(101); pt < 127; pt++ {
		if free(pt) {
			return append(slices.Clip(formats), media.Format{PT: pt, Name: media.TelephoneEvent, Clock: 8000, Channels: 1, FMTP: "0-16"})
		}
	}
	return formats
}

// widened returns formats with all codecs that they can be carried over into,
// at the end; nil when that adds nothing.
func widened(formats []media.Format) []media.Format {
	if !slices.ContainsFunc(formats, carried) {
		return nil
	}
	wide := slices.Clip(formats)
	for _, f := range ours() {
		taken := func(g media.Format) bool { return f.Same(g) || f.PT == g.PT }
		if !slices.ContainsFunc(formats, taken) {
			wide = append(wide, f)
		}
	}
	if len(wide) == len(formats) {
		return nil
	}
	return wide
}

// firstOffer is what a phone is offered for a call of somebody who described
// himself as d: at first only his own codecs, so that one that both have is
// found, and in a second attempt all that can be carried over.
func firstOffer(d *media.Description, wide bool) *media.Description {
	o := *d
	if w := widened(d.Formats); wide && w != nil {
		o.Formats = w
	}
	return &o
}

// laterOffer is what a phone with the description theirs is offered within a
// call: the codecs of d, those that the phone has named first, then others that
// can be carried over.
func laterOffer(d, theirs *media.Description) *media.Description {
	o := *d
	if w := widened(d.Formats); w != nil {
		o.Formats = w
	}
	o.Formats = slices.Clone(o.Formats)
	slices.SortStableFunc(o.Formats, func(a, b media.Format) int { return rankIn(theirs, a) - rankIn(theirs, b) })
	return &o
}

func rankIn(d *media.Description, f media.Format) int {
	if slices.ContainsFunc(d.Formats, f.Same) {
		return 0
	}
	return 1
}

// answerTo is what who offered is answered when the other side of the call has
// described itself as d: the codecs that both have, else those that can be
// carried over. Digits are taken as events wherever they are offered: they are
// passed on in the form that the other side takes.
func answerTo(d, offer *media.Description) *media.Description {
	formats := slices.Clone(media.Common(offer.Formats, d.Formats))
	if len(formats) == 0 {
		if !slices.ContainsFunc(d.Formats, carried) {
			return d
		}
		for _, f := range offer.Formats {
			if carried(f) {
				formats = append(formats, f)
			}
		}
	}
	if i := slices.IndexFunc(offer.Formats, isEvent); i >= 0 && !slices.ContainsFunc(formats, isEvent) {
		event := offer.Formats[i]
		if !slices.ContainsFunc(formats, func(f media.Format) bool { return f.PT == event.PT }) {
			formats = append(formats, event)
		}
	}
	a := *d
	a.Formats = formats
	return &a
}
