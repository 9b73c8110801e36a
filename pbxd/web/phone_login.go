package web

import (
	"errors"
	"net/netip"

	"galilei/pbxd/pbx"
)

// ErrTooManyLogins says that a PIN was not looked at: too many were wrong, or
// too many wait.
var ErrTooManyLogins = errors.New("too many logins")

// phoneActs are what users do at phones, as the audit log names it.
func phoneActs() []string { return []string{"phone-login", "phone-login-failed", "phone-logout"} }

// VerifyPIN checks a PIN that a user has entered at a phone, which was seen at
// an address: one PIN at a time, and with the same back-off as logins to the
// page, so that guesses at both count together. The PIN of a new device is good
// for no phone. The error is ErrTooManyLogins.
func (s *Server) VerifyPIN(u *pbx.User, at netip.Addr, pin pbx.Secret) (bool, error) {
	hash := u.PIN
	if hash == pbx.FactoryPIN {
		hash = ""
	}
	ok, err := s.verify(who{u.Name, true, at}, hash, pin)
	if err != nil {
		return false, ErrTooManyLogins
	}
	return ok, nil
}

// SpendRevision takes one of the revisions that a user may make in an hour, for
// a change by phone, and returns how to give it back when nothing came of it.
// The error says that there is none left.
func (s *Server) SpendRevision(u *pbx.User) (giveBack func(), err error) {
	if u.Admin {
		return func() {}, nil
	}
	if wait := s.commits.take(u.ID, s.Now()); wait > 0 {
		return nil, errTooManyChanges
	}
	return func() { s.commits.giveBack(u.ID) }, nil
}

var errTooManyChanges = errors.New("too many changes within an hour")
