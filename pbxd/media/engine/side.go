package engine

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
	"galilei/pbxd/media/jitter"
	"galilei/pbxd/media/reception"
	"galilei/pbxd/media/rtpevent"
)

// Side is one side of a call in the engine. It is a media.Endpoint, so that
// media.Bridge joins two of them as it joins their endpoints. All methods may
// be called from any goroutine.
//
// Locks are taken in the order engine.mu, Side.mu, outlet.mu; never two of one
// kind.
type Side struct {
	engine   *Engine
	endpoint media.Endpoint
	slot     int                  // guarded by engine.mu
	closed   bool                 // guarded by engine.mu
	plan     atomic.Pointer[plan] // written with engine.mu
	gear     atomic.Int32         // Gear towards the peer
	out      outlet               // what is sent to the side

	mu       sync.Mutex // guards what follows: what the side sends
	route    route
	speaks   uint8 // payload type of its speech
	stream   reception.Stream
	header   rtp.Header // of the packet at work; only the fields that stream wants
	events   rtpevent.Receiver
	changes  []rtpevent.Change
	told     []Digit      // to be told when the lock is free
	dialled  bool         // it has sent digits by Dial
	signals  media.Format // and by this telephone-event, which until then is no reason to decode
	lastKey  time.Time    // when it has last pressed or released one
	playout  *jitter.Playout
	decoding bool
	frame    [maxFrame]int16 // the last one
	heard    bool            // frame is there
	mute     bool            // it seems to hold a digit
	detector *codec.DTMFDetector
	detRate  int
	began    int64 // sample of the detector at which the digit now heard started
	digits   []codec.Digit
	sink     Sink
	keys     func(Digit) // besides Config.Digits; nil for nobody
	reports  reports
	dropped  Dropped
}

// Dropped counts packets from a side that went nowhere.
type Dropped struct {
	Invalid  uint64 // no RTP
	Unknown  uint64 // a payload type that the side did not announce
	Unwanted uint64 // a format that the peer does not take
	Idle     uint64 // nobody to hear them
}

// Configure changes what is known about the side, as after a re-INVITE.
func (s *Side) Configure(c Config) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	s.plan.Store(newPlan(c))
	e.choose(s)
}

// Join lets a and b hear each other and nobody else hear them.
func Join(a, b *Side) {
	a.SetPeer(b)
	b.SetPeer(a)
}

// SetPeer says who hears what the side says; nil for nobody. Whoever is given
// a new voice hears only that. An endpoint that is no Side of the same engine
// gets all packets as they come.
func (s *Side) SetPeer(ep media.Endpoint) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	b, _ := ep.(*Side)
	if b != nil && b.engine != e {
		b = nil
	}
	if s.closed || b != nil && b.closed {
		b, ep = nil, nil // hung up meanwhile
	}
	s.mu.Lock()
	old := s.route.to
	s.route.to, s.route.plain = b, nil
	if b == nil {
		s.route.plain = ep
	}
	s.mu.Unlock()
	if old != nil && old != b {
		old.out.release(s)
	}
	if b != nil {
		b.out.take(s)
		if b.slot != s.slot && b != s {
			e.move(b, s.slot)
		}
	}
	e.choose(s)
	if b != nil {
		e.choose(b)
	}
}

// WriteRTP sends a packet of a peer that is no Side as it is.
func (s *Side) WriteRTP(p []byte) { s.endpoint.WriteRTP(p) }

// WriteRTCP sends a packet of a peer that is no Side as it is.
func (s *Side) WriteRTCP(p []byte) { s.endpoint.WriteRTCP(p) }

// Play makes the side hear src in place of its peer, until src ends or Play is
// called again; nil lets it hear its peer. A side that hears neither is sent
// nothing.
func (s *Side) Play(src Source) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	s.out.setPlay(src)
	e.choose(s)
}

// Listen gives every frame that the side says to sink, from the goroutine of
// the engine; nil ends it. It makes the engine decode what the side sends.
func (s *Side) Listen(sink Sink) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	s.mu.Lock()
	s.sink = sink
	s.mu.Unlock()
	e.choose(s)
}

// HearDigits gives every key that the side presses to hear, at its press and at
// its release, by whatever means it sends them; nil ends it. hear is called
// from goroutines of the engine and of sockets, and must not block. A side that
// sends digits in its sound only is decoded for it.
func (s *Side) HearDigits(hear func(Digit)) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	s.mu.Lock()
	s.keys = hear
	s.mu.Unlock()
	e.choose(s)
}

// Gear returns how what the side says is carried.
func (s *Side) Gear() Gear { return Gear(s.gear.Load()) }

// Close gives the endpoint back and ends what is sent to it.
func (s *Side) Close() {
	s.endpoint.SetPeer(nil)
	s.SetPeer(nil)
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.closed {
		return
	}
	e.remove(s)
	s.closed = true
	s.mu.Lock()
	if p := s.compound(e.now(), true); p != nil {
		s.endpoint.WriteRTCP(p)
	}
	s.decoding, s.heard, s.playout, s.detector = false, false, nil, nil // who has the side still, has not its buffers
	s.mu.Unlock()
	s.out.mu.Lock()
	from := s.out.source
	s.out.source, s.out.play, s.out.closed = nil, nil, true
	s.out.mu.Unlock()
	if from != nil && from != s {
		from.mu.Lock()
		from.route.to = nil
		from.shift()
		from.mu.Unlock()
	}
}

// prepare makes ready to decode c. The caller holds mu.
func (s *Side) prepare(c codec.Codec, detect bool) {
	if s.playout == nil {
		s.playout = jitter.NewPlayout(c, rand.Uint64())
	}
	s.playout.SetCodec(c)
	if !detect {
		s.detector, s.mute = nil, false
	} else if s.detector == nil || s.detRate != c.Rate() {
		s.detRate = c.Rate()
		s.detector = codec.NewDTMFDetector(s.detRate, c.Milliwatt())
	}
}

// hear makes the frame that the side says now.
func (s *Side) hear(now time.Time) {
	s.mu.Lock()
	s.changes = s.events.Expire(s.changes[:0], now)
	s.signalled()
	moved := s.doneDialling(now)
	if moved {
		s.dialled, s.signals = false, media.Format{}
		s.shift()
	}
	if s.decoding {
		frame := s.frame[:s.playout.Rate()/50]
		s.heard = s.playout.Frame(frame, now)
		if s.detector != nil {
			s.digits = s.detector.Detect(s.digits[:0], frame)
			s.mute = s.detector.Suspect()
			for _, d := range s.digits {
				s.pressed(d)
			}
		}
		if s.sink != nil {
			s.sink.WriteFrame(frame, s.playout.Rate())
		}
	}
	s.unlockAndTell()
	if moved {
		s.aim()
	}
}

// said copies the side's frame of now to dst. The rate is 0 when there is none.
// mute is true when it seems to hold a digit.
func (s *Side) said(dst []int16) (n, rate int, mute bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.decoding || !s.heard {
		return 0, 0, false
	}
	rate = s.playout.Rate()
	return copy(dst, s.frame[:rate/50]), rate, s.mute
}
