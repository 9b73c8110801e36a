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
	g := grants{before: before, after: after, me: me, modules: before.ModulesOf(me), pairs: pairsOf(before, me)}
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
		if was := before.UserByID(u.ID); u.Admin && (was == nil || !was.Admin) {
			return refuse(http.StatusForbidden, "Only administrators may make {name} an administrator.", "name", u.Name)
		}
	}
	return nil
}

// grants compares what users may do before and after a change.
type grants struct {
	before, after *pbx.Config
	me            *pbx.User // who makes the change, as before
	modules       map[string]bool
	pairs         map[pbx.GroupPermission]bool
}

// check returns what u gains that the caller does not have, or nil. A user who
// is new starts with what the predefined groups gave before.
func (g *grants) check(u *pbx.User) *Problem {
	was, known := g.before.UserByID(u.ID), true
	if was == nil {
		was, known = u, false
	}
	had, has := g.before.ModulesOf(was), g.after.ModulesOf(u)
	for _, m := range pbx.Modules() {
		if has[m.ID] && !had[m.ID] && !g.modules[m.ID] {
			return refuse(http.StatusForbidden, "{name} would get the module {module}, which you do not have yourself. Ask an administrator.", "name", u.Name, "module", m.ID)
		}
	}
	held := pairsOf(g.before, was)
	for p := range pairsOf(g.after, u) {
		if !held[p] && !g.holds(p) {
			return refuse(http.StatusForbidden, "{name} would get the permission {permission}, which you do not have yourself. Ask an administrator.", "name", u.Name, "permission", string(p.Permission))
		}
	}
	if known {
		return g.checkTarget(was, u)
	}
	return nil
}

// checkTarget refuses that u comes into a group that somebody has a permission
// towards, unless the caller has that permission towards u already.
func (g *grants) checkTarget(was, u *pbx.User) *Problem {
	for i := range g.after.PermissionGroups {
		to := &g.after.PermissionGroups[i]
		if to.Predefined() || !to.Has(u) {
			continue
		}
		if old := g.before.PermissionGroupByID(to.ID); old != nil && old.Has(was) {
			continue
		}
		for j := range g.after.PermissionGroups {
			for _, p := range g.after.PermissionGroups[j].Permissions {
				if p.AppliesTo == to.ID && !g.before.May(g.me, p.Permission, was) {
					return refuse(http.StatusForbidden, "In the group {group}, {name} would be subject to the permission {permission}, which you do not have towards {name}. Ask an administrator.",
						"group", to.Name, "name", u.Name, "permission", string(p.Permission))
				}
			}
		}
	}
	return nil
}

// holds reports whether the caller has a permission towards a group, or
// towards all users.
func (g *grants) holds(p pbx.GroupPermission) bool {
	if g.pairs[p] {
		return true
	}
	to := g.after.PermissionGroupByID(p.AppliesTo)
	return to != nil && to.Type == "user" && g.pairs[pbx.GroupPermission{Permission: p.Permission, AppliesTo: pbx.GroupAllUsers}]
}

// pairsOf returns the permissions of u and the groups that they apply to.
// Show GUI is left out: what it gives are the modules.
func pairsOf(cfg *pbx.Config, u *pbx.User) map[pbx.GroupPermission]bool {
	pairs := map[pbx.GroupPermission]bool{}
	for i := range cfg.PermissionGroups {
		g := &cfg.PermissionGroups[i]
		if !g.Has(u) {
			continue
		}
		for _, p := range g.Permissions {
			if p.Permission != pbx.PermitShowGUI {
				pairs[p] = true
			}
		}
	}
	return pairs
}
