package call

import (
	"errors"
	"testing"
	"time"

	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// A program answers, plays, takes keys by any means, and ends the call.
func TestProgram(t *testing.T) {
	inHouse(t, func(h *house) {
		got := ""
		h.programs[pbx.FunctionDoNotDisturb] = func(on *Conversation) pbx.Cause {
			if on.User != "demo101" || on.Decision.Function != pbx.FunctionDoNotDisturb || !on.Answer() {
				return pbx.CauseTemporaryFailure
			}
			key, _ := on.Tone(on.Country.Tones.Dial, time.Minute, true)
			for ok := true; ok; key, ok = on.Key(5 * time.Second) {
				got += string(key)
			}
			on.Step("program", pbx.Typed("heard "+got))
			return pbx.CauseNormalClearing
		}
		a := h.call("101", "*93")
		want(t, a, "answer")
		if f := h.fact(); f.State != pbx.CallUp {
			t.Errorf("the call is %s", f.State)
		}
		for _, k := range "12#" {
			h.does(a, Event{Kind: EventDigit, Digit: k})
			sleep(time.Second)
		}
		h.does(a, Event{Kind: EventTransfer, Transfer: &Transfer{Target: "102"}}) // there is nobody to transfer
		sleep(10 * time.Second)
		want(t, a, "answer", "transfer 3 21", "hangup 16")
		h.traced("heard 12#")
		h.wantJournal()
	})
}

// Whoever hangs up ends the program; a fault of the program ends the call.
func TestProgramEnds(t *testing.T) {
	inHouse(t, func(h *house) {
		var why error
		h.programs[pbx.FunctionCallWaiting] = func(on *Conversation) pbx.Cause {
			on.Answer()
			_, there := on.Play(engine.Silence{}, time.Hour, false)
			if !there {
				why = on.Context().Err()
			}
			return pbx.CauseNormalClearing
		}
		h.programs[pbx.FunctionReminder] = func(*Conversation) pbx.Cause { panic("thrown") }
		a := h.call("101", "*92")
		h.hangsUp(a)
		if why == nil || h.engine.Live() != 0 {
			t.Errorf("the program goes on: %v, %d calls", why, h.engine.Live())
		}
		want(t, h.call("101", "*340730"), "hangup 41")
		want(t, h.call("101", "*93"), "hangup 79") // nothing answers it
	})
}

// The device calls 102, which talks with a program or is connected to 103.
func TestOriginate(t *testing.T) {
	for _, program := range []bool{true, false} {
		inHouse(t, func(h *house) {
			told := []pbx.Cause{}
			o := Origination{Extension: "102", Caller: Party{Number: "103", Name: "Reminder"}, Done: func(c pbx.Cause) { told = append(told, c) }}
			if !program {
				o.Digits = "103"
			} else {
				o.Program = func(on *Conversation) pbx.Cause {
					on.Answer()
					on.Tone(on.Country.Tones.Ringback, 3*time.Second, false)
					return pbx.CauseNormalClearing
				}
			}
			if _, err := h.engine.Originate(o); err != nil {
				t.Fatal(err)
			}
			sleep(0)
			b := h.rings("102")
			if to := h.facts[len(h.facts)-1].To; to != "103" {
				t.Errorf("the call is to %q", to)
			}
			if h.last().Caller.Name != "Reminder" {
				t.Errorf("102 sees %+v", h.last().Caller)
			}
			h.answers(b)
			if len(told) != 1 || told[0] != 0 {
				t.Errorf("told %v, want that it was answered", told)
			}
			if program {
				sleep(4 * time.Second)
				want(t, b, "hangup 16")
				return
			}
			c := h.rings("103")
			h.does(c, Event{Kind: EventRinging})
			if b.audio.plays == nil || h.last().Caller.Number != "102" {
				t.Errorf("102 hears %v; 103 sees %+v", b.audio.plays, h.last().Caller)
			}
			h.answers(c)
			h.joined(b, c)
			h.hangsUp(c)
			want(t, b, "hangup 16")
		})
	}
}

func TestOriginateFails(t *testing.T) {
	inHouse(t, func(h *house) {
		told := []pbx.Cause{}
		call := func(ext string) *actor {
			_, err := h.engine.Originate(Origination{Extension: ext, Digits: "103", RingTime: 10 * time.Second, Done: func(c pbx.Cause) { told = append(told, c) }})
			if err != nil {
				t.Fatal(err)
			}
			sleep(0)
			return h.rung[ext]
		}
		h.gone["104"] = true
		call("104")
		call("999")
		silent := call("102")
		sleep(10 * time.Second)
		want(t, silent, "hangup 19")
		h.does(call("102"), Event{Kind: EventEnded, Cause: pbx.CauseCallRejected})
		if len(told) != 4 || told[0] != pbx.CauseSubscriberAbsent || told[1] != pbx.CauseUnallocated || told[2] != pbx.CauseNoAnswer || told[3] != pbx.CauseCallRejected {
			t.Errorf("told %v", told)
		}
		b := call("102") // answers, but the number is none
		h.answers(b)
		h.engine.Stop()
		if _, err := h.engine.Originate(Origination{Extension: "102"}); !errors.Is(err, ErrBusy) {
			t.Errorf("after the end: %v, want ErrBusy", err)
		}
	})
}
