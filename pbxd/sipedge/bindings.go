package sipedge

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// saveInterval is how long a change of registrations may wait until it is
// written: many phones register at the same time after a power cut.
const saveInterval = time.Second

// maxDrift is by how much the wall clock may be adjusted until registrations
// are written anew with other times.
const maxDrift = time.Second

// registrar holds the bindings of extensions to phones (RFC 3261 section 10.3).
// They expire by the monotonic clock: setting the time ends none.
type registrar struct {
	store   RegistrationStore
	publish func(pbx.Fact)
	now     func() time.Time // by the wall clock
	log     *slog.Logger
	started time.Time // by the monotonic clock

	mu    sync.Mutex
	epoch time.Time          // what the wall clock would have shown at started
	byExt map[string][]bound // longest silent first
	dirty map[string]bool

	telling sync.Mutex // taken before mu
}

// bound is one binding. Its times, but not those of its registration, count
// from the start of the registrar.
type bound struct {
	pbx.Registration
	since, refreshed, expires time.Duration
}

func newRegistrar(ctx context.Context, d Deps) (*registrar, error) {
	now := d.Now()
	r := &registrar{
		store: d.Registrations, publish: d.Publish, now: d.Now, log: d.Log, started: time.Now(), epoch: now.Round(0),
		byExt: map[string][]bound{}, dirty: map[string]bool{},
	}
	kept, err := d.Registrations.Registrations(ctx)
	if err != nil {
		return nil, err
	}
	cfg := d.Config()
	for _, reg := range kept {
		r.dirty[reg.Extension] = true // written anew, or deleted
		if b := boundAt(reg, now, 0); cfg.UserByExtension(reg.Extension) != nil && b.expires > 0 {
			r.byExt[reg.Extension] = append(r.byExt[reg.Extension], b)
		}
	}
	for ext := range r.byExt {
		r.tell(ext)
	}
	return r, nil
}

// passed is the time since the start of the registrar, by the monotonic clock.
func (r *registrar) passed() time.Duration { return time.Since(r.started) }

// boundLocked fixes the times of reg, which are of the same clock as now.
func (r *registrar) boundLocked(reg pbx.Registration, now time.Time) bound {
	return boundAt(reg, now, r.passed())
}

// boundAt fixes the times of reg, which are of the clock that showed now when
// passed had passed.
func boundAt(reg pbx.Registration, now time.Time, passed time.Duration) bound {
	return bound{reg, passed + reg.Since.Sub(now), passed + reg.Refreshed.Sub(now), passed + reg.Expires.Sub(now)}
}

// shownLocked returns the registration with times of the wall clock of now.
func (r *registrar) shownLocked(b bound) pbx.Registration {
	reg := b.Registration
	reg.Since, reg.Refreshed, reg.Expires = r.epoch.Add(b.since), r.epoch.Add(b.refreshed), r.epoch.Add(b.expires)
	return reg
}

// clock is now in the times that contacts returns: those of the wall clock, save
// for a moment after that was set.
func (r *registrar) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch.Add(r.passed())
}

// contacts returns the bindings of an extension that have not expired.
func (r *registrar) contacts(ext string) []pbx.Registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shownAllLocked(r.validLocked(ext))
}

func (r *registrar) shownAllLocked(list []bound) []pbx.Registration {
	shown := make([]pbx.Registration, len(list))
	for i, b := range list {
		shown[i] = r.shownLocked(b)
	}
	return shown
}

func (r *registrar) validLocked(ext string) []bound {
	passed := r.passed()
	return slices.DeleteFunc(slices.Clone(r.byExt[ext]), func(g bound) bool { return g.expires <= passed })
}

// bindingError says why a REGISTER changes nothing.
type bindingError struct {
	status int
	reason string
}

func (e *bindingError) Error() string { return fmt.Sprintf("%d %s", e.status, e.reason) }

// change applies the contacts of one REGISTER as a whole or not at all (RFC
// 3261 section 10.3 step 7). A contact that expires at once is removed;
// key identifies a binding among those of its extension. max bounds the
// bindings: beyond it the one gives way that was silent the longest.
func (r *registrar) change(ext string, set []binding, max int) ([]pbx.Registration, error) {
	r.mu.Lock()
	before := r.validLocked(ext)
	regs := slices.Clone(before)
	for _, b := range set {
		same := func(g bound) bool { return b.sameAs(g.Registration) }
		late := func(g bound) bool { return same(g) && g.CallID == b.reg.CallID && b.reg.CSeq <= g.CSeq }
		if slices.ContainsFunc(before, late) {
			r.mu.Unlock()
			return nil, &bindingError{500, "Out Of Order"} // step 7: a late retransmission must not undo what followed
		}
		i := slices.IndexFunc(regs, same)
		next := r.boundLocked(b.reg, r.now())
		gone := !b.reg.Expires.After(b.reg.Refreshed)
		switch {
		case i >= 0 && gone:
			regs = slices.Delete(regs, i, i+1)
		case i >= 0:
			next.since = regs[i].since
			regs = append(slices.Delete(regs, i, i+1), next)
		case !gone:
			regs = append(regs, next)
		}
	}
	if len(regs) > max {
		regs = slices.Delete(regs, 0, len(regs)-max)
	}
	r.setLocked(ext, regs)
	shown := r.shownAllLocked(regs)
	r.mu.Unlock()
	r.tell(ext)
	return shown, nil
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

func (r *registrar) setLocked(ext string, regs []bound) {
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

// closed removes the bindings that were made over a connection which has ended
// and which nobody but the phone can make anew (RFC 5626 section 7).
func (r *registrar) closed(network, source string) {
	over := func(g bound) bool {
		return g.Transport == network && g.Source == source && (g.Outbound || network == "tls")
	}
	r.mu.Lock()
	var changed []string
	for ext, regs := range r.byExt {
		if slices.ContainsFunc(regs, over) {
			r.setLocked(ext, slices.DeleteFunc(slices.Clone(regs), over))
			changed = append(changed, ext)
		}
	}
	r.mu.Unlock()
	for _, ext := range changed {
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
			r.followClock()
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

// followClock gives all bindings the times of a wall clock that was set, so that
// those that are kept do not count as expired, or as good for years, later.
func (r *registrar) followClock() {
	r.mu.Lock()
	epoch := r.now().Round(0).Add(-r.passed())
	leap := epoch.Sub(r.epoch)
	if leap.Abs() <= maxDrift {
		r.mu.Unlock()
		return
	}
	r.epoch = epoch
	all := slices.Collect(maps.Keys(r.byExt))
	for _, ext := range all {
		r.dirty[ext] = true
	}
	r.mu.Unlock()
	r.log.Info("the clock was set", "by", leap, "extensions", len(all))
	for _, ext := range all {
		r.tell(ext)
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
		set[ext] = r.shownAllLocked(r.byExt[ext])
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
