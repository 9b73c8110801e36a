package call

import (
	"context"
	"errors"
	"strconv"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// Services does what function codes ask for beyond the call. Its methods may
// wait for the disk: programs call them.
type Services interface {
	// Switch changes what a user, by ID, sets for the own calls, as a decision of
	// the dialplan says. phone is the extension of the phone that asks.
	Switch(ctx context.Context, user, phone string, d dialplan.Decision) error
	// ChooseNight chooses the profile of the night answer service, 0 for none, for
	// a user, by ID.
	ChooseNight(ctx context.Context, user, phone string, profile int) error
	// LogIn logs the user of an extension in at a phone, by its extension. The
	// error wraps ErrPIN or ErrWait when the PIN or its time is to blame.
	LogIn(ctx context.Context, phone, extension string, pin pbx.Secret) error
	// LogOut gives a phone, by its extension, back to its own user.
	LogOut(ctx context.Context, phone string) error
}

// Errors of Services.
var (
	ErrPIN  = errors.New("the PIN is wrong")
	ErrWait = errors.New("too many PINs were wrong; it takes a while until the next is looked at")
)

// Times of functions.
const (
	serviceTime  = 20 * time.Second       // that Services may take
	leadTime     = 300 * time.Millisecond // until the phone that was answered is ready to be heard at
	confirmTime  = 2 * time.Second
	errorTime    = 4 * time.Second
	reminderTime = 20 * time.Second
)

// Functions returns the programs that answer function codes, for Deps.Function.
func Functions(s Services) func(dialplan.Decision) Program {
	return func(d dialplan.Decision) Program {
		switch d.Function {
		case pbx.FunctionPhoneLogin:
			return phoneLogin(s)
		case pbx.FunctionNightService:
			return nightService(s)
		case pbx.FunctionCallWaiting, pbx.FunctionDoNotDisturb, pbx.FunctionReminder,
			pbx.FunctionForwardAlways, pbx.FunctionForwardBusy, pbx.FunctionForwardNoAnswer, pbx.FunctionForwardUnregistered:
			return setting(s)
		}
		return nil
	}
}

// setting switches what the caller sets for the own calls. It is done also when
// the caller hangs up at once.
func setting(s Services) Program {
	return func(on *Conversation) pbx.Cause {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(on.Context()), serviceTime)
		defer cancel()
		if err := s.Switch(ctx, on.User, on.Phone, on.Decision); err != nil {
			return on.notKept(err)
		}
		if on.Decision.Off {
			on.Step("function-code", pbx.Say("Switched off"))
		} else {
			on.Step("function-code", pbx.Say("Switched on"))
		}
		return on.confirm()
	}
}

// nightService chooses the profile that was dialled after the code, for
// everybody.
func nightService(s Services) Program {
	return func(on *Conversation) pbx.Cause {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(on.Context()), serviceTime)
		defer cancel()
		night := pbx.NightService{}
		if !on.Decision.Off {
			night.Profile, _ = strconv.Atoi(on.Decision.Argument) // the dialplan has looked at it
		}
		if err := s.ChooseNight(ctx, on.User, on.Phone, night.Profile); err != nil {
			return on.notKept(err)
		}
		on.Step("night-service", night.Chosen())
		return on.confirm()
	}
}

// notKept ends with the tone for what came to nothing.
func (on *Conversation) notKept(err error) pbx.Cause {
	on.Log.Warn("setting not switched by code", "function", on.Decision.Function, "err", err)
	on.Step("function-code", pbx.Say("This could not be kept: nothing has changed"))
	return on.refuse()
}

// Remind is the program that a user talks with who has answered a reminder: a
// tone, until the user hangs up or presses a key.
func Remind(on *Conversation) pbx.Cause {
	if _, there := on.Play(engine.Silence{}, leadTime, false); there {
		on.Tone(attention(&on.Country.Tones), reminderTime, true)
	}
	return pbx.CauseNormalClearing
}

// confirm answers, lets the caller hear that a code was accepted, and ends.
func (on *Conversation) confirm() pbx.Cause {
	tone := on.Country.Tones.Confirmation
	if !tone.Known() {
		tone = attention(&on.Country.Tones)
	}
	return on.say(tone, confirmTime)
}

// refuse answers, lets the caller hear that a code came to nothing, and ends.
func (on *Conversation) refuse() pbx.Cause {
	tone := on.Country.Tones.Congestion
	if !tone.Known() {
		tone = on.Country.Tones.Busy
	}
	return on.say(tone, errorTime)
}

// say answers, plays a tone and ends.
func (on *Conversation) say(tone pbx.Tone, length time.Duration) pbx.Cause {
	if !on.Answer() {
		return pbx.CauseNormalClearing
	}
	if _, there := on.Play(engine.Silence{}, leadTime, false); there {
		on.Tone(tone, length, false)
	}
	return pbx.CauseNormalClearing
}

// attention is the tone for which somebody is to do something: the stutter tone
// until there are announcements.
func attention(t *pbx.Tones) pbx.Tone {
	if t.StutterDial.Known() {
		return t.StutterDial
	}
	return t.Dial
}
