package web

import (
	"net/http"
	"slices"

	"galilei/pbxd/pbx"
)

// grants compares what users may do before and after a change. What many users
// have in common, since they are in the same groups, is worked out once.
type grants struct {
	before, after *rights
	known         map[string]*pbx.User // before, by ID
	me            *pbx.User            // who makes the change, as before
	mine          *granted
	covered       map[*granted]bool // what the caller has all of
}

func newGrants(before, after *pbx.Config, me *pbx.User) *grants {
	g := &grants{before: newRights(before), after: newRights(after), known: usersByID(before), me: me, covered: map[*granted]bool{}}
	g.mine = g.before.of(me)
	return g
}

// usersByID finds users by their ID.
func usersByID(cfg *pbx.Config) map[string]*pbx.User {
	all := make(map[string]*pbx.User, len(cfg.Users))
	for i := range cfg.Users {
		all[cfg.Users[i].ID] = &cfg.Users[i]
	}
	return all
}

// check returns what u gains that the caller does not have, or nil. A user who
// is new starts with what the predefined groups gave before.
func (g *grants) check(u *pbx.User) *Problem {
	was, known := g.known[u.ID], true
	if was == nil {
		was, known = u, false
	}
	had, has := g.before.of(was), g.after.of(u)
	for _, m := range has.modules {
		if !had.shows[m] && !g.mine.shows[m] {
			return refuse(http.StatusForbidden, "{name} would get the module {module}, which you do not have yourself. Ask an administrator.", "name", u.Name, "module", m)
		}
	}
	for p := range has.pairs {
		if !had.pairs[p] && !g.holds(p) {
			return refuse(http.StatusForbidden, "{name} would get the permission {permission}, which you do not have yourself. Ask an administrator.", "name", u.Name, "permission", string(p.Permission))
		}
	}
	if !known {
		return nil
	}
	if (was.PIN != u.PIN || mustChangePIN(was) != mustChangePIN(u) || was.SIPPassword != u.SIPPassword) && !g.covers(was) {
		return mayMore(was)
	}
	return g.checkTarget(was, u)
}

// mayActAs reports whether the caller, and who impersonates them, may learn or
// set what u logs in with.
func mayActAs(cfg *pbx.Config, c *caller, u *pbx.User) bool {
	for _, id := range c.ids() {
		if me := cfg.UserByID(id); me == nil || !me.Admin && !newGrants(cfg, cfg, me).covers(u) {
			return false
		}
	}
	return true
}

// mayMore refuses what would let the caller act as u.
func mayMore(u *pbx.User) *Problem {
	return refuse(http.StatusForbidden, "{name} may do more than you. Only who has all modules and permissions of {name} may set the PIN, or set or see the SIP password. Ask an administrator.", "name", u.Name)
}

// covers reports whether the caller had all modules and permissions that u had
// before the change.
func (g *grants) covers(u *pbx.User) bool {
	has := g.before.of(u)
	covered, known := g.covered[has]
	if !known {
		covered = g.hasAll(has)
		g.covered[has] = covered
	}
	return covered
}

func (g *grants) hasAll(has *granted) bool {
	for _, m := range has.modules {
		if !g.mine.shows[m] {
			return false
		}
	}
	for p := range has.pairs {
		if !g.holds(p) {
			return false
		}
	}
	return true
}

// loses reports whether somebody who was was and is is may do less than before
// or is taken out of a group.
func (g *grants) loses(was, is *pbx.User) bool {
	had, has := g.before.of(was), g.after.of(is)
	if slices.ContainsFunc(had.modules, func(m string) bool { return !has.shows[m] }) {
		return true
	}
	for p := range had.pairs {
		if !has.pairs[p] {
			return true
		}
	}
	in := map[string]bool{}
	for _, i := range g.after.groups(is) {
		in[g.after.cfg.PermissionGroups[i].ID] = true
	}
	return slices.ContainsFunc(g.before.groups(was), func(i int) bool { return !in[g.before.cfg.PermissionGroups[i].ID] })
}

// checkTarget refuses that u comes into a group that somebody has a permission
// towards, unless the caller has that permission towards u already. All users
// are in the group of that name.
func (g *grants) checkTarget(was, u *pbx.User) *Problem {
	in := g.before.groups(was)
	for _, i := range g.after.groups(u) {
		to := &g.after.cfg.PermissionGroups[i]
		if to.ID == pbx.GroupAllUsers || slices.ContainsFunc(in, func(j int) bool { return g.before.cfg.PermissionGroups[j].ID == to.ID }) {
			continue
		}
		for j := range g.after.cfg.PermissionGroups {
			for _, p := range g.after.cfg.PermissionGroups[j].Permissions {
				if p.AppliesTo == to.ID && isPower(p.Permission) && !g.before.cfg.May(g.me, p.Permission, was) {
					return refuse(http.StatusForbidden, "In the group {group}, {name} would be subject to the permission {permission}, which you do not have towards {name}. Ask an administrator.",
						"group", to.Name, "name", u.Name, "permission", string(p.Permission))
				}
			}
		}
	}
	return nil
}

// holds reports whether the caller had a permission towards a group, or
// towards all users, before the change.
func (g *grants) holds(p pbx.GroupPermission) bool {
	if g.mine.pairs[p] {
		return true
	}
	to := g.after.cfg.PermissionGroupByID(p.AppliesTo)
	return to != nil && to.Type == "user" && g.mine.pairs[pbx.GroupPermission{Permission: p.Permission, AppliesTo: pbx.GroupAllUsers}]
}

// rights are what the users of one configuration may do.
type rights struct {
	cfg     *pbx.Config
	members map[string][]int    // ID of a user => indexes of the groups that list it
	known   map[string]*granted // by the groups that a user is in
}

// granted is what some users may do.
type granted struct {
	modules []string // in the order of the menu
	shows   map[string]bool
	pairs   map[pbx.GroupPermission]bool
}

func newRights(cfg *pbx.Config) *rights {
	r := &rights{cfg: cfg, members: map[string][]int{}, known: map[string]*granted{}}
	for i := range cfg.PermissionGroups {
		if g := &cfg.PermissionGroups[i]; isUserGroup(g) {
			for _, id := range g.Members {
				r.members[id] = append(r.members[id], i)
			}
		}
	}
	return r
}

// groups returns the indexes of the groups that u belongs to.
func (r *rights) groups(u *pbx.User) []int {
	in := slices.Clone(r.members[u.ID])
	for i := range r.cfg.PermissionGroups {
		if g := &r.cfg.PermissionGroups[i]; g.Predefined() && g.Has(u) {
			in = append(in, i)
		}
	}
	return in
}

// of returns what u may do.
func (r *rights) of(u *pbx.User) *granted {
	key := make([]byte, 0, 32)
	if u.ID == pbx.AdminID {
		key = append(key, '!') // has all modules
	}
	for _, i := range r.groups(u) {
		key = append(key, byte(i), byte(i>>8), byte(i>>16))
	}
	if g := r.known[string(key)]; g != nil {
		return g
	}
	g := &granted{shows: r.cfg.ModulesOf(u), pairs: pairsOf(r.cfg, u)}
	for _, m := range pbx.Modules() {
		if g.shows[m.ID] {
			g.modules = append(g.modules, m.ID)
		}
	}
	r.known[string(key)] = g
	return g
}

// isPower reports whether a permission lets its holders do something. Show GUI
// gives modules, which are compared by themselves, and who is a member of the
// internal phonebook is listed there.
func isPower(p pbx.Permission) bool {
	return p != pbx.PermitShowGUI && p != pbx.PermitInternalPhonebook
}

// pairsOf returns the permissions of u and the groups that they apply to.
func pairsOf(cfg *pbx.Config, u *pbx.User) map[pbx.GroupPermission]bool {
	pairs := map[pbx.GroupPermission]bool{}
	for i := range cfg.PermissionGroups {
		g := &cfg.PermissionGroups[i]
		if !g.Has(u) {
			continue
		}
		for _, p := range g.Permissions {
			if isPower(p.Permission) {
				pairs[p] = true
			}
		}
	}
	return pairs
}
