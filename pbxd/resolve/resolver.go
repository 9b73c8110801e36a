package resolve

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Deps is what a resolver needs.
type Deps struct {
	// Servers returns the name servers, the best first; four are used. It is asked
	// for each lookup, so that a change takes effect at once, and must be quick.
	Servers func() []netip.AddrPort
	// Reach is that of queries without one; nil: HasRoute.
	Reach func(netip.Addr) bool
	// Random returns a number from 0 to n-1, for the weights of SRV records; nil:
	// at random.
	Random func(n int) int
	Now    func() time.Time
	Log    *slog.Logger
}

// Resolver finds servers. Its methods may be called from any goroutine.
type Resolver struct {
	deps     Deps
	base     context.Context // questions end with it, not with the call that asked
	exchange exchange
	targets  *health[targetKey]
	servers  *health[netip.AddrPort]
	// resolutionDelay is how long the addresses of one family wait for those of
	// the other, which some name servers never answer for (RFC 8305 section 3).
	resolutionDelay time.Duration

	mu         sync.Mutex
	used       []netip.AddrPort // name servers of the last lookup
	generation int              // how often they have changed
	cache      map[question]*entry
	flights    map[flightKey]*flight
	uses       int64 // counts lookups, for who was used last
	followed   map[string]*followed
	searches   int           // for followed names, on their way
	wake       chan struct{} // the followed names have changed
}

// targetKey is what health is kept of: the same address may work over UDP alone.
type targetKey struct {
	addr      netip.AddrPort
	transport Transport
}

// New returns a resolver; its questions end with ctx.
func New(ctx context.Context, d Deps) *Resolver {
	if d.Reach == nil {
		d.Reach = HasRoute
	}
	if d.Random == nil {
		d.Random = rand.IntN
	}
	return &Resolver{
		deps: d, base: ctx, exchange: overNetwork,
		targets: newHealth[targetKey](d.Now), servers: newHealth[netip.AddrPort](d.Now),
		resolutionDelay: 500 * time.Millisecond,
		cache:           map[question]*entry{}, flights: map[flightKey]*flight{},
		followed: map[string]*followed{}, wake: make(chan struct{}, 1),
	}
}

// Failed remembers that a target does not work (RFC 3263 section 4.3), so that
// others of its server come before it: for as long as wait says, one hour at most
// (Retry-After of RFC 3261), or with 0 for 30 s, and up to 5 minutes when it goes
// on to fail.
func (r *Resolver) Failed(t Target, wait time.Duration) {
	r.targets.fail(targetKey{t.Addr, t.Transport}, wait)
}

// Works remembers that a target works.
func (r *Resolver) Works(t Target) {
	r.targets.works(targetKey{t.Addr, t.Transport})
}
