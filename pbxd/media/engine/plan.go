package engine

import (
	"strings"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
)

// Config is what is known about a side from its descriptions.
type Config struct {
	Receive   []media.Format  // what the side may send, with the payload types that it uses
	Send      []media.Format  // what it takes, with its payload types, the best first
	Direction media.Direction // from the side's point of view: one that does not receive is sent nothing
	PTime     int             // length of a packet that it wants, ms, 10 to 60; 0 for 20

	// Digits, when set, is told of every key that the side presses. It must
	// not block.
	Digits func(Digit)
	// Info, when set, is given the keys meant for a side that does not take
	// telephone-event, at their end, to be sent as SIP INFO; otherwise such a
	// side hears them as tones. It must not block.
	Info func(Digit)
}

// Digit is a key of a phone: its press or its release.
type Digit struct {
	Key byte // 0-9 * # A-D, or ! for a hook flash
	On  bool
	Ms  int // how long it was pressed, ms; 0 where On
}

// plan is a Config in the form that packets need.
type plan struct {
	Config
	known  []incoming // the first is that of types that mean nothing
	types  [128]uint8 // place in known of each payload type
	events bool       // the side sends telephone-event
	event  int        // payload type for telephone-event to it; -1 for none
	octets int        // of a packet of ours
}

// noiseType is the static payload type of comfort noise.
const noiseType = 13

// incoming is what one payload type of a side means.
type incoming struct {
	known  bool
	event  bool
	noise  bool
	speech codec.Codec // 0 for one that is not decoded
	format media.Format
}

// in returns what a payload type of the side means; nothing beyond 127.
func (p *plan) in(pt uint8) *incoming {
	if pt > 127 {
		return &p.known[0]
	}
	return &p.known[p.types[pt]]
}

// learn notes what a payload type means, unless that is known.
func (p *plan) learn(pt uint8, in incoming) {
	if pt < 128 && p.types[pt] == 0 {
		p.types[pt] = uint8(len(p.known))
		p.known = append(p.known, in)
	}
}

func newPlan(c Config) *plan {
	p := &plan{Config: c, known: make([]incoming, 1, len(c.Receive)+2), event: -1, octets: 20 * codec.BytesPerMs}
	if c.PTime > 0 {
		p.octets = min(max(c.PTime, 10), 60) * codec.BytesPerMs
	}
	for _, f := range c.Receive {
		in := incoming{known: true, format: f}
		switch {
		case strings.EqualFold(f.Name, media.TelephoneEvent):
			in.event = true
		case strings.EqualFold(f.Name, "CN"):
			in.noise = true
		default:
			in.speech = speech(f)
		}
		p.events = p.events || in.event && f.PT < 128
		p.learn(f.PT, in)
	}
	if static, ok := media.StaticFormat(noiseType); ok {
		p.learn(noiseType, incoming{known: true, noise: true, format: static}) // offered or not (RFC 3389)
	}
	for _, f := range c.Send {
		if p.event < 0 && f.PT < 128 && strings.EqualFold(f.Name, media.TelephoneEvent) && f.Clock == 8000 {
			p.event = int(f.PT)
		}
	}
	return p
}

// speech returns the codec that decodes f, or 0.
func speech(f media.Format) codec.Codec {
	c, err := codec.ByName(f.Name)
	if err != nil || f.Clock != 8000 || f.Channels > 1 {
		return 0
	}
	return c
}

// takes returns the format of p.Send that is the same as f.
func (p *plan) takes(f media.Format) (media.Format, bool) {
	for _, g := range p.Send {
		if g.PT < 128 && f.Same(g) {
			return g, true
		}
	}
	return media.Format{}, false
}

// encodes returns the format to encode into: want when the side takes it, else
// the first that can be made.
func (p *plan) encodes(want codec.Codec) (f media.Format, c codec.Codec) {
	for _, g := range p.Send {
		if k := speech(g); k != 0 && g.PT < 128 && (c == 0 || k == want) {
			f, c = g, k
			if k == want {
				break
			}
		}
	}
	return f, c
}
