package web

import (
	"net/http"

	"galilei/pbxd/pbx"
)

// guard returns why the caller may not turn before into after, or nil. Nobody
// deletes themselves, takes their own administration or the own way in. Who is
// no administrator makes none, takes nothing from any, gives nobody, themselves
// included, a module or a permission that they do not have, and sets no PIN or
// password of somebody who may do more.
func guard(before, after *pbx.Config, c *caller) error {
	if after.UserByID(pbx.AdminID) == nil {
		return refuse(http.StatusConflict, "The user admin cannot be deleted.")
	}
	if p := keepsSelf(before, after, c); p != nil {
		return p
	}
	me := before.UserByID(c.user.ID)
	if me == nil {
		return refuse(http.StatusForbidden, "Your user is gone.")
	}
	if !me.Admin {
		if p := guardRights(before, after, me); p != nil {
			return p
		}
	}
	if p := keepsLogin(before, after, c); p != nil {
		return p
	}
	return nil
}

// guardRights is guard for who is no administrator.
func guardRights(before, after *pbx.Config, me *pbx.User) *Problem {
	g := newGrants(before, after, me)
	if p := g.keepsAdministrators(); p != nil {
		return p
	}
	for i := range after.Users {
		if p := g.check(&after.Users[i]); p != nil {
			return p
		}
	}
	return g.keepsRights()
}

// keepsSelf refuses that the caller, or who impersonates, deletes or demotes
// themselves.
func keepsSelf(before, after *pbx.Config, c *caller) *Problem {
	for _, id := range []string{c.user.ID, c.actor.ID} {
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
	for _, id := range []string{c.user.ID, c.actor.ID} {
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

// keepsRights refuses the loss of what an administrator may do.
func (g *grants) keepsRights() *Problem {
	for i := range g.before.cfg.Users {
		was := &g.before.cfg.Users[i]
		if was.Admin && g.loses(was, g.after.cfg.UserByID(was.ID)) {
			return refuse(http.StatusForbidden, "{name} is an administrator and would lose a module, a permission or a group. Only administrators may take those away.", "name", was.Name)
		}
	}
	return nil
}
