package resolve

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

const (
	maxFollowed  = 250         // names
	maxSearches  = 8           // at a time
	maxAddresses = 256         // of one name
	keepAddress  = time.Hour   // that a server may still call from an address that DNS no longer names
	searchTime   = time.Minute // of one search for all addresses of a name, at most
)

// followed is a name whose addresses are kept.
type followed struct {
	seen    map[netip.Addr]time.Time // when DNS last named it
	known   bool
	next    time.Time     // of the next search
	pause   time.Duration // until then at least; it doubles while answers lack
	running bool
	state   Followed
}

// Followed is what is known of a followed name, for people to read.
type Followed struct {
	Host      string
	Addresses []netip.Addr
	Asked     time.Time // of the last search; zero before the first
	Stale     bool      // no name server answered, and this is from before
	Err       error     // why there are no addresses, or not all
}

// Follow has Run keep the addresses of these hosts, names or addresses, and of no
// others; at most 250. It does not block.
func (r *Resolver) Follow(hosts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	keep := map[string]*followed{}
	for _, host := range hosts {
		q, literal, err := Query{Host: host}.checked()
		if err != nil || literal.IsValid() || len(keep) >= maxFollowed {
			continue
		}
		if keep[q.Host] = r.followed[q.Host]; keep[q.Host] == nil {
			keep[q.Host] = &followed{seen: map[netip.Addr]time.Time{}, state: Followed{Host: q.Host}}
		}
	}
	r.followed = keep
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Addresses returns all addresses that a followed host has: those of the servers
// of all its SRV and NAPTR records, and its own. An address that DNS no longer
// names stays for an hour, and all stay while no name server answers. It does not
// block; known is false until the first search has found something, and for hosts
// that are not followed. An address is its own.
func (r *Resolver) Addresses(host string) (addrs []netip.Addr, known bool) {
	q, literal, err := Query{Host: host}.checked()
	if err != nil {
		return nil, false
	}
	if literal.IsValid() {
		return []netip.Addr{literal}, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.followed[q.Host]
	if f == nil || !f.known {
		return nil, false
	}
	return slices.Clone(f.state.Addresses), true
}

// Following returns what is known of the followed names, by name.
func (r *Resolver) Following() []Followed {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Followed
	for _, name := range slices.Sorted(maps.Keys(r.followed)) {
		state := r.followed[name].state
		state.Addresses = slices.Clone(state.Addresses)
		list = append(list, state)
	}
	return list
}

// Run keeps the addresses of the followed names until ctx ends: each name is asked
// for again when an answer ends, after 5 s to a minute when answers lack, and at once when the name servers change, which
// it sees within 5 s.
func (r *Resolver) Run(ctx context.Context) {
	generation := 0
	for {
		r.nameServers()
		r.mu.Lock()
		changed := r.generation != generation
		generation = r.generation
		now := r.deps.Now()
		wait := leastTTL
		for name, f := range r.followed {
			if changed {
				f.next = now
			}
			if f.running {
				continue
			}
			if !now.Before(f.next) {
				if r.searches >= maxSearches {
					continue // the end of another wakes us
				}
				r.searches++
				f.running = true
				go r.refresh(ctx, name, f, generation)
				continue
			}
			wait = min(wait, f.next.Sub(now))
		}
		r.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-r.wake:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// refresh searches for all addresses of a followed name. generation is that of the
// name servers when it began.
func (r *Resolver) refresh(ctx context.Context, name string, f *followed, generation int) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	l := r.newLocating(func(netip.Addr) bool { return true })
	l.all = true
	addrs := l.everything(ctx, name)
	now := r.deps.Now()

	r.mu.Lock()
	defer r.mu.Unlock()
	r.searches--
	f.running = false
	state := l.seen()
	whole := state.failed == nil && !state.stale
	if whole {
		f.pause = leastTTL
	} else {
		f.pause = min(max(2*f.pause, leastTTL), negativeTTL)
	}
	f.next = state.expires
	if soonest := now.Add(f.pause); f.next.Before(soonest) {
		f.next = soonest
	}
	if r.generation != generation {
		f.next = now
	}
	for _, a := range addrs {
		if _, had := f.seen[a]; !state.stale || !had {
			f.seen[a] = now
		}
	}
	for a, at := range f.seen {
		if whole && now.Sub(at) >= keepAddress {
			delete(f.seen, a)
		}
	}
	for len(f.seen) > maxAddresses {
		f.forgetOldest()
	}
	f.known = f.known || len(f.seen) > 0
	f.state.Addresses = slices.SortedFunc(maps.Keys(f.seen), netip.Addr.Compare)
	f.state.Asked, f.state.Stale, f.state.Err = now, state.stale, state.failed
	if len(f.seen) == 0 && state.failed == nil {
		f.state.Err = fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (f *followed) forgetOldest() {
	var oldest netip.Addr
	for a, at := range f.seen {
		if !oldest.IsValid() || at.Before(f.seen[oldest]) {
			oldest = a
		}
	}
	delete(f.seen, oldest)
}

// everything returns the addresses of all servers that serve a domain, over
// whatever transport, and those of the domain itself.
func (l *locating) everything(ctx context.Context, domain string) []netip.Addr {
	services := chooseServices(l.records(ctx, question{domain, typeNAPTR}), false)
	for _, t := range []Transport{UDP, TCP, TLS} {
		services = append(services, service{transport: t, name: serviceName(t, domain)})
	}
	servers, _ := l.ofService(ctx, services)
	hosts := []string{domain}
	for _, s := range servers {
		if !slices.Contains(hosts, s.host) {
			hosts = append(hosts, s.host)
		}
	}
	hosts = hosts[:min(len(hosts), maxTargets)]
	var addrs []netip.Addr
	for _, list := range each(hosts, func(host string) []netip.Addr { return l.addresses(ctx, host) }) {
		addrs = append(addrs, list...)
	}
	return addrs
}
