package ladder

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// ErrUnknown says that a call is not remembered, or no longer.
var ErrUnknown = errors.New("call is not remembered")

// Call is one call in the list.
type Call struct {
	ID       string      `json:"id" title:"Identifier" doc:"Identifier of the call"`
	From     string      `json:"from" title:"From" doc:"Calling extension or number"`
	FromName string      `json:"fromName" title:"Caller" doc:"Name of the caller"`
	To       string      `json:"to" title:"To" doc:"Number that was dialled"`
	Numbers  []string    `json:"numbers" title:"Numbers" doc:"Extensions and numbers of all who took part, the caller first"`
	Began    time.Time   `json:"began" title:"Began" doc:"When the call began"`
	Answered time.Time   `json:"answered,omitzero" title:"Answered" doc:"When the call was answered; absent when it was not"`
	Ended    time.Time   `json:"ended,omitzero" title:"Ended" doc:"When the call ended; absent while it goes on"`
	Cause    pbx.Cause   `json:"cause,omitempty" title:"Cause" doc:"Why the call ended (ITU-T Q.850)"`
	Why      pbx.Message `json:"why,omitzero" title:"Why" doc:"The cause in words"`
	MOS      float64     `json:"mos,omitempty" title:"MOS" doc:"How it sounded: mean opinion score (ITU-T G.107) of the worse direction; absent when it is not known" minimum:"1" maximum:"4.5"`
	Messages bool        `json:"messages" title:"Messages" doc:"The messages of the call are still remembered"`
}

// Moment is one thing that was decided or that happened.
type Moment struct {
	At time.Time `json:"at" title:"Time" doc:"When it was"`
	dialplan.Step
}

// cost is what a step takes.
func (s *Moment) cost() int {
	n := 240 + len(s.Before) + len(s.After)
	for name := range s.Message.Args {
		n += 80 + len(name)
	}
	return n
}

// Leg is one side of a call.
type Leg struct {
	ID     string    `json:"id" title:"Leg" doc:"Identifier of the leg, which its log lines name"`
	Number string    `json:"number" title:"Number" doc:"Extension or number"`
	Name   string    `json:"name" title:"Name" doc:"Name of who takes part"`
	Left   time.Time `json:"left,omitzero" title:"Left" doc:"When the leg went to another call; absent when it did not"`
}

// Trace is why a call went where it did.
type Trace struct {
	Call    Call          `json:"call" title:"Call" doc:"What is known of the call"`
	Summary []pbx.Message `json:"summary" title:"Summary" doc:"The call in plain words, one sentence each"`
	Steps   []Moment      `json:"steps" title:"Steps" doc:"What was looked at and what happened, in order"`
	Legs    []Leg         `json:"legs" title:"Legs" doc:"Who took part"`
}

// Query asks for a part of the calls, the newest first.
type Query struct {
	Before string    // calls that began before the one of this ID; "" for the newest
	Number string    // only calls in which somebody took part whose number has these digits; "" for all
	Since  time.Time // only calls that began then or later; zero for all
	Until  time.Time // only those that began before; zero for all
	Limit  int       // 0 for all
}

// Calls returns the calls that are remembered.
func (r *Recorder) Calls(q Query) []Call {
	list := []Call{}
	if r == nil {
		return list
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	below := q.Before == ""
	for _, c := range slices.Backward(r.order) {
		switch {
		case !below:
			below = c.id == q.Before
			continue
		case !c.ended.IsZero() && now.Sub(c.ended) > MaxAge,
			q.Number != "" && !strings.Contains(c.numbers, q.Number) && !strings.Contains(c.to, q.Number),
			!q.Since.IsZero() && c.began.Before(q.Since), !q.Until.IsZero() && !c.began.Before(q.Until):
			continue
		}
		if list = append(list, c.shown()); len(list) == q.Limit {
			break
		}
	}
	return list
}

// shown is the call in the list.
func (c *record) shown() Call {
	x := Call{
		ID: c.id, From: c.from, FromName: c.fromName, To: c.to, Numbers: strings.Fields(c.numbers), Began: c.began, Answered: c.answered, Ended: c.ended,
		Cause: c.cause, MOS: c.mos, Messages: c.packed != nil && c.packed.wire != nil,
	}
	if x.Cause != 0 {
		x.Why = x.Cause.Message()
	}
	for _, l := range c.legs {
		x.Messages = x.Messages || l.dialog != nil && len(l.dialog.packets) > 0
		if m := worst(l.series.all()); m != 0 && (x.MOS == 0 || m < x.MOS) {
			x.MOS = m
		}
	}
	return x
}

// open returns the legs of a call that is not packed, with copies of what they
// hold. The texts of the messages are shared: nobody writes to them.
func (r *Recorder) open(c *record) []opened {
	legs := make([]opened, len(c.legs))
	for i, l := range c.legs {
		legs[i] = opened{id: l.id, number: l.number, name: l.name, codec: l.series.codec, from: l.from, till: l.till, samples: l.series.all()}
		if l.dialog == nil {
			continue
		}
		tag := l.tag()
		for _, p := range l.dialog.packets {
			if p.at.Before(l.from) || !l.till.IsZero() && p.at.After(l.till) {
				continue
			}
			if own := p.tag(); len(own) > 0 && string(own) != tag && len(r.legs[string(own)]) > 0 {
				continue // of another leg with the same Call-ID
			}
			if !specified(p.local) && l.dialog.self.IsValid() {
				p.local = netip.AddrPortFrom(l.dialog.self, p.local.Port())
			}
			legs[i].packets = append(legs[i].packets, p)
		}
		legs[i].leftOut = l.dialog.leftOut
	}
	return legs
}

// find returns what is remembered of a call. With wire its messages are read,
// too; none are left when they were given up.
func (r *Recorder) find(id string, wire bool) (call Call, steps []Moment, legs []opened, err error) {
	if r == nil {
		return Call{}, nil, nil, ErrUnknown
	}
	r.mu.Lock()
	c := r.calls[id]
	if c == nil || !c.ended.IsZero() && r.now().Sub(c.ended) > MaxAge {
		r.mu.Unlock()
		return Call{}, nil, nil, ErrUnknown
	}
	call = c.shown()
	if c.packed == nil {
		steps, legs = slices.Clone(c.steps), r.open(c)
		r.mu.Unlock()
		return call, steps, legs, nil
	}
	p, began := *c.packed, c.began
	r.mu.Unlock()
	text, err := p.dict.expand(p.why)
	if err != nil {
		return Call{}, nil, nil, err
	}
	if steps, legs, err = readWhy(text, began); err != nil || !wire || p.wire == nil {
		return call, steps, legs, err
	}
	if text, err = p.dict.expand(p.wire); err != nil {
		return Call{}, nil, nil, err
	}
	return call, steps, legs, readWire(text, began, legs)
}

// Trace returns why a call went where it did.
func (r *Recorder) Trace(id string) (*Trace, error) {
	call, steps, legs, err := r.find(id, false)
	if err != nil {
		return nil, err
	}
	t := &Trace{Call: call, Summary: summary(&call, steps), Steps: steps, Legs: []Leg{}}
	if t.Steps == nil {
		t.Steps = []Moment{}
	}
	for i := range legs {
		t.Legs = append(t.Legs, legs[i].shown())
	}
	return t, nil
}

func (l *opened) shown() Leg { return Leg{ID: l.id, Number: l.number, Name: l.name, Left: l.till} }
