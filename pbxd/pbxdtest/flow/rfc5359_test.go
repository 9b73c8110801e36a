package flow

import (
	"testing"

	"galilei/pbxd/pbxdtest/peer"
)

// RFC 5359 section 2.1 and 2.3 with sipp: hold in each way that phones know is
// silence for the other side, in a stream that runs on; nothing is lost.
func TestHoldOfSipp(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	o := open(t, 6, nil)
	for i, f := range []struct{ name, ip, hold, answer string }{
		{"sendonly", "127.0.0.1", "sendonly", "recvonly"},
		{"inactive", "127.0.0.1", "inactive", "inactive"},
		{"0.0.0.0", "0.0.0.0", "sendrecv", ""}, // RFC 2543; what is answered is not said
	} {
		t.Run("2.1 Call Hold by "+f.name, func(t *testing.T) {
			t.Parallel()
			b := o.handset(t, ext(202+2*i), 880)
			a := o.calls(t, "rfc5359-2.1-holder", ext(201+2*i), ext(202+2*i), 440, map[string]string{"holdip": f.ip}, "HOLD", f.hold, "a=ANSWER", "a="+f.answer)
			in := b.rings(t)
			in.answer(t)
			a.follow(t, o)
			talk(t, o.ctx, a.Voice, 440, in.voice, 880)
			mark := in.voice.Mark()
			a.goOn(t, o)
			a.said(t, o, "renewed", 1)
			silent(t, o.ctx, "the held side", in.voice)
			a.goOn(t, o)
			a.said(t, o, "renewed", 2)
			talk(t, o.ctx, a.Voice, 440, in.voice, 880)
			if s := peer.Measure(in.voice.Since(mark), 440); s.Streams != 1 || s.Lost > 0 {
				t.Errorf("the held side's stream has gaps: %v", s)
			}
			a.goOn(t, o)
			in.ended(t)
			done(t, a)
		})
	}
	t.Cleanup(func() { o.nothingLeft(t) })
}

// RFC 5359 section 2.1 with baresip as both phones; either holds. After its own
// hold, baresip 1.0 records no more, so that who was held is listened to.
func TestHoldOfBaresip(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	o := open(t, 0, nil)
	a, b := o.baresip(t, "101", 440), o.baresip(t, "102", 880)
	for _, f := range []struct {
		holds, held *peer.Baresip
		freq        float64
	}{{a, b, 440}, {b, a, 880}} {
		connect(t, o, a, "102", b)
		listens(t, o, a, 880)
		listens(t, o, b, 440)
		command(t, o.ctx, f.holds, "hold", "")
		if s, err := f.held.HearsSilence(o.ctx); err != nil {
			t.Fatalf("%v, %v", s, err)
		}
		command(t, o.ctx, f.holds, "resume", "")
		listens(t, o, f.held, f.freq)
		if err := a.Hangup(o.ctx); err != nil {
			t.Fatal(err)
		}
		await(t, o.ctx, b, "CALL_CLOSED")
		o.nothingLeft(t)
	}
}

// connect makes a call between two baresips.
func connect(t *testing.T, o *office, a *peer.Baresip, number string, b *peer.Baresip) {
	t.Helper()
	if err := a.Dial(o.ctx, number); err != nil {
		t.Fatal(err)
	}
	await(t, o.ctx, b, "CALL_INCOMING")
	if err := b.Answer(o.ctx); err != nil {
		t.Fatal(err)
	}
	await(t, o.ctx, a, "CALL_ESTABLISHED")
	await(t, o.ctx, b, "CALL_ESTABLISHED")
}

func listens(t *testing.T, o *office, b *peer.Baresip, freq float64) {
	t.Helper()
	s, err := b.Hears(o.ctx, freq)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s hears %.0f Hz at %.1f dB, share %.3f", b.Addr(), freq, s.Level, s.Share)
}

// RFC 5359 section 2.2, Consultation Hold, and 2.10, 3-Way Conference - Third
// Party Is Added: the phone mixes, so that it needs two calls at once in which
// both sides are heard.
func TestConsultationAndConference(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000)
	first := a.dial(t, "102")
	inB := b.rings(t)
	inB.answer(t)
	first.answered(t)
	talk(t, o.ctx, first.voice, 440, inB.voice, 880)
	first.hold(t)
	silent(t, o.ctx, "102 on hold", inB.voice)
	second := a.dial(t, "103")
	inC := c.rings(t)
	inC.answer(t)
	second.answered(t)
	talk(t, o.ctx, second.voice, 440, inC.voice, 1000)
	silent(t, o.ctx, "102 during the consultation", inB.voice)
	second.hold(t)
	silent(t, o.ctx, "103 on hold", inC.voice)
	first.resume(t)
	talk(t, o.ctx, first.voice, 440, inB.voice, 880)
	second.resume(t) // the conference: the phone has both at once
	talk(t, o.ctx, first.voice, 440, inB.voice, 880)
	talk(t, o.ctx, second.voice, 440, inC.voice, 1000)
	first.Send("BYE", "")
	inB.ended(t)
	talk(t, o.ctx, second.voice, 440, inC.voice, 1000) // who stays is not disturbed
	second.Send("BYE", "")
	inC.ended(t)
	o.nothingLeft(t)
}

// RFC 5359 section 2.4, Transfer - Unattended, by sipp as the called phone.
func TestBlindTransferOfSipp(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	o := open(t, 0, nil)
	b := o.called(t, "rfc5359-2.4-transferor", "102", 880, map[string]string{"target": "103"})
	a, c := o.handset(t, "101", 440), o.handset(t, "103", 1000)
	call := a.dial(t, "102")
	call.answered(t)
	b.follow(t, o)
	talk(t, o.ctx, call.voice, 440, b.Voice, 880)
	b.goOn(t, o)
	in := c.rings(t)
	if from := in.Invite.Get("From"); !contains(from, "<sip:101@") {
		t.Errorf("103 sees %s, want 101", from)
	}
	b.said(t, o, "progress", 2) // 180: who transfers knows that it rings
	in.answer(t)
	b.said(t, o, "progress", 3)
	talk(t, o.ctx, call.voice, 440, in.voice, 1000)
	done(t, b)
	in.Send("BYE", "")
	call.ended(t)
	o.nothingLeft(t)
}

// The same with baresip as all three phones.
func TestBlindTransferOfBaresip(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	o := open(t, 0, nil)
	a, b, c := o.baresip(t, "101", 440), o.baresip(t, "102", 880), o.baresip(t, "103", 1000)
	connect(t, o, a, "102", b)
	listens(t, o, a, 880)
	command(t, o.ctx, b, "transfer", o.uri("103"))
	await(t, o.ctx, c, "CALL_INCOMING")
	if err := c.Answer(o.ctx); err != nil {
		t.Fatal(err)
	}
	listens(t, o, a, 1000)
	listens(t, o, c, 440)
	await(t, o.ctx, b, "CALL_CLOSED")
	if err := a.Hangup(o.ctx); err != nil {
		t.Fatal(err)
	}
	await(t, o.ctx, c, "CALL_CLOSED")
	o.nothingLeft(t)
}

// A blind transfer to somebody who is busy gives the call back.
func TestBlindTransferFails(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000)
	call := a.dial(t, "102")
	inB := b.rings(t)
	inB.answer(t)
	call.answered(t)
	inB.hold(t)
	inB.refer(t, o.uri("103"))
	c.rings(t).refuse(486, "Busy Here")
	inB.progress(t, "486")
	inB.resume(t)
	talk(t, o.ctx, call.voice, 440, inB.voice, 880)
	call.Send("BYE", "")
	inB.ended(t)
	o.nothingLeft(t)
}

// RFC 5359 section 2.5, Transfer - Attended, by REFER with Replaces: the side
// that transfers has called one and was called by the other, in each of the
// ways that this can be.
func TestAttendedTransfer(t *testing.T) {
	for _, f := range []struct {
		name                 string
		firstCalls, secondIn bool // the first call was dialled by the transferor; the second came in
	}{{"dialled both", true, false}, {"was called, then dialled", false, false}, {"was called twice", false, true}} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			o := open(t, 0, nil)
			a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000)
			var ofA, withA, ofC, withC *line // of the far ends and of b
			if f.firstCalls {
				withA = b.dial(t, "101")
				ofA = a.rings(t)
				ofA.answer(t)
				withA.answered(t)
			} else {
				ofA = a.dial(t, "102")
				withA = b.rings(t)
				withA.answer(t)
				ofA.answered(t)
			}
			talk(t, o.ctx, ofA.voice, 440, withA.voice, 880)
			withA.hold(t)
			silent(t, o.ctx, "101 on hold", ofA.voice)
			if f.secondIn {
				ofC = c.dial(t, "102")
				withC = b.rings(t)
				withC.answer(t)
				ofC.answered(t)
			} else {
				withC = b.dial(t, "103")
				ofC = c.rings(t)
				ofC.answer(t)
				withC.answered(t)
			}
			talk(t, o.ctx, ofC.voice, 1000, withC.voice, 880)
			withC.hold(t)
			withA.refer(t, withC.replaces("103"))
			withA.progress(t, "200")
			talk(t, o.ctx, ofA.voice, 440, ofC.voice, 1000)
			if s := peer.Measure(ofA.voice.Since(0), 0); s.Streams != 1 || s.Lost > 0 {
				t.Errorf("the stream to 101 changed with the transfer: %v", s)
			}
			ofA.Send("BYE", "")
			ofC.ended(t)
			o.nothingLeft(t)
		})
	}
}
