package sipedge

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// saveInterval is how long a change of registrations may wait until it is
// written: many phones register at the same time after a power cut.
const saveInterval = time.Second

// registrar holds the bindings of extensions to phones (RFC 3261 section 10.3).
type registrar struct {
	store   RegistrationStore
	publish func(pbx.Fact)
	now     func() time.Time
	log     *slog.Logger

	mu    sync.Mutex
	byExt map[string][]pbx.Registration // longest silent first
	dirty map[string]bool

	telling sync.Mutex // taken before mu
}

func newRegistrar(ctx context.Context, d Deps) (*registrar, error) {
	r := &registrar{
		store: d.Registrations, publish: d.Publish, now: d.Now, log: d.Log,
		byExt: map[string][]pbx.Registration{}, dirty: map[string]bool{},
	}
	kept, err := d.Registrations.Registrations(ctx)
	if err != nil {
		return nil, err
	}
	cfg := d.Config()
	for _, reg := range kept {
		if cfg.UserByExtension(reg.Extension) != nil && reg.Expires.After(r.now()) {
			r.byExt[reg.Extension] = append(r.byExt[reg.Extension], reg)
		}
	}
	for ext := range r.byExt {
		r.tell(ext)
	}
	return r, nil
}

// contacts returns the bindings of an extension that have not expired.
func (r *registrar) contacts(ext string) []pbx.Registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.validLocked(ext))
}

func (r *registrar) validLocked(ext string) []pbx.Registration {
	now := r.now()
	return slices.DeleteFunc(slices.Clone(r.byExt[ext]), func(g pbx.Registration) bool { return !g.Expires.After(now) })
}

// bindingError says why a REGISTER changes nothing.
type bindingError struct {
	status int
	reason string
}

func (e *bindingError) Error() string { return fmt.Sprintf("%d %s", e.status, e.reason) }

// change applies the contacts of one REGISTER as a whole or not at all (RFC
// 3261 section 10.3 step 7). A contact with Expires in the past is removed;
// key identifies a binding among those of its extension. max bounds the
// bindings: beyond it the one gives way that was silent the longest.
func (r *registrar) change(ext string, set []binding, max int) ([]pbx.Registration, error) {
	r.mu.Lock()
	before := r.validLocked(ext)
	regs := slices.Clone(before)
	for _, b := range set {
		late := func(g pbx.Registration) bool { return b.sameAs(g) && g.CallID == b.reg.CallID && b.reg.CSeq <= g.CSeq }
		if slices.ContainsFunc(before, late) {
			r.mu.Unlock()
			return nil, &bindingError{500, "Out Of Order"} // step 7: a late retransmission must not undo what followed
		}
		i := slices.IndexFunc(regs, b.sameAs)
		gone := !b.reg.Expires.After(r.now())
		switch {
		case i >= 0 && gone:
			regs = slices.Delete(regs, i, i+1)
		case i >= 0:
			b.reg.Since = regs[i].Since
			regs = append(slices.Delete(regs, i, i+1), b.reg)
		case !gone:
			regs = append(regs, b.reg)
		}
	}
	if len(regs) > max {
		regs = slices.Delete(regs, 0, len(regs)-max)
	}
	r.setLocked(ext, regs)
	r.mu.Unlock()
	r.tell(ext)
	return regs, nil
}

// clear removes every binding of an extension (Contact: *).
func (r *registrar) clear(ext, callID string, cseq uint32) error {
	r.mu.Lock()
	for _, g := range r.byExt[ext] {
		if g.CallID == callID && cseq <= g.CSeq {
			r.mu.Unlock()
			return &bindingError{500, "Out Of Order"}
		}
	}
	r.setLocked(ext, nil)
	r.mu.Unlock()
	r.tell(ext)
	return nil
}

func (r *registrar) setLocked(ext string, regs []pbx.Registration) {
	r.dirty[ext] = true
	if len(regs) == 0 {
		delete(r.byExt, ext)
		return
	}
	r.byExt[ext] = regs
}

// tell publishes the bindings of an extension; the last word is the newest.
func (r *registrar) tell(ext string) {
	r.telling.Lock()
	defer r.telling.Unlock()
	r.publish(pbx.Fact{Kind: pbx.FactRegistration, Extension: ext, Registrations: r.contacts(ext)})
}

// keep removes the bindings of extensions for which stays is false.
func (r *registrar) keep(stays func(ext string) bool) {
	r.mu.Lock()
	var gone []string
	for ext := range r.byExt {
		if !stays(ext) {
			gone = append(gone, ext)
			r.setLocked(ext, nil)
		}
	}
	r.mu.Unlock()
	for _, ext := range gone {
		r.tell(ext)
	}
}

// run drops expired bindings and writes changes until ctx ends, then writes
// once more.
func (r *registrar) run(ctx context.Context) {
	tick := time.NewTicker(saveInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.expire()
			r.save(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			r.save(last)
			return
		}
	}
}

func (r *registrar) expire() {
	r.mu.Lock()
	var changed []string
	for ext, regs := range r.byExt {
		if valid := r.validLocked(ext); len(valid) != len(regs) {
			r.setLocked(ext, valid)
			changed = append(changed, ext)
		}
	}
	r.mu.Unlock()
	for _, ext := range changed {
		r.tell(ext)
	}
}

func (r *registrar) save(ctx context.Context) {
	r.mu.Lock()
	set := make(map[string][]pbx.Registration, len(r.dirty))
	for ext := range r.dirty {
		set[ext] = slices.Clone(r.byExt[ext])
	}
	clear(r.dirty)
	r.mu.Unlock()
	if len(set) == 0 {
		return
	}
	if err := r.store.SaveRegistrations(ctx, set); err != nil {
		r.log.Warn("registrations not saved; phones must register again after a restart", "extensions", len(set), "err", err)
		r.mu.Lock()
		for ext := range set { // tried again with the next tick
			r.dirty[ext] = true
		}
		r.mu.Unlock()
	}
}
