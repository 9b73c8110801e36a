package flow

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/peer"
)

// sessionTime is the shortest session timer that RFC 4028 permits. A call with
// a phone that is gone ends within it.
const sessionTime = 90 * time.Second

// kill ends a phone as pulling its plug does.
func kill(t *testing.T, b *peer.Baresip) {
	t.Helper()
	if err := b.Kill(); err != nil {
		t.Fatal(err)
	}
}

// endsWithin returns what waits until the PBX hangs up, counted from now.
func (l *line) endsWithin(d time.Duration) func(*testing.T) {
	start := time.Now()
	return func(t *testing.T) {
		select {
		case <-l.bye:
			t.Logf("%s: hung up within %v", l.h.Ext, time.Since(start).Round(time.Second))
		case <-time.After(time.Until(start.Add(d))):
			t.Errorf("%s: the call goes on %v after the other phone was killed\n%s", l.h.Ext, d, l.h.o.Log)
		}
	}
}

func atOnce(*testing.T) {}

// A baresip is killed in the middle of something: the other side is released
// within the time that is documented, and nothing is left behind. The long waits
// are for all together.
func TestKilledPhone(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	cases := []struct {
		name string
		run  func(t *testing.T, o *office, first, second, third string) (ends func(*testing.T))
	}{
		{"the called one, ringing", func(t *testing.T, o *office, first, second, _ string) func(*testing.T) {
			a, b := o.handset(t, first, 0), o.baresip(t, second, 0)
			l := a.dial(t, second)
			await(t, o.ctx, b, "CALL_INCOMING")
			a.Response("INVITE", 180)
			kill(t, b)
			l.AckRefusal(a.Response("INVITE", 480)) // after the ring time
			return atOnce
		}},
		{"the caller, while it rings", func(t *testing.T, o *office, first, second, _ string) func(*testing.T) {
			a, b := o.baresip(t, first, 0), o.handset(t, second, 0)
			if err := a.Dial(o.ctx, second); err != nil {
				t.Fatal(err)
			}
			in := b.rings(t)
			kill(t, a)
			in.stops(t)
			return atOnce
		}},
		{"the called one, in a call", func(t *testing.T, o *office, first, second, _ string) func(*testing.T) {
			a, b := o.handset(t, first, 440), o.baresip(t, second, 880)
			l := a.dial(t, second)
			await(t, o.ctx, b, "CALL_INCOMING")
			if err := b.Answer(o.ctx); err != nil {
				t.Fatal(err)
			}
			l.answered(t)
			hears(t, o.ctx, first, l.voice, 880)
			kill(t, b)
			return l.endsWithin(sessionTime)
		}},
		{"the caller, in a call over TCP", func(t *testing.T, o *office, first, second, _ string) func(*testing.T) {
			a := o.baresip(t, first, 880, func(x *peer.BaresipOptions) { x.Transport = "tcp" })
			b := o.handset(t, second, 440)
			if err := a.Dial(o.ctx, second); err != nil {
				t.Fatal(err)
			}
			in := b.rings(t)
			in.answer(t)
			hears(t, o.ctx, second, in.voice, 880)
			kill(t, a)
			return in.endsWithin(sessionTime)
		}},
		{"who holds", func(t *testing.T, o *office, first, second, _ string) func(*testing.T) {
			a, b := o.baresip(t, first, 880), o.handset(t, second, 440)
			if err := a.Dial(o.ctx, second); err != nil {
				t.Fatal(err)
			}
			in := b.rings(t)
			in.answer(t)
			hears(t, o.ctx, second, in.voice, 880)
			command(t, o.ctx, a, "hold", "")
			silent(t, o.ctx, second, in.voice)
			kill(t, a)
			return in.endsWithin(sessionTime)
		}},
		{"who is held", func(t *testing.T, o *office, first, second, _ string) func(*testing.T) {
			a, b := o.baresip(t, first, 880), o.handset(t, second, 440)
			if err := a.Dial(o.ctx, second); err != nil {
				t.Fatal(err)
			}
			in := b.rings(t)
			in.answer(t)
			hears(t, o.ctx, second, in.voice, 880)
			in.hold(t)
			kill(t, a)
			return in.endsWithin(sessionTime)
		}},
		{"the target of a transfer, ringing", func(t *testing.T, o *office, first, second, third string) func(*testing.T) {
			a, b, c := o.handset(t, first, 440), o.handset(t, second, 880), o.baresip(t, third, 0)
			l := a.dial(t, second)
			in := b.rings(t)
			in.answer(t)
			l.answered(t)
			in.hold(t)
			in.refer(t, o.uri(third))
			await(t, o.ctx, c, "CALL_INCOMING")
			kill(t, c)
			in.progress(t, "480") // after the ring time the call is given back
			in.resume(t)
			talk(t, o.ctx, l.voice, 440, in.voice, 880)
			l.Hangup()
			in.ended(t)
			return atOnce
		}},
		{"who transfers, before the target answers", func(t *testing.T, o *office, first, second, third string) func(*testing.T) {
			a, b, c := o.handset(t, first, 440), o.baresip(t, second, 880), o.handset(t, third, 1000)
			l := a.dial(t, second)
			await(t, o.ctx, b, "CALL_INCOMING")
			if err := b.Answer(o.ctx); err != nil {
				t.Fatal(err)
			}
			l.answered(t)
			hears(t, o.ctx, first, l.voice, 880)
			command(t, o.ctx, b, "transfer", o.uri(third))
			in := c.rings(t)
			kill(t, b)
			in.answer(t)
			talk(t, o.ctx, l.voice, 440, in.voice, 1000)
			l.Hangup()
			in.ended(t)
			return atOnce
		}},
		{"who is transferred, while the target rings", func(t *testing.T, o *office, first, second, third string) func(*testing.T) {
			a, b, c := o.baresip(t, first, 440), o.handset(t, second, 880), o.handset(t, third, 1000)
			if err := a.Dial(o.ctx, second); err != nil {
				t.Fatal(err)
			}
			in := b.rings(t)
			in.answer(t)
			hears(t, o.ctx, second, in.voice, 440)
			in.refer(t, o.uri(third))
			target := c.rings(t)
			kill(t, a)
			target.answer(t)
			return target.endsWithin(sessionTime)
		}},
	}
	o := open(t, 3*len(cases), func(c *pbx.Config) {
		c.SIP.SessionExpires = int(sessionTime / time.Second)
		c.SIP.RingTime = 5
	})
	ends := make([]func(*testing.T), len(cases))
	for i, f := range cases {
		ends[i] = f.run(t, o, ext(201+3*i), ext(202+3*i), ext(203+3*i))
	}
	for i, f := range cases {
		t.Run(f.name, ends[i])
	}
	o.nothingLeft(t)
}
