package jitter

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"galilei/pbxd/media/codec"
)

// feed is a sender of 20 ms packets in virtual time.
type feed struct {
	p     *Playout
	now   time.Time
	stamp uint32
	frame []int16
	phase int
}

func newFeed() *feed {
	p := NewPlayout(codec.PCMA, 1)
	return &feed{p: p, now: time.Unix(1000, 0), stamp: 5000, frame: make([]int16, 160)}
}

// run sends n packets, the first with that marker, and plays; it returns the
// level of the last frame, as a share of what is sent.
func (f *feed) run(n int, marker bool) float64 {
	var level float64
	for i := range n {
		samples := make([]int16, 160)
		for k := range samples {
			samples[k] = int16(10000 * math.Sin(2*math.Pi*500*float64(f.phase)/8000))
			f.phase++
		}
		f.p.Put(codec.PCMA.NewEncoder().Encode(nil, samples), f.stamp, marker && i == 0, f.now)
		f.stamp += 160
		level = f.play(1)
	}
	return level
}

// play lets n frames pass without packets.
func (f *feed) play(n int) float64 {
	for range n {
		f.p.Frame(f.frame, f.now.Add(time.Millisecond))
		f.now = f.now.Add(20 * time.Millisecond)
	}
	return rms(f.frame) * math.Sqrt2 / 10000
}

func TestTimeLines(t *testing.T) {
	for _, tt := range []struct {
		name           string
		pause          int         // frames without packets
		change         func(*feed) // of the time line
		marker         bool        // on the first packet after it
		within         int         // packets until it sounds again
		restarts, late uint64      // most
	}{
		{"a pause in which time stamps go on", 100, func(f *feed) { f.stamp += 100 * 160 }, true, 6, 1, 0},
		{"the same without marker", 100, func(f *feed) { f.stamp += 100 * 160 }, false, 6, 0, 0},
		{"a pause in which they stand still", 100, func(*feed) {}, true, 6, 1, 0},
		{"they jump ahead", 0, func(f *feed) { f.stamp += 1 << 30 }, false, 8, 1, 0},
		{"they jump back", 0, func(f *feed) { f.stamp -= 1 << 30 }, false, 8, 1, 0},
		{"they jump back by half a second", 0, func(f *feed) { f.stamp -= 4000 }, false, 20, 1, lateRun},
		{"they jump ahead by half a second", 0, func(f *feed) { f.stamp += 4000 }, false, 40, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFeed()
			if level := f.run(100, true); math.Abs(level-1) > 0.1 {
				t.Fatalf("level %.2f before", level)
			}
			if tt.pause > 0 {
				if level := f.play(tt.pause); level > 0.01 {
					t.Errorf("level %.2f in the pause", level)
				}
			}
			tt.change(f)
			if level := f.run(tt.within, tt.marker); math.Abs(level-1) > 0.15 {
				t.Errorf("level %.2f after %d packets", level, tt.within)
			}
			f.run(100, false)
			if c := f.p.Counts(); c.Restarts > tt.restarts || c.Late > tt.late {
				t.Errorf("%+v, want at most %d restarts and %d late", c, tt.restarts, tt.late)
			}
			if d := f.p.Delay(); d > 80*time.Millisecond {
				t.Errorf("delay %v afterwards", d)
			}
		})
	}
}

func TestComfortNoise(t *testing.T) {
	f := newFeed()
	f.run(50, true)
	f.p.SetNoise([]byte{30}) // -30 dBov
	f.play(20)
	if level := codec.ALawMilliwatt.Level(f.frame); level < -32 || level > -20 {
		t.Errorf("noise of %.1f dBm0 for -30 dBov", level)
	}
	f.stamp += 20 * 160
	if level := f.run(20, true); math.Abs(level-1) > 0.1 {
		t.Errorf("level %.2f when speech is back", level)
	}
}

func TestNothingAllocates(t *testing.T) {
	f := newFeed()
	payload := bytes.Repeat([]byte{0xd5}, 160)
	i := 0
	if n := testing.AllocsPerRun(2000, func() {
		i++
		if i%7 != 0 {
			f.p.Put(payload, f.stamp, false, f.now)
		}
		f.stamp += 160
		f.play(1)
	}); n != 0 {
		t.Errorf("%v allocations a frame, want 0", n)
	}
}

// FuzzBuffer puts in packets of any length and time: whatever happens, a frame
// has its length and what is held stays bounded.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 160, 10, 20, 0, 160, 20, 20})
	f.Add([]byte{255, 255, 255, 255, 0, 1, 128, 0, 128, 0, 1, 200})
	f.Fuzz(func(t *testing.T, in []byte) {
		p := NewPlayout(codec.G722, 1)
		now := time.Unix(1000, 0)
		frame := make([]int16, 320)
		stamp := uint32(1<<32 - 1000)
		for ; len(in) >= 4; in = in[4:] {
			stamp += uint32(int32(int8(in[0]))) << (in[1] % 24)
			p.Put(make([]byte, int(in[1])*4), stamp, in[2]&1 != 0, now)
			if in[2]&2 != 0 {
				p.SetNoise(in[:1])
			}
			now = now.Add(time.Duration(in[3]) * time.Millisecond)
			for range in[2] >> 5 {
				p.Frame(frame, now)
			}
			if h := p.Held(); h > 480 {
				t.Fatalf("%d units held", h)
			}
			if b := p.end - p.play; b > ring {
				t.Fatalf("%d units buffered, the ring has %d", b, ring)
			}
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	f := newFeed()
	payload := bytes.Repeat([]byte{0x55, 0xd5}, 80)
	for b.Loop() {
		f.p.Put(payload, f.stamp, false, f.now)
		f.stamp += 160
		f.play(1)
	}
}

// TestStall holds all packets back for 300 ms every 10 s, as wireless networks
// do, and then lets them come at once.
func TestStall(t *testing.T) {
	n := network{seconds: 60}
	list := n.arrivals(rand.New(rand.NewPCG(1, 1)))
	for i := range list {
		if into := list[i].at % (10 * time.Second); into < 300*time.Millisecond && list[i].at >= 10*time.Second {
			list[i].at += 300*time.Millisecond - into
		}
	}
	p := NewPlayout(codec.PCMA, 1)
	out, delays := play(p, list, n.seconds)
	c, ch := p.Counts(), p.Changes()
	t.Logf("%+v %+v, delay at the end %v", c, ch, delays[len(delays)-1])
	// Five stalls: at most all of each is lost.
	if lost := ch.ConcealedMs; lost > 5*320 {
		t.Errorf("%d ms concealed in five stalls of 300 ms", lost)
	}
	for i, d := range delays {
		if d > 450*time.Millisecond {
			t.Fatalf("delay %v at %d ms", d, 1000+20*i)
		}
	}
	if d := delays[len(delays)-1]; d > MaxDelay {
		t.Errorf("delay %v at the end", d)
	}
	if snr := toneSNR(out, 440, 8000); snr < 36 {
		t.Errorf("SNR %.1f dB", snr)
	}
}

// TestPacketLengths takes packets that are no multiples of a frame.
func TestPacketLengths(t *testing.T) {
	enc := codec.PCMU.NewEncoder()
	for _, ms := range []int{5, 10, 30, 40, 60, 100} {
		p := NewPlayout(codec.PCMU, 1)
		samples := make([]int16, ms*8)
		var list []arrival
		for i := range 10000 / ms {
			for k := range samples {
				samples[k] = int16(10000 * math.Sin(2*math.Pi*440*float64(i*ms*8+k)/8000))
			}
			list = append(list, arrival{time.Duration(i*ms) * time.Millisecond, uint32(i * ms * 8), enc.Encode(nil, samples)})
		}
		out, delays := play(p, list, 9)
		if snr := toneSNR(out, 440, 8000); snr < 35 || p.Changes().ConcealedMs > 0 {
			t.Errorf("%d ms: SNR %.1f dB, %+v %+v", ms, snr, p.Counts(), p.Changes())
		}
		if d := delays[len(delays)-1]; d > 60*time.Millisecond {
			t.Errorf("%d ms: delay %v", ms, d)
		}
	}
}
