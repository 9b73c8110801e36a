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

	"galilei/pbxd/pbx"
)

// User is a user as the API shows it: never with PIN or password.
type User struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" maxLength:"26" readOnly:"true"`
	pbx.UserSettings
	Admin          bool   `json:"admin" title:"Administrator" doc:"May administer the device; member of the group Admins"`
	PINSet         bool   `json:"pinSet" title:"PIN set" doc:"Has a PIN and may log in to this page" readOnly:"true"`
	MustChangePIN  bool   `json:"mustChangePin" title:"New PIN at next login" doc:"Must choose a new PIN at the next login"`
	SIPPasswordSet bool   `json:"sipPasswordSet" title:"SIP password set" doc:"Has a SIP password, so phones can register" readOnly:"true"`
	Image          string `json:"image" title:"Image" doc:"Hash of the picture that is shown when the user calls, or empty" maxLength:"64" readOnly:"true"`
	Memberships
	HuntGroups       []string        `json:"huntGroups" title:"Hunt groups" doc:"Hunt groups that call the user" maxItems:"500" maxLength:"26" ref:"huntGroups" readOnly:"true"`
	PredefinedGroups []string        `json:"predefinedGroups" title:"Predefined groups" doc:"Predefined permission groups that the user belongs to" maxItems:"10" maxLength:"26" ref:"permissionGroups" readOnly:"true"`
	Authorisations   []Authorisation `json:"authorisations" title:"Authorisations" doc:"What the user may do by the permission groups" maxItems:"5000" readOnly:"true"`
}

// Memberships are the groups that a user belongs to. They are kept in the
// groups.
type Memberships struct {
	PickupGroups []string `json:"pickupGroups" title:"Pickup groups" doc:"Groups whose members may take each other's calls" maxItems:"500" maxLength:"26" ref:"pickupGroups"`
	UserGroups   []string `json:"userGroups" title:"User groups" doc:"Permission groups of the user beside the predefined ones" maxItems:"500" maxLength:"26" ref:"permissionGroups"`
}

// Authorisation is one permission that a user has by a group (F066).
type Authorisation struct {
	Permission pbx.Permission `json:"permission" title:"Permission" doc:"What the user may do" maxLength:"40"`
	AppliesTo  string         `json:"appliesTo" title:"Apply to" doc:"Name of the group that the permission applies to" maxLength:"50"`
	Group      string         `json:"group" title:"Group" doc:"Name of the group that gives the permission" maxLength:"50"`
}

// UserChange is the body of POST and PUT of users. Absent optional fields stay
// as they are, so that a client which does not know the groups, or has no right
// to read them, takes nobody out; an empty list takes the user out of all.
type UserChange struct {
	pbx.UserSettings
	Admin         *bool       `json:"admin,omitempty" title:"Administrator" doc:"May administer the device. Administrators need no extension."`
	PIN           *pbx.Secret `json:"pin,omitempty" title:"PIN" doc:"PIN to log in to this page: 3 to 10 digits, not all zeros. Six or more are recommended." minLength:"3" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits" writeOnly:"true"`
	MustChangePIN *bool       `json:"mustChangePin,omitempty" title:"New PIN at next login" doc:"The user must choose a new PIN at the next login. With a new PIN this is on unless it is switched off."`
	SIPPassword   *pbx.Secret `json:"sipPassword,omitempty" title:"SIP password" doc:"Password with which phones register: 6 to 64 letters, digits or signs, no spaces. Left empty for a new user, a random one is made." minLength:"6" maxLength:"64" pattern:"^[!-~]+$" patternDescription:"ASCII letters, digits and signs" writeOnly:"true"`
	PickupGroups  *[]string   `json:"pickupGroups,omitempty" title:"Pickup groups" doc:"Groups whose members may take each other's calls" maxItems:"500" maxLength:"26" ref:"pickupGroups"`
	UserGroups    *[]string   `json:"userGroups,omitempty" title:"User groups" doc:"Permission groups of the user beside the predefined ones" maxItems:"500" maxLength:"26" ref:"permissionGroups"`
}

// users is the list of users.
func (s *Server) users() *collection[pbx.User, UserChange, User] {
	return &collection[pbx.User, UserChange, User]{
		one: "user", many: "users", list: "users", what: pbx.Say("User"), tag: "Users", module: "users",
		of:    func(c *pbx.Config) *[]pbx.User { return &c.Users },
		id:    func(u *pbx.User) *string { return &u.ID },
		name:  func(u *pbx.User) string { return u.Name },
		show:  showUser,
		state: stateOfUser,
		check: func(u *pbx.User) error {
			if u.ID == pbx.AdminID {
				return refuse(http.StatusConflict, "The user admin cannot be deleted.")
			}
			return nil
		},
		acts: acts,
		also: func(u *pbx.User) []string {
			if u.Admin {
				return []string{"grant-admin"}
			}
			return nil
		},
		more:  []string{"set-pin", "set-sip-password", "grant-admin", "revoke-admin"},
		edit:  s.editUser,
		fresh: s.newUser,
		done: func(ctx context.Context, id string, err error) {
			if c := callerOf(ctx); id == c.actor.ID {
				s.sessions.settle(c.token, err == nil)
			}
		},
		about: "Takes effect at once. Names and numbers are replaced. PIN, password, rights, pickupGroups and userGroups stay when they are absent; an empty list of groups leaves all of them.",
	}
}

func (s *Server) registerUsers() {
	register(s, operation{id: "reveal-sip-password", method: http.MethodPost, path: "/users/{id}/reveal-sip-password", tag: "Users", module: "users",
		summary: "Show the SIP password", description: "The audit log records who has seen it.",
		errors: []int{http.StatusNotFound, http.StatusConflict}, audits: []string{"reveal-sip-password"}}, s.revealSIPPassword)
	register(s, operation{id: "new-sip-password", method: http.MethodPost, path: "/users/{id}/new-sip-password", tag: "Users", module: "users",
		summary: "Make a new random SIP password", description: "The user's phones must be given the new one. The ETag is that of the user after the change.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired}, audits: []string{"new-sip-password"}}, s.newSIPPassword)
}

// stateOfUser is what a change of a user replaces.
func stateOfUser(cfg *pbx.Config, u *pbx.User) any {
	return struct {
		User *pbx.User
		Memberships
	}{u, membershipsOf(cfg, u.ID)}
}

func tagOfUser(cfg *pbx.Config, u *pbx.User) string { return etag(stateOfUser(cfg, u)) }

func showUser(cfg *pbx.Config, u *pbx.User) User {
	v := User{ID: u.ID, UserSettings: u.UserSettings, Admin: u.Admin, PINSet: u.PIN != "", MustChangePIN: mustChangePIN(u), SIPPasswordSet: u.SIPPassword != "",
		Image: u.Image, Memberships: membershipsOf(cfg, u.ID), HuntGroups: []string{}, PredefinedGroups: []string{}, Authorisations: authorisationsOf(cfg, u)}
	for i := range cfg.HuntGroups {
		for _, m := range cfg.HuntGroups[i].Members {
			if m.User == u.ID {
				v.HuntGroups = append(v.HuntGroups, cfg.HuntGroups[i].ID)
				break
			}
		}
	}
	for i := range cfg.PermissionGroups {
		if g := &cfg.PermissionGroups[i]; g.Predefined() && g.Has(u) {
			v.PredefinedGroups = append(v.PredefinedGroups, g.ID)
		}
	}
	return v
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

func noUser() error {
	return refuse(http.StatusNotFound, "There is no such user. It may have been deleted.")
}

// secrets are the sealed forms of what a change sets, made once outside of the
// commit.
type secrets struct {
	pin         pbx.PINHash
	sipPassword pbx.Sealed
	wrong       []ProblemDetail // what cannot be sealed
}

// seal checks and seals the secrets of a change for the user with that ID.
func (s *Server) seal(id string, c *UserChange) (x secrets) {
	if c.PIN != nil {
		if rule := pbx.CheckPIN(c.PIN.Reveal()); !rule.IsZero() {
			x.wrong = append(x.wrong, detailOf("body.pin", rule))
		}
	}
	if c.SIPPassword != nil {
		if rule := checkSIPPassword(c.SIPPassword.Reveal()); !rule.IsZero() {
			x.wrong = append(x.wrong, detailOf("body.sipPassword", rule))
		}
	}
	if x.wrong != nil {
		return x // the rest of the change is judged, but never made
	}
	if c.PIN != nil {
		x.pin = s.pins.Hash(*c.PIN)
	}
	if c.SIPPassword != nil {
		x.sipPassword = s.Store.Key().Seal(pbx.SIPPasswordPurpose(id), *c.SIPPassword)
	}
	return x
}

// apply makes the change to u and to the groups of cfg. It returns the fields
// that it refuses.
func (c *UserChange) apply(cfg *pbx.Config, u *pbx.User, x secrets) (wrong []ProblemDetail) {
	u.UserSettings = c.UserSettings
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
	return append(slices.Clone(x.wrong), setMemberships(cfg, u.ID, c.PickupGroups, c.UserGroups)...)
}

// newUser prepares a new user. One without a given SIP password gets a random
// one.
func (s *Server) newUser(_ context.Context, id string, in *UserChange) (func(*pbx.Config, *pbx.User) error, error) {
	x := s.seal(id, in)
	if x.sipPassword == "" {
		x.sipPassword = s.Store.Key().Seal(pbx.SIPPasswordPurpose(id), pbx.NewSIPPassword())
	}
	return func(cfg *pbx.Config, u *pbx.User) error { return invalidIfAny(in.apply(cfg, u, x)) }, nil
}

func (s *Server) editUser(ctx context.Context, id string, in *UserChange) (func(*pbx.Config, *pbx.User) error, error) {
	x := s.seal(id, in)
	c := callerOf(ctx)
	if x.pin != "" && id == c.actor.ID {
		s.sessions.announce(c.token, x.pin)
		if in.MustChangePIN == nil {
			in.MustChangePIN = new(false) // who sets the own PIN has chosen it
		}
	}
	return func(cfg *pbx.Config, u *pbx.User) error {
		was := *u
		wrong := in.apply(cfg, u, x)
		if u.ID == pbx.AdminID && u.Name != pbx.AdminID {
			wrong = append(wrong, detailOf("body.user", pbx.Say("cannot be changed for admin")))
			u.Name = pbx.AdminID // is not refused a second time as a device without admin
		}
		if was.Admin && !u.Admin {
			switch u.ID {
			case pbx.AdminID:
				wrong = append(wrong, detailOf("body.admin", pbx.Say("cannot be taken from admin")))
				u.Admin = true
			case c.user.ID, c.actor.ID:
				wrong = append(wrong, detailOf("body.admin", pbx.Say("cannot be taken from oneself")))
				u.Admin = true
			}
		}
		return invalidIfAny(wrong)
	}, nil
}

// acts names what a change of a user did, for the audit log; nothing when it
// did nothing.
func acts(before, after *pbx.User) (list []string) {
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
	rest := *after
	rest.PIN, rest.SIPPassword, rest.Admin = before.PIN, before.SIPPassword, before.Admin
	if before.PIN != after.PIN {
		rest.MustChangePIN = before.MustChangePIN // part of setting it
	}
	if !reflect.DeepEqual(&rest, before) {
		list = append(list, "change-user")
	}
	return list
}
