package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"galilei/pbxd/pbx"
)

// ErrTooManyLogins says that a PIN was not looked at: too many were wrong, or
// too many wait.
var ErrTooManyLogins = errors.New("too many logins")

// registerPhoneLogin registers what the page does to log-ins at phones.
func (s *Server) registerPhoneLogin() {
	const summary, description = "Give a phone back", "The user is logged out of the phone of another, which is that of its own user again, and is reached at the own one. Who is logged in nowhere stays so, so that it needs no If-Match."
	register(s, operation{id: "log-out-own-phone", method: http.MethodPost, path: "/profile/log-out-phone", tag: "Profile", module: "home", status: http.StatusNoContent,
		summary: summary, description: description, errors: []int{http.StatusServiceUnavailable}},
		func(ctx context.Context, _ *none) (*none, error) {
			u := callerOf(ctx).user
			return s.logOutPhone(ctx, &u)
		})
	register(s, operation{id: "log-out-phone", method: http.MethodPost, path: "/users/{id}/log-out-phone", tag: "Users", module: "users", status: http.StatusNoContent,
		summary: summary, description: description, errors: []int{http.StatusNotFound, http.StatusServiceUnavailable}},
		func(ctx context.Context, in *EntryPath) (*none, error) {
			cfg, _ := s.Store.Current()
			u := cfg.UserByID(in.ID)
			if u == nil {
				return nil, noUser()
			}
			return s.logOutPhone(ctx, u)
		})
}

func (s *Server) logOutPhone(ctx context.Context, u *pbx.User) (*none, error) {
	if u.Extension == "" {
		return &none{}, nil
	}
	if s.LogOutPhone == nil {
		return nil, refuse(http.StatusServiceUnavailable, "Nobody can be logged out of a phone now.")
	}
	if err := s.LogOutPhone(ctx, u.Extension); err != nil {
		return nil, fmt.Errorf("log %s out of a phone: %w", u.Name, err)
	}
	s.record(ctx, "phone-logout", u.Name)
	return &none{}, nil
}

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
