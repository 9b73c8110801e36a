package pbx

import "slices"

// Module is one function of the page and of the API that a GUI group switches
// on or off (F100-F102). A module needs the one above it.
type Module struct {
	ID     string `json:"id" title:"Module" doc:"Name of the module"`
	Parent string `json:"parent" title:"Part of" doc:"Module that this one needs; empty for none"`
	Area   string `json:"area" title:"Area" doc:"user: for everybody. admin: for administration." enum:"user,admin"`
}

// Identifiers of the predefined GUI groups. They cannot be deleted.
const (
	GUIGroupAdmin = "newadmingui"
	GUIGroupUser  = "newusergui"
)

// GUIGroup is a set of modules (F100).
type GUIGroup struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	GUIGroupSettings
	// Base names the area whose modules are on unless they are in Off. A module
	// that a later version adds is on in the groups of its area from the start.
	Base string   `json:"base,omitempty" title:"Base" doc:"Area whose modules are on unless switched off" enum:",user,admin"`
	On   []string `json:"on,omitempty" title:"Switched on" doc:"Modules that are on besides those of the base" maxItems:"300" maxLength:"40"`
	Off  []string `json:"off,omitempty" title:"Switched off" doc:"Modules of the base that are off" maxItems:"300" maxLength:"40"`
}

// GUIGroupSettings are the parameters of a GUI group.
type GUIGroupSettings struct {
	Title string `json:"title" title:"Title" doc:"Name of the group. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
}

// Modules returns every module in the order of the menu, parents first.
func Modules() []Module {
	var list []Module
	add := func(area, parent string, ids ...string) {
		for _, id := range ids {
			list = append(list, Module{id, parent, area})
		}
	}
	add("user", "", "login", "logout", "home", "journal", "click-to-call", "contacts")
	add("user", "contacts", "contacts-internal", "contacts-global", "contacts-private")
	add("user", "contacts-private", "contacts-private-csv")
	add("user", "", "call-forwarding", "service-attributes", "messages")
	add("user", "messages", "messages-groups")
	add("user", "", "code-card", "profile")
	add("user", "profile", "profile-data", "profile-pin", "profile-language", "profile-image")
	add("admin", "", "impersonate", "wizard", "users-and-extensions")
	add("admin", "users-and-extensions", "users-and-groups")
	add("admin", "users-and-groups", "users", "pickup-groups", "hunt-groups", "user-import", "name-number", "user-journals")
	add("admin", "users-and-extensions", "permissions")
	add("admin", "permissions", "permission-groups", "gui-groups")
	add("admin", "users-and-extensions", "contact-list", "contact-csv", "provisioning-groups")
	add("admin", "", "routes")
	add("admin", "routes", "gateway-groups", "gateways", "inbound-routes", "outbound-routes", "calendars")
	add("admin", "", "system")
	add("admin", "system", "license", "country", "email-delivery", "system-settings", "transports", "certificates", "revisions", "audit-log")
	add("admin", "", "system-status")
	add("admin", "system-status", "general-information", "sip-status", "live-calls", "call-records", "call-traces", "try-number")
	return list
}

// Modules returns the IDs of the modules that g switches on, in the order of
// the menu. A module whose parent is off is off.
func (g *GUIGroup) Modules() []string {
	on := map[string]bool{"": true}
	list := []string{}
	for _, m := range Modules() {
		wanted := m.Area == g.Base && !slices.Contains(g.Off, m.ID) || slices.Contains(g.On, m.ID)
		if wanted && on[m.Parent] {
			on[m.ID] = true
			list = append(list, m.ID)
		}
	}
	return list
}

// SetModules makes the modules of g those of ids and all above them. Unknown
// ones are left out; Validate refuses them.
func (g *GUIGroup) SetModules(ids []string) {
	parents := map[string]string{}
	for _, m := range Modules() {
		parents[m.ID] = m.Parent
	}
	on := map[string]bool{}
	for _, id := range ids {
		for ; id != "" && !on[id]; id = parents[id] {
			on[id] = true
		}
	}
	g.On, g.Off = nil, nil
	for _, m := range Modules() {
		switch {
		case on[m.ID] && m.Area != g.Base:
			g.On = append(g.On, m.ID)
		case !on[m.ID] && m.Area == g.Base:
			g.Off = append(g.Off, m.ID)
		}
	}
}

// Predefined reports whether g came with the device.
func (g *GUIGroup) Predefined() bool { return g.ID == GUIGroupAdmin || g.ID == GUIGroupUser }

// GUIGroupByID returns the GUI group with that ID, or nil.
func (c *Config) GUIGroupByID(id string) *GUIGroup {
	for i := range c.GUIGroups {
		if c.GUIGroups[i].ID == id {
			return &c.GUIGroups[i]
		}
	}
	return nil
}

// ModulesOf returns the modules that u may use: those of the GUI groups that
// u's permission groups show. The user admin has all of them, so that the
// device can always be administered.
func (c *Config) ModulesOf(u *User) map[string]bool {
	on := map[string]bool{}
	if u.ID == AdminID {
		for _, m := range Modules() {
			on[m.ID] = true
		}
		return on
	}
	for i := range c.PermissionGroups {
		g := &c.PermissionGroups[i]
		if !g.Has(u) {
			continue
		}
		for _, p := range g.Permissions {
			if p.Permission != PermitShowGUI {
				continue
			}
			if gui := c.GUIGroupByID(p.AppliesTo); gui != nil {
				for _, id := range gui.Modules() {
					on[id] = true
				}
			}
		}
	}
	return on
}

func factoryGUIGroups() []GUIGroup {
	return []GUIGroup{
		{ID: GUIGroupAdmin, GUIGroupSettings: GUIGroupSettings{"New admin GUI"}, Base: "admin"},
		{ID: GUIGroupUser, GUIGroupSettings: GUIGroupSettings{"New user GUI"}, Base: "user"},
	}
}
