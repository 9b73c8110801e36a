package reminder

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// office is a device whose user 101 wants to be reminded.
type office struct {
	t       *testing.T
	mu      sync.Mutex
	cfg     *pbx.Config
	ahead   time.Duration // of the clock of the device before that of the bubble, which begins in 2000
	done    map[string]time.Time
	rung    []string
	answers []bool // of the next ringings; then nobody answers
	silent  bool   // no end of a ringing is told
	refuses error  // of Ring
	r       *Reminders
	stop    func()
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Add(o.ahead)
}

func (o *office) config() *pbx.Config {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cfg
}

func (o *office) ReminderDone(_ context.Context, user string) (time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done[user], nil
}

func (o *office) SetReminderDone(_ context.Context, user string, due time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done[user] = due
	return nil
}

// change commits what the user 101 sets.
func (o *office) change(set func(*pbx.UserCalls)) {
	o.mu.Lock()
	old := o.cfg
	o.cfg = old.Clone()
	set(&o.cfg.UserByID("demo101").Calls)
	next, r := o.cfg, o.r
	o.mu.Unlock()
	if r != nil {
		r.Configured(old, next)
	}
}

func (o *office) ring(u *pbx.User, done func(bool)) error {
	at := o.now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuses != nil {
		return o.refuses
	}
	zone, _ := time.LoadLocation(o.cfg.Locale.TimeZone)
	o.rung = append(o.rung, u.Extension+"@"+at.In(zone).Format("02 15:04:05"))
	if o.silent {
		return nil
	}
	answered := len(o.answers) > 0 && o.answers[0]
	o.answers = o.answers[min(1, len(o.answers)):]
	time.AfterFunc(20*time.Second, func() { done(answered) })
	return nil
}

func (o *office) switchOff(_ context.Context, user, at string) error {
	o.change(func(c *pbx.UserCalls) {
		if c.ReminderAt == at {
			c.Reminder = false
		}
	})
	return nil
}

// start runs the reminders, as after a restart.
func (o *office) start() {
	r := New(Deps{Config: o.config, Store: o, Ring: o.ring, SwitchOff: o.switchOff, Now: o.now, Log: slog.New(slog.NewTextHandler(o.t.Output(), nil))})
	o.mu.Lock()
	o.r = r
	o.mu.Unlock()
	ctx, cancel := context.WithCancel(o.t.Context())
	over := make(chan struct{})
	go func() { r.Run(ctx); close(over) }()
	o.stop = func() { cancel(); <-over }
	synctest.Wait()
}

func (o *office) answer(next []bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers = next
}

func (o *office) wants(rung string, on bool) {
	o.t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := strings.Join(o.rung, " "); got != rung {
		o.t.Errorf("rang %s, want %s", got, rung)
	}
	if got := o.cfg.UserByID("demo101").Calls.Reminder; got != on {
		o.t.Errorf("the reminder is on: %v", got)
	}
	o.rung = nil
}

// run has a test begin on 2 November 2026 at a time of Berlin, with a reminder
// at 07:30.
func run(t *testing.T, at string, test func(o *office)) {
	synctest.Test(t, func(t *testing.T) {
		c := pbx.Factory(pbx.Defaults{})
		c.Locale.TimeZone = "Europe/Berlin"
		o := &office{t: t, cfg: c, done: map[string]time.Time{}}
		begin, err := time.Parse(time.RFC3339, "2026-11-02T"+at+"+01:00")
		if err != nil {
			t.Fatal(err)
		}
		o.ahead = time.Until(begin)
		o.change(func(c *pbx.UserCalls) { c.Reminder, c.ReminderAt = true, "07:30" })
		o.start()
		defer func() { o.stop() }()
		test(o)
	})
}

func TestAnswered(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		o.answer([]bool{true})
		time.Sleep(48 * time.Hour)
		o.wants("101@02 07:30:00", false)
	})
}

func TestDaily(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		o.change(func(c *pbx.UserCalls) { c.ReminderDaily = true })
		o.answer([]bool{true, false, true})
		time.Sleep(48 * time.Hour)
		o.wants("101@02 07:30:00 101@03 07:30:00 101@03 07:35:20", true)
	})
}

func TestNobodyAnswers(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		time.Sleep(2 * time.Hour)
		o.wants("101@02 07:30:00 101@02 07:35:20 101@02 07:40:40", false)
	})
}

// A ringing whose end nobody tells does not hold up the rest.
func TestNobodyTells(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		o.mu.Lock()
		o.silent = true
		o.mu.Unlock()
		time.Sleep(2 * time.Hour)
		o.wants("101@02 07:30:00 101@02 07:40:01 101@02 07:50:02", false)
	})
}

func TestNoCallCanBegin(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		o.mu.Lock()
		o.refuses = errors.New("too many calls")
		o.mu.Unlock()
		time.Sleep(33 * time.Minute)
		o.mu.Lock()
		o.refuses, o.answers = nil, []bool{true}
		o.mu.Unlock()
		time.Sleep(time.Hour)
		o.wants("101@02 07:35:00", false)
	})
}

func TestSwitchedOffMeanwhile(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		time.Sleep(31 * time.Minute)
		o.change(func(c *pbx.UserCalls) { c.Reminder = false })
		time.Sleep(time.Hour)
		o.wants("101@02 07:30:00", false)
	})
}

func TestWithoutPermission(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		o.mu.Lock()
		for i := range o.cfg.PermissionGroups {
			g := &o.cfg.PermissionGroups[i]
			g.Permissions = slices.DeleteFunc(g.Permissions, func(p pbx.GroupPermission) bool { return p.Permission == pbx.PermitReminder })
		}
		o.mu.Unlock()
		time.Sleep(time.Hour)
		o.wants("", true)
	})
}

// What is set for a time that has passed is for tomorrow, also when the device
// restarts soon after.
func TestSetAfterTheTime(t *testing.T) {
	run(t, "07:00:00", func(o *office) {
		o.change(func(c *pbx.UserCalls) { c.ReminderAt = "06:58" })
		time.Sleep(time.Minute)
		o.stop()
		o.start()
		time.Sleep(time.Hour)
		o.wants("", true)
		o.answer([]bool{true})
		time.Sleep(24 * time.Hour)
		o.wants("101@03 06:58:00", false)
	})
}

func TestRestart(t *testing.T) {
	for off, want := range map[time.Duration]string{
		9 * time.Minute: "101@02 07:38:59", 11 * time.Minute: "101@03 07:30:00",
	} {
		run(t, "07:29:59", func(o *office) {
			o.stop()
			o.answer([]bool{true})
			time.Sleep(off)
			o.start()
			time.Sleep(25 * time.Hour)
			o.wants(want, false)
		})
	}
	// One that was answered does not come again.
	run(t, "07:29:00", func(o *office) {
		o.change(func(c *pbx.UserCalls) { c.ReminderDaily = true })
		o.answer([]bool{true})
		time.Sleep(2 * time.Minute)
		o.stop()
		o.start()
		time.Sleep(time.Hour)
		o.wants("101@02 07:30:00", true)
	})
}

func TestClockNotSet(t *testing.T) {
	run(t, "07:29:00", func(o *office) {
		o.mu.Lock()
		set := o.ahead
		o.ahead = time.Until(time.Date(1970, 1, 1, 6, 29, 0, 0, time.UTC))
		o.answers = []bool{true}
		o.mu.Unlock()
		time.Sleep(2 * time.Minute)
		o.wants("", true)
		o.mu.Lock()
		o.ahead = set
		o.mu.Unlock()
		time.Sleep(time.Minute)
		o.wants("101@02 07:31:20", false)
	})
}

// A clock that is set back rings no reminder twice; one that leaps ahead rings
// what was due in the last minutes.
func TestClockIsSet(t *testing.T) {
	run(t, "07:29:00", func(o *office) {
		o.change(func(c *pbx.UserCalls) { c.ReminderDaily = true })
		o.answer([]bool{true, true})
		time.Sleep(2 * time.Minute)
		o.mu.Lock()
		o.ahead -= time.Hour
		o.mu.Unlock()
		time.Sleep(2 * time.Hour)
		o.wants("101@02 07:30:00", true)
		o.mu.Lock()
		o.ahead += 23*time.Hour + 3*time.Minute // to 07:34 of the next day
		o.mu.Unlock()
		time.Sleep(time.Minute)
		o.wants("101@03 07:34:01", true)
	})
}
