package ladder

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"galilei/pbxd/dialplan"
)

// errShort says that what was packed ends too early.
var errShort = errors.New("record is cut off")

// opened is a leg as it is shown and packed.
type opened struct {
	id, number, name, codec string
	from, till              time.Time // zero for the whole of the call
	samples                 []sample
	packets                 []packet
	leftOut                 int
}

// appendText adds a text and its length.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendTime adds a time as milliseconds since another; 0 stands for none.
func appendTime(b []byte, t, since time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	ms := t.Sub(since).Milliseconds()
	if ms >= 0 {
		ms++
	}
	return binary.AppendVarint(b, ms)
}

// appendWhy packs the steps, the legs and how they sounded.
func appendWhy(b []byte, began time.Time, steps []Moment, legs []opened) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(steps)))
	plain := make([]dialplan.Step, len(steps))
	for i := range steps {
		b = appendTime(b, steps[i].At, began)
		plain[i] = steps[i].Step
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("pack %d steps: %w", len(steps), err)
	}
	b = appendText(b, string(text))
	b = binary.AppendUvarint(b, uint64(len(legs)))
	for i := range legs {
		l := &legs[i]
		for _, s := range []string{l.id, l.number, l.name, l.codec} {
			b = appendText(b, s)
		}
		b = appendTime(appendTime(b, l.from, began), l.till, began)
		b = binary.AppendUvarint(b, uint64(len(l.samples)))
		for _, column := range columns() { // one after the other they repeat themselves more
			before := int64(0)
			if len(l.samples) > 0 && column.time {
				before = began.UnixMilli()
			}
			for j := range l.samples {
				v := column.get(&l.samples[j])
				b = binary.AppendVarint(b, v-before)
				before = v
			}
		}
	}
	return b, nil
}

// column is one value of the samples.
type column struct {
	time bool
	get  func(*sample) int64
	set  func(*sample, int64)
}

func columns() []column {
	list := []column{
		{true, func(s *sample) int64 { return s.at }, func(s *sample, v int64) { s.at = v }},
		{false, func(s *sample) int64 { return int64(s.buffer) }, func(s *sample, v int64) { s.buffer = uint16(v) }},
		{false, func(s *sample) int64 { return int64(s.trip) }, func(s *sample, v int64) { s.trip = uint16(v) }},
	}
	for _, of := range []func(*sample) *heard{func(s *sample) *heard { return &s.in }, func(s *sample) *heard { return &s.out }} {
		list = append(list,
			column{false, func(s *sample) int64 { return of(s).kind() }, func(s *sample, v int64) { of(s).known, of(s).wide = v&1 != 0, v&2 != 0 }},
			column{false, func(s *sample) int64 { return int64(of(s).loss) }, func(s *sample, v int64) { of(s).loss = uint16(v) }},
			column{false, func(s *sample) int64 { return int64(of(s).jitter) }, func(s *sample, v int64) { of(s).jitter = uint16(v) }},
			column{false, func(s *sample) int64 { return int64(of(s).r) }, func(s *sample, v int64) { of(s).r = uint16(v) }},
			column{false, func(s *sample) int64 { return int64(of(s).mos) }, func(s *sample, v int64) { of(s).mos = uint16(v) }})
	}
	return list
}

// kind are the two flags as a number.
func (h *heard) kind() (v int64) {
	if h.known {
		v |= 1
	}
	if h.wide {
		v |= 2
	}
	return v
}

// appendWire packs the messages of the legs.
func appendWire(b []byte, began time.Time, legs []opened) []byte {
	b = binary.AppendUvarint(b, uint64(len(legs)))
	for i := range legs {
		l := &legs[i]
		b = binary.AppendUvarint(b, uint64(l.leftOut))
		b = binary.AppendUvarint(b, uint64(len(l.packets)))
		before := began
		for j := range l.packets {
			p := &l.packets[j]
			kind := uint64(p.network) << 1
			if p.sent {
				kind |= 1
			}
			b = binary.AppendVarint(b, p.at.Sub(before).Microseconds())
			before = p.at
			b = binary.AppendUvarint(b, kind)
			b = binary.AppendUvarint(b, uint64(p.size))
			for _, a := range []netip.AddrPort{p.local, p.remote} {
				raw, _ := a.MarshalBinary() // never fails
				b = appendText(b, string(raw))
			}
			b = appendText(b, string(p.text))
		}
	}
	return b
}

// reader reads what was packed. The first error stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.err = nil, errShort
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.b, r.err = nil, errShort
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is the length of a list whose entries take at least so many octets.
func (r *reader) count(least int) int {
	n := r.uint()
	if n > uint64(len(r.b)/least) {
		r.b, r.err = nil, errShort
		return 0
	}
	return int(n)
}

func (r *reader) text() []byte {
	n := r.count(1)
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

func (r *reader) time(since time.Time) time.Time {
	switch ms := r.int(); {
	case ms == 0:
		return time.Time{}
	case ms > 0:
		return since.Add(time.Duration(ms-1) * time.Millisecond)
	default:
		return since.Add(time.Duration(ms) * time.Millisecond)
	}
}

// readWhy reads what appendWhy has packed.
func readWhy(b []byte, began time.Time) (steps []Moment, legs []opened, err error) {
	r := reader{b: b}
	steps = make([]Moment, r.count(1))
	for i := range steps {
		steps[i].At = r.time(began)
	}
	var plain []dialplan.Step
	if err := json.Unmarshal(r.text(), &plain); err != nil {
		return nil, nil, fmt.Errorf("steps of a record of %d octets: %w", len(b), err)
	}
	for i := range min(len(steps), len(plain)) {
		steps[i].Step = plain[i]
	}
	legs = make([]opened, r.count(7))
	for i := range legs {
		l := &legs[i]
		for _, s := range []*string{&l.id, &l.number, &l.name, &l.codec} {
			*s = string(r.text())
		}
		l.from, l.till = r.time(began), r.time(began)
		l.samples = make([]sample, r.count(len(columns())))
		for _, column := range columns() {
			before := int64(0)
			if len(l.samples) > 0 && column.time {
				before = began.UnixMilli()
			}
			for j := range l.samples {
				before += r.int()
				column.set(&l.samples[j], before)
			}
		}
	}
	return steps, legs, r.err
}

// readWire adds the messages that appendWire has packed to their legs.
func readWire(b []byte, began time.Time, legs []opened) error {
	r := reader{b: b}
	if n := r.count(2); n != len(legs) {
		return fmt.Errorf("messages of %d legs for %d: %w", n, len(legs), errShort)
	}
	for i := range legs {
		l := &legs[i]
		l.leftOut = int(r.uint())
		l.packets = make([]packet, r.count(6))
		at := began
		for j := range l.packets {
			p := &l.packets[j]
			at = at.Add(time.Duration(r.int()) * time.Microsecond)
			kind := r.uint()
			p.at, p.sent, p.network = at, kind&1 != 0, min(network(kind>>1), tls)
			p.size = int(r.uint())
			for _, a := range []*netip.AddrPort{&p.local, &p.remote} {
				if err := a.UnmarshalBinary(r.text()); err != nil && r.err == nil {
					r.err = err
				}
			}
			p.text = r.text()
		}
	}
	return r.err
}
