package web

import (
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// setting returns one parameter as the API shows it.
func (c *client) setting(t testing.TB, path string) (SystemSetting, int) {
	t.Helper()
	var all SystemSettings
	c.want(200, "GET", "/system-settings", "", &all)
	for _, tab := range all.Tabs {
		for _, x := range tab.Settings {
			if x.Path == path {
				return x, all.Drafts
			}
		}
	}
	t.Fatalf("no setting %s", path)
	return SystemSetting{}, 0
}

func TestSystemSettings(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	x, _ := c.setting(t, "sip.ringTime")
	if x.Title != "Ring time" || x.Unit != "s" || x.Type != "number" || *x.Minimum != 5 || *x.Maximum != 600 || string(x.Default) != "120" || string(x.Value) != "120" || x.Draft != nil {
		t.Errorf("got %+v", x)
	}
	for _, tab := range pbx.SettingsTabs() {
		for _, path := range tab.Paths {
			if x, _ := c.setting(t, path); x.Title == "" || x.Doc == "" || len(x.Value) == 0 || len(x.Default) == 0 {
				t.Errorf("%s: got %+v", path, x)
			}
		}
	}
	_, before := m.Current()
	c.want(200, "PUT", "/system-settings/drafts/sip.ringTime", `{"value":90}`, nil)
	c.want(200, "PUT", "/system-settings/drafts/sip.localNetworks", `{"value":["10.0.0.0/8"]}`, nil)
	c.want(200, "PUT", "/system-settings/drafts/page.sessionIdle", `{"value":30}`, nil)
	if x, n := c.setting(t, "sip.ringTime"); string(*x.Draft) != "90" || x.Author != "admin" || x.Time == nil || string(x.Value) != "120" || n != 3 {
		t.Errorf("draft: got %+v, %d drafts", x, n)
	}
	if _, n := m.Current(); n != before {
		t.Error("a draft changed the configuration")
	}
	for _, tc := range []struct{ path, body, words string }{
		{"sip.ringTime", `{"value":4}`, "5 to 600"},
		{"sip.ringTime", `{"value":"90"}`, "a whole number"},
		{"sip.ringTime", `{"value":null}`, "a whole number"},
		{"sip.ringTime", `{"value":90.5}`, "a whole number"},
		{"sip.ringTime", `{}`, "a whole number"},
		{"sip.digestSha256", `{"value":1}`, "true or false"},
	} {
		c.refused(t, "PUT", "/system-settings/drafts/"+tc.path, tc.body, "value", tc.words)
	}
	c.refused(t, "PUT", "/system-settings/drafts/sip.localNetworks", `{"value":["10.0.0.0/8","x"]}`, "value[1]", "prefix length")
	for _, path := range []string{"sip.nothing", "users", "mail.server", "page.certificate", "setup.wizardDone", "network.address"} {
		c.want(404, "PUT", "/system-settings/drafts/"+path, `{"value":1}`, nil)
	}
	// The value that holds drops the draft.
	c.want(200, "PUT", "/system-settings/drafts/page.sessionIdle", `{"value":60}`, nil)
	if x, n := c.setting(t, "page.sessionIdle"); x.Draft != nil || n != 2 {
		t.Errorf("draft that holds already: got %+v, %d drafts", x, n)
	}
	c.want(200, "POST", "/system-settings/commit", `{"comment":"Shorter"}`, nil)
	cfg, n := m.Current()
	if n != before+1 || cfg.SIP.RingTime != 90 || len(cfg.SIP.LocalNetworks) != 1 || m.revisions[n-1].Comment != "Shorter" || m.revisions[n-1].Author != "admin" {
		t.Errorf("commit: revision %d after %d: %+v", n, before, cfg.SIP)
	}
	if x, n := c.setting(t, "sip.ringTime"); x.Draft != nil || string(x.Value) != "90" || n != 0 || len(m.drafts) != 0 {
		t.Errorf("after the commit: got %+v, %d drafts", x, n)
	}
	c.want(200, "POST", "/system-settings/commit", `{}`, nil) // nothing to do
	if _, again := m.Current(); again != n {
		t.Error("a commit of nothing made a revision")
	}
	if m.audited("change-system-settings") != 1 {
		t.Errorf("audited %d times, want 1", m.audited("change-system-settings"))
	}
}

// TestDraftsTogether checks that drafts are checked as a whole, that a refused
// commit changes nothing, and that they can be dropped.
func TestDraftsTogether(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	c.want(200, "PUT", "/system-settings/drafts/sip.minExpires", `{"value":3000}`, nil)
	c.want(200, "PUT", "/system-settings/drafts/sip.maxExpires", `{"value":600}`, nil)
	c.want(200, "PUT", "/system-settings/drafts/sip.ringTime", `{"value":90}`, nil)
	before, _ := m.Current()
	c.refused(t, "POST", "/system-settings/commit", `{}`, "sip.minExpires", "longer than the longest")
	if after, _ := m.Current(); after != before || len(m.drafts) != 3 {
		t.Errorf("a refused commit left %d drafts", len(m.drafts))
	}
	c.want(200, "DELETE", "/system-settings/drafts/sip.minExpires", "", nil)
	c.want(404, "DELETE", "/system-settings/drafts/sip.nothing", "", nil)
	if _, n := c.setting(t, "sip.ringTime"); n != 2 {
		t.Errorf("%d drafts, want 2", n)
	}
	c.want(200, "POST", "/system-settings/revert", "", nil)
	if _, n := c.setting(t, "sip.ringTime"); n != 0 || len(m.drafts) != 0 {
		t.Errorf("%d drafts after revert", n)
	}
	c.refused(t, "POST", "/system-settings/commit", `{"comment":"`+strings.Repeat("x", 201)+`"}`, "comment", "at most 200")
}

// TestDraftsAfterCrash checks that drafts which a crash left behind after
// their commit count as none.
func TestDraftsAfterCrash(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.drafts["sip.ringTime"] = pbx.Draft{Path: "sip.ringTime", Value: "120", Author: "admin"}
	m.drafts["sip.gone"] = pbx.Draft{Path: "sip.gone", Value: "1", Author: "admin"} // of another version
	if x, n := c.setting(t, "sip.ringTime"); x.Draft != nil || n != 0 {
		t.Errorf("got %+v, %d drafts", x, n)
	}
	_, before := m.Current()
	c.want(200, "POST", "/system-settings/commit", `{}`, nil)
	if _, n := m.Current(); n != before || len(m.drafts) != 0 {
		t.Errorf("revision %d after %d, %d drafts", n, before, len(m.drafts))
	}
}
