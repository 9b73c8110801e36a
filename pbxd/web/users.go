package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// User is a user as the API shows it: never with PIN or password.
type User struct {
	ID string `json:"id" doc:"Stable identifier" readOnly:"true"`
	pbx.UserSettings
	Admin          bool `json:"admin" doc:"May administer the device"`
	PINSet         bool `json:"pinSet" doc:"Has a PIN and may log in to this page" readOnly:"true"`
	MustChangePIN  bool `json:"mustChangePin" doc:"Must choose a new PIN at the next login"`
	SIPPasswordSet bool `json:"sipPasswordSet" doc:"Has a SIP password, so phones can register" readOnly:"true"`
}

// UserChange is the body of POST and PUT of users. Absent optional fields stay
// as they are.
type UserChange struct {
	pbx.UserSettings
	Admin         *bool       `json:"admin,omitempty" doc:"May administer the device. Administrators need no extension."`
	PIN           *pbx.Secret `json:"pin,omitempty" doc:"PIN to log in to this page: 3 to 10 digits, not all zeros. Six or more are recommended." minLength:"3" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits" writeOnly:"true"`
	MustChangePIN *bool       `json:"mustChangePin,omitempty" doc:"The user must choose a new PIN at the next login. With a new PIN this is on unless it is switched off."`
	SIPPassword   *pbx.Secret `json:"sipPassword,omitempty" doc:"Password with which phones register: 6 to 64 letters, digits or signs, no spaces. Left empty for a new user, a random one is made." minLength:"6" maxLength:"64" pattern:"^[!-~]+$" patternDescription:"ASCII letters, digits and signs" writeOnly:"true"`
}

// UserPath is the path parameter of one user.
type UserPath struct {
	ID string `path:"id" doc:"Identifier of the user" maxLength:"26"`
}

// IfMatch makes a change depend on the state that the client has seen.
type IfMatch struct {
	Tag string `header:"If-Match" doc:"ETag of the entry that the change is made from; another one answers 412"`
}

type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

type created struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     User
}

func (s *Server) registerUsers() {
	register(s, operation{id: "list-users", method: http.MethodGet, path: "/users", tag: "Users", access: accessAdmin,
		summary: "List users"}, s.listUsers)
	register(s, operation{id: "create-user", method: http.MethodPost, path: "/users", tag: "Users", access: accessAdmin, status: http.StatusCreated,
		summary: "Add a user", errors: []int{http.StatusUnprocessableEntity}}, s.createUser)
	register(s, operation{id: "get-user", method: http.MethodGet, path: "/users/{id}", tag: "Users", access: accessAdmin,
		summary: "One user", errors: []int{http.StatusNotFound}}, s.getUser)
	register(s, operation{id: "change-user", method: http.MethodPut, path: "/users/{id}", tag: "Users", access: accessAdmin,
		summary: "Change a user", description: "Takes effect at once. Names and numbers are replaced; PIN, password and rights stay when they are absent.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity}}, s.changeUser)
	register(s, operation{id: "delete-user", method: http.MethodDelete, path: "/users/{id}", tag: "Users", access: accessAdmin, status: http.StatusNoContent,
		summary: "Delete a user", description: "Ends the user's logins and registrations at once. The user admin and oneself cannot be deleted.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}}, s.deleteUser)
	register(s, operation{id: "reveal-sip-password", method: http.MethodPost, path: "/users/{id}/reveal-sip-password", tag: "Users", access: accessAdmin,
		summary: "Show the SIP password", description: "The audit log records who has seen it.",
		errors: []int{http.StatusNotFound, http.StatusConflict}}, s.revealSIPPassword)
	register(s, operation{id: "new-sip-password", method: http.MethodPost, path: "/users/{id}/new-sip-password", tag: "Users", access: accessAdmin,
		summary: "Make a new random SIP password", description: "The user's phones must be given the new one. The ETag is that of the user after the change.",
		errors: []int{http.StatusNotFound, http.StatusPreconditionFailed}}, s.newSIPPassword)
}

func showUser(u *pbx.User) User {
	return User{ID: u.ID, UserSettings: u.UserSettings, Admin: u.Admin, PINSet: u.PIN != "", MustChangePIN: mustChangePIN(u), SIPPasswordSet: u.SIPPassword != ""}
}

// etag identifies the state of a value, secrets included, without telling it.
func etag(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("value of type %T cannot be written as JSON: %v", v, err)) // all are plain structs
	}
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// check answers 412 when the client's change is made from another state
// (RFC 9110 section 13.1.1).
func (m IfMatch) check(v any) error {
	if m.Tag == "" || m.Tag == "*" {
		return nil
	}
	now := etag(v)
	for t := range strings.SplitSeq(m.Tag, ",") {
		if strings.TrimSpace(t) == now {
			return nil
		}
	}
	return huma.Error412PreconditionFailed("Somebody else has changed this in the meantime.")
}

func noUser() error { return huma.Error404NotFound("There is no such user.") }

func (s *Server) listUsers(context.Context, *none) (*answer[[]User], error) {
	cfg, _ := s.Store.Current()
	list := make([]User, len(cfg.Users))
	for i := range cfg.Users {
		list[i] = showUser(&cfg.Users[i])
	}
	return &answer[[]User]{list}, nil
}

func (s *Server) getUser(_ context.Context, in *UserPath) (*tagged[User], error) {
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	if u == nil {
		return nil, noUser()
	}
	return &tagged[User]{etag(u), showUser(u)}, nil
}

// secrets are the sealed forms of what a change sets, made once outside of the
// commit.
type secrets struct {
	pin         pbx.PINHash
	sipPassword pbx.Sealed
}

// seal checks and seals the secrets of a change for the user with that ID.
func (s *Server) seal(id string, c *UserChange) (x secrets, err error) {
	var wrong []error
	if c.PIN != nil {
		if rule := pbx.CheckPIN(c.PIN.Reveal()); !rule.IsZero() {
			wrong = append(wrong, &huma.ErrorDetail{Location: "body.pin", Message: rule.Text()})
		}
	}
	if c.SIPPassword != nil {
		if rule := checkSIPPassword(c.SIPPassword.Reveal()); rule != "" {
			wrong = append(wrong, &huma.ErrorDetail{Location: "body.sipPassword", Message: rule})
		}
	}
	if wrong != nil {
		return x, huma.Error422UnprocessableEntity("Some values are not valid.", wrong...)
	}
	if c.PIN != nil {
		x.pin = s.pins.Hash(*c.PIN)
	}
	if c.SIPPassword != nil {
		x.sipPassword = s.Store.Key().Seal(pbx.SIPPasswordPurpose(id), *c.SIPPassword)
	}
	return x, nil
}

// apply makes the change to u.
func (c *UserChange) apply(u *pbx.User, x secrets) {
	u.UserSettings = c.UserSettings
	for _, list := range []*[]string{&u.VoicemailBoxes, &u.CLIPInternal, &u.CLIPExternal} {
		if *list == nil {
			*list = []string{}
		}
	}
	if c.Admin != nil {
		u.Admin = *c.Admin
	}
	if x.pin != "" {
		u.PIN, u.MustChangePIN = x.pin, true
	}
	if c.MustChangePIN != nil {
		u.MustChangePIN = *c.MustChangePIN || u.PIN == pbx.FactoryPIN
	}
	if x.sipPassword != "" {
		u.SIPPassword = x.sipPassword
	}
}

func (s *Server) createUser(ctx context.Context, in *struct{ Body body[UserChange] }) (*created, error) {
	c := callerOf(ctx)
	change := &in.Body.value
	u := pbx.User{ID: pbx.NewID()}
	x, err := s.seal(u.ID, change)
	if err != nil {
		return nil, err
	}
	if x.sipPassword == "" {
		x.sipPassword = s.Store.Key().Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
	}
	change.apply(&u, x)
	at := 0
	_, err = s.Store.Commit(ctx, c.user.Name, "User "+u.Name+" added", func(cfg *pbx.Config) error {
		at = len(cfg.Users)
		cfg.Users = append(cfg.Users, u)
		return nil
	})
	if err != nil {
		return nil, refusedAt(err, fmt.Sprintf("users[%d].", at))
	}
	s.record(ctx, c.user.Name, "add-user", u.Name)
	if u.Admin {
		s.record(ctx, c.user.Name, "grant-admin", u.Name)
	}
	return &created{etag(u), apiPrefix + "/users/" + u.ID, showUser(&u)}, nil
}

func (s *Server) changeUser(ctx context.Context, in *struct {
	UserPath
	IfMatch
	Body body[UserChange]
}) (*tagged[User], error) {
	c := callerOf(ctx)
	change := &in.Body.value
	cfg, _ := s.Store.Current()
	if cfg.UserByID(in.ID) == nil {
		return nil, noUser()
	}
	x, err := s.seal(in.ID, change)
	if err != nil {
		return nil, err
	}
	if x.pin != "" && in.ID == c.user.ID {
		s.sessions.announce(c.token, x.pin)
		if change.MustChangePIN == nil {
			change.MustChangePIN = new(false) // who sets the own PIN has chosen it
		}
	}
	at := -1
	var before, changed pbx.User
	_, err = s.Store.Commit(ctx, c.user.Name, "User "+change.Name+" changed", func(cfg *pbx.Config) error {
		at = slices.IndexFunc(cfg.Users, func(u pbx.User) bool { return u.ID == in.ID })
		if at < 0 {
			return noUser()
		}
		u := &cfg.Users[at]
		if err := in.check(*u); err != nil {
			return err
		}
		before = *u
		change.apply(u, x)
		switch {
		case u.ID == adminID && u.Name != adminID:
			return invalidField("user", "cannot be changed for admin")
		case !u.Admin && u.ID == adminID:
			return invalidField("admin", "cannot be taken from admin")
		case !u.Admin && u.ID == c.user.ID:
			return invalidField("admin", "cannot be taken from oneself")
		}
		changed = *u
		return nil
	})
	if x.pin != "" && in.ID == c.user.ID {
		s.sessions.settle(c.token, err == nil)
	}
	if err != nil {
		return nil, refusedAt(err, fmt.Sprintf("users[%d].", at))
	}
	for _, act := range acts(before, changed) {
		s.record(ctx, c.user.Name, act, changed.Name)
	}
	return &tagged[User]{etag(changed), showUser(&changed)}, nil
}

// acts names what a change of a user did, for the audit log; nothing when it
// did nothing.
func acts(before, after pbx.User) (list []string) {
	if before.PIN != after.PIN {
		list = append(list, "set-pin")
	}
	if before.SIPPassword != after.SIPPassword {
		list = append(list, "set-sip-password")
	}
	switch {
	case after.Admin && !before.Admin:
		list = append(list, "grant-admin")
	case before.Admin && !after.Admin:
		list = append(list, "revoke-admin")
	}
	rest := after
	rest.PIN, rest.SIPPassword, rest.Admin = before.PIN, before.SIPPassword, before.Admin
	if before.PIN != after.PIN {
		rest.MustChangePIN = before.MustChangePIN // part of setting it
	}
	if !reflect.DeepEqual(rest, before) {
		list = append(list, "change-user")
	}
	return list
}

// adminID is both the ID and the login name of the administrator that every
// device has (F056).
const adminID = "admin"

func (s *Server) deleteUser(ctx context.Context, in *struct {
	UserPath
	IfMatch
}) (*none, error) {
	c := callerOf(ctx)
	switch in.ID {
	case adminID:
		return nil, huma.Error409Conflict("The user admin cannot be deleted.")
	case c.user.ID:
		return nil, huma.Error409Conflict("You cannot delete yourself.")
	}
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	if u == nil {
		return nil, noUser()
	}
	_, err := s.Store.Commit(ctx, c.user.Name, "User "+u.Name+" deleted", func(cfg *pbx.Config) error {
		now := cfg.UserByID(in.ID)
		if now == nil {
			return noUser()
		}
		if err := in.check(*now); err != nil {
			return err
		}
		cfg.Users = slices.DeleteFunc(cfg.Users, func(u pbx.User) bool { return u.ID == in.ID })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete user %s: %w", u.Name, err)
	}
	s.record(ctx, c.user.Name, "delete-user", u.Name)
	return &none{}, nil
}
