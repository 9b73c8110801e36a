package web

import (
	"net/http"

	"galilei/pbxd/pbx"
)

// guard returns why the caller may not turn before into after, or nil. Nobody
// deletes themselves or takes their own administration. Who is no
// administrator touches none, makes none, and gives nobody, themselves
// included, a module or a permission that they do not have.
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
	if me.Admin {
		return nil
	}
	if p := keepsAdministrators(before, after); p != nil {
		return p
	}
	g := newGrants(before, after, me)
	for i := range after.Users {
		if p := g.check(&after.Users[i]); p != nil {
			return p
		}
	}
	return nil
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

func keepsAdministrators(before, after *pbx.Config) *Problem {
	known := usersByID(before)
	for i := range before.Users {
		was := &before.Users[i]
		if !was.Admin {
			continue
		}
		if is := after.UserByID(was.ID); is == nil || !sameUser(was, is) {
			return refuse(http.StatusForbidden, "{name} is an administrator. Only administrators may change or delete administrators.", "name", was.Name)
		}
	}
	for i := range after.Users {
		u := &after.Users[i]
		if was := known[u.ID]; u.Admin && (was == nil || !was.Admin) {
			return refuse(http.StatusForbidden, "Only administrators may make {name} an administrator.", "name", u.Name)
		}
	}
	return nil
}
