// Package toll keeps what calls to the outside use up of the limits of calls: how
// many a user has at a time, and the minutes of a day to other countries and to
// premium numbers, of each user and each gateway. It tells before a limit is
// reached and ends calls when it is.
package toll

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// Deps is what a ledger needs. None of its functions may call the ledger, save
// that Tell and what Begin is given may.
type Deps struct {
	Config func() *pbx.Config // the current configuration
	// Spoken sums up what was spoken from a time on in calls that ended until
	// another one, from the call records.
	Spoken func(ctx context.Context, since, until time.Time) ([]pbx.Spoken, error)
	// Tell says that a limit is almost or wholly used up: once a day for each, and
	// again when it was raised and is reached again. It does not block.
	Tell func(pbx.TollAlarm)
	Now  func() time.Time
	Log  *slog.Logger
}

// Ledger is the account of a device. Its methods may be called from any goroutine
// and do not block.
type Ledger struct {
	deps   Deps
	wake   chan struct{} // there is something to look at
	begun  time.Time     // by the monotonic clock: calls from then on are counted here
	loaded bool          // what was spoken before the start counts; of Run

	mu       sync.Mutex
	day      day
	calls    map[uint64]*talk
	number   uint64              // of the last call
	accounts map[holder]*account // those of today, and those with calls
}

// holder is whose account it is.
type holder struct {
	user, gateway string // IDs; one of them is ""
}

// account is what somebody has used up.
type account struct {
	calls  int // that go on
	spoken map[pbx.TollClass]time.Duration
	told   map[pbx.TollClass]told
}

// told is what was told of a limit.
type told struct {
	near, reached bool
}

// talk is a call to the outside.
type talk struct {
	holders [2]holder // the user, the gateway
	class   pbx.TollClass
	since   time.Time // from which it counts for today; zero before it is answered
	over    func(why pbx.Message)
	cut     bool // over was called
}

// New returns a ledger that nothing was used up of. Run makes it count.
func New(d Deps) *Ledger {
	return &Ledger{deps: d, begun: time.Now(), wake: make(chan struct{}, 1), calls: map[uint64]*talk{}, accounts: map[holder]*account{}}
}

func (l *Ledger) account(h holder) *account {
	a := l.accounts[h]
	if a == nil {
		a = &account{spoken: map[pbx.TollClass]time.Duration{}, told: map[pbx.TollClass]told{}}
		l.accounts[h] = a
	}
	return a
}

// Begin takes a call into account that is about to leave, on behalf of a user and
// over a gateway, both by ID. When a limit of the user forbids it the ticket is 0
// and there are steps to tell and a cause. over is called from another goroutine
// when a limit of minutes is reached while they talk.
func (l *Ledger) Begin(user, gateway string, class pbx.TollClass, over func(why pbx.Message)) (ticket uint64, said []pbx.Message, refused pbx.Cause) {
	cfg := l.deps.Config()
	name := user
	if u := cfg.UserByID(user); u != nil {
		name = u.Label()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(cfg)
	who, where := holder{user: user}, holder{gateway: gateway}
	if said, refused = cfg.Toll.User(name, class, l.state(who)); refused != 0 {
		return 0, said, refused
	}
	l.number++
	l.calls[l.number] = &talk{holders: [2]holder{who, where}, class: class, over: over}
	l.account(who).calls++
	l.account(where).calls++
	return l.number, said, 0
}

// Answered says that they talk from now on.
func (l *Ledger) Answered(ticket uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(l.deps.Config())
	if t := l.calls[ticket]; t != nil && t.since.IsZero() {
		t.since = l.deps.Now()
		if t.class.Limited() {
			l.look()
		}
	}
}

// End says that a call is over, answered or not.
func (l *Ledger) End(ticket uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(l.deps.Config())
	t := l.calls[ticket]
	if t == nil {
		return
	}
	delete(l.calls, ticket)
	for _, h := range t.holders {
		a := l.account(h)
		a.calls--
		a.spoken[t.class] += t.spoken(l.deps.Now())
	}
	if t.class.Limited() {
		l.look()
	}
}

// spoken is how long a call has counted for today.
func (t *talk) spoken(now time.Time) time.Duration {
	if t.since.IsZero() || !t.class.Limited() {
		return 0
	}
	return max(now.Sub(t.since), 0)
}

// UserToll returns what a user, by ID, has used up.
func (l *Ledger) UserToll(user string) pbx.TollState { return l.used(holder{user: user}) }

// GatewayToll returns what was used up over a gateway, by ID.
func (l *Ledger) GatewayToll(gateway string) pbx.TollState { return l.used(holder{gateway: gateway}) }

func (l *Ledger) used(h holder) pbx.TollState {
	cfg := l.deps.Config()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(cfg)
	return l.state(h)
}

// state is what a holder has used up, calls that go on included. The caller holds
// l.mu.
func (l *Ledger) state(h holder) (s pbx.TollState) {
	a := l.accounts[h]
	if a == nil {
		return s
	}
	s = pbx.TollState{Calls: a.calls, Foreign: a.spoken[pbx.TollForeign], Premium: a.spoken[pbx.TollPremium]}
	now := l.deps.Now()
	for _, t := range l.calls {
		if t.holders[0] == h || t.holders[1] == h {
			switch t.class {
			case pbx.TollForeign:
				s.Foreign += t.spoken(now)
			case pbx.TollPremium:
				s.Premium += t.spoken(now)
			}
		}
	}
	return s
}

// Configured says that the limits, the time zone or the names may have changed.
func (l *Ledger) Configured() { l.look() }

// look has Run look at the limits.
func (l *Ledger) look() {
	select {
	case l.wake <- struct{}{}:
	default: // it is about to
	}
}
