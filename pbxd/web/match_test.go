package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// unconditional are the operations beside GET that need no If-Match, with the
// reason: nothing that somebody else could have changed unseen is overwritten.
var unconditional = map[string]string{
	"login":                       "begins a session",
	"logout":                      "ends the own session",
	"impersonate":                 "changes the own session",
	"end-impersonation":           "changes the own session",
	"change-pin":                  "it is the own, and the old one takes the place of If-Match",
	"create-user":                 "creates",
	"create-pickup-group":         "creates",
	"create-hunt-group":           "creates",
	"create-gui-group":            "creates",
	"create-permission-group":     "creates",
	"create-provisioning-group":   "creates",
	"create-gateway":              "creates",
	"create-gateway-group":        "creates",
	"create-transport":            "creates",
	"create-inbound-route":        "creates",
	"create-outbound-route":       "creates",
	"create-calendar":             "creates",
	"add-contact":                 "creates",
	"add-private-contact":         "creates",
	"add-certificate":             "creates",
	"import-users":                "creates",
	"import-contacts":             "creates",
	"import-private-contacts":     "creates",
	"delete-all-contacts":         "deletes whatever there is, as all=true says",
	"delete-all-private-contacts": "deletes whatever there is, as all=true says",
	"reveal-sip-password":         "changes nothing but the audit log",
	"test-email-delivery":         "changes nothing but the audit log",
	"delete-mail":                 "a mail is never edited; who deletes it wants it gone however often it was tried",
	"send-text":                   "creates",
	"delete-own-text":             "a message is never edited, so that nothing of another is lost",
	"log-out-phone":               "ends a log-in at a phone, whichever it is",
	"log-out-own-phone":           "ends the own log-in at a phone, whichever it is",
	"retry-mail":                  "a mail is never edited; trying it again is right however often it was tried",
	"confirm-pending-change":      "the ID names one change, which is never edited",
	"revert-pending-change":       "the ID names one change, which is never edited",
	"see-missed-calls":            "what was not looked at stays new, as it names the newest entry that was",
	"delete-own-call":             "an entry is never edited, only seen",
	"delete-call-records":         "a record is never edited, and calls that end meanwhile stay",
	"delete-own-calls":            "what came since stays, as it names the newest entry that goes",
	"hang-up-call":                "the ID names one call, which is never another",
	"begin-call":                  "begins a call, which changes no setting",
	"leave-wizard":                "sets nothing else, and nobody sets it back",
}

// bodies of changes that are taken when If-Match is right, beside those of whole
// sections.
var matchBodies = map[string]string{
	"change-user":               `{"user":"demo101","extension":"101"}`,
	"change-pickup-group":       `{"number":2,"name":"Yard"}`,
	"change-hunt-group":         `{"extension":"601","title":"Shop","callScheme":"linear"}`,
	"change-permission-group":   `{"name":"Locals","type":"user"}`,
	"change-gui-group":          `{"title":"Desk","modules":["home"]}`,
	"change-provisioning-group": `{"name":"Doors"}`,
	"change-contact":            `{"lastName":"Huber"}`,
	"change-private-contact":    `{"lastName":"Huber"}`,
	"change-own-calls":          `{"noAnswerTime":9}`,
	"change-user-calls":         `{"noAnswerTime":9}`,
	"change-profile":            `{"mobile":"0171","home":"","language":""}`,
	"change-locale":             `{"country":"DE","language":"en","timeZone":"Europe/Berlin"}`,
	"change-certificate":        `{"description":"Renamed"}`,
	"draft-system-setting":      `{"value":90}`,
	"commit-system-settings":    `{}`,
	"change-gateway":            `{"name":"Other","registrar":"sip.example","user":"1","codecs":["pcma"]}`,
	"change-gateway-group":      `{"title":"Other"}`,
	"change-transport":          `{"name":"Other"}`,
	"change-inbound-route":      `{"rule":"Other","group":"gg1","pattern":"1","target":"101"}`,
	"change-outbound-route":     `{"rule":"Other","pattern":"1","groups":["gg1"]}`,
	"change-calendar":           `{"name":"Other"}`,
	"move-gateway":              `{}`,
	"move-inbound-route":        `{}`,
	"move-outbound-route":       `{}`,
	"change-night-service":      `{"profile":1}`,
	"submit-wizard":             `{"locale":{"country":"DE","language":"en"}}`,
}

// TestEveryChangeNeedsIfMatch calls every operation that changes something
// without If-Match and with the ETag of another state, and wants 428 and 412
// and no change; or its reason in the table.
func TestEveryChangeNeedsIfMatch(t *testing.T) {
	m := newMemory()
	now := time.Now()
	s := licensedServer(t, m, &now)
	c := loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.PickupGroups = []pbx.PickupGroup{{ID: "p1", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "Office"}}}
		cfg.HuntGroups = []pbx.HuntGroup{{ID: "h1", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", CallScheme: "linear"}}}
		cfg.ProvisioningGroups = []pbx.ProvisioningGroup{{ID: "v1", ProvisioningGroupSettings: pbx.ProvisioningGroupSettings{Name: "Desk"}}}
		cfg.PermissionGroups = append(cfg.PermissionGroups, pbx.PermissionGroup{ID: "own", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Own", Type: "user"}})
		cfg.GUIGroups = append(cfg.GUIGroups, pbx.GUIGroup{ID: "own", GUIGroupSettings: pbx.GUIGroupSettings{Title: "Own"}})
		outsideLines(cfg)
	})
	for _, owner := range []string{"", pbx.AdminID} {
		if err := m.AddContacts(t.Context(), owner, []pbx.Contact{{ID: "c1", ContactSettings: pbx.ContactSettings{LastName: "Maier"}}}); err != nil {
			t.Fatal(err)
		}
	}
	first := func(path string) string { return strings.Split(strings.TrimPrefix(path, apiPrefix+"/"), "/")[0] }
	m.addCertificate(t, "z1", "new.example")
	ids := map[string]string{"users": "demo101", "certificates": "z1", "pickup-groups": "p1", "hunt-groups": "h1", "permission-groups": "own",
		"gui-groups": "own", "provisioning-groups": "v1", "contacts": "c1", "private-contacts": "c1",
		"gateways": "gw1", "gateway-groups": "gg1", "transports": "defaultudp", "inbound-routes": "in1", "outbound-routes": "out1", "calendars": "cal1"}
	cfg, revision := m.Current()
	seen, asked := map[string]bool{}, 0
	walk(s, func(method string, op *huma.Operation) {
		if method == http.MethodGet {
			return
		}
		seen[op.OperationID] = true
		documented := slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" })
		_, exempt := unconditional[op.OperationID]
		if documented == exempt {
			t.Errorf("%s %s (%s): If-Match %v, in the table %v", method, op.Path, op.OperationID, documented, exempt)
		}
		if !documented {
			if why := unconditional[op.OperationID]; strings.Contains(why, ", ") && !strings.Contains(op.Description, "If-Match") {
				t.Errorf("%s: the description does not say why it needs no If-Match: %s", op.OperationID, why)
			}
			return
		}
		for _, status := range []string{"412", "428"} {
			if op.Responses[status] == nil {
				t.Errorf("%s: no answer %s", op.OperationID, status)
			}
		}
		path := strings.NewReplacer("{id}", ids[first(op.Path)], "{number}", "1", "{path}", "sip.ringTime").Replace(op.Path)
		contentType := "application/json"
		body := matchBodies[op.OperationID]
		if method == http.MethodPut && strings.Contains(op.Path, "image") {
			contentType, body = "image/png", pictureIn(t, "png")
		}
		if op.OperationID == "import-calendar" {
			contentType, body = "text/calendar", icsFile
		}
		if op.OperationID == "upload-license" {
			contentType, body = "text/plain", "x"
		}
		switch {
		case op.OperationID == "change-email-delivery":
			body = asJSON(t, cfg.Mail.MailSettings)
		case method == http.MethodPut && body == "":
			body = c.want(200, "GET", strings.TrimPrefix(path, apiPrefix), "", nil).text
		}
		for header, want := range map[string]int{"": 428, `"another"`: 412} {
			res := c.do(method, path, body, "If-Match", header, "Content-Type", contentType)
			if res.StatusCode != want {
				t.Errorf("%s %s with If-Match %q: got %d %s, want %d", method, path, header, res.StatusCode, res.text, want)
			}
			asked++
		}
	})
	for id := range unconditional {
		if !seen[id] {
			t.Errorf("the table has %s, which is no operation", id)
		}
	}
	if asked < 60 {
		t.Errorf("only %d requests were sent", asked)
	}
	if now, n := m.Current(); n != revision || fmt.Sprintf("%+v", now) != fmt.Sprintf("%+v", cfg) || len(m.drafts) != 0 {
		t.Errorf("something was changed: revision %d, %d drafts", n, len(m.drafts))
	}
}

// TestSeenStates checks that the ETag of what a client has read is taken, and
// refused once somebody else has changed it.
func TestSeenStates(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	m.addCertificate(t, "z1", "new.example")
	setting := func() string {
		var all SystemSettings
		c.want(200, "GET", "/system-settings", "", &all)
		for _, tab := range all.Tabs {
			for _, x := range tab.Settings {
				if x.Path == "sip.ringTime" {
					return x.Tag
				}
			}
		}
		t.Fatal("there is no sip.ringTime")
		return ""
	}
	tag := func(path string) func() string {
		return func() string { return c.want(200, "GET", path, "", nil).Header.Get("ETag") }
	}
	drafted := 60
	draft := func() {
		drafted++
		c.want(200, "PUT", "/system-settings/drafts/sip.ringTime", fmt.Sprintf(`{"value":%d}`, drafted), nil)
	}
	for _, tc := range []struct {
		method, path, body, contentType string
		read                            func() string
		other                           func() // what somebody else does meanwhile
	}{
		{"PUT", "/profile/image", pictureIn(t, "png"), "image/png", tag("/profile"), func() { c.want(200, "PUT", "/profile", `{"mobile":"0172","home":"","language":""}`, nil) }},
		{"PUT", "/profile", `{"mobile":"0173","home":"","language":""}`, "application/json", tag("/profile"), func() { c.put(t, 200, "/profile/image", "image/gif", pictureIn(t, "gif")) }},
		{"PUT", "/users/demo101/image", pictureIn(t, "png"), "image/png", tag("/users/demo101"), func() { c.want(200, "PUT", "/users/demo101", `{"user":"demo101","extension":"107"}`, nil) }},
		{"PUT", "/system-settings/drafts/sip.ringTime", `{"value":50}`, "application/json", setting, draft},
		{"DELETE", "/system-settings/drafts/sip.ringTime", "", "", setting, draft},
		{"POST", "/system-settings/revert", "", "", tag("/system-settings"), draft},
		{"POST", "/system-settings/commit", `{}`, "application/json", tag("/system-settings"), draft},
		{"POST", "/wizard", `{"locale":{"country":"AT","language":"de"}}`, "application/json", tag("/wizard"), func() { m.edit(t, func(cfg *pbx.Config) { cfg.UserByID("demo102").FirstName += "x" }) }},
		{"POST", "/certificates/z1/use", "", "", tag("/certificates/z1"), func() { c.want(200, "PUT", "/certificates/z1", `{"description":"Renamed"}`, nil) }},
		{"POST", "/revisions/2/restore", "", "", tag("/revisions/2/effect"), func() { m.edit(t, func(cfg *pbx.Config) { cfg.SIP.RingTime++ }) }},
	} {
		seen := tc.read()
		if seen == "" {
			t.Errorf("%s %s: nothing to match", tc.method, tc.path)
		}
		tc.other()
		if res := c.do(tc.method, apiPrefix+tc.path, tc.body, "Content-Type", tc.contentType, "If-Match", seen); res.StatusCode != 412 {
			t.Errorf("%s %s after another's change: got %d %s, want 412", tc.method, tc.path, res.StatusCode, res.text)
		}
		if res := c.do(tc.method, apiPrefix+tc.path, tc.body, "Content-Type", tc.contentType, "If-Match", tc.read()); res.StatusCode >= 300 {
			t.Errorf("%s %s: got %d %s", tc.method, tc.path, res.StatusCode, res.text)
		}
	}
}
