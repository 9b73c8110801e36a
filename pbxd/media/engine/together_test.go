package engine

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
	"galilei/pbxd/media/srtp"
)

// TestSecureToPlain joins a phone that speaks SRTP with one that does not, in
// each gear, and measures what both hear.
func TestSecureToPlain(t *testing.T) {
	for _, cb := range []codec.Codec{codec.PCMA, codec.G722} {
		l := newLab()
		ours, theirs := media.NewCrypto(1, media.AES80), media.NewCrypto(1, media.AES80)
		a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, cb, 620)
		wire := &cable{}
		near, far := srtp.New(wire), srtp.New(wire.other())
		if err := near.SetKeys(ours, theirs); err != nil {
			t.Fatal(err)
		}
		if err := far.SetKeys(theirs, ours); err != nil {
			t.Fatal(err)
		}
		far.SetPeer(a)
		a.SetPeer(far)
		sa, sb := l.Attach(near, config(formatOf(codec.PCMA))), l.Attach(b, config(formatOf(cb)))
		Join(sa, sb)
		l.run(3*time.Second, func(at time.Duration) { a.talk(at); b.talk(at) })
		for _, way := range []struct {
			from, to *phone
		}{{a, b}, {b, a}} {
			level, snr := toneSNR(way.to.samples(way.to.codec, 40), way.from.hz, float64(way.to.codec.Rate()))
			if math.Abs(level) > 0.3 || snr < 32 {
				t.Errorf("%v to %v: level %+.2f dB, SNR %.1f dB", way.from.codec, way.to.codec, level, snr)
			}
		}
		if near.Dropped() != (srtp.Dropped{}) {
			t.Errorf("dropped %+v", near.Dropped())
		}
	}
}

// cable joins two endpoints back to back.
type cable struct {
	peer media.Endpoint
	back *cable
}

func (c *cable) other() *cable {
	c.back = &cable{back: c}
	return c.back
}
func (c *cable) SetPeer(e media.Endpoint) { c.peer = e }
func (c *cable) WriteRTP(p []byte) {
	if c.back.peer != nil {
		c.back.peer.WriteRTP(p)
	}
}
func (c *cable) WriteRTCP(p []byte) {
	if c.back.peer != nil {
		c.back.peer.WriteRTCP(p)
	}
}

// TestEverythingAtOnce changes all there is to change while packets come, for
// the race detector and to find a deadlock.
func TestEverythingAtOnce(t *testing.T) {
	e := New(time.Now, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var engine sync.WaitGroup
	engine.Go(func() { e.Run(ctx) })
	l := newLab()
	codecs := []codec.Codec{codec.PCMA, codec.PCMU, codec.G722}
	configOf := func(c codec.Codec, rng *rand.Rand) Config {
		x := config(formatOf(c))
		if rng.IntN(2) == 0 {
			x = config(formatOf(c), eventFormat(101))
		}
		x.Digits = func(Digit) {}
		return x
	}
	var sides []*Side
	var calls sync.WaitGroup
	for i := range 6 {
		p := newPhone(t, l, codecs[i%3], 500)
		p.discard = true
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		s := e.Attach(&quiet{}, configOf(p.codec, rng))
		sides = append(sides, s)
		calls.Go(func() { // its packets
			for n := range 400 {
				if inlet := (inlet{s}); n%20 == 0 {
					inlet.WriteRTP(p.packet(101, true, []byte{5, 0x80, 3, 0}))
				} else {
					inlet.WriteRTP(p.speech())
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	for i := range 3 {
		calls.Go(func() { // those who change it
			rng := rand.New(rand.NewPCG(uint64(i), 2))
			for range 300 {
				a, b := sides[rng.IntN(len(sides))], sides[rng.IntN(len(sides))]
				switch rng.IntN(8) {
				case 0, 1:
					Join(a, b)
				case 2:
					media.Unbridge(a, b)
				case 3:
					a.Play(Silence{})
				case 4:
					a.Play(nil)
				case 5:
					a.Configure(configOf(codecs[rng.IntN(3)], rng))
				case 6:
					if err := a.Dial('5', 80); err != nil {
						t.Error(err)
					}
				case 7:
					_ = a.Press("1", 80) // full is no fault here
					a.Samples()
					a.Listen(nil)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	calls.Wait()
	for _, s := range sides {
		s.Close()
		s.Close()
	}
	cancel()
	engine.Wait()
	if e.Sides() != 0 {
		t.Errorf("%d sides left", e.Sides())
	}
	for i, s := range sides {
		if s.out.source != nil || s.route.to != nil {
			t.Errorf("side %d still knows another", i)
		}
	}
}

// quiet is an endpoint that takes everything.
type quiet struct{}

func (quiet) WriteRTP([]byte)        {}
func (quiet) WriteRTCP([]byte)       {}
func (quiet) SetPeer(media.Endpoint) {}
