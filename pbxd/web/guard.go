package web

import (
	"net/http"
	"slices"

	"galilei/pbxd/pbx"
)

// guard returns why the caller may not turn before into after, or nil. Nobody
// deletes themselves, takes their own administration or the own way in. Who is
// no administrator makes none, takes nothing from any, gives nobody, themselves
// included, a module or a permission that they do not have, and sets no PIN or
// password of somebody who may do more, deletes them or takes anything from
// them. Who impersonates changes only what they may change themselves, too:
// what is changed stays when the impersonation is over.
func guard(before, after *pbx.Config, c *caller) error {
	if after.UserByID(pbx.AdminID) == nil {
		return refuse(http.StatusConflict, "The user admin cannot be deleted.")
	}
	if p := keepsSelf(before, after, c); p != nil {
		return p
	}
	for _, id := range c.ids() {
		me := before.UserByID(id)
		if me == nil {
			return refuse(http.StatusForbidden, "Your user is gone.")
		}
		if me.Admin {
			continue
		}
		if p := guardRights(before, after, me, c.user.ID); p != nil {
			return p
		}
	}
	if p := keepsLogin(before, after, c); p != nil {
		return p
	}
	return nil
}

// guardRights is guard for who is no administrator and acts as the user with the
// ID as, who may be they themselves.
func guardRights(before, after *pbx.Config, me *pbx.User, as string) *Problem {
	g := newGrants(before, after, me)
	if p := g.keepsAdministrators(); p != nil {
		return p
	}
	for i := range after.Users {
		if p := g.check(&after.Users[i]); p != nil {
			return p
		}
	}
	return g.keepsRights(as)
}

// keepsSelf refuses that the caller, or who impersonates, deletes or demotes
// themselves.
func keepsSelf(before, after *pbx.Config, c *caller) *Problem {
	for _, id := range c.ids() {
		was, is := before.UserByID(id), after.UserByID(id)
		switch {
		case was == nil:
		case is == nil:
			return refuse(http.StatusConflict, "You would delete yourself. Ask another administrator.")
		case was.Admin && !is.Admin:
			return refuse(http.StatusConflict, "You would no longer be an administrator and lock yourself out. Ask another administrator.")
		}
	}
	return nil
}

// keepsLogin refuses that the caller, or who impersonates, can no longer log in.
func keepsLogin(before, after *pbx.Config, c *caller) *Problem {
	for _, id := range c.ids() {
		was, is := before.UserByID(id), after.UserByID(id)
		if was != nil && is != nil && mayLogIn(before, was) && !mayLogIn(after, is) {
			return refuse(http.StatusConflict, "You could no longer log in. Leave yourself a GUI group with the module {module}.", "module", "login")
		}
	}
	return nil
}

// keepsAdministrators refuses any change of an administrator, and a new one.
func (g *grants) keepsAdministrators() *Problem {
	for i := range g.before.cfg.Users {
		was := &g.before.cfg.Users[i]
		if !was.Admin {
			continue
		}
		is := g.after.cfg.UserByID(was.ID)
		if is == nil || !sameUser(was, is) {
			return refuse(http.StatusForbidden, "{name} is an administrator. Only administrators may change or delete administrators.", "name", was.Name)
		}
	}
	for i := range g.after.cfg.Users {
		u := &g.after.cfg.Users[i]
		if was := g.known[u.ID]; u.Admin && (was == nil || !was.Admin) {
			return refuse(http.StatusForbidden, "Only administrators may make {name} an administrator.", "name", u.Name)
		}
	}
	return nil
}

// keepsRights refuses the loss of what an administrator may do, and that those
// who may do more than the caller lose anything: with less they would be covered,
// and the caller could set their PIN next. The picture of the user with the ID as
// is the caller's to change.
func (g *grants) keepsRights(as string) *Problem {
	next := usersByID(g.after.cfg)
	for i := range g.before.cfg.Users {
		was := &g.before.cfg.Users[i]
		is := next[was.ID]
		switch {
		case was.Admin:
			if g.loses(was, is) {
				return refuse(http.StatusForbidden, "{name} is an administrator and would lose a module, a permission or a group. Only administrators may take those away.", "name", was.Name)
			}
		case g.covers(was):
		case is == nil:
			return refuse(http.StatusForbidden, "{name} may do more than you. Only who has all modules and permissions of {name} may delete {name}. Ask an administrator.", "name", was.Name)
		case g.loses(was, is):
			return refuse(http.StatusForbidden, "{name} may do more than you and would lose a module, a permission or a group. Only who has all modules and permissions of {name} may take those away. Ask an administrator.", "name", was.Name)
		case was.Calls != is.Calls && was.ID != as: // where somebody's calls go
			return refuse(http.StatusForbidden, "{name} may do more than you. Only who has all modules and permissions of {name} may change the call settings. Ask an administrator.", "name", was.Name)
		case losesOwn(was, is) || losesPicture(was, is) && was.ID != as:
			return refuse(http.StatusForbidden, "{name} may do more than you. Only who has all modules and permissions of {name} may change the login name, the extension, the e-mail address or the picture, or take a number away. Ask an administrator.", "name", was.Name)
		}
	}
	return nil
}

// losesOwn reports whether a user loses the way in, the extension, the address
// that voice messages go to, or a number.
func losesOwn(was, is *pbx.User) bool {
	gone := func(had, has []string) bool {
		return slices.ContainsFunc(had, func(number string) bool { return !slices.Contains(has, number) })
	}
	return was.Name != is.Name || was.Extension != is.Extension || was.Email != is.Email ||
		gone(was.VoicemailBoxes, is.VoicemailBoxes) || gone(was.CLIPInternal, is.CLIPInternal) || gone(was.CLIPExternal, is.CLIPExternal)
}

func losesPicture(was, is *pbx.User) bool { return was.Image != "" && was.Image != is.Image }
