package resolve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

const (
	maxEntries = 2048
	maxFlights = 256 // questions at a time
	maxServers = 4
	staleFor   = time.Hour               // after its end an answer serves when there is no other (RFC 8767)
	patience   = 1800 * time.Millisecond // that a lookup waits when it has a stale answer (RFC 8767 section 5)
	retry      = 5 * time.Second         // after a question without answer the next one
)

// entry is what is known of a question.
type entry struct {
	answer     answer
	known      bool      // answer holds, fresh or stale
	expires    time.Time // of answer
	generation int       // of the name servers that gave it
	err        error     // of the last time that it was asked in vain
	pause      time.Time // until which it is not asked again
	used       int64
}

func (e *entry) fresh(now time.Time, generation int) bool {
	return e.known && e.generation == generation && now.Before(e.expires)
}

func (e *entry) usable(now time.Time) bool {
	return e.known && now.Before(e.expires.Add(staleFor))
}

type flightKey struct {
	question
	generation int
}

// flight is a question on its way; everybody who has it waits for it.
type flight struct {
	done    chan struct{}
	answer  answer    // once done
	expires time.Time // of answer
	err     error     // once done
}

// found is an answer from the cache or from a name server.
type found struct {
	records []record
	expires time.Time
	stale   bool
}

// lookup returns the records of name, following its aliases. No records and no
// error mean that there are none. waited is the time until which the lookup waits
// although it has stale answers.
func (r *Resolver) lookup(ctx context.Context, q question, waited time.Time) (found, error) {
	out := found{expires: r.deps.Now().Add(mostTTL)}
	for range maxAliases + 1 {
		a, expires, stale, err := r.ask(ctx, q, waited)
		if err != nil {
			return found{}, err
		}
		if expires.Before(out.expires) {
			out.expires = expires
		}
		out.stale = out.stale || stale
		if a.alias == "" {
			out.records = a.records
			return out, nil
		}
		q.name = a.alias
	}
	return found{}, fmt.Errorf("%s: %w", q.name, ErrAliasLoop)
}

// ask returns the answer to one question.
func (r *Resolver) ask(ctx context.Context, q question, waited time.Time) (a answer, expires time.Time, stale bool, err error) {
	servers := r.nameServers()
	now := r.deps.Now()
	r.mu.Lock()
	e := r.cache[q]
	if e != nil {
		r.uses++
		e.used = r.uses
		if e.fresh(now, r.generation) {
			defer r.mu.Unlock()
			return e.answer, e.expires, false, nil
		}
	}
	if e != nil && now.Before(e.pause) && e.generation == r.generation {
		defer r.mu.Unlock()
		if e.usable(now) {
			return e.answer, now.Add(leastTTL), true, nil
		}
		return answer{}, time.Time{}, false, e.err
	}
	usable := e != nil && e.usable(now)
	f := r.fly(q, servers)
	r.mu.Unlock()

	var late <-chan time.Time
	if usable {
		timer := time.NewTimer(max(waited.Sub(now), 0))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-f.done:
		if f.err == nil {
			return f.answer, f.expires, false, nil
		}
		err = f.err
	case <-late:
		r.postpone(q, e)
		err = ErrNoAnswer
	case <-ctx.Done():
		err = fmt.Errorf("%w: %w", ErrNoAnswer, ctx.Err())
	}
	if usable {
		return e.answer, r.deps.Now().Add(leastTTL), true, nil
	}
	return answer{}, time.Time{}, false, fmt.Errorf("%s: %w", q.name, err)
}

// postpone has a question that is not answered in time wait before somebody waits
// for it again; its flight goes on.
func (r *Resolver) postpone(q question, e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache[q] != e {
		return // answered by now
	}
	now := r.deps.Now()
	later := *e
	later.pause, later.generation = now.Add(retry), r.generation
	if now.Before(later.expires) { // of other servers
		later.expires = now
	}
	r.cache[q] = &later
}

// nameServers returns the servers of now. When they are others than before, all
// that is kept is stale.
func (r *Resolver) nameServers() []netip.AddrPort {
	servers := r.deps.Servers()
	servers = servers[:min(len(servers), maxServers)]
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(servers, r.used) {
		r.used = slices.Clone(servers)
		r.generation++
		r.servers.reset()
	}
	return r.used
}

// fly returns the flight of q, which it starts when there is none. The caller has
// r.mu.
func (r *Resolver) fly(q question, servers []netip.AddrPort) *flight {
	key := flightKey{q, r.generation}
	if f := r.flights[key]; f != nil {
		return f
	}
	f := &flight{done: make(chan struct{})}
	if len(r.flights) >= maxFlights {
		f.err = fmt.Errorf("%w: %d questions are waiting", ErrNoAnswer, len(r.flights))
		close(f.done)
		return f
	}
	r.flights[key] = f
	go func() {
		defer close(f.done)
		f.answer, f.err = r.askServers(r.base, q, servers)
		r.land(key, f)
	}()
	return f
}

// land keeps what a flight has brought. Its entry is a new value: lookups read the
// old one without the lock.
func (r *Resolver) land(key flightKey, f *flight) {
	now := r.deps.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.flights, key)
	old := r.cache[key.question]
	if old != nil && old.generation > key.generation {
		return
	}
	r.uses++
	e := &entry{generation: key.generation, used: r.uses}
	switch {
	case f.err == nil:
		f.expires = now.Add(f.answer.ttl)
		e.answer, e.known, e.expires = f.answer, true, f.expires
	case errors.Is(f.err, context.Canceled):
		return
	default:
		if old != nil {
			e.answer, e.known, e.expires = old.answer, old.known, old.expires
			if old.generation != key.generation && now.Before(e.expires) {
				e.expires = now // what other servers said is stale
			}
		}
		e.err, e.pause = f.err, now.Add(retry)
	}
	if old == nil && len(r.cache) >= maxEntries {
		r.evict()
	}
	r.cache[key.question] = e
}

// evict drops the entry that was used longest ago.
func (r *Resolver) evict() {
	var oldest question
	least := r.uses + 1
	for q, e := range r.cache {
		if e.used < least {
			oldest, least = q, e.used
		}
	}
	delete(r.cache, oldest)
}
