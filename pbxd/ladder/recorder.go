package ladder

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// Recorder remembers calls. Its methods may be called from any goroutine and
// never wait; those that tell of a call take what they are given as it is and
// do not change it. A nil Recorder remembers nothing.
type Recorder struct {
	now  func() time.Time
	self func(peer netip.Addr) netip.Addr

	mu           sync.Mutex
	held         int // octets of all that follows
	dialogs      map[string]*dialog
	waiting      []*dialog // those of no call, the oldest first
	waitingBytes int
	dialogBytes  int                 // of all dialogs
	legs         map[string][]joined // by our tag
	calls        map[string]*record
	order        []*record // by beginning, the oldest first
	over         int       // of them that are packed
	talking      []*record // those that are not, in the order in which their messages are given up
	wires        []*record // those that are over and have messages, the oldest first
	wireBytes    int
	packer       packer
}

// joined is a leg of a call that is not packed yet.
type joined struct {
	call *record
	leg  *leg
}

// record is one call.
type record struct {
	id       string
	from     string
	fromName string
	to       string
	numbers  string // of everybody who took part, with a blank between two
	began    time.Time
	answered time.Time
	ended    time.Time
	cause    pbx.Cause
	mos      float64 // worst mean of a direction; 0 for not known
	cost     int     // octets of all but the dialogs

	steps  []Moment // of a call that is not packed, as are
	legs   []*leg
	packed *packed
}

// tag is our tag of the leg's dialog; empty when it is none of SIP.
func (l *leg) tag() string {
	tag, _ := strings.CutPrefix(l.id, "sip:")
	if tag == l.id {
		return ""
	}
	return tag
}

// recordCost is what a record takes beside what it points to.
const recordCost = 420

// leg is one side of a call.
type leg struct {
	id     string
	number string
	name   string
	dialog *dialog // nil until one is known
	from   time.Time
	till   time.Time // when it went to another call; zero for not
	series series
}

// legCost is what a leg takes beside its samples.
const legCost = 250

// New returns an empty recorder. self tells our own address towards a peer, for
// messages of sockets that listen on all addresses; nil leaves it open.
func New(now func() time.Time, self func(peer netip.Addr) netip.Addr) *Recorder {
	return &Recorder{now: now, self: self, dialogs: map[string]*dialog{}, legs: map[string][]joined{}, calls: map[string]*record{}}
}

// Run packs calls that are over and forgets old ones until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.Tidy()
		case <-ctx.Done():
			return
		}
	}
}

// Tidy packs the calls whose last message has been said and forgets those that
// are older than MaxAge, as Run does every second.
func (r *Recorder) Tidy() {
	now := r.now()
	for r.packOne(now) { // the lock is free between two
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) > 0 && now.Sub(r.waiting[0].last) > waitingTime {
		r.forgetWaiting()
	}
	r.talking = slices.DeleteFunc(r.talking, func(c *record) bool { return c.packed != nil || r.calls[c.id] != c })
	for i := 0; i < len(r.order); {
		if c := r.order[i]; !c.ended.IsZero() && now.Sub(c.ended) > MaxAge {
			r.forget(i)
			continue
		}
		i++
	}
	r.trim()
}

// Status takes what is known of a call. The first word of a call makes it
// known.
func (r *Recorder) Status(s pbx.CallStatus) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[s.ID]
	switch {
	case c == nil && s.State == pbx.CallEnded && s.Started.IsZero():
		return
	case c == nil:
		c = r.begin(s.ID)
	case c.packed != nil:
		return
	}
	if c.from == "" && c.to == "" { // a transfer puts another in the caller's place
		// What was dialled is a part of the whole message that said it.
		c.from, c.fromName, c.to = strings.Clone(s.From), strings.Clone(s.FromName), strings.Clone(s.To)
	}
	c.began, c.answered, c.ended, c.cause = s.Started, s.Answered, s.Ended, s.Cause
	c.party(s.From)
	r.trim()
}

// begin remembers a call from now on.
func (r *Recorder) begin(id string) *record {
	c := &record{id: strings.Clone(id), began: r.now(), cost: recordCost}
	r.calls[c.id] = c
	r.order = append(r.order, c)
	r.talking = append(r.talking, c)
	r.held += c.cost
	return c
}

// party notes a number of the call.
func (c *record) party(number string) {
	if number != "" && !strings.Contains(" "+c.numbers+" ", " "+number+" ") && len(c.numbers) < 2000 {
		c.numbers = strings.TrimPrefix(c.numbers+" "+number, " ")
	}
}

// live returns a call that takes more, or nil.
func (r *Recorder) live(call string) *record {
	if c := r.calls[call]; c != nil && c.packed == nil {
		return c
	}
	return nil
}

// Joined says that a leg belongs to a call from now on, and to no other. A
// leg of SIP is named "sip:" and our tag of its dialog.
func (r *Recorder) Joined(call, id, number, name string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[call]
	if c == nil {
		c = r.begin(call) // its legs may be told of before the call is
	}
	if c.packed != nil || len(c.legs) >= maxLegs {
		return
	}
	for _, l := range c.legs {
		if l.id == id && l.till.IsZero() {
			return
		}
	}
	now := r.now()
	l := &leg{id: id, number: number, name: name, from: now}
	c.legs = append(c.legs, l)
	r.grow(c, legCost)
	c.party(number)
	tag := l.tag()
	if tag == "" {
		return
	}
	for i, before := range r.legs[tag] { // it came from another call
		if before.leg.till.IsZero() {
			r.legs[tag][i].leg.till = now
		}
		if d := before.leg.dialog; d != nil && l.dialog == nil {
			r.bind(c, l, d)
		}
	}
	if l.dialog == nil {
		l.from = time.Time{} // all of its dialog belongs to this call
		for _, d := range r.waiting {
			if d.has(tag) {
				r.bind(c, l, d)
				break
			}
		}
	}
	r.legs[tag] = append(r.legs[tag], joined{c, l})
	r.trim()
}

// Traced takes the next steps of a call.
func (r *Recorder) Traced(call string, at time.Time, steps []dialplan.Step) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.live(call)
	if c == nil {
		return
	}
	for i := range steps {
		if len(c.steps) >= maxSteps {
			break
		}
		s := Moment{At: at, Step: steps[i]}
		c.steps = append(c.steps, s)
		r.grow(c, s.cost())
	}
	r.trim()
}

// Measured takes how a leg has sounded.
func (r *Recorder) Measured(call, id string, samples []Sample) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.live(call)
	if c == nil {
		return
	}
	for _, l := range slices.Backward(c.legs) {
		if l.id == id {
			before := len(l.series.samples)
			l.series.add(samples)
			r.grow(c, sampleCost*(len(l.series.samples)-before))
			break
		}
	}
	r.trim()
}

// grow counts what a call takes more.
func (r *Recorder) grow(c *record, by int) {
	c.cost += by
	r.held += by
}

// Held returns how many octets are held, and how many calls.
func (r *Recorder) Held() (octets, calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held, len(r.calls)
}
