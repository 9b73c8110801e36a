package pbx

import (
	"errors"
	"fmt"
	"testing"
)

// withUsers is a configuration with users of these extensions.
func withUsers(extensions ...string) *Config {
	c := Factory(Defaults{})
	c.Users = c.Users[:1]
	for i, ext := range extensions {
		c.Users = append(c.Users, User{ID: fmt.Sprint("u", i), UserSettings: UserSettings{Name: fmt.Sprint("user", i), Extension: ext}})
	}
	return c.Clone()
}

func TestBlame(t *testing.T) {
	for name, tt := range map[string]struct {
		before *Config
		change func(*Config)
		path   string
		text   string
	}{
		"the first takes the number of the second": {withUsers("20", "21"), func(c *Config) { c.Users[1].Extension = "21" },
			"users[1].extension", "21 is already the extension of user1 (user)"},
		"the second takes that of the first": {withUsers("20", "21"), func(c *Config) { c.Users[2].Extension = "20" },
			"users[2].extension", "20 is already the extension of user0 (user)"},
		"both change": {withUsers("20", "21"), func(c *Config) { c.Users[1].Extension, c.Users[2].Extension = "22", "22" },
			"users[2].extension", "22 is already the extension of user0 (user)"},
		"a user takes the number of a group": {withUsers("20"), func(c *Config) { c.Users[1].Extension = "30" },
			"users[1].extension", "30 is already the extension of Sales (hunt group)"},
		"a group takes that of a user": {withUsers("20"), func(c *Config) { c.HuntGroups[0].Extension = "20" },
			"huntGroups[0].extension", "20 is already the extension of user0 (user)"},
		"a new user comes first": {withUsers("20"), func(c *Config) {
			c.Users = append([]User{c.Users[0], {ID: "new", UserSettings: UserSettings{Name: "new", Extension: "20"}}}, c.Users[1:]...)
		}, "users[1].extension", "20 is already the extension of user0 (user)"},
		"the first takes the name of the second": {withUsers("20", "21"), func(c *Config) { c.Users[1].Name = "user1" },
			"users[1].user", "user1 is already in use"},
		"a group takes the name of a later one": {withUsers("20"), func(c *Config) { c.PermissionGroups[0].Name = "all users" },
			"permissionGroups[0].name", "all users is already in use"},
		"it was so before": {withUsers("20", "20"), func(c *Config) { c.SIP.RingTime = 33 },
			"users[2].extension", "20 is already the extension of user0 (user)"},
	} {
		tt.before.HuntGroups = []HuntGroup{{ID: "h", HuntGroupSettings: HuntGroupSettings{Extension: "30", Title: "Sales", CallScheme: "parallel", Members: []HuntMember{{User: tt.before.Users[1].ID, Timeout: 5}}}}}
		after := tt.before.Clone()
		tt.change(after)
		var wrong *ValidationError
		if !errors.As(Validate(after, Model{}), &wrong) {
			t.Errorf("%s: no error", name)
			continue
		}
		wrong.Blame(tt.before, after)
		if f := wrong.Fields[0]; len(wrong.Fields) != 1 || f.Path != tt.path || f.Rule.Text() != tt.text {
			t.Errorf("%s: %v; want %s %s", name, wrong, tt.path, tt.text)
		}
	}
}
