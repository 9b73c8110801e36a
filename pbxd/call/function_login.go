package call

import (
	"context"
	"errors"
	"strings"
	"time"

	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// How a PIN is entered.
const (
	firstKeyTime = 15 * time.Second // until the first digit; the tone ends with it
	nextKeyTime  = 4 * time.Second  // a longer pause ends the PIN
	maxPIN       = 10               // digits
)

// phoneLogin logs a user in at the phone of the caller, or out (F072).
func phoneLogin(s Services) Program {
	return func(on *Conversation) pbx.Cause {
		if on.Decision.Off {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(on.Context()), serviceTime)
			defer cancel()
			if err := s.LogOut(ctx, on.Phone); err != nil {
				on.Log.Warn("phone not logged out", "phone", on.Phone, "err", err)
				on.Step("phone-login", pbx.Say("This could not be kept: nothing has changed"))
				return on.refuse()
			}
			on.Step("phone-login", pbx.Say("The phone is that of its own user again"))
			return on.confirm()
		}
		if !on.Answer() {
			return pbx.CauseNormalClearing
		}
		pin, ok := on.pin()
		if !ok {
			on.Step("phone-login", pbx.Say("No PIN was entered"))
			return on.refuse()
		}
		ctx, cancel := context.WithTimeout(on.Context(), serviceTime)
		defer cancel()
		switch err := s.LogIn(ctx, on.Phone, on.Decision.Argument, pin); {
		case errors.Is(err, ErrPIN):
			on.Step("phone-login", pbx.Say("The PIN is wrong"))
		case errors.Is(err, ErrWait):
			on.Step("phone-login", pbx.Say("Too many PINs were wrong: try again later"))
		case err != nil:
			on.Log.Warn("nobody logged in at the phone", "phone", on.Phone, "err", err)
			on.Step("phone-login", pbx.Say("This could not be kept: nothing has changed"))
		default:
			on.Step("phone-login", pbx.Say("{number} is logged in at this phone", "number", on.Decision.Argument))
			return on.confirm()
		}
		return on.refuse()
	}
}

// pin reads a PIN of digits, which # or a pause ends; * begins anew. It is false
// when there are no digits.
func (on *Conversation) pin() (pbx.Secret, bool) {
	if _, there := on.Play(engine.Silence{}, leadTime, false); !there {
		return "", false
	}
	key, there := on.Tone(attention(&on.Country.Tones), firstKeyTime, true)
	if !there || key == 0 {
		return "", false
	}
	var pin strings.Builder
	for pressed := true; pressed && key != '#'; key, pressed = on.Key(nextKeyTime) {
		switch {
		case key >= '0' && key <= '9':
			pin.WriteByte(key)
		case key == '*':
			pin.Reset()
		}
		if pin.Len() == maxPIN {
			break
		}
	}
	return pbx.Secret(pin.String()), pin.Len() > 0
}
