package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// services notes what function codes ask for.
type services struct {
	mu   sync.Mutex
	done []string
	err  error
	slow time.Duration
}

func (s *services) note(ctx context.Context, format string, args ...any) error {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.done = append(s.done, fmt.Sprintf(format, args...))
	return s.err
}

func (s *services) Switch(ctx context.Context, user, phone string, d dialplan.Decision) error {
	return s.note(ctx, "switch %s@%s %s %s off=%v", user, phone, d.Function, d.Argument, d.Off)
}

func (s *services) ChooseNight(ctx context.Context, user, phone string, profile int) error {
	return s.note(ctx, "night %s@%s %d", user, phone, profile)
}

func (s *services) LogIn(ctx context.Context, phone, extension string, pin pbx.Secret) error {
	return s.note(ctx, "login %s@%s %s", extension, phone, pin.Reveal())
}

func (s *services) LogOut(ctx context.Context, phone string) error {
	return s.note(ctx, "logout %s", phone)
}

// coded is a call of the phone of 101, at which 102 is logged in, to a code.
type coded struct {
	*stage
	t        *testing.T
	services *services
	steps    []string
}

// dialCode has the code dialled and gives the test the call once its program
// runs.
func dialCode(t *testing.T, digits string, s *services, act func(c *coded), changes ...func(*pbx.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := pbx.Factory(pbx.Defaults{})
		for _, change := range changes {
			change(cfg)
		}
		c := &coded{t: t, services: s, stage: &stage{caller: &actor{name: "caller"}, phones: map[string][]*actor{}}}
		c.engine = New(Deps{
			Config: func() *pbx.Config { return cfg }, Dialer: c, Now: time.Now, Log: slog.New(slog.DiscardHandler), Publish: func(pbx.Fact) {}, Function: Functions(s),
			Watch: Watch{Traced: func(_ string, _ time.Time, steps []dialplan.Step) {
				c.mu.Lock()
				defer c.mu.Unlock()
				for _, s := range steps {
					c.steps = append(c.steps, s.Message.Text())
				}
			}},
		})
		c.notify = c.engine.Incoming(Incoming{Leg: c.caller, Caller: Party{Number: "102", Name: "Ben"}, Phone: "101", Digits: digits})
		synctest.Wait()
		act(c)
		c.engine.Stop()
		if n := c.engine.Live(); n != 0 {
			t.Errorf("%d calls live on", n)
		}
	})
}

func (c *coded) press(keys string) {
	for _, k := range keys {
		synctest.Wait()
		if err := c.caller.audio.Dial(byte(k), 80); err != nil {
			c.t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// tones is how many sources other than silence were played.
func (c *coded) tones() int {
	c.caller.audio.mu.Lock()
	defer c.caller.audio.mu.Unlock()
	return c.caller.audio.tones
}

// wants checks what was asked for, what the caller's phone saw and what the
// trace says last.
func (c *coded) wants(tones int, step string, done ...string) {
	c.t.Helper()
	synctest.Wait()
	if !slices.Equal(c.services.done, done) {
		c.t.Errorf("done %q, want %q", c.services.done, done)
	}
	if got := c.tones(); got != tones {
		c.t.Errorf("%d tones were played, want %d", got, tones)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.steps, step) {
		c.t.Errorf("no step %q in %q", step, c.steps)
	}
	for _, s := range c.steps {
		if strings.Contains(s, "314159") {
			c.t.Errorf("the trace says the PIN: %s", s)
		}
	}
}

func TestSettingByCode(t *testing.T) {
	for digits, done := range map[string]string{
		"*93": "switch demo102@101 doNotDisturb  off=false", "*92*": "switch demo102@101 callWaiting  off=true",
		"*21105": "switch demo102@101 forwardAlways 105 off=false", "*340730": "switch demo102@101 reminder 0730 off=false",
	} {
		dialCode(t, digits, &services{}, func(c *coded) {
			time.Sleep(10 * time.Second)
			step := "Switched on"
			if strings.HasSuffix(done, "true") {
				step = "Switched off"
			}
			c.wants(1, step, done)
			want(c.t, c.caller, "answer", "hangup 16")
		})
	}
}

// The profile of the night answer service is chosen in the name of who is logged
// in at the phone.
func TestNightServiceByCode(t *testing.T) {
	chooses := func(c *pbx.Config) {
		c.UserByExtension("102").Admin = true // admins have the permission
		c.NightService.Selectable = []string{"3"}
	}
	for digits, x := range map[string]struct {
		err        error
		step, done string
	}{
		"*383": {nil, "Night answer service: profile 3", "night demo102@101 3"},
		"*380": {nil, "Night answer service off", "night demo102@101 0"},
		"*38":  {errors.New("disk"), "This could not be kept: nothing has changed", "night demo102@101 0"},
	} {
		dialCode(t, digits, &services{err: x.err}, func(c *coded) {
			time.Sleep(10 * time.Second)
			c.wants(1, x.step, x.done)
			want(c.t, c.caller, "answer", "hangup 16")
		}, chooses)
	}
}

func TestSettingFails(t *testing.T) {
	dialCode(t, "*93", &services{err: errors.New("disk")}, func(c *coded) {
		time.Sleep(10 * time.Second)
		c.wants(1, "This could not be kept: nothing has changed", "switch demo102@101 doNotDisturb  off=false")
		want(c.t, c.caller, "answer", "hangup 16")
	})
}

// Who hangs up at once has switched all the same.
func TestSettingOutlivesTheCall(t *testing.T) {
	dialCode(t, "*93", &services{slow: time.Second}, func(c *coded) {
		c.notify(Event{Leg: c.caller, Kind: EventEnded, Cause: pbx.CauseNormalClearing})
		time.Sleep(5 * time.Second)
		c.wants(0, "102 hangs up", "switch demo102@101 doNotDisturb  off=false")
	})
}

func TestLogInByCode(t *testing.T) {
	for name, x := range map[string]struct {
		keys  string
		err   error
		pause time.Duration
		pin   string
		step  string
	}{
		"ended by #":        {"314159#", nil, 3 * time.Second, "314159", "103 is logged in at this phone"},
		"ended by a pause":  {"314159", nil, 8 * time.Second, "314159", "103 is logged in at this phone"},
		"ten digits":        {"31415926535", nil, 3 * time.Second, "3141592653", "103 is logged in at this phone"},
		"begun anew":        {"27*314159#", nil, 3 * time.Second, "314159", "103 is logged in at this phone"},
		"other keys":        {"A314!159#", nil, 3 * time.Second, "314159", "103 is logged in at this phone"},
		"wrong":             {"314159#", fmt.Errorf("log in: %w", ErrPIN), 9 * time.Second, "314159", "The PIN is wrong"},
		"too many wrong":    {"314159#", fmt.Errorf("log in: %w", ErrWait), 9 * time.Second, "314159", "Too many PINs were wrong: try again later"},
		"the disk is full":  {"314159#", errors.New("disk"), 9 * time.Second, "314159", "This could not be kept: nothing has changed"},
		"nothing entered":   {"", nil, 30 * time.Second, "", "No PIN was entered"},
		"ended at once":     {"#", nil, 30 * time.Second, "", "No PIN was entered"},
		"taken back at end": {"123*#", nil, 30 * time.Second, "", "No PIN was entered"},
	} {
		dialCode(t, "*0103", &services{err: x.err}, func(c *coded) {
			time.Sleep(time.Second)
			c.press(x.keys)
			time.Sleep(x.pause)
			var done []string
			if x.pin != "" {
				done = []string{"login 103@101 " + x.pin}
			}
			c.wants(2, x.step, done...)
			want(c.t, c.caller, "answer", "hangup 16")
			if t.Failed() {
				t.Logf("in %s", name)
			}
		})
	}
}

func TestLogOutByCode(t *testing.T) {
	dialCode(t, "*0*", &services{}, func(c *coded) {
		time.Sleep(10 * time.Second)
		c.wants(1, "The phone is that of its own user again", "logout 101")
		want(c.t, c.caller, "answer", "hangup 16")
	})
}

// Who hangs up while entering the PIN is not logged in.
func TestHangUpWhileEntering(t *testing.T) {
	dialCode(t, "*0103", &services{}, func(c *coded) {
		time.Sleep(time.Second)
		c.press("3141")
		c.notify(Event{Leg: c.caller, Kind: EventEnded, Cause: pbx.CauseNormalClearing})
		time.Sleep(30 * time.Second)
		c.wants(1, "102 hangs up")
	})
}
