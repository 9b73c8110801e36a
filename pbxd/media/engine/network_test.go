package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
)

// delayed is a packet on its way.
type delayed struct {
	at time.Duration
	b  []byte
}

// TestBadNetwork transcodes what comes with losses, jitter and another clock.
func TestBadNetwork(t *testing.T) {
	for _, tt := range []struct {
		loss   float64
		jitter time.Duration
		drift  float64
		snr    float64
	}{
		{loss: 0.05, snr: 30},
		{jitter: 60 * time.Millisecond, snr: 30},
		{drift: 200e-6, snr: 30},
		{drift: -200e-6, snr: 30},
		{0.05, 60 * time.Millisecond, 200e-6, 30},
	} {
		t.Run(fmt.Sprintf("loss %v, jitter %v, drift %v", tt.loss, tt.jitter, tt.drift), func(t *testing.T) {
			l := newLab()
			a, b := newPhone(t, l, codec.G722, 1010), newPhone(t, l, codec.PCMA, 620)
			sa, sb := l.Attach(a, config(formatOf(codec.G722))), l.Attach(b, config(formatOf(codec.PCMA)))
			Join(sa, sb)
			rng := rand.New(rand.NewPCG(3, 4))
			var way []delayed
			next := time.Duration(0)
			const seconds = 40
			l.run(seconds*time.Second, func(at time.Duration) {
				for ; next <= at; next += time.Duration(float64(frameTime) * (1 - tt.drift)) {
					p := a.speech()
					if rng.Float64() < tt.loss {
						continue
					}
					d := delayed{next, p}
					if tt.jitter > 0 {
						d.at += time.Duration(rng.Int64N(int64(tt.jitter)))
					}
					way = append(way, d)
				}
				for i := 0; i < len(way); {
					if way[i].at > at {
						i++
						continue
					}
					a.send(way[i].b)
					way = append(way[:i], way[i+1:]...)
				}
			})
			level, snr := toneSNR(b.samples(codec.PCMA, 100), 1010, 8000)
			c, ch := sa.Playout()
			x, _ := sa.Last()
			t.Logf("level %+.2f dB, SNR %.1f dB, buffer %v, MOS %.2f, %+v %+v", level, snr, x.Buffer, x.In.MOS, c, ch)
			if math.Abs(level) > 0.3 || snr < tt.snr {
				t.Errorf("level %+.2f dB, SNR %.1f dB, want within 0.3 dB and at least %.0f dB", level, snr, tt.snr)
			}
			b.continuous(t, time.Millisecond)
			if len(b.got) < seconds*50-10 { // but for the first delay
				t.Errorf("%d packets sent, want %d", len(b.got), seconds*50)
			}
			if most := tt.loss*1.3 + 0.005; float64(ch.ConcealedMs) > most*1000*seconds || float64(c.Late) > 0.005*float64(c.Packets) {
				t.Errorf("%d ms concealed and %d packets late of %d", ch.ConcealedMs, c.Late, c.Packets)
			}
		})
	}
}

// TestRun runs the goroutine in a bubble of virtual time: frames at the pace of
// the clock, none lost, none after the end.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { e.Run(ctx); close(done) }()
		time.Sleep(time.Hour) // asleep, without a side
		var sides []*Side
		var phones []*counter
		for range 7 {
			p := &counter{}
			s := e.Attach(p, config(formatOf(codec.PCMA)))
			s.Play(Silence{})
			sides, phones = append(sides, s), append(phones, p)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		for _, s := range sides {
			s.Close()
		}
		synctest.Wait()
		for i, p := range phones {
			if p.n < 499 || p.n > 501 {
				t.Errorf("side %d got %d packets in 10 s, want 500", i, p.n)
			}
			if p.peer != nil {
				t.Errorf("side %d is still attached", i)
			}
		}
		before := phones[0].n
		time.Sleep(time.Second)
		if phones[0].n != before || e.Sides() != 0 || e.Skipped() != 0 {
			t.Errorf("%d packets after the end, %d sides left, %d frames skipped", phones[0].n-before, e.Sides(), e.Skipped())
		}
		cancel()
		<-done
	})
}

// TestLateFramesAreLeftOut stops the clock's goroutine for 3 s.
func TestLateFramesAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { e.Run(ctx); close(done) }()
		p := &counter{}
		s := e.Attach(p, config(formatOf(codec.PCMA)))
		s.Play(&stall{at: 50, d: 3 * time.Second})
		time.Sleep(10*time.Second + time.Millisecond)
		cancel()
		<-done
		if p.n < 345 || p.n > 360 || e.Skipped() < 140 || e.Skipped() > 150 {
			t.Errorf("%d packets in 10 s of which 3 were lost, %d frames skipped", p.n, e.Skipped())
		}
		if s.out.stamp-p.first < 79000 || s.out.stamp-p.first > 81000 {
			t.Errorf("time stamps have gone on by %d units in 10 s", s.out.stamp-p.first)
		}
	})
}

// stall is silence that takes its time once.
type stall struct {
	n, at int
	d     time.Duration
}

func (*stall) Rate() int { return 8000 }

func (s *stall) ReadFrame(dst []int16) bool {
	if s.n++; s.n == s.at {
		time.Sleep(s.d)
	}
	clear(dst)
	return true
}

// counter is an endpoint that counts.
type counter struct {
	peer  media.Endpoint
	n     int
	first uint32
}

func (c *counter) WriteRTP(p []byte) {
	if h, _ := parse(p); c.n == 0 {
		c.first = h.stamp
	}
	c.n++
}
func (c *counter) WriteRTCP([]byte)         {}
func (c *counter) SetPeer(e media.Endpoint) { c.peer = e }
