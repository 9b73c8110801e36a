package web

import (
	"context"
	"fmt"
	"net/http"

	"galilei/pbxd/pbx"
)

// registerResources adds the lists of the configuration. A new one is added
// here.
func (s *Server) registerResources() {
	registerCollection(s, s.users())
	registerCollection(s, &collection[pbx.PickupGroup, pbx.PickupGroupSettings, pbx.PickupGroup]{
		one: "pickup group", many: "pickup groups", list: "pickupGroups", what: pbx.Say("Pickup group"), tag: "Groups", module: "pickup-groups", readers: "|users|name-number",
		of:   func(c *pbx.Config) *[]pbx.PickupGroup { return &c.PickupGroups },
		id:   func(g *pbx.PickupGroup) *string { return &g.ID },
		name: func(g *pbx.PickupGroup) string { return g.Name },
		show: itself[pbx.PickupGroup],
		edit: replaced(func(g *pbx.PickupGroup) *pbx.PickupGroupSettings { return &g.PickupGroupSettings }),
	})
	registerCollection(s, &collection[pbx.HuntGroup, pbx.HuntGroupSettings, pbx.HuntGroup]{
		one: "hunt group", many: "hunt groups", list: "huntGroups", what: pbx.Say("Hunt group"), tag: "Groups", module: "hunt-groups", readers: "|users|name-number",
		of:   func(c *pbx.Config) *[]pbx.HuntGroup { return &c.HuntGroups },
		id:   func(g *pbx.HuntGroup) *string { return &g.ID },
		name: func(g *pbx.HuntGroup) string { return g.Title },
		show: itself[pbx.HuntGroup],
		edit: replaced(func(g *pbx.HuntGroup) *pbx.HuntGroupSettings { return &g.HuntGroupSettings }),
	})
	registerCollection(s, &collection[pbx.PermissionGroup, pbx.PermissionGroupSettings, PermissionGroup]{
		one: "permission group", many: "permission groups", list: "permissionGroups", what: pbx.Say("Permission group"), tag: "Permissions", module: "permission-groups", readers: "|users|gui-groups|outbound-routes",
		of:    func(c *pbx.Config) *[]pbx.PermissionGroup { return &c.PermissionGroups },
		id:    func(g *pbx.PermissionGroup) *string { return &g.ID },
		name:  func(g *pbx.PermissionGroup) string { return g.Name },
		show:  showPermissionGroup,
		edit:  editPermissionGroup,
		check: func(g *pbx.PermissionGroup) error { return notPredefined(g.Predefined(), g.Name) },
		needs: noRouteFor,
		about: "The type and the members of predefined groups stay as they are.",
	})
	registerCollection(s, &collection[pbx.GUIGroup, GUIGroupChange, GUIGroup]{
		one: "GUI group", many: "GUI groups", list: "guiGroups", what: pbx.Say("GUI group"), tag: "Permissions", module: "gui-groups", readers: "|permission-groups",
		of:    func(c *pbx.Config) *[]pbx.GUIGroup { return &c.GUIGroups },
		id:    func(g *pbx.GUIGroup) *string { return &g.ID },
		name:  func(g *pbx.GUIGroup) string { return g.Title },
		show:  showGUIGroup,
		edit:  editGUIGroup,
		check: func(g *pbx.GUIGroup) error { return notPredefined(g.Predefined(), g.Title) },
		about: "A module switches on those above it.",
	})
	registerCollection(s, &collection[pbx.ProvisioningGroup, pbx.ProvisioningGroupSettings, pbx.ProvisioningGroup]{
		one: "provisioning group", many: "provisioning groups", list: "provisioningGroups", what: pbx.Say("Provisioning group"), tag: "Groups", module: "provisioning-groups", readers: "|users",
		of:   func(c *pbx.Config) *[]pbx.ProvisioningGroup { return &c.ProvisioningGroups },
		id:   func(g *pbx.ProvisioningGroup) *string { return &g.ID },
		name: func(g *pbx.ProvisioningGroup) string { return g.Name },
		show: itself[pbx.ProvisioningGroup],
		edit: replaced(func(g *pbx.ProvisioningGroup) *pbx.ProvisioningGroupSettings { return &g.ProvisioningGroupSettings }),
	})
	s.registerRouting()
	register(s, operation{id: "list-gui-modules", method: http.MethodGet, path: "/gui-modules", tag: "Permissions", module: "gui-groups|permission-groups",
		summary: "Modules that a GUI group switches", description: "In the order of the menu, parents first."},
		func(context.Context, *none) (*answer[[]pbx.Module], error) {
			return &answer[[]pbx.Module]{pbx.Modules()}, nil
		})
}

// itself shows an entry as it is kept.
func itself[E any](_ *pbx.Config, e *E) E { return *e }

func notPredefined(predefined bool, name string) error {
	if predefined {
		return refuse(http.StatusConflict, "{name} came with the device and cannot be deleted.", "name", name)
	}
	return nil
}

// noRouteFor refuses to delete a group that alone may use an outbound route: the
// route would be for everybody then.
func noRouteFor(cfg *pbx.Config, g *pbx.PermissionGroup) error {
	for i := range cfg.OutboundRoutes {
		if r := &cfg.OutboundRoutes[i]; r.UserGroup == g.ID {
			return refuse(http.StatusConflict, "The outbound route {rule} is for {name} alone. Choose there first whom it is for.", "rule", r.Rule, "name", g.Name)
		}
	}
	return nil
}

// PermissionGroup is a permission group as the API shows it. The members of a
// predefined one are those that follow from the users.
type PermissionGroup struct {
	pbx.PermissionGroup
	Predefined bool `json:"predefined" title:"Predefined" doc:"Came with the device: it cannot be deleted, and its members follow from the users" readOnly:"true"`
}

func showPermissionGroup(cfg *pbx.Config, g *pbx.PermissionGroup) PermissionGroup {
	v := PermissionGroup{*g, g.Predefined()}
	if v.Predefined {
		v.Members = cfg.MembersOf(g)
	}
	return v
}

func editPermissionGroup(_ context.Context, _ string, in *pbx.PermissionGroupSettings) (func(*pbx.Config, *pbx.PermissionGroup) error, error) {
	return func(_ *pbx.Config, g *pbx.PermissionGroup) error {
		kept := g.PermissionGroupSettings
		g.PermissionGroupSettings = *in
		if g.Predefined() {
			g.Type, g.Members = kept.Type, kept.Members
		}
		return nil
	}, nil
}

// GUIGroup is a GUI group as the API shows it.
type GUIGroup struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" maxLength:"26" readOnly:"true"`
	GUIGroupChange
	Predefined bool `json:"predefined" title:"Predefined" doc:"Came with the device: it cannot be deleted" readOnly:"true"`
}

// GUIGroupChange is the body of POST and PUT of GUI groups.
type GUIGroupChange struct {
	pbx.GUIGroupSettings
	Modules []string `json:"modules" title:"Modules" doc:"Modules of the page and of the API that are on" maxItems:"300" maxLength:"40"`
}

func showGUIGroup(_ *pbx.Config, g *pbx.GUIGroup) GUIGroup {
	return GUIGroup{g.ID, GUIGroupChange{g.GUIGroupSettings, g.Modules()}, g.Predefined()}
}

func editGUIGroup(_ context.Context, _ string, in *GUIGroupChange) (func(*pbx.Config, *pbx.GUIGroup) error, error) {
	known := map[string]bool{}
	for _, m := range pbx.Modules() {
		known[m.ID] = true
	}
	var wrong []ProblemDetail
	for i, id := range in.Modules {
		if !known[id] {
			wrong = append(wrong, detailOf(fmt.Sprintf("body.modules[%d]", i), pbx.Say("names a module that does not exist: {id}", "id", id)))
		}
	}
	return func(_ *pbx.Config, g *pbx.GUIGroup) error {
		g.GUIGroupSettings = in.GUIGroupSettings
		g.SetModules(in.Modules)
		return invalidIfAny(wrong)
	}, nil
}
