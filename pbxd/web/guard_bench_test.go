package web

import (
	"fmt"
	"testing"

	"galilei/pbxd/pbx"
)

// BenchmarkGuard judges the import of 5000 users by somebody who is no
// administrator, on a board that has no limit.
func BenchmarkGuard(b *testing.B) {
	const n = 5000
	before := pbx.Factory(pbx.Defaults{})
	clerk := pbx.User{ID: "clerk", UserSettings: pbx.UserSettings{Name: "clerk", Extension: "1000"}}
	before.Users = append(before.Users, clerk)
	gui := pbx.GUIGroup{ID: "gclerk", GUIGroupSettings: pbx.GUIGroupSettings{Title: "Clerk"}}
	gui.SetModules([]string{"users", "user-import", "permission-groups"})
	before.GUIGroups = append(before.GUIGroups, gui)
	group := pbx.PermissionGroup{ID: "many", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Many", Type: "user", Members: []string{"clerk"}, Permissions: []pbx.GroupPermission{
		{Permission: pbx.PermitShowGUI, AppliesTo: "gclerk"}}}}
	before.PermissionGroups = append(before.PermissionGroups, group)
	for i := range n {
		id := fmt.Sprint("old", i)
		before.Users = append(before.Users, pbx.User{ID: id, UserSettings: pbx.UserSettings{Name: id, Extension: fmt.Sprint(20000 + i)}})
		before.PermissionGroups[len(before.PermissionGroups)-1].Members = append(before.PermissionGroups[len(before.PermissionGroups)-1].Members, id)
	}
	after := before.Clone()
	for i := range n {
		id := fmt.Sprint("new", i)
		after.Users = append(after.Users, pbx.User{ID: id, UserSettings: pbx.UserSettings{Name: id, Extension: fmt.Sprint(30000 + i)}})
	}
	c := &caller{user: clerk, actor: clerk}
	for b.Loop() {
		if err := guard(before, after, c); err != nil {
			b.Fatal(err)
		}
	}
}
