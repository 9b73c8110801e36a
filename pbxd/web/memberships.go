package web

import (
	"fmt"
	"slices"

	"galilei/pbxd/pbx"
)

// membershipsOf returns the groups that the user with that ID belongs to.
func membershipsOf(cfg *pbx.Config, id string) Memberships {
	m := Memberships{PickupGroups: []string{}, UserGroups: []string{}}
	for i := range cfg.PickupGroups {
		if slices.Contains(cfg.PickupGroups[i].Members, id) {
			m.PickupGroups = append(m.PickupGroups, cfg.PickupGroups[i].ID)
		}
	}
	for i := range cfg.PermissionGroups {
		if g := &cfg.PermissionGroups[i]; isUserGroup(g) && slices.Contains(g.Members, id) {
			m.UserGroups = append(m.UserGroups, g.ID)
		}
	}
	return m
}

// isUserGroup reports whether users are put into the group by hand.
func isUserGroup(g *pbx.PermissionGroup) bool { return g.Type == "user" && !g.Predefined() }

// setMemberships puts the user with that ID into exactly these groups, and
// returns those that there are not. nil leaves the groups of that kind as they
// are.
func setMemberships(cfg *pbx.Config, id string, pickup, user *[]string) (wrong []ProblemDetail) {
	if pickup != nil {
		lists := map[string]*[]string{}
		for i := range cfg.PickupGroups {
			lists[cfg.PickupGroups[i].ID] = &cfg.PickupGroups[i].Members
		}
		wrong = putInto(lists, id, "pickupGroups", *pickup)
	}
	if user != nil {
		lists := map[string]*[]string{}
		for i := range cfg.PermissionGroups {
			if g := &cfg.PermissionGroups[i]; isUserGroup(g) {
				lists[g.ID] = &g.Members
			}
		}
		wrong = append(wrong, putInto(lists, id, "userGroups", *user)...)
	}
	return wrong
}

// putInto makes id a member of the wanted groups and of no other. Who is a
// member already keeps the place in the list.
func putInto(lists map[string]*[]string, id, field string, wanted []string) (wrong []ProblemDetail) {
	for i, group := range wanted {
		if lists[group] == nil {
			wrong = append(wrong, detailOf(fmt.Sprintf("body.%s[%d]", field, i), pbx.Say("names an entry that does not exist: {id}", "id", group)))
		}
	}
	for group, members := range lists {
		is, shall := slices.Contains(*members, id), slices.Contains(wanted, group)
		switch {
		case shall && !is:
			*members = append(slices.Clone(*members), id)
		case is && !shall:
			*members = slices.DeleteFunc(slices.Clone(*members), func(m string) bool { return m == id })
		}
	}
	return wrong
}

// authorisationsOf lists what u may do, group by group (F066).
func authorisationsOf(cfg *pbx.Config, u *pbx.User) []Authorisation {
	list := []Authorisation{}
	for i := range cfg.PermissionGroups {
		g := &cfg.PermissionGroups[i]
		if !g.Has(u) {
			continue
		}
		for _, p := range g.Permissions {
			a := Authorisation{Permission: p.Permission, Group: g.Name}
			if to := cfg.PermissionGroupByID(p.AppliesTo); to != nil {
				a.AppliesTo = to.Name
			} else if gui := cfg.GUIGroupByID(p.AppliesTo); gui != nil {
				a.AppliesTo = gui.Title
			}
			list = append(list, a)
		}
	}
	return list
}
