package engine

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
	"galilei/pbxd/media/rtpevent"
)

// press sends the packets of one telephone event of that many ms, in run.
type press struct {
	p      *phone
	pt     uint8
	sender rtpevent.Sender
	left   int
}

func (p *phone) press(code, pt uint8, ms int) *press {
	x := &press{p: p, pt: pt, left: ms}
	x.sender.Begin(code, p.stamp)
	return x
}

func (x *press) at(at time.Duration) {
	if at%frameTime != 0 {
		return
	}
	if !x.sender.Active() {
		x.p.talk(at)
		return
	}
	if x.left -= 20; x.left <= 0 {
		x.sender.End()
	}
	payload, stamp, marker := x.sender.Packet(nil, 160)
	b := x.p.packet(x.pt, marker, payload)
	b[4], b[5], b[6], b[7] = byte(stamp>>24), byte(stamp>>16), byte(stamp>>8), byte(stamp)
	x.p.stamp += 160
	x.p.send(b)
}

// keysHeard returns the digits in sound.
func keysHeard(samples []int16, c codec.Codec) (keys string, lengths []int) {
	d := codec.NewDTMFDetector(c.Rate(), c.Milliwatt())
	var began int64
	for _, x := range d.Detect(nil, samples) {
		if x.On {
			keys += string(x.Key)
			began = x.At
		} else {
			lengths = append(lengths, int(x.At-began)*1000/c.Rate())
		}
	}
	return keys, lengths
}

// keysReceived returns the telephone events among packets, checked for order.
func keysReceived(t *testing.T, list []got, pt uint8) (keys string, lengths []int) {
	t.Helper()
	var r rtpevent.Receiver
	var changes []rtpevent.Change
	ends := map[uint32]int{}
	seen := map[uint32]uint16{}
	for i, g := range list {
		if g.pt != pt {
			continue
		}
		e, err := rtpevent.Parse(g.payload)
		if err != nil {
			t.Fatal(err)
		}
		last, again := seen[g.stamp]
		if g.marker == again {
			t.Errorf("packet %d: marker %v on an event that has begun %v", i, g.marker, again)
		}
		if e.Duration < last || e.Duration == last && !e.End {
			t.Errorf("packet %d: duration %d after %d", i, e.Duration, last)
		}
		seen[g.stamp] = e.Duration
		if e.End {
			ends[g.stamp]++
		}
		changes = r.Receive(changes, g.stamp, g.payload, g.at)
	}
	for stamp, n := range ends {
		if n != 3 {
			t.Errorf("event at %d has %d end packets, want 3", stamp, n)
		}
	}
	for _, c := range changes {
		if k, _ := keyOf(c.Code); c.On {
			keys += string(k)
		} else {
			lengths = append(lengths, int(c.Duration/8))
		}
	}
	return keys, lengths
}

// dtmf returns the samples of digits, each 100 ms on and off.
func dtmf(t *testing.T, c codec.Codec, digits string) []int16 {
	t.Helper()
	tone, err := codec.StandardDTMF().Tone(digits)
	if err != nil {
		t.Fatal(err)
	}
	g, err := codec.NewGenerator(tone, c.Rate(), c.Milliwatt())
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, c.Rate()/5*len(digits))
	g.Fill(samples)
	return samples
}

// say sends samples as speech.
func (p *phone) say(samples []int16) func(time.Duration) {
	n := p.codec.Rate() / 50
	return func(at time.Duration) {
		if at%frameTime != 0 {
			return
		}
		frame := make([]int16, n)
		samples = samples[copy(frame, samples):]
		p.send(p.packet(p.pt, false, p.enc.Encode(nil, frame)))
		p.stamp += 160
	}
}

// near allows for the frame in which a digit ends and, after a detector, for
// those until its end is known.
func near(got []int, want ...int) bool {
	return slices.EqualFunc(got, want, func(a, b int) bool { return a >= b-20 && a <= b+40 })
}

func TestEventToTone(t *testing.T) {
	for _, c := range []codec.Codec{codec.PCMA, codec.G722} {
		l := newLab()
		a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, c, 620)
		var told []Digit
		ca := config(formatOf(codec.PCMA), eventFormat(101))
		ca.Digits = func(d Digit) { told = append(told, d) }
		sa, sb := l.Attach(a, ca), l.Attach(b, config(formatOf(c)))
		Join(sa, sb)
		l.run(500*time.Millisecond, a.talk)
		l.run(400*time.Millisecond, a.press(5, 101, 200).at)
		l.run(400*time.Millisecond, a.press(11, 101, 40).at)
		l.run(500*time.Millisecond, a.talk)
		keys, lengths := keysHeard(b.samples(c, 0), c)
		if keys != "5#" || !near(lengths, 200, shortest) {
			t.Errorf("%v: heard %q of %v ms, want 5# of 200 and %d ms", c, keys, lengths, shortest)
		}
		if len(told) != 4 || told[0] != (Digit{'5', true, 0}) || told[1] != (Digit{'5', false, 200}) || told[3] != (Digit{'#', false, 40}) {
			t.Errorf("%v: told %+v", c, told)
		}
		b.continuous(t, time.Millisecond)
	}
}

// TestToneToEvent checks too that the tones do not stay in the sound.
func TestToneToEvent(t *testing.T) {
	for _, c := range []codec.Codec{codec.PCMU, codec.G722} {
		l := newLab()
		a, b := newPhone(t, l, c, 1010), newPhone(t, l, codec.PCMU, 620)
		sa, sb := l.Attach(a, config(formatOf(c))), l.Attach(b, config(formatOf(codec.PCMU), eventFormat(96)))
		Join(sa, sb)
		l.run(200*time.Millisecond, a.say(nil))
		l.run(2*time.Second, a.say(dtmf(t, c, "159D*0#2")))
		l.run(500*time.Millisecond, a.say(nil))
		keys, lengths := keysReceived(t, b.got, 96)
		if keys != "159D*0#2" || !near(lengths, 100, 100, 100, 100, 100, 100, 100, 100) {
			t.Errorf("%v: received %q of %v ms", c, keys, lengths)
		}
		if left, _ := keysHeard(b.samples(codec.PCMU, 0), codec.PCMU); left != "" {
			t.Errorf("%v: digits %q are still heard", c, left)
		}
	}
}

// TestEventAcrossClocks sends events that count with the clock of another
// codec (RFC 4733 section 2.1) to a side that takes those of 8000 Hz only, or
// none.
func TestEventAcrossClocks(t *testing.T) {
	fast := eventFormat(97)
	fast.Clock = 16000
	pcma := formatOf(codec.PCMA)
	for _, tt := range []struct {
		name          string
		to            Config
		events, heard string
	}{{"to events", config(pcma, eventFormat(101)), "5", ""}, {"to tones", config(pcma), "", "5"}} {
		l := newLab()
		a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
		from := config(pcma, fast)
		var told []Digit
		from.Digits = func(d Digit) { told = append(told, d) }
		Join(l.Attach(a, from), l.Attach(b, tt.to))
		l.run(300*time.Millisecond, a.talk)
		l.run(400*time.Millisecond, a.press(5, 97, 320).at) // 320 ms of 8000 Hz are 160 of 16000
		l.run(500*time.Millisecond, a.talk)
		events, lengths := keysReceived(t, b.got, 101)
		heard, sounded := keysHeard(b.samples(codec.PCMA, 0), codec.PCMA)
		if events != tt.events || heard != tt.heard {
			t.Errorf("%s: events %q of %v ms, heard %q of %v ms; want %q and %q", tt.name, events, lengths, heard, sounded, tt.events, tt.heard)
		}
		if len(told) != 2 || told[1] != (Digit{'5', false, 160}) {
			t.Errorf("%s: told %+v, want 160 ms", tt.name, told)
		}
	}
}

// TestEventAcrossCodecs makes events anew beside transcoded sound.
func TestEventAcrossCodecs(t *testing.T) {
	l := newLab()
	a, b := newPhone(t, l, codec.G722, 1010), newPhone(t, l, codec.PCMA, 620)
	sa, sb := l.Attach(a, config(formatOf(codec.G722), eventFormat(101))), l.Attach(b, config(formatOf(codec.PCMA), eventFormat(100)))
	Join(sa, sb)
	l.run(300*time.Millisecond, a.talk)
	for code := range uint8(17) {
		l.run(300*time.Millisecond, a.press(code, 101, 120).at)
	}
	l.run(500*time.Millisecond, a.talk)
	keys, lengths := keysReceived(t, b.got, 100)
	if keys != "0123456789*#ABCD!" || len(lengths) != 17 || slices.Min(lengths) < 100 || slices.Max(lengths) > 160 {
		t.Errorf("received %q of %v ms", keys, lengths)
	}
	for i := 1; i < len(b.got); i++ {
		if b.got[i].seq != b.got[i-1].seq+1 {
			t.Fatalf("packet %d: sequence number %d after %d", i, b.got[i].seq, b.got[i-1].seq)
		}
	}
	if level, snr := toneSNR(b.samples(codec.PCMA, len(b.got)-22), 1010, 8000); math.Abs(level) > 0.3 || snr < 30 {
		t.Errorf("after the digits the tone has %+.1f dB, SNR %.1f dB", level, snr)
	}
}

// TestAfterDialling sends digits that the peer takes in another form only, and
// audio that passes again as it is some time later.
func TestAfterDialling(t *testing.T) {
	pcma := formatOf(codec.PCMA)
	for name, dial := range map[string]func(*lab, *phone, *Side){
		"by INFO":   func(_ *lab, _ *phone, s *Side) { _ = s.Dial('5', 100) },
		"by events": func(l *lab, p *phone, _ *Side) { l.run(300*time.Millisecond, p.press(5, 101, 100).at) },
	} {
		l := newLab()
		a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
		sa, sb := l.Attach(a, config(pcma, eventFormat(101))), l.Attach(b, config(pcma))
		Join(sa, sb)
		for round := range 2 {
			before := len(b.got)
			l.run(300*time.Millisecond, a.talk)
			dial(l, a, sa)
			l.run(5*time.Second, a.talk)
			if sa.Gear() != Decode {
				t.Errorf("%s: gear %v after a digit, want decode", name, sa.Gear())
			}
			if keys, _ := keysHeard(b.samples(codec.PCMA, before), codec.PCMA); keys != "5" {
				t.Errorf("%s, round %d: heard %q", name, round, keys)
			}
			l.run(6*time.Second, a.talk)
			if sa.Gear() != Rewrite || sa.decoding {
				t.Errorf("%s: gear %v later, want rewrite", name, sa.Gear())
			}
			p := a.packet(8, false, []byte{1, 2, 3, 4})
			a.stamp += 160
			a.send(p)
			if last := b.got[len(b.got)-1].payload; string(last) != "\x01\x02\x03\x04" {
				t.Errorf("%s: got %x", name, last)
			}
		}
		b.continuous(t, 200*time.Millisecond)
	}
}

// TestInfo takes digits from INFO and gives them to INFO.
func TestInfo(t *testing.T) {
	pcma := formatOf(codec.PCMA)
	for _, tt := range []struct {
		name   string
		config Config
		heard  string // in the sound
		events string
		info   string
	}{
		{"to events", config(pcma, eventFormat(101)), "", "12#!", ""},
		{"to tones", config(pcma), "12#", "", ""},
		{"to INFO", config(pcma), "", "", "12#!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab()
			a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
			var info strings.Builder
			if tt.info != "" {
				tt.config.Info = func(d Digit) { info.WriteByte(d.Key) }
			}
			sa, sb := l.Attach(a, config(pcma, eventFormat(101))), l.Attach(b, tt.config)
			Join(sa, sb)
			l.run(200*time.Millisecond, a.talk)
			for _, key := range []byte("12#!") {
				if err := sa.Dial(key, 160); err != nil {
					t.Fatal(err)
				}
			}
			l.run(2*time.Second, a.talk)
			heard, _ := keysHeard(b.samples(codec.PCMA, 0), codec.PCMA)
			events, _ := keysReceived(t, b.got, 101)
			if heard != tt.heard || events != tt.events || info.String() != tt.info {
				t.Errorf("heard %q, events %q, INFO %q", heard, events, info.String())
			}
			if err := sa.Dial('x', 100); err == nil {
				t.Error("x is a key")
			}
		})
	}
}

// TestPress sends digits of ours to a side, with and without a peer.
func TestPress(t *testing.T) {
	for _, alone := range []bool{true, false} {
		l := newLab()
		a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
		both := config(formatOf(codec.PCMA), eventFormat(101))
		sa, sb := l.Attach(a, both), l.Attach(b, both)
		if !alone {
			Join(sa, sb)
		}
		l.run(200*time.Millisecond, a.talk)
		if err := sb.Press("0123", 100); err != nil {
			t.Fatal(err)
		}
		l.run(2*time.Second, a.talk)
		if keys, lengths := keysReceived(t, b.got, 101); keys != "0123" || !near(lengths, 100, 100, 100, 100) {
			t.Errorf("alone %v: received %q of %v ms", alone, keys, lengths)
		}
		if err := sb.Press(strings.Repeat("1", maxSignals+1), 100); err == nil {
			t.Error("too many keys are taken")
		}
		if err := sb.Press("1x", 100); err == nil {
			t.Error("x is a key")
		}
	}
}

// TestDigitsWithoutPeer tells the digits of a side that hears dial tone.
func TestDigitsWithoutPeer(t *testing.T) {
	for _, events := range []bool{true, false} {
		l := newLab()
		a := newPhone(t, l, codec.PCMA, 1010)
		formats := []media.Format{formatOf(codec.PCMA)}
		if events {
			formats = append(formats, eventFormat(101))
		}
		c := config(formats...)
		var keys string
		c.Digits = func(d Digit) {
			if d.On {
				keys += string(d.Key)
			}
		}
		sa := l.Attach(a, c)
		sa.Play(Silence{})
		l.run(100*time.Millisecond, a.say(nil))
		if events {
			l.run(300*time.Millisecond, a.press(1, 101, 100).at)
			l.run(300*time.Millisecond, a.press(2, 101, 100).at)
		} else {
			l.run(600*time.Millisecond, a.say(dtmf(t, codec.PCMA, "12")))
		}
		l.run(400*time.Millisecond, a.say(nil))
		if keys != "12" {
			t.Errorf("events %v: told %q, want 12", events, keys)
		}
	}
}
