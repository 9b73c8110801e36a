package license

import (
	"time"

	"galilei/pbxd/pbx"
)

// Device is what a licence is held against.
type Device struct {
	Model    pbx.Model
	Serial   string // in any form; NormalSerial is applied
	Required bool   // the board needs a licence before users are added
}

// Status is where a device stands with its licence.
type Status string

// The states of a device.
const (
	NotRequired Status = "notRequired" // the model's full limits hold, whatever was uploaded
	Missing     Status = "missing"     // none was uploaded
	Active      Status = "active"
	Expired     Status = "expired"
	Foreign     Status = "foreign" // it is for another device, as after restoring a backup of one
)

// State says what the licence allows.
type State struct {
	Status   Status
	Code     string   // to read to the vendor
	MaxUsers int      // users with an extension; 0 means no limit
	License  *License // nil when none was uploaded
	Problem  error    // one of this package's errors for people unless Status is NotRequired or Active
}

// Limits returns the model with what the licence leaves of it, and where the
// device stands. A licence never gives more than the hardware has. Without a
// valid one the model stays as it is, so that the phones that there are go on
// working; AllowUsers then refuses new ones.
func Limits(d Device, l *License, now time.Time) (pbx.Model, State) {
	s := State{Status: NotRequired, Code: Code(d.Model.Name, d.Serial), MaxUsers: d.Model.MaxUsers, License: l}
	if !d.Required {
		return d.Model, s
	}
	if l == nil {
		s.Status, s.Problem = Missing, MissingError{s.Code}
		return d.Model, s
	}
	s.Status, s.Problem = Active, l.CheckFor(d.Model.Name, d.Serial, now)
	switch s.Problem.(type) {
	case nil:
	case ExpiredError:
		s.Status = Expired
		return d.Model, s
	default:
		s.Status = Foreign
		return d.Model, s
	}
	if s.MaxUsers == 0 || l.Users < s.MaxUsers {
		s.MaxUsers = l.Users
	}
	m := d.Model
	m.MaxUsers = s.MaxUsers
	return m, s
}

// AllowUsers says whether the licence lets the number of users with an extension
// go from before to after; the same number stands for a change of a user. Users
// may always be deleted. The error is State.Problem or UsersError. A device whose
// licence became smaller keeps the users that it has, so whether a whole
// configuration is valid must be judged by the hardware's model, whose limit no
// licence is to blame for, and what a change adds by this.
func (s State) AllowUsers(before, after int) error {
	switch {
	case after < before:
		return nil
	case s.Problem != nil:
		return s.Problem
	case s.Status == Active && after > before && after > s.License.Users:
		return UsersError{Users: after, Max: s.License.Users}
	}
	return nil
}
