package web

import (
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestClickToCall has users call from the page, with and without a phone.
func TestClickToCall(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "caller", 311, "click-to-call")
		withModules(cfg, "phoneless", 312, "click-to-call")
		withModules(cfg, "numberless", 313, "click-to-call")
		cfg.UserByID("numberless").Extension, cfg.UserByID("numberless").Admin = "", true
	})
	m.tell(pbx.Fact{Kind: pbx.FactRegistration, Extension: "311", Registrations: []pbx.Registration{{Extension: "311"}}})
	begun, refused := "", pbx.Cause(0)
	s.Dial = func(u *pbx.User, number string) (string, pbx.Cause) {
		begun += u.Extension + ">" + number
		return "c7", refused
	}
	caller := enter(t, s, "caller")
	var got BegunCall
	if caller.want(202, "POST", "/profile/calls", `{"number":"+49891234"}`, &got); got.Call != "c7" || begun != "311>+49891234" {
		t.Errorf("%+v, %s", got, begun)
	}
	if n := m.audited("begin-call"); n != 0 {
		t.Errorf("%d own calls are in the audit log", n)
	}
	admin := enter(t, s, pbx.AdminID)
	admin.want(200, "POST", "/session/impersonation", `{"user":"caller"}`, nil)
	if admin.want(202, "POST", "/profile/calls", `{"number":"102"}`, nil); m.audited("begin-call") != 1 {
		t.Error("a call with the rights of another is not in the audit log")
	}
	begun = "311>+49891234"
	for body, words := range map[string]string{
		`{}`: "number", `{"number":""}`: "number", `{"number":"anna"}`: "number", `{"number":"1 2"}`: "number", `{"number":"311"}`: "own extension",
		`{"number":"` + strings.Repeat("1", 33) + `"}`: "number", `{"number":"1+2"}`: "number", `{"number":1}`: "number",
	} {
		if res := caller.want(422, "POST", "/profile/calls", body, nil); !strings.Contains(res.text, "body.number") || !strings.Contains(res.text, words) {
			t.Errorf("%s: %s", body, res.text)
		}
	}
	enter(t, s, "anna").want(403, "POST", "/profile/calls", `{"number":"101"}`, nil)
	enter(t, s, "phoneless").want(409, "POST", "/profile/calls", `{"number":"101"}`, nil)
	enter(t, s, "numberless").want(409, "POST", "/profile/calls", `{"number":"101"}`, nil)
	if begun != "311>+49891234" {
		t.Errorf("calls have begun: %s", begun)
	}
	for why, status := range map[pbx.Cause]int{pbx.CauseCongestion: 503, pbx.CauseUserBusy: 409, pbx.CauseSubscriberAbsent: 409, pbx.CauseTemporaryFailure: 503} {
		refused = why
		caller.want(status, "POST", "/profile/calls", `{"number":"101"}`, nil)
	}
	s.Dial = nil
	caller.want(503, "POST", "/profile/calls", `{"number":"101"}`, nil)
}
