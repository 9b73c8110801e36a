package web

import (
	"slices"
	"strconv"
	"strings"

	"galilei/pbxd/pbx"
)

const (
	huntTimeout    = 5    // s, of a member who is imported (F085)
	maxPickupGroup = 9999 // number of a pickup group
)

// pickupGroup returns the index of the pickup group of that number or name,
// which is added if need be.
func (a *admission) pickupGroup(name string) (int, pbx.Message) {
	number, err := strconv.Atoi(name)
	at := slices.IndexFunc(a.cfg.PickupGroups, func(g pbx.PickupGroup) bool {
		return err == nil && g.Number == number || strings.EqualFold(g.Name, name)
	})
	if at >= 0 {
		return at, pbx.Message{}
	}
	if a.createGroups && !a.may("pickup-groups") {
		return 0, pbx.Say("names a pickup group that does not exist, {name}; adding it needs the module {module}", "name", name, "module", "pickup-groups")
	}
	if !a.createGroups {
		return 0, pbx.Say("names a pickup group that does not exist: {name}", "name", name)
	}
	taken := func(n int) bool {
		return slices.ContainsFunc(a.cfg.PickupGroups, func(g pbx.PickupGroup) bool { return g.Number == n })
	}
	if err == nil {
		name = groupTitle + strconv.Itoa(number)
	} else if number, err = strconv.Atoi(numberOfTitle(name)); err != nil || taken(number) {
		number = 1
		for taken(number) && number <= maxPickupGroup {
			number++
		}
	}
	a.cfg.PickupGroups = append(a.cfg.PickupGroups, pbx.PickupGroup{ID: pbx.NewID(),
		PickupGroupSettings: pbx.PickupGroupSettings{Number: number, Name: name, Members: []string{}}})
	return len(a.cfg.PickupGroups) - 1, pbx.Message{}
}

// groupTitle begins the name of a group that an import adds by its number.
const groupTitle = "Group "

// numberOfTitle returns the number of a group that is called as an import would
// call it, such as Group 9: it is the same as 9. It returns "" for other names.
func numberOfTitle(name string) string {
	if n := len(groupTitle); len(name) > n && strings.EqualFold(name[:n], groupTitle) && strings.Trim(name[n:], "0123456789") == "" {
		return name[n:]
	}
	return ""
}

// huntGroup returns the index of the hunt group of that extension or title,
// which is added if need be and it is an extension.
func (a *admission) huntGroup(name string) (int, pbx.Message) {
	at := slices.IndexFunc(a.cfg.HuntGroups, func(g pbx.HuntGroup) bool { return g.Extension == name || strings.EqualFold(g.Title, name) })
	if at >= 0 {
		return at, pbx.Message{}
	}
	extension := name
	if n := numberOfTitle(name); n != "" {
		extension = n
	}
	if !a.createGroups || strings.Trim(extension, "0123456789") != "" {
		return 0, pbx.Say("names a hunt group that does not exist: {name}", "name", name)
	}
	if !a.may("hunt-groups") {
		return 0, pbx.Say("names a hunt group that does not exist, {name}; adding it needs the module {module}", "name", name, "module", "hunt-groups")
	}
	g := pbx.HuntGroup{ID: pbx.NewID()}
	pbx.SetDefaults(&g.HuntGroupSettings)
	g.Extension, g.Title, g.Members = extension, groupTitle+extension, []pbx.HuntMember{}
	a.cfg.HuntGroups = append(a.cfg.HuntGroups, g)
	return len(a.cfg.HuntGroups) - 1, pbx.Message{}
}
