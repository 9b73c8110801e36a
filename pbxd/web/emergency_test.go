package web

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// After each change the device tells whether emergency calls can leave. What makes
// them impossible is done all the same, and said in the answer; a device that has no
// gateway yet is only told so calmly.
func TestSavesTellOfEmergencyCalls(t *testing.T) {
	m := newMemory()
	heard := []pbx.Warning{{Message: pbx.Say("{time}: emergency call to {number} by {name}", "time", "now", "number", "112", "name", "Anna"), Screen: "call-traces"}}
	s := newServer(t, m, nil)
	s.Warnings = func() []pbx.Warning { return heard }
	c := loggedIn(t, s)
	standing := func() (w []Warning) {
		var st Status
		c.want(200, "GET", "/status", "", &st)
		if n := len(st.Warnings); !st.Healthy || n == 0 || st.Warnings[n-1].Message != "now: emergency call to 112 by Anna" || st.Warnings[n-1].Screen != "call-traces" {
			t.Errorf("status %+v", st)
		}
		return slices.DeleteFunc(st.Warnings, func(w Warning) bool { return w.Screen == "call-traces" })
	}
	if w := standing(); len(w) != 1 || !w[0].Calm || w[0].Screen != "gateways" || !strings.Contains(w[0].Message, "not possible yet (110, 112)") {
		t.Errorf("a new device: %+v", w)
	}
	save := func(method, path, body, want string) {
		t.Helper()
		res := c.do(method, apiPrefix+path, body, "If-Match", "*")
		if res.StatusCode >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, res.text)
		}
		if got := res.Header.Get(warningHeader); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s %s warns %q, want %q", method, path, got, want)
		}
	}
	save("POST", "/calendars", `{"name":"One"}`, "")
	m.edit(t, outsideLines)
	if w := standing(); len(w) != 0 {
		t.Errorf("with a gateway: %+v", w)
	}
	save("POST", "/calendars", `{"name":"Two"}`, "")
	var g map[string]any
	c.want(200, "GET", "/gateways/gw1", "", &g)
	delete(g, "id")
	delete(g, "passwordSet")
	delete(g, "options")
	body := func(group string, outbound bool) string {
		g["group"], g["outbound"] = group, outbound
		text, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	save("PUT", "/gateways/gw1", body("gg1", false), "no gateway allows outbound calls")
	if w := standing(); len(w) != 1 || w[0].Calm || !strings.Contains(w[0].Message, "(110, 112)") {
		t.Errorf("without outbound calls: %+v", w)
	}
	save("POST", "/calendars", `{"name":"Three"}`, "no gateway allows outbound calls")
	save("PUT", "/gateways/gw1", body("", true), "no gateway belongs to a gateway group")
	save("PUT", "/gateways/gw1", body("gg1", true), "")
	save("DELETE", "/gateways/gw1", "", "there is no gateway")
	if got := c.do("GET", apiPrefix+"/gateways", "").Header.Get(warningHeader); got != "" {
		t.Errorf("reading warns %q", got)
	}
}
