// Package reminder calls users at the times that they have set (F096).
package reminder

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// How reminders go.
const (
	attempts  = 3                // ringings until a reminder is given up
	again     = 5 * time.Minute  // from one to the next
	late      = 10 * time.Minute // a reminder that was missed by less rings late
	firstYear = 2025             // before it the clock is not set
	tick      = time.Second
	longest   = 20 * time.Second // between two looks: the clock may be set meanwhile
)

// Store keeps which reminders are done, so that none comes twice or is lost with
// a restart.
type Store interface {
	ReminderDone(ctx context.Context, user string) (due time.Time, err error)
	SetReminderDone(ctx context.Context, user string, due time.Time) error
}

// Deps is what reminders need.
type Deps struct {
	Config func() *pbx.Config
	Store  Store
	// Ring begins to ring the phones of a user and tells done once how it ended;
	// neither blocks. An error means that done is not told.
	Ring func(u *pbx.User, done func(answered bool)) error
	// SwitchOff switches the reminder of a user off, unless its time is another
	// by now.
	SwitchOff func(ctx context.Context, user, at string) error
	Now       func() time.Time
	Log       *slog.Logger
}

// Reminders calls users.
type Reminders struct {
	deps    Deps
	last    time.Time         // until which reminders have been looked for
	unset   bool              // the log says that the clock is not set
	going   map[string]*round // by ID of the user
	answers chan answer
	wake    chan struct{} // somebody has set a reminder

	mu  sync.Mutex
	set map[string]time.Time // users whose reminder is another, since when
}

// round is one reminder on its way.
type round struct {
	due     time.Time
	at      string // as it was set
	rung    int
	next    time.Time // of the next ringing; zero while it rings
	number  int       // of the ringing
	expires time.Time // when a ringing that nobody tells the end of is given up
}

type answer struct {
	user     string
	due      time.Time
	number   int
	answered bool
}

// New returns reminders that wait for Run.
func New(d Deps) *Reminders {
	return &Reminders{deps: d, going: map[string]*round{}, answers: make(chan answer, 256), wake: make(chan struct{}, 1), set: map[string]time.Time{}}
}

// Configured follows a new configuration; it does not block. A reminder that was
// set just now does not ring for a time that has passed.
func (r *Reminders) Configured(old, new *pbx.Config) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range new.Users {
		u := &new.Users[i]
		was := old.UserByID(u.ID)
		if u.Calls.Reminder && (was == nil || !was.Calls.Reminder || was.Calls.ReminderAt != u.Calls.ReminderAt) {
			r.set[u.ID] = r.deps.Now()
			select {
			case r.wake <- struct{}{}:
			default:
			}
		}
	}
}

// Run calls users until ctx ends.
func (r *Reminders) Run(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			t.Reset(r.look(ctx))
		case <-r.wake:
			t.Reset(r.look(ctx))
		case a := <-r.answers:
			r.ended(ctx, a)
		case <-ctx.Done():
			return
		}
	}
}

// look finds the reminders that are due and rings. It returns when to look
// again.
func (r *Reminders) look(ctx context.Context) (wait time.Duration) {
	now := r.deps.Now()
	r.note(ctx)
	if now.Year() < firstYear {
		if !r.unset {
			r.deps.Log.Warn("the clock is not set: no reminder rings until it is")
		}
		r.unset, r.last = true, time.Time{}
		return longest
	}
	r.unset = false
	// After a start, and when the clock leaps ahead, as far back as may ring late.
	from := r.last
	if from.Before(now.Add(-late)) || from.After(now) {
		from = now.Add(-late)
	}
	cfg := r.deps.Config()
	zone, err := time.LoadLocation(cfg.Locale.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	wait = longest
	for i := range cfg.Users {
		u := &cfg.Users[i]
		due, ok := u.Calls.NextReminder(from, zone)
		switch {
		case !ok || u.Extension == "" || r.going[u.ID] != nil || !cfg.Holds(u, pbx.PermitReminder):
		case due.After(now):
			wait = min(wait, due.Sub(now))
		default:
			r.begin(ctx, u, due, now)
			wait = tick // for the one after it
		}
	}
	r.last = now
	for id, x := range r.going {
		r.goOn(ctx, cfg.UserByID(id), id, x, now)
	}
	if len(r.going) > 0 {
		return tick
	}
	return max(wait, time.Millisecond)
}

// note keeps that what was due before a reminder was set is done.
func (r *Reminders) note(ctx context.Context) {
	r.mu.Lock()
	set := r.set
	r.set = map[string]time.Time{}
	r.mu.Unlock()
	for id, since := range set {
		delete(r.going, id)
		if err := r.deps.Store.SetReminderDone(ctx, id, since); err != nil {
			r.deps.Log.Error("a reminder that was set is not noted: it may ring for a time that has passed", "user", id, "err", err)
		}
	}
}

// begin starts the reminder of a user unless it is done.
func (r *Reminders) begin(ctx context.Context, u *pbx.User, due, now time.Time) {
	done, err := r.deps.Store.ReminderDone(ctx, u.ID)
	if err != nil {
		r.deps.Log.Error("whether a reminder is done is not known: it rings", "user", u.ID, "err", err)
	}
	if err == nil && !due.After(done) && done.Sub(due) < 24*time.Hour { // later by more: noted by a clock that was wrong
		return
	}
	r.going[u.ID] = &round{due: due, at: u.Calls.ReminderAt, next: now}
}

// goOn rings when it is time, or gives up.
func (r *Reminders) goOn(ctx context.Context, u *pbx.User, id string, x *round, now time.Time) {
	switch {
	case u == nil || !u.Calls.Reminder || u.Calls.ReminderAt != x.at:
		delete(r.going, id) // deleted, switched off or set anew meanwhile
	case x.next.IsZero() && now.After(x.expires):
		r.ended(ctx, answer{id, x.due, x.number, false})
	case !x.next.IsZero() && (!now.Before(x.next) || x.next.Sub(now) > again): // or the clock was set back
		r.ring(ctx, u, x, now)
	}
}

func (r *Reminders) ring(ctx context.Context, u *pbx.User, x *round, now time.Time) {
	x.rung++
	x.number++
	x.next, x.expires = time.Time{}, now.Add(again)
	told := answer{user: u.ID, due: x.due, number: x.number}
	err := r.deps.Ring(u, func(answered bool) {
		told.answered = answered
		select {
		case r.answers <- told:
		default: // given up when it expires
		}
	})
	if err != nil {
		r.deps.Log.Warn("a reminder could not ring", "extension", u.Extension, "err", err)
		r.ended(ctx, told)
	}
}

// ended follows the end of a ringing.
func (r *Reminders) ended(ctx context.Context, a answer) {
	x := r.going[a.user]
	if x == nil || !x.due.Equal(a.due) || x.number != a.number || !x.next.IsZero() {
		return
	}
	if !a.answered && x.rung < attempts {
		x.next = r.deps.Now().Add(again)
		return
	}
	delete(r.going, a.user)
	if !a.answered {
		r.deps.Log.Info("a reminder was given up: nobody answered", "user", a.user, "times", x.rung)
	}
	if err := r.deps.Store.SetReminderDone(ctx, a.user, x.due); err != nil {
		r.deps.Log.Error("a reminder that is done is not noted: it may come again", "user", a.user, "err", err)
	}
	u := r.deps.Config().UserByID(a.user)
	if u == nil || u.Calls.ReminderDaily {
		return
	}
	if err := r.deps.SwitchOff(ctx, a.user, x.at); err != nil {
		r.deps.Log.Error("a reminder that has come is not switched off", "user", a.user, "err", err)
	}
}
