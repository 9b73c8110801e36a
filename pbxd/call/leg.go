// Package call holds the call logic: who rings, who is connected, and why a
// call ends. A call is one goroutine that owns its state and takes events from
// one channel; what carries its legs (SIP, an analogue line) it does not know.
package call

import (
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// Party is who takes part in a call.
type Party struct {
	Number string // extension, or a number of the outside
	Name   string
}

// Audio is the sound of a leg, as engine.Side carries it. It is joined with that
// of another leg by media.Bridge. None of its methods blocks.
type Audio interface {
	media.Endpoint
	// Play lets the leg hear src in place of its peer until it ends; nil ends it.
	Play(src engine.Source)
	// Listen gives what the leg says to sink, nil to nobody.
	Listen(sink engine.Sink)
	// Press sends keys to the leg, each for ms milliseconds; the error says which
	// is none, or that too many wait.
	Press(keys string, ms int) error
	// Dial says that the leg has pressed a key beside its audio; its peer gets it
	// in the form that it takes. The error says when key is none.
	Dial(key byte, ms int) error
	// HearDigits gives the keys that the leg presses to hear, nil to nobody.
	HearDigits(hear func(engine.Digit))
	// Last is the newest measurement; ok is false before the first.
	Last() (s engine.Sample, ok bool)
	// Samples are the measurements of the last minutes, the oldest first.
	Samples() []engine.Sample
}

// Leg is one side of a call. Its methods do not block, may be called in any
// state, and do nothing where the state has no use for them. What the far end
// does arrives as events.
type Leg interface {
	// ID names the leg in logs.
	ID() string
	// Audio is the leg's audio, valid until the leg has ended.
	Audio() Audio
	// Ringing tells the calling side that the called one is alerted. With
	// early, its audio before the answer is described too.
	Ringing(early *media.Description)
	// Answer connects the calling side to audio as described.
	Answer(answer *media.Description)
	// Offer asks a connected side for other audio (hold, resume). It is
	// answered by EventOfferAnswered or EventOfferRefused.
	Offer(offer *media.Description)
	// Respond answers an EventOffer; nil refuses it and the audio stays.
	Respond(answer *media.Description)
	// Transfer says how a transfer goes that the leg asked for with
	// EventTransfer. The first word takes or refuses it; cause says why one is
	// refused or has failed, and is 0 otherwise.
	Transfer(p TransferProgress, cause pbx.Cause)
	// Shows says who is on the other side from now on, for the display of the
	// phone and for those who watch it; the zero Party is hidden.
	Shows(p Party)
	// Digit tells a connected side of a DTMF digit (0 to 9, *, #, A to D)
	// beside the audio, for sides without telephone-event (RFC 6086).
	Digit(digit rune, length time.Duration)
	// Hangup ends the leg in any state: it refuses, cancels or clears.
	Hangup(cause pbx.Cause)
}

// EventKind is what a far end did.
type EventKind int

// The kinds of events.
const (
	EventRinging       EventKind = iota // of a dialled leg; Description is early audio or nil
	EventAnswered                       // of a dialled leg; Description is its audio
	EventOffer                          // a connected side wants other audio
	EventOfferAnswered                  // Description answers Leg.Offer, or the offer of Leg.Answer to a side that had left it to us
	EventOfferRefused                   // Leg.Offer was refused; the audio stays; Retry: only for now
	EventHeld                           // a connected side has put the call on hold: its offer that stops our audio was taken
	EventResumed                        // it takes audio again; likewise
	EventTransfer                       // a connected side asks to be replaced; it waits for Leg.Transfer
	EventDigit                          // a connected side sent a digit beside the audio
	EventEnded                          // the last event of a leg; Cause says why
)

// Event is one act of a leg's far end.
type Event struct {
	Leg         Leg
	Kind        EventKind
	Description *media.Description
	Cause       pbx.Cause
	Retry       bool
	Deflected   string        // of EventEnded: the number to which a phone that rang sends the call on
	Transfer    *Transfer     // of EventTransfer
	Digit       rune          // of EventDigit: 0 to 9, *, #, A to D, or ! for a flash of the hook
	Length      time.Duration // of EventDigit; 0 when it was not said
}

// Dial asks for legs to every phone of an extension.
type Dial struct {
	Extension string
	Caller    Party
	Offer     *media.Description // audio of the calling side; nil leaves the choice to the dialler
	Notify    func(Event)        // does not block; may be called before Dial returns

	Anonymous  bool        // the phone must not learn who calls (RFC 3323)
	Prefix     string      // shown before the caller (hunt group)
	Diversions []Diversion // who the call was for before, the last one first
	ReferredBy Party       // who transfers the caller; empty when nobody does
	Alert      string      // name of the ringing tone that the phone is to choose; empty for its own
	AutoAnswer bool        // the phone is to answer at once by itself (intercom)
	Passed     int         // hops that the call has come over, this device included; 0 for one of its own
}

// Dialer makes legs towards phones.
type Dialer interface {
	// Dial starts the legs. No leg and no error means that no phone is
	// registered.
	Dial(d Dial) ([]Leg, error)
	// Registered reports whether a phone is registered on an extension.
	Registered(extension string) bool
}

// Incoming is a call that a phone has begun.
type Incoming struct {
	Leg    Leg
	Caller Party  // the user who acts at the phone
	Phone  string // extension that the phone is registered on; empty of none
	Away   bool   // that user is logged in at another phone, and acts here no more
	Digits string // as dialled
	// Unknown says that the phone has not shown whose it is, by a password: it
	// makes emergency calls only.
	Unknown bool
	Likely  string             // then: extension that is registered from its address; "" for none
	Claims  string             // then: extension that it says it has; "" for none that there is
	Address string             // of the phone, with the port
	Offer   *media.Description // nil when the caller leaves the offer to us

	// Gateway is the gateway, by ID, that the call came over; "" for one of a
	// phone. Caller is then somebody outside, and Digits the number that was
	// called.
	Gateway string

	// Replaces is the leg whose place the caller wants to take (RFC 3891), or
	// nil. That the caller may is for the call to decide.
	Replaces   Leg
	Anonymous  bool        // the caller wants not to be shown (RFC 3323)
	Asserted   *Party      // who calls, as a trusted side says (RFC 3325); nil otherwise
	Diversions []Diversion // who the call was for before, the last one first (RFC 5806, RFC 7044)
	Passed     int         // hops that it has come over (RFC 7332)
}
