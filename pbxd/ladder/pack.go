package ladder

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Calls of one system are much alike: the same phones say the same things. So
// a call that is over is compressed with what an earlier one said as the
// dictionary, and the dictionary made anew from time to time.
const (
	dictionaryWhy  = 6 << 10
	dictionaryWire = 22 << 10 // with the above less than the 32 KiB that deflate looks back
	dictionaryLife = 256      // calls
	maxBuffers     = 1 << 20  // octets that stay for the next call
)

// dictionary is what calls are compressed with. It is shared by those that
// were.
type dictionary struct {
	text  []byte
	calls int // that are still remembered; guarded by Recorder.mu
}

// packed is a call that is over.
type packed struct {
	why, wire []byte // compressed; wire is nil when it was given up
	dict      *dictionary
}

// packer compresses calls.
type packer struct {
	mu    sync.Mutex // taken before Recorder.mu
	w     *flate.Writer
	dict  *dictionary
	count int    // calls since the dictionary was made
	why   []byte // of the last call, as are
	wire  []byte
}

// packOne packs one call whose end is long enough ago, and reports whether
// there was one.
func (r *Recorder) packOne(now time.Time) bool {
	r.packer.mu.Lock()
	defer r.packer.mu.Unlock()
	c, why, wire, err := r.nextOver(now)
	if c == nil {
		return false
	}
	var p *packed
	if err == nil {
		p, err = r.packer.pack(why, wire)
	}
	if cap(why)+cap(wire) > maxBuffers {
		r.packer.why, r.packer.wire = nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls[c.id] != c {
		return true // forgotten meanwhile
	}
	mos := c.shown().MOS
	r.letGo(c)
	if err != nil { // of values that JSON cannot hold: nothing is lost but this call
		r.forget(slices.Index(r.order, c))
		return true
	}
	c.mos, c.packed = mos, p
	r.over++
	if p.dict.calls++; p.dict.calls == 1 {
		r.held += len(p.dict.text)
	}
	r.grow(c, recordCost+len(p.why)+len(p.wire)+len(c.numbers)-c.cost)
	r.wires = append(r.wires, c)
	r.wireBytes += len(p.wire)
	r.trim()
	return true
}

// nextOver returns a call that may be packed, and its parts. When there are
// very many calls they are packed before their last retransmission.
func (r *Recorder) nextOver(now time.Time) (c *record, why, wire []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	settled := settleTime
	if r.dialogBytes > maxTalk/2 {
		settled = hurriedTime
	}
	i := slices.IndexFunc(r.talking, func(c *record) bool {
		return r.calls[c.id] == c && c.packed == nil && !c.ended.IsZero() && now.Sub(c.ended) >= settled
	})
	if i < 0 {
		return nil, nil, nil, nil
	}
	c = r.talking[i]
	legs := r.open(c)
	why, err = appendWhy(r.packer.why[:0], c.began, c.steps, legs)
	return c, why, appendWire(r.packer.wire[:0], c.began, legs), err
}

// letGo ends what only a call that goes on needs.
func (r *Recorder) letGo(c *record) {
	for _, l := range c.legs {
		if tag := l.tag(); tag != "" {
			if rest := slices.DeleteFunc(r.legs[tag], func(j joined) bool { return j.call == c }); len(rest) > 0 {
				r.legs[tag] = rest
			} else {
				delete(r.legs, tag)
			}
		}
		if d := l.dialog; d != nil {
			if d.calls--; d.calls == 0 {
				r.clear(d)
				delete(r.dialogs, d.callID)
			}
		}
	}
	c.steps, c.legs = nil, nil
}

// pack compresses a call.
func (p *packer) pack(why, wire []byte) (*packed, error) {
	p.why, p.wire = why, wire
	if p.dict == nil || p.count == dictionaryLife || p.count == 8 && len(p.dict.text) == 0 {
		p.dict = &dictionary{}
		if p.w != nil { // after the first call
			p.dict.text = slices.Concat(why[:min(len(why), dictionaryWhy)], wire[:min(len(wire), dictionaryWire)])
		}
		p.count = 0
		w, err := flate.NewWriterDict(io.Discard, flate.BestCompression, p.dict.text)
		if err != nil {
			return nil, fmt.Errorf("compress calls: %w", err)
		}
		p.w = w
	}
	p.count++
	x := &packed{dict: p.dict}
	var err error
	if x.why, err = p.compress(why); err != nil {
		return nil, err
	}
	x.wire, err = p.compress(wire)
	return x, err
}

func (p *packer) compress(text []byte) ([]byte, error) {
	var b bytes.Buffer
	p.w.Reset(&b)
	if _, err := p.w.Write(text); err != nil {
		return nil, fmt.Errorf("compress %d octets: %w", len(text), err)
	}
	if err := p.w.Close(); err != nil {
		return nil, fmt.Errorf("compress %d octets: %w", len(text), err)
	}
	return bytes.Clone(b.Bytes()), nil
}

// expand undoes compress.
func (d *dictionary) expand(text []byte) ([]byte, error) {
	b, err := io.ReadAll(flate.NewReaderDict(bytes.NewReader(text), d.text))
	if err != nil {
		return nil, fmt.Errorf("expand %d octets: %w", len(text), err)
	}
	return b, nil
}
