package resolve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const maxTargets = 64 // of one server

// server is a host with its port, before its addresses are known.
type server struct {
	transport Transport
	host      string
	port      uint16
}

// locating is one search. Lookups at the same time note what they find in it.
type locating struct {
	*Resolver
	reach  func(netip.Addr) bool
	waited time.Time // until which stale answers wait
	all    bool      // both families are waited for

	mu    sync.Mutex
	notes notes
}

// notes are what all lookups of a search have in common.
type notes struct {
	expires time.Time // of what ends first
	stale   bool      // one at least
	failed  error     // of a lookup that got no answer
}

func (r *Resolver) newLocating(reach func(netip.Addr) bool) *locating {
	now := r.deps.Now()
	if reach == nil {
		reach = r.deps.Reach
	}
	return &locating{Resolver: r, reach: reach, waited: now.Add(patience), notes: notes{expires: now.Add(mostTTL)}}
}

// Locate returns the addresses of a server in the order in which they are tried
// (RFC 3263 section 4), at most 64: those that have just failed come behind those
// that have not, those that cannot be reached last. Without answers of the name
// servers it returns what was last known, up to an hour after it should have been
// asked for again. The error wraps ErrNotFound, ErrNoAnswer, ErrNotOffered,
// ErrAliasLoop or ErrBadQuery. A lookup of what was never known takes up to 4 s
// for each name server that is silent, so ctx should have a deadline.
func (r *Resolver) Locate(ctx context.Context, query Query) ([]Target, error) {
	q, literal, err := query.checked()
	if err != nil {
		return nil, fmt.Errorf("locate: %w", err)
	}
	l := r.newLocating(q.Reach)
	if literal.IsValid() {
		s := server{q.standard(), literal.String(), q.Port}
		return r.ordered([]Target{l.seen().target(s, literal, s.host)}, l.reach), nil
	}
	servers, err := l.servers(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("locate %s: %w", q.Host, err)
	}
	targets := l.resolved(ctx, servers, q.Host)
	if len(targets) == 0 {
		if failed := l.seen().failed; failed != nil {
			return nil, fmt.Errorf("locate %s: %w", q.Host, failed)
		}
		return nil, fmt.Errorf("locate %s: %w", q.Host, ErrNotFound)
	}
	return r.ordered(targets, l.reach), nil
}

// servers returns what of RFC 3263 section 4.1 and 4.2 comes before addresses.
func (l *locating) servers(ctx context.Context, q Query) ([]server, error) {
	plain := []server{{q.standard(), q.Host, q.Port}}
	if q.Port != 0 {
		return plain, nil
	}
	transports := []Transport{q.Transport}
	if q.Transport == Any || q.NAPTR {
		list := chooseServices(l.records(ctx, question{q.Host, typeNAPTR}), q.Secure)
		if q.Transport != Any {
			list = slices.DeleteFunc(list, func(s service) bool { return s.transport != q.Transport })
		}
		if servers := l.ofServices(ctx, list); len(servers) > 0 {
			return servers, nil
		}
	}
	if q.Transport == Any {
		transports = []Transport{UDP, TCP, TLS}
		if q.Secure {
			transports = []Transport{TLS}
		}
	}
	var services []service
	for _, t := range transports {
		services = append(services, service{transport: t, name: serviceName(t, q.Host)})
	}
	servers, refused := l.ofService(ctx, services)
	if len(servers) == 0 && refused {
		return nil, ErrNotOffered
	}
	if len(servers) == 0 {
		return plain, nil
	}
	return servers, nil
}

// ofServices returns the servers of NAPTR records: those of the lowest order that
// has any, as a higher one is not for clients that have found a match (RFC 3403
// section 4.1).
func (l *locating) ofServices(ctx context.Context, list []service) []server {
	for len(list) > 0 {
		n := slices.IndexFunc(list, func(s service) bool { return s.order != list[0].order })
		if n < 0 {
			n = len(list)
		}
		if servers, _ := l.ofService(ctx, list[:n]); len(servers) > 0 {
			return servers
		}
		list = list[n:]
	}
	return nil
}

// ofService returns the servers of the SRV records of services, in their order.
// refused says that one of them is not offered.
func (l *locating) ofService(ctx context.Context, services []service) (servers []server, refused bool) {
	found := each(services, func(s service) []record {
		if s.host {
			return nil
		}
		return l.records(ctx, question{s.name, dnsmessage.TypeSRV})
	})
	for i, s := range services {
		if s.host {
			servers = append(servers, server{s.transport, s.name, 0})
			continue
		}
		var list []srv
		for _, r := range found[i] {
			list = append(list, r.srv)
		}
		for _, v := range orderServers(list, l.deps.Random) {
			if v.target == "" || v.port == 0 {
				refused = true
				continue
			}
			servers = append(servers, server{s.transport, v.target, v.port})
		}
	}
	return servers, refused
}

// resolved returns the addresses of servers in their order, each once.
func (l *locating) resolved(ctx context.Context, servers []server, name string) []Target {
	servers = servers[:min(len(servers), maxTargets)]
	found := each(servers, func(s server) []netip.Addr { return l.addresses(ctx, s.host) })
	notes, seen := l.seen(), map[targetKey]bool{}
	var targets []Target
	for i, s := range servers {
		for _, addr := range interleave(found[i], l.reach) {
			t := notes.target(s, addr, name)
			key := targetKey{t.Addr, t.Transport}
			if !seen[key] && len(targets) < maxTargets {
				seen[key] = true
				targets = append(targets, t)
			}
		}
	}
	return targets
}

func (n notes) target(s server, addr netip.Addr, name string) Target {
	if s.port == 0 {
		s.port = s.transport.port()
	}
	return Target{Addr: netip.AddrPortFrom(addr, s.port), Transport: s.transport, Name: name, Server: s.host, Expires: n.expires, Stale: n.stale}
}

// addresses returns the addresses of a host, in both families. Once one family is
// there the other is not waited for long.
func (l *locating) addresses(ctx context.Context, host string) []netip.Addr {
	if host == "localhost" { // RFC 6761 section 6.3
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	if !validName(host) {
		return nil
	}
	results := make(chan []record, 2)
	for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		go func() { results <- l.records(ctx, question{host, kind}) }()
	}
	records := <-results
	var late <-chan time.Time
	if len(records) > 0 && !l.all {
		timer := time.NewTimer(l.resolutionDelay)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case more := <-results:
		records = append(slices.Clone(records), more...)
	case <-late:
		l.note(found{expires: l.deps.Now().Add(leastTTL)}, nil)
	}
	var addrs []netip.Addr
	for _, r := range records {
		addrs = append(addrs, r.addr)
	}
	return addrs
}

// records looks a question up and notes how long the answer holds. Without an
// answer there are none: a name server that does not know SRV or NAPTR knows
// addresses.
func (l *locating) records(ctx context.Context, q question) []record {
	f, err := l.lookup(ctx, q, l.waited)
	if err != nil {
		f = found{expires: l.deps.Now().Add(leastTTL)}
	}
	l.note(f, err)
	return f.records
}

func (l *locating) note(f found, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := &l.notes
	if f.expires.Before(n.expires) {
		n.expires = f.expires
	}
	n.stale = n.stale || f.stale
	if err != nil && (n.failed == nil || !errors.Is(n.failed, ErrNoAnswer)) {
		n.failed = err
	}
}

// seen returns what has been noted. A lookup that is not waited for may still note
// something.
func (l *locating) seen() notes {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.notes
}

// ordered puts what works before what has failed, and both before what has no
// route; besides that the order stays.
func (r *Resolver) ordered(targets []Target, reach func(netip.Addr) bool) []Target {
	rank := make(map[targetKey]int, len(targets))
	for _, t := range targets {
		key := targetKey{t.Addr, t.Transport}
		switch {
		case !reach(t.Addr.Addr()):
			rank[key] = 2
		case r.targets.down(key):
			rank[key] = 1
		}
	}
	slices.SortStableFunc(targets, func(a, b Target) int {
		return rank[targetKey{a.Addr, a.Transport}] - rank[targetKey{b.Addr, b.Transport}]
	})
	return targets
}

// each returns what f makes of the elements of list, all at the same time.
func each[T, R any](list []T, f func(T) R) []R {
	out := make([]R, len(list))
	var wait sync.WaitGroup
	for i, v := range list {
		wait.Go(func() { out[i] = f(v) })
	}
	wait.Wait()
	return out
}
