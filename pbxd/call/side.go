package call

import (
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// side is one who takes part in a call, by one leg. The call that it is in owns
// it; a side that is handed over belongs to the other call from then on.
type side struct {
	leg    Leg
	party  Party  // as the others see it
	user   string // ID of the user of the device; "" for somebody outside
	ext    string // extension of that user
	away   bool   // the user is logged in at another phone: this one makes emergency calls only
	hidden bool   // the others must not see who it is

	numbers []string          // of somebody outside who calls, as the directories may have them
	names   map[string]string // what the private contacts of users call it, by user ID; "" where they do not

	up       bool               // audio flows both ways; before that it waits for our answer
	since    time.Time          // when it came up
	theirs   *media.Description // what it last said of its audio; nil when it left that to us
	offered  bool               // theirs is an offer: it knows no other codecs
	speech   media.Format       // codec agreed on; no name before
	aligned  bool               // it was asked to use the codec of the other
	asked    bool               // it has not answered that yet
	retries  int                // how often it had no time for that
	held     bool               // it has put the call on hold
	gateway  string             // that it is over, by ID; "" for a side of the house
	straight bool               // its audio does not come by the device
	going    bool               // it is asked for that
	listens  bool               // it has been told of audio before the answer, and hears that
	hears    sound

	rec      *recordLeg
	entry    *entry    // in the journal of its user; nil when none is kept
	measured time.Time // of the last sample that was told
}

// sound is what a side hears.
type sound int

const (
	hearsPeer sound = iota // the other side, or nothing
	hearsSilence
	hearsRingback
	hearsBusy
	hearsCongestion
	hearsDial
	hearsProgram // what a program plays
)

// shown is who the side is for those who may see it.
func (s *side) shown() Party {
	if s.hidden {
		return Party{}
	}
	return s.party
}

// hear lets the side hear a tone of the country or silence. A stream that runs
// goes on, so that the phone does not take the call for dead.
func (s *side) hear(what sound, country *pbx.Country) {
	if s.hears == what {
		return
	}
	s.hears = what
	var tone pbx.Tone
	switch t := &country.Tones; what {
	case hearsPeer:
		s.leg.Audio().Play(nil)
		return
	case hearsRingback:
		tone = t.Ringback
	case hearsBusy:
		tone = t.Busy
	case hearsCongestion:
		if tone = t.Congestion; !tone.Known() {
			tone = t.Busy
		}
	case hearsDial:
		if tone = t.StutterDial; !tone.Known() {
			tone = t.Dial
		}
	}
	var src engine.Source = engine.Silence{}
	if tone.Known() {
		if made, err := engine.NewTone(tone); err == nil {
			src = made
		}
	}
	s.leg.Audio().Play(src)
}

// samples returns what was measured since the last time.
func (s *side) samples() []engine.Sample {
	list := s.leg.Audio().Samples()
	for len(list) > 0 && !list[0].At.After(s.measured) {
		list = list[1:]
	}
	if len(list) > 0 {
		s.measured = list[len(list)-1].At
	}
	return list
}
