package pbx

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	_ "time/tzdata" // the device has no zone files
)

// checkGroups checks the rules of groups that tags cannot say.
func checkGroups(c *Config) (errs []FieldError) {
	for _, id := range []string{GroupAdmins, GroupAllHosts, GroupInvisibleUsers, GroupAllUsers, GroupVisibleUsers, GroupAllQueues} {
		if c.PermissionGroupByID(id) == nil {
			errs = append(errs, refused("permissionGroups", "must contain the predefined group {id}", "id", id))
		}
	}
	for _, id := range []string{GUIGroupAdmin, GUIGroupUser} {
		if c.GUIGroupByID(id) == nil {
			errs = append(errs, refused("guiGroups", "must contain the predefined group {id}", "id", id))
		}
	}
	for i := range c.PermissionGroups {
		errs = append(errs, checkPermissionGroup(c, &c.PermissionGroups[i], fmt.Sprintf("permissionGroups[%d].", i))...)
	}
	errs = append(errs, checkHuntGroups(c)...)
	modules := map[string]bool{}
	for _, m := range Modules() {
		modules[m.ID] = true
	}
	for i, g := range c.GUIGroups {
		for _, id := range slices.Concat(g.On, g.Off) {
			if !modules[id] {
				errs = append(errs, refused(fmt.Sprintf("guiGroups[%d].modules", i), "names a module that does not exist: {id}", "id", id))
			}
		}
		if g.ID != GUIGroupUser {
			continue
		}
		for _, id := range []string{"login", "logout"} { // F102
			if !slices.Contains(g.Modules(), id) {
				errs = append(errs, refused(fmt.Sprintf("guiGroups[%d].modules", i), "must contain {module}: without it, users are locked out", "module", id))
			}
		}
	}
	return errs
}

// checkHuntGroups checks that each member can be called, and once, and that calls
// are sent on to somebody who can be called.
func checkHuntGroups(c *Config) (errs []FieldError) {
	users := map[string]int{} // index by ID
	for i := range c.Users {
		users[c.Users[i].ID] = i
	}
	for i := range c.HuntGroups {
		g := &c.HuntGroups[i]
		seen := map[string]bool{}
		for j, m := range g.Members {
			at := fmt.Sprintf("huntGroups[%d].members[%d].user", i, j)
			if seen[m.User] {
				errs = append(errs, refused(at, "is in the list twice"))
			}
			seen[m.User] = true
			if k, ok := users[m.User]; ok && c.Users[k].Extension == "" {
				errs = append(errs, refused(at, "{name} has no extension that could be called", "name", c.Users[k].Name).
					or(refused(fmt.Sprintf("users[%d].extension", k), "is needed, because the hunt group {name} calls it", "name", g.Title)))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(g.targets())) {
			id, at := g.targets()[name], fmt.Sprintf("huntGroups[%d].%s", i, name)
			switch k, ok := users[id]; {
			case id == g.ID:
				errs = append(errs, refused(at, "is this group itself"))
			case ok && c.Users[k].Extension == "":
				errs = append(errs, refused(at, "{name} has no extension that could be called", "name", c.Users[k].Name).
					or(refused(fmt.Sprintf("users[%d].extension", k), "is needed, because the hunt group {name} forwards to it", "name", g.Title)))
			}
		}
	}
	return errs
}

func checkPermissionGroup(c *Config, g *PermissionGroup, path string) (errs []FieldError) {
	if len(g.Members) > 0 && (g.Predefined() || g.Type != "user") {
		errs = append(errs, refused(path+"members", "cannot be set by hand for this group"))
	}
	if g.Type == "host" && g.ID != GroupAllHosts { // F087: people choose between user and queue
		errs = append(errs, refused(path+"type", "is only that of the predefined group of hosts"))
	}
	seen := map[GroupPermission]bool{}
	for j, p := range g.Permissions {
		at := fmt.Sprintf("%spermissions[%d].appliesTo", path, j)
		gui, to := c.GUIGroupByID(p.AppliesTo) != nil, c.PermissionGroupByID(p.AppliesTo)
		switch {
		case p.Permission == PermitShowGUI && !gui:
			errs = append(errs, refused(at, "must be a GUI group"))
		case p.Permission != PermitShowGUI && gui:
			errs = append(errs, refused(at, "must be a permission group"))
		case to != nil && !p.Permission.fits(to.Type):
			errs = append(errs, refused(at, "is a group of another type than this permission can apply to"))
		case seen[p]:
			errs = append(errs, refused(at, "is in the list twice"))
		}
		seen[p] = true
	}
	return errs
}

func checkLocaleAndMail(c *Config) (errs []FieldError) {
	if _, ok := CountryByCode(c.Locale.Country); !ok && c.Locale.Country != "" {
		errs = append(errs, refused("locale.country", "is not one of the countries that this version knows"))
	}
	if country, ok := CountryByCode(c.Locale.Country); ok && country.NationalPrefix != "" && strings.HasPrefix(c.Locale.AreaCode, country.NationalPrefix) {
		errs = append(errs, refused("locale.areaCode", "begins with {prefix}: that stands before area codes and is no part of them", "prefix", country.NationalPrefix))
	}
	if !knownTimeZone(c.Locale.TimeZone) {
		errs = append(errs, refused("locale.timeZone", "is not a known time zone, such as Europe/Berlin"))
	}
	m := c.Mail
	if !m.Enabled {
		return errs
	}
	if m.Server == "" {
		errs = append(errs, refused("mail.server", "is needed when mail is sent"))
	}
	if m.Authentication && m.UserName == "" {
		errs = append(errs, refused("mail.userName", "is needed for authentication"))
	}
	if m.Authentication && m.Method == "xoauth2" {
		if m.OAuthTokenURL == "" {
			errs = append(errs, refused("mail.oauthTokenUrl", "is needed for XOAUTH2"))
		}
		if m.OAuthClientID == "" {
			errs = append(errs, refused("mail.oauthClientId", "is needed for XOAUTH2"))
		}
	}
	return errs
}
