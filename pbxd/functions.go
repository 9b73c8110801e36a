package pbxd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
	"galilei/pbxd/reminder"
	"galilei/pbxd/web"
)

// quickDialTime is how long a call waits for the contacts.
const quickDialTime = time.Second

// quickDial looks up the number of a quick dial for a call.
func (p *PBX) quickDial(user, quickdial string) *pbx.QuickDial {
	ctx, cancel := context.WithTimeout(context.Background(), quickDialTime)
	defer cancel()
	found, err := p.store.QuickDial(ctx, user, quickdial)
	if err != nil {
		p.deps.Log.Error("quick dial not found", "err", err)
	}
	return found
}

// services does what function codes ask for.
type services struct{ *PBX }

var errNotPermitted = errors.New("the permission is gone")

// ChooseNight commits the profile of the night answer service in the name of the
// user who has dialled it.
func (p services) ChooseNight(ctx context.Context, user, phone string, profile int) error {
	u := p.config().UserByID(user)
	if u == nil {
		return fmt.Errorf("choose night profile %d: there is no user %q any more", profile, user)
	}
	giveBack, err := p.web.SpendRevision(u)
	if err != nil {
		return fmt.Errorf("choose night profile %d for %s: %w", profile, u.Name, err)
	}
	same := true
	night := pbx.NightService{Profile: profile}
	_, err = p.store.Commit(ctx, u.Name, night.Chosen(), func(c *pbx.Config) error {
		now := c.UserByID(user)
		if now == nil || !c.Holds(now, pbx.PermitSetNightService) || !c.NightService.UsersMay(profile) {
			return errNotPermitted
		}
		same = c.NightService.Profile == profile
		c.NightService.Profile = profile
		return nil
	})
	if err != nil || same {
		giveBack()
	}
	if err != nil {
		return fmt.Errorf("choose night profile %d for %s: %w", profile, u.Name, err)
	}
	if !same {
		p.audit(ctx, u.Name, "change-night-service", strconv.Itoa(profile), phone)
	}
	return nil
}

// Switch commits what a user sets by code, in the user's name.
func (p services) Switch(ctx context.Context, user, phone string, d dialplan.Decision) error {
	u := p.config().UserByID(user)
	if u == nil {
		return fmt.Errorf("switch %s: there is no user %q any more", d.Function, user)
	}
	giveBack, err := p.web.SpendRevision(u)
	if err != nil {
		return fmt.Errorf("switch %s for %s: %w", d.Function, u.Name, err)
	}
	same := true
	_, err = p.store.Commit(ctx, u.Name, pbx.Say("Own call settings of {name} changed", "name", u.Name), func(c *pbx.Config) error {
		now := c.UserByID(user)
		if now == nil || !c.May(now, d.Function.Permission(), now) {
			return errNotPermitted
		}
		was := now.Calls
		now.Calls.Switch(d.Function, d.Argument, d.Off)
		same = now.Calls == was
		return nil
	})
	if err != nil || same {
		giveBack()
	}
	if err != nil {
		return fmt.Errorf("switch %s for %s: %w", d.Function, u.Name, err)
	}
	if !same {
		p.audit(ctx, u.Name, "change-own-calls", u.Name, phone)
	}
	return nil
}

// LogIn logs a user in at a phone when the PIN is right.
func (p services) LogIn(ctx context.Context, phone, extension string, pin pbx.Secret) error {
	cfg := p.config()
	u := cfg.UserByExtension(extension)
	if u == nil || !cfg.Holds(u, pbx.PermitHotDesking) {
		return fmt.Errorf("log %s in at the phone of %s: %w", extension, phone, errNotPermitted)
	}
	ok, err := p.web.VerifyPIN(u, p.addressOf(phone), pin)
	switch {
	case errors.Is(err, web.ErrTooManyLogins):
		return fmt.Errorf("log %s in at the phone of %s: %w", extension, phone, call.ErrWait)
	case err != nil:
		return fmt.Errorf("log %s in at the phone of %s: %w", extension, phone, err)
	case !ok:
		p.audit(ctx, u.Name, "phone-login-failed", u.Name, phone)
		return fmt.Errorf("log %s in at the phone of %s: %w", extension, phone, call.ErrPIN)
	}
	if err := p.edge.LogIn(ctx, phone, u.ID); err != nil {
		return err
	}
	p.audit(ctx, u.Name, "phone-login", u.Name, phone)
	return nil
}

// LogOut gives a phone back to its own user.
func (p services) LogOut(ctx context.Context, phone string) error {
	if err := p.edge.LogOut(ctx, phone); err != nil {
		return err
	}
	if u := p.config().UserByExtension(phone); u != nil {
		p.audit(ctx, u.Name, "phone-logout", u.Name, phone)
	}
	return nil
}

// audit notes what a user did at a phone.
func (p *PBX) audit(ctx context.Context, actor, action, object, phone string) {
	from := ""
	if a := p.addressOf(phone); a.IsValid() {
		from = a.String()
	}
	if err := p.store.Audit(ctx, pbx.AuditEntry{Time: p.deps.Now(), Actor: actor, Action: action, Object: object, From: from}); err != nil {
		p.deps.Log.Error("act not noted in the audit log", "action", action, "err", err)
	}
}

// addressOf is where the phone of an extension was last seen; not valid when it
// is not registered.
func (p *PBX) addressOf(phone string) netip.Addr {
	at, _ := netip.ParseAddrPort(p.edge.SeenAt(phone))
	return at.Addr().Unmap()
}

// reminderRing is for how long a reminder rings.
const reminderRing = time.Minute

// newReminders returns the reminders of the users. The engine is made after
// them.
func (p *PBX) newReminders() *reminder.Reminders {
	return reminder.New(reminder.Deps{
		Config: p.config, Store: p.store, Now: p.deps.Now, Log: p.deps.Log.With("part", "reminders"),
		Ring: func(u *pbx.User, done func(answered bool)) error {
			_, err := p.engine.Originate(call.Origination{
				Extension: u.Extension, Caller: call.Party{Number: p.config().FunctionCodes.Reminder, Name: reminderName(p.config(), u)},
				RingTime: reminderRing, Program: call.Remind, Done: func(c pbx.Cause) { done(c == 0) },
			})
			return err
		},
		SwitchOff: p.reminderOff,
	})
}

// reminderName is what the phone shows while a reminder rings, in the language
// of the user.
func reminderName(c *pbx.Config, u *pbx.User) string {
	language, word := u.Language, "Reminder"
	if language == "" {
		language = c.Locale.Language
	}
	if language == "de" {
		word = "Erinnerung"
	}
	return word + " " + u.Calls.ReminderAt
}

// reminderOff switches off a reminder that has come, unless it was set anew.
func (p *PBX) reminderOff(ctx context.Context, user, at string) error {
	name := user
	if u := p.config().UserByID(user); u != nil {
		name = u.Name
	}
	_, err := p.store.Commit(ctx, name, pbx.Say("Own reminder of {name} switched off, since it has come", "name", name), func(c *pbx.Config) error {
		if u := c.UserByID(user); u != nil && u.Calls.ReminderAt == at && !u.Calls.ReminderDaily {
			u.Calls.Reminder = false
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("switch off the reminder of %s: %w", name, err)
	}
	return nil
}
