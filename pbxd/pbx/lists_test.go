package pbx

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// office is a configuration with an entry in every list.
func office() *Config {
	c := Factory(Defaults{})
	c.PickupGroups = []PickupGroup{{"p1", PickupGroupSettings{1, "Sales", []string{"demo101", "demo102"}}}}
	c.HuntGroups = []HuntGroup{{"h1", HuntGroupSettings{Extension: "444", Title: "Hotline", CallScheme: "linear", Members: []HuntMember{{"demo101", 5}, {"demo102", 10}}}}}
	c.PermissionGroups = append(c.PermissionGroups, PermissionGroup{"g1", PermissionGroupSettings{"Secretariat", "user", []string{"demo101"},
		[]GroupPermission{{PermitDirectPickup, "g1"}, {PermitShowGUI, "u1"}}}})
	c.GUIGroups = append(c.GUIGroups, GUIGroup{ID: "u1", GUIGroupSettings: GUIGroupSettings{"Contacts only"}, On: []string{"login", "logout"}})
	c.ProvisioningGroups = []ProvisioningGroup{{"v1", ProvisioningGroupSettings{"Desk phones"}}}
	c.Users[1].ProvisioningGroup = "v1"
	return c
}

// refusals returns what Validate says, as path and English text.
func refusals(c *Config) []string {
	var invalid *ValidationError
	if !errors.As(Validate(c, Model{Name: "T640", MaxUsers: 80}), &invalid) {
		return nil
	}
	var all []string
	for _, f := range invalid.Fields {
		all = append(all, f.Path+" "+f.Rule.Text())
	}
	return all
}

func TestValidateWhole(t *testing.T) {
	if got := refusals(office()); got != nil {
		t.Fatalf("the office is refused: %q", got)
	}
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   []string // beginnings
	}{
		{"unknown member of a pickup group", func(c *Config) { c.PickupGroups[0].Members[1] = "nobody" }, []string{"pickupGroups[0].members[1] names an entry that does not exist: nobody"}},
		{"member twice", func(c *Config) { c.PickupGroups[0].Members[1] = "demo101" }, []string{"pickupGroups[0].members[1] is in the list twice"}},
		{"unknown user of a hunt group", func(c *Config) { c.HuntGroups[0].Members[0].User = "x" }, []string{"huntGroups[0].members[0].user names an entry"}},
		{"user twice in a hunt group", func(c *Config) { c.HuntGroups[0].Members[1].User = "demo101" }, []string{"huntGroups[0].members[1].user is in the list twice"}},
		{"member of a hunt group without extension", func(c *Config) { c.HuntGroups[0].Members[1].User = AdminID }, []string{"huntGroups[0].members[1].user admin has no extension"}},
		{"drop to no operator", func(c *Config) { c.Users[1].DropToOperator = true }, []string{"users[1].operatorExtension is needed"}},
		{"voicemail box twice", func(c *Config) { c.Users[1].VoicemailBoxes = []string{"7", "8", "7"} }, []string{"users[1].voicemailBoxes[2] is in the list twice"}},
		{"number to show twice", func(c *Config) {
			c.Users[1].CLIPInternal, c.Users[1].CLIPExternal = []string{"7", "7"}, []string{"+497", "+497", "+498"}
		}, []string{"users[1].clipInternal[1] is in the list twice", "users[1].clipExternal[1] is in the list twice"}},
		{"queues of users", func(c *Config) {
			c.PermissionGroups[6].Permissions[0] = GroupPermission{PermitMonitorQueues, GroupAllUsers}
		},
			[]string{"permissionGroups[6].permissions[0].appliesTo is a group of another type"}},
		{"do not disturb of queues", func(c *Config) { c.PermissionGroups[6].Permissions[0] = GroupPermission{PermitDND, GroupAllQueues} },
			[]string{"permissionGroups[6].permissions[0].appliesTo is a group of another type"}},
		{"auto answer of the device", func(c *Config) { c.PermissionGroups[6].Permissions[0] = GroupPermission{PermitIntercom, GroupAllHosts} }, nil},
		{"hosts by hand", func(c *Config) {
			c.PermissionGroups[6].Type, c.PermissionGroups[6].Members = "host", nil
		}, []string{"permissionGroups[6].type is only", "permissionGroups[6].permissions[0].appliesTo is a group of another type"}},
		{"nobody can log in", func(c *Config) { c.GUIGroups[1].Off = []string{"login", "logout"} },
			[]string{"guiGroups[1].modules must contain login", "guiGroups[1].modules must contain logout"}},
		{"hunt group to a number outside", func(c *Config) { c.HuntGroups[0].ForwardExternalBusy = "0891234" },
			[]string{"huntGroups[0].forwardExternalBusy 0891234 is no user and no hunt group of this device. For a number outside, enter a user who forwards there."}},
		{"hunt group to itself", func(c *Config) { c.HuntGroups[0].ForwardInternalAlways = "h1" }, []string{"huntGroups[0].forwardInternalAlways is this group itself"}},
		{"hunt group to who has no extension", func(c *Config) { c.HuntGroups[0].ForwardInternalNoAnswer = AdminID }, []string{"huntGroups[0].forwardInternalNoAnswer admin has no extension"}},
		{"timeout", func(c *Config) { c.HuntGroups[0].Members[0].Timeout = 0 }, []string{"huntGroups[0].members[0].timeout is 0; allowed are 1 to 600"}},
		{"unknown provisioning group", func(c *Config) { c.Users[1].ProvisioningGroup = "x" }, []string{"users[1].provisioningGroup names an entry"}},
		{"extension of a user and a hunt group", func(c *Config) { c.HuntGroups[0].Extension = "101" }, []string{"huntGroups[0].extension 101 is already the extension of demo101 (user)"}},
		{"extension hides 112", func(c *Config) { c.HuntGroups[0].Extension = "11" }, []string{"huntGroups[0].extension hides the emergency number"}},
		{"extension is 112", func(c *Config) { c.Users[1].Extension = "112" }, []string{"users[1].extension hides the emergency number 112 of Germany"}},
		{"101 in Belgium", func(c *Config) { c.Locale.Country = "BE" }, []string{"users[1].extension hides the emergency number 101 of Belgium"}},
		{"group name twice", func(c *Config) {
			c.PickupGroups = append(c.PickupGroups, PickupGroup{"p2", PickupGroupSettings{1, "sales", []string{}}})
		}, []string{"pickupGroups[1].number 1 is already in use", "pickupGroups[1].name sales is already in use"}},
		{"same ID", func(c *Config) { c.HuntGroups = append(c.HuntGroups, c.HuntGroups[0]) },
			[]string{"huntGroups[1].id is the same as that of Hotline", "huntGroups[1].title Hotline is already in use", "huntGroups[1].extension 444 is already"}},
		{"call scheme", func(c *Config) { c.HuntGroups[0].CallScheme = "" }, []string{"huntGroups[0].callScheme must be one of linear, parallel"}},
		{"no Admins", func(c *Config) { c.PermissionGroups = c.PermissionGroups[1:] }, []string{"permissionGroups must contain the predefined group admins"}},
		{"no GUI group for users", func(c *Config) { c.GUIGroups = c.GUIGroups[:1] },
			[]string{"permissionGroups[3].permissions[16].appliesTo names an entry", "permissionGroups[6].permissions[1].appliesTo names an entry", "guiGroups must contain", "permissionGroups[3].permissions[16].appliesTo must be a GUI group", "permissionGroups[6].permissions[1].appliesTo must be a GUI group"}},
		{"members of a predefined group", func(c *Config) { c.PermissionGroups[0].Members = []string{"demo101"} }, []string{"permissionGroups[0].members cannot be set by hand"}},
		{"Show GUI of a permission group", func(c *Config) { c.PermissionGroups[6].Permissions[1].AppliesTo = "g1" }, []string{"permissionGroups[6].permissions[1].appliesTo must be a GUI group"}},
		{"pickup of a GUI group", func(c *Config) { c.PermissionGroups[6].Permissions[0].AppliesTo = "u1" }, []string{"permissionGroups[6].permissions[0].appliesTo must be a permission group"}},
		{"unknown permission", func(c *Config) { c.PermissionGroups[6].Permissions[0].Permission = "fly" }, []string{"permissionGroups[6].permissions[0].permission must be one of call-waiting"}},
		{"unknown module", func(c *Config) { c.GUIGroups[2].On = []string{"moon"} }, []string{"guiGroups[2].modules names a module that does not exist: moon"}},
		{"country", func(c *Config) { c.Locale.Country = "XX" }, []string{"locale.country is not one of the countries"}},
		{"time zone", func(c *Config) { c.Locale.TimeZone = "Europe/Nowhere" }, []string{"locale.timeZone is not a known time zone"}},
		{"mail without a server", func(c *Config) { c.Mail.Enabled = true }, []string{"mail.server is needed"}},
		{"xoauth2 without its data", func(c *Config) {
			c.Mail.Enabled, c.Mail.Server, c.Mail.Authentication, c.Mail.Method = true, "mail.example.org", true, "xoauth2"
		}, []string{"mail.userName is needed", "mail.oauthTokenUrl is needed", "mail.oauthClientId is needed"}},
		{"sender", func(c *Config) { c.Mail.SenderAddress = "Anna <anna@example.org>" }, []string{"mail.senderAddress is not an e-mail address"}},
		{"e-mail of a user", func(c *Config) { c.Users[1].Email = "anna@" }, []string{"users[1].email is not an e-mail address"}},
		{"server", func(c *Config) { c.Mail.Server = "mail server" }, []string{"mail.server is not a host name"}},
		{"language", func(c *Config) { c.Users[1].Language = "fr" }, []string{"users[1].language must be one of en, de"}},
		{"code that begins with another", func(c *Config) { c.FunctionCodes.Park = "*81" }, []string{"functionCodes.park *81 begins with *81, the code of Group pickup"}},
		{"code that another begins with", func(c *Config) { c.FunctionCodes.Park = "*9" }, []string{"functionCodes.callWaiting *92 begins with *9, the code of Park",
			"functionCodes.doNotDisturb *93 begins with *9", "functionCodes.voicemail *97 begins with *9"}},
		{"code with a letter", func(c *Config) { c.FunctionCodes.Park = "7a" }, []string{"functionCodes.park may contain only digits, '*' and '#'"}},
		{"code that an extension begins with", func(c *Config) { c.FunctionCodes.Park = "10" }, []string{"functionCodes.park 10 and 101, the extension of demo101 (user), begin alike",
			"functionCodes.park 10 and 102", "functionCodes.park 10 and 103"}},
		{"code that begins with an extension", func(c *Config) { c.FunctionCodes.Park = "1019" }, []string{"functionCodes.park 1019 and 101"}},
		{"code that hides an emergency number after the digit for an outside line", func(c *Config) { c.FunctionCodes.Park = "011" }, []string{"functionCodes.park hides the emergency number 110 of Germany"}},
		{"code that hides an emergency number", func(c *Config) { c.FunctionCodes.Park = "11" }, []string{"functionCodes.park hides the emergency number 110 of Germany"}},
		{"forwarding to nobody", func(c *Config) { c.Users[1].Calls.ExternalBusy = true }, []string{"users[1].callSettings.externalBusyNumber is needed"}},
		{"forwarding to oneself", func(c *Config) { c.Users[1].Calls.SetForwarding(false, DivertAlways, true, "101") }, []string{"users[1].callSettings.internalAlwaysNumber is the own extension"}},
		{"reminder without a time", func(c *Config) { c.Users[1].Calls.Reminder = true }, []string{"users[1].callSettings.reminderAt is needed"}},
		{"certificate that is not there", func(c *Config) { c.Page.Certificate = "x" }, []string{"page.certificate names an entry"}},
		{"all that is wrong", func(c *Config) {
			c.Users[1].Name, c.Users[2].Extension, c.SIP.RingTime, c.Retention.AuditDays = "X", "1", 1, 0
		},
			[]string{"users[1].user ", "users[2].extension has", "users[2].extension hides", "retention.auditDays ", "sip.ringTime "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := office()
			tc.change(c)
			got := refusals(c)
			if len(got) != len(tc.want) {
				t.Fatalf("got %q, want %q", got, tc.want)
			}
			for _, w := range tc.want {
				if !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w) }) {
					t.Errorf("got %q, want %q", got, w)
				}
			}
		})
	}
}

func TestForget(t *testing.T) {
	c := office()
	c.HuntGroups[0].HuntForwarding = HuntForwarding{ForwardInternalBusy: "demo101", ForwardExternalBusy: "demo102"}
	c.Forget("users", "demo101")
	c.Forget("provisioningGroups", "v1")
	c.Forget("guiGroups", "u1")
	if got := c.PickupGroups[0].Members; !slices.Equal(got, []string{"demo102"}) {
		t.Errorf("pickup group: %q", got)
	}
	if got := c.HuntGroups[0].Members; !slices.Equal(got, []HuntMember{{"demo102", 10}}) {
		t.Errorf("hunt group: %v", got)
	}
	if f := c.HuntGroups[0].HuntForwarding; f != (HuntForwarding{ForwardExternalBusy: "demo102"}) {
		t.Errorf("hunt group forwards %+v", f)
	}
	if g := c.PermissionGroups[6]; len(g.Members) != 0 || !slices.Equal(g.Permissions, []GroupPermission{{PermitDirectPickup, "g1"}}) {
		t.Errorf("permission group: %+v", g)
	}
	if c.Users[1].ProvisioningGroup != "" || len(c.Users) != 4 {
		t.Errorf("users: %+v", c.Users[1])
	}
	c.Users, c.GUIGroups = slices.Delete(c.Users, 1, 2), c.GUIGroups[:2]
	if got := refusals(c); got != nil {
		t.Errorf("what is left is refused: %q", got)
	}
}

// Every list must be found, and every reference lead to one that there is.
func TestListsAndReferences(t *testing.T) {
	c := &Config{}
	fill(reflect.ValueOf(c).Elem())
	names := map[string]bool{}
	for _, l := range c.lists() {
		names[l.name] = true
		if nameOf(l.entries.Index(0)) == l.entries.Index(0).FieldByName("ID").String() && l.entries.Index(0).FieldByName("ID").String() != "before" {
			t.Errorf("%s: entries have no name", l.name)
		}
	}
	if len(names) != 13 {
		t.Errorf("lists: %v", names)
	}
	refs := 0
	walkParams("", reflect.ValueOf(c).Elem(), func(path string, f reflect.StructField, _ reflect.Value) {
		ref, ok := f.Tag.Lookup("ref")
		if !ok {
			return
		}
		refs++
		for l := range strings.SplitSeq(ref, "|") {
			if !names[l] {
				t.Errorf("%s refers to %q, which is no list", path, l)
			}
		}
	})
	if refs < 6 {
		t.Errorf("%d references seen", refs)
	}
}
