package flow

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/peer"
)

// Phones without a common codec hear each other at the same level; 102 is a
// phone that speaks one codec alone.
func TestUnlikeCodecs(t *testing.T) {
	t.Parallel()
	o := open(t, 8, nil)
	t.Cleanup(func() { o.nothingLeft(t) })
	within := func(t *testing.T, who string, level float64) {
		t.Helper()
		if math.Abs(level+6.02) > 1 {
			t.Errorf("%s hears %.2f dB of -6.02", who, level)
		}
	}
	for i, f := range []struct {
		name         string
		caller, call byte
	}{{"PCMA calls PCMU", peer.PayloadPCMA, peer.PayloadPCMU}, {"PCMU calls PCMA", peer.PayloadPCMU, peer.PayloadPCMA}} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			a, b := o.handsetWith(t, ext(201+2*i), 440, f.caller), o.handsetWith(t, ext(202+2*i), 880, f.call)
			call := a.dial(t, b.Ext)
			in := b.rings(t)
			in.answer(t)
			call.answered(t)
			for _, side := range []struct {
				who  string
				v    *peer.Voice
				freq float64
				kind byte
			}{{a.Ext, call.voice, 880, f.caller}, {b.Ext, in.voice, 440, f.call}} {
				s := hears(t, o.ctx, side.who, side.v, side.freq)
				within(t, side.who, s.Level)
				if len(s.Types) != 1 || s.Types[0] != side.kind {
					t.Errorf("%s gets the payload types %v, want %d", side.who, s.Types, side.kind)
				}
			}
			call.Hangup()
			in.ended(t)
		})
	}
	for i, f := range []struct {
		codec string
		kind  byte
	}{{"G722/16000/1", peer.PayloadPCMA}, {"G722/16000/1", peer.PayloadPCMU}} {
		t.Run(fmt.Sprintf("baresip with %s calls %d", f.codec, f.kind), func(t *testing.T) {
			peer.NeedBaresip(t)
			t.Parallel()
			a := o.baresip(t, ext(205+2*i), 440, func(x *peer.BaresipOptions) { x.Codecs = []string{f.codec} })
			b := o.handsetWith(t, ext(206+2*i), 880, f.kind)
			if err := a.Dial(o.ctx, b.Ext); err != nil {
				t.Fatal(err)
			}
			in := b.rings(t)
			in.answer(t)
			await(t, o.ctx, a, "CALL_ESTABLISHED")
			within(t, b.Ext, hears(t, o.ctx, b.Ext, in.voice, 440).Level)
			s, err := a.Hears(o.ctx, 880)
			if err != nil {
				t.Fatal(err)
			}
			within(t, "baresip", s.Level)
			speaks(t, a, "G722 16000Hz")
			in.Send("BYE", "")
			b.Response("BYE", 200)
			await(t, o.ctx, a, "CALL_CLOSED")
		})
	}
}

// Phones that share a codec are never transcoded, whatever they prefer.
func TestSharedCodecPasses(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	o := open(t, 0, nil)
	a := o.baresip(t, "101", 440, func(x *peer.BaresipOptions) { x.Codecs = []string{"PCMU/8000/1", "PCMA/8000/1", "G722/16000/1"} })
	b := o.baresip(t, "102", 880, func(x *peer.BaresipOptions) { x.Codecs = []string{"G722/16000/1"} })
	connect(t, o, a, "102", b)
	listens(t, o, a, 880)
	listens(t, o, b, 440)
	for _, p := range []*peer.Baresip{a, b} {
		speaks(t, p, "G722 16000Hz")
	}
	if err := a.Hangup(o.ctx); err != nil {
		t.Fatal(err)
	}
	await(t, o.ctx, b, "CALL_CLOSED")
	o.nothingLeft(t)
}

// Digits of phones that say them in different ways; those in the audio are
// heard by multimon-ng.
func TestUnlikeDigits(t *testing.T) {
	t.Parallel()
	const digits = "0123456789*#"
	o := open(t, 10, nil)
	t.Cleanup(func() { o.nothingLeft(t) })
	for i, f := range []struct {
		name  string
		a, b  func(h *handset)
		send  func(t *testing.T, l *line)
		heard func(t *testing.T, l *line, mark int) (string, error)
	}{
		{"telephone-event to telephone-event", events, events, sendEvents, hearEvents(digits)},
		{"telephone-event to INFO", events, infos, sendEvents, hearInfos(digits)},
		{"telephone-event to audio", events, inBand, sendEvents, hearTones(digits)},
		{"INFO to telephone-event", infos, events, sendInfos, hearEvents(digits)},
		{"audio to telephone-event", inBand, events, sendTones, hearEvents(digits)},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			a, b := o.handset(t, ext(201+2*i), 0), o.handset(t, ext(202+2*i), 0)
			f.a(a)
			f.b(b)
			call := a.dial(t, b.Ext)
			in := b.rings(t)
			in.answer(t)
			call.answered(t)
			silent(t, o.ctx, "the called phone", in.voice)
			for tries := 1; ; tries++ {
				mark, before := in.voice.Mark(), o.leftOut()
				f.send(t, call)
				got, err := f.heard(t, in, mark)
				if err == nil && got == digits {
					break
				}
				if o.leftOut() == before && call.voice.Paused() < tooLong || tries == 5 {
					t.Errorf("%q arrive of %s, %v", got, digits, err)
					break
				}
				t.Logf("the machine had no time for some of the audio: once more")
			}
			call.Hangup()
			in.ended(t)
		})
	}
}

// tooLong is a pause of a voice that cuts digits: what follows it comes at once,
// and later than a jitter buffer waits for.
const tooLong = 60 * time.Millisecond

// leftOut is how often the PBX has said that the machine was too slow for some
// of the audio, so that digits in it may be cut.
func (o *office) leftOut() int { return strings.Count(o.Log.String(), "audio frames left out") }

const (
	allowsInfo   = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO"
	allowsNoInfo = "INVITE, ACK, BYE, CANCEL, OPTIONS"
)

func events(h *handset) { h.allow = allowsInfo }
func infos(h *handset)  { h.noEvents, h.allow = true, allowsInfo }
func inBand(h *handset) { h.noEvents, h.allow = true, allowsNoInfo }

const sent = "0123456789*#"

func sendEvents(_ *testing.T, l *line) { l.voice.Digits(sent) }

func sendTones(_ *testing.T, l *line) {
	l.voice.Say(peer.Keypad(sent, 80*time.Millisecond, 80*time.Millisecond))
}

func sendInfos(_ *testing.T, l *line) {
	for _, d := range sent {
		l.SendWith("INFO", "", "application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=100\r\n", d))
		l.Phone.Response("INFO", 200)
	}
}

func hearEvents(want string) func(*testing.T, *line, int) (string, error) {
	return func(_ *testing.T, l *line, mark int) (string, error) {
		return l.voice.AwaitDigits(l.h.o.ctx, mark, want)
	}
}

func hearInfos(want string) func(*testing.T, *line, int) (string, error) {
	return func(_ *testing.T, l *line, _ int) (got string, err error) {
		for len(got) < len(want) {
			m := l.Phone.Request("INFO")
			for text := range strings.Lines(m.Body) {
				if d, ok := strings.CutPrefix(strings.TrimSpace(text), "Signal="); ok {
					got += strings.TrimSpace(d)
				}
			}
		}
		return got, nil
	}
}

func hearTones(want string) func(*testing.T, *line, int) (string, error) {
	return func(t *testing.T, l *line, mark int) (got string, err error) {
		peer.NeedMultimon(t)
		for heard := 0; err == nil && len(got) < len(want) && heard < 30*50; { // what half a minute brings
			next := heard + 50
			eventually(t, "a second of audio", func() bool { heard = l.voice.Mark() - mark; return heard >= next })
			got, err = peer.Multimon(l.h.o.ctx, peer.Samples(l.voice.Since(mark)))
		}
		return got, err
	}
}

// speaks checks that baresip sends and receives a codec.
func speaks(t *testing.T, b *peer.Baresip, codec string) {
	t.Helper()
	for _, part := range []string{"encoder", "decoder"} {
		if !strings.Contains(b.Log(), "Set audio "+part+": "+codec) {
			t.Errorf("%s has no %s of %s", b.Addr(), part, codec)
		}
	}
}
