package web

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// journals is an office in which anna and ben have talked, and clerk has no
// module journal.
func journals(t *testing.T) (*memory, *Server) {
	t.Helper()
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "carl", 311, "journal")
		withModules(cfg, "dora", 312, "journal")
		withModules(cfg, "looker", 313, "user-journals")
	})
	at := time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC)
	m.note(
		pbx.JournalEntry{User: "carl", Call: "a", Direction: pbx.CallOut, Result: pbx.CallAnswered, Number: "312", Name: "Dora Secret", Time: at, Duration: 7},
		pbx.JournalEntry{User: "dora", Call: "a", Direction: pbx.CallIn, Result: pbx.CallAnswered, Number: "311", Name: "Carl", Time: at, Duration: 7},
		pbx.JournalEntry{User: "carl", Call: "b", Direction: pbx.CallIn, Result: pbx.CallMissed, Number: "0891", Name: "Eva Maier", Time: at},
		pbx.JournalEntry{User: "dora", Call: "c", Direction: pbx.CallIn, Result: pbx.CallMissed, Number: "0892", Time: at},
		pbx.JournalEntry{User: "carl", Call: "d", Direction: pbx.CallIn, Result: pbx.CallMissed, Number: "0893", Group: "Sales", Time: at})
	return m, s
}

// callsIn reads a journal and returns its calls and how many there are in all.
func callsIn(c *client, path string) string {
	c.t.Helper()
	var list []pbx.JournalEntry
	res := c.want(200, "GET", path, "", &list)
	var ids []string
	for _, e := range list {
		ids = append(ids, e.Call)
	}
	return strings.Join(ids, " ") + "/" + res.Header.Get("X-Total-Count")
}

func TestOwnJournal(t *testing.T) {
	m, s := journals(t)
	carl := enter(t, s, "carl")
	for query, want := range map[string]string{
		"": "d b a/3", "?limit=1": "d/3", "?before=5&limit=1": "b/3", "?direction=in": "d b/2", "?direction=out": "a/1", "?result=missed": "d b/2",
		"?new=true": "d b/2", "?name=mai": "b/1", "?number=089": "d b/2", "?number=0893&direction=in": "d/1", "?result=busy": "/0", "?direction=": "d b a/3",
	} {
		if got := callsIn(carl, "/profile/journal"+query); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	for query, field := range map[string]string{"?limit=0": "limit", "?limit=201": "limit", "?direction=up": "direction", "?result=good": "result", "?before=-1": "before"} {
		if res := carl.want(422, "GET", "/profile/journal"+query, "", nil); !strings.Contains(res.text, "query."+field) {
			t.Errorf("%q: %s", query, res.text)
		}
	}
	var done AlteredCalls
	for _, body := range []string{`{}`, `{"upTo":0}`, `{"upTo":-3}`, `{"upTo":"x"}`} {
		if res := carl.want(422, "POST", "/profile/journal/seen", body, nil); !strings.Contains(res.text, "upTo") {
			t.Errorf("%s: %s", body, res.text)
		}
	}
	if carl.want(200, "POST", "/profile/journal/seen", `{"upTo":4}`, &done); done.Calls != 1 || callsIn(carl, "/profile/journal?new=true") != "d/1" {
		t.Errorf("%d are seen", done.Calls)
	}
	carl.want(204, "DELETE", "/profile/journal/3", "", nil)
	for _, id := range []string{"3", "2", "x", "-1", "0", "99999999999999999999"} { // 2 is dora's
		carl.want(404, "DELETE", "/profile/journal/"+id, "", nil)
	}
	carl.want(422, "DELETE", "/profile/journal", "", nil)
	if carl.want(200, "DELETE", "/profile/journal?upTo=4", "", &done); done.Calls != 1 || callsIn(carl, "/profile/journal") != "d/1" {
		t.Errorf("%d are deleted", done.Calls)
	}
	if got := callsIn(enter(t, s, "dora"), "/profile/journal?new=true"); got != "c/1" {
		t.Errorf("of the other user %s are left", got)
	}
	if m.audited("delete-own-call") != 1 || m.audited("delete-own-calls") != 1 {
		t.Error("the audit log lacks what was deleted")
	}
}

// Nobody sees another's journal but those who may, and each look is noted
// before anything is shown.
func TestJournalOfOthers(t *testing.T) {
	m, s := journals(t)
	for _, id := range []string{"carl", "anna", "clerk"} {
		c := enter(t, s, id)
		if res := c.do("GET", apiPrefix+"/users/dora/journal", ""); res.StatusCode != 403 || strings.Contains(res.text, "0892") {
			t.Errorf("%s sees dora's journal: %d %s", id, res.StatusCode, res.text)
		}
		if res := c.do("GET", apiPrefix+"/profile/journal?user=dora", ""); strings.Contains(res.text, "0892") {
			t.Errorf("%s sees dora's calls: %s", id, res.text)
		}
	}
	enter(t, s, "anna").want(403, "GET", "/profile/journal", "", nil)
	looker := enter(t, s, "looker")
	looker.want(404, "GET", "/users/nobody/journal", "", nil)
	if m.audited("show-journal") != 0 {
		t.Error("a look at nothing is noted")
	}
	if got := callsIn(looker, "/users/dora/journal?limit=1"); got != "c/2" || m.audited("show-journal") != 1 {
		t.Errorf("the journal is %s, %d looks", got, m.audited("show-journal"))
	}
	m.mu.Lock()
	m.auditErr = errors.New("full")
	m.mu.Unlock()
	if res := looker.want(500, "GET", "/users/dora/journal", "", nil); strings.Contains(res.text, "0892") {
		t.Errorf("shown without being noted: %s", res.text)
	}
	m.mu.Lock()
	m.auditErr = nil
	m.mu.Unlock()
	admin := enter(t, s, pbx.AdminID)
	if got := callsIn(admin, "/profile/journal"); got != "/0" {
		t.Errorf("the administrator's own journal is %s", got)
	}
	admin.want(200, "POST", "/session/impersonation", `{"user":"dora"}`, nil)
	if got := callsIn(admin, "/profile/journal"); got != "c a/2" {
		t.Errorf("with dora's rights: %s", got)
	}
	if n := m.audited("show-journal"); n != 2 {
		t.Errorf("%d looks are in the audit log, want that with dora's rights, too", n)
	}
	var seen AlteredCalls
	if admin.want(200, "POST", "/profile/journal/seen", `{"upTo":99}`, &seen); seen.Calls != 0 {
		t.Errorf("who has dora's rights takes the mark of %d missed calls from her", seen.Calls)
	}
	if enter(t, s, "dora").want(200, "POST", "/profile/journal/seen", `{"upTo":99}`, &seen); seen.Calls == 0 {
		t.Error("dora has no missed calls any more")
	}
}

// TestJournalEvents checks that a stream tells a user of the own journal and of
// no other, and nobody who else is concerned.
func TestJournalEvents(t *testing.T) {
	_, s := journals(t)
	for id, want := range map[string]bool{"carl": true, "dora": false, "anna": false, pbx.AdminID: false} {
		c := &caller{token: hashToken(enter(t, s, id).token)}
		if !s.refresh(c, false) {
			t.Fatalf("%s has no session", id)
		}
		f := pbx.Fact{Kind: pbx.FactJournal, Users: []string{"carl", "anna", "x"}}
		if visible(f, c) != want {
			t.Errorf("%s sees the fact: %v", id, !want)
		}
		if text := asJSON(t, f); strings.Contains(text, "carl") || !strings.Contains(text, `"journal"`) {
			t.Errorf("a stream says %s", text)
		}
	}
}

func TestLiveCalls(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "status", 311, "general-information")
		withModules(cfg, "calls", 312, "live-calls")
	})
	at := time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC)
	for i, id := range []string{"x-2", "x-1"} {
		m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &pbx.CallStatus{ID: id, From: "101", To: fmt.Sprint(102 + i), State: pbx.CallUp, Started: at.Add(-time.Duration(i) * time.Second)}})
	}
	ended := ""
	s.Hangup = func(id, by string) bool { ended += id + by; return id == "x-1" }
	status, calls := enter(t, s, "status"), enter(t, s, "calls")
	var list []pbx.CallStatus
	for _, c := range []*client{status, calls} {
		if c.want(200, "GET", "/calls", "", &list); len(list) != 2 || list[0].ID != "x-1" || list[1].To != "102" {
			t.Errorf("%+v", list)
		}
	}
	enter(t, s, "anna").want(403, "GET", "/calls", "", nil)
	status.want(403, "DELETE", "/calls/x-1", "", nil)
	calls.want(404, "DELETE", "/calls/x-3", "", nil)
	calls.want(404, "DELETE", "/calls/x-2", "", nil) // ended meanwhile
	if m.audited("hang-up-call") != 0 || ended != "x-2calls" {
		t.Errorf("ended %q", ended)
	}
	calls.want(204, "DELETE", "/calls/x-1", "", nil)
	if m.audits[len(m.audits)-1].Object != "101 > 103" || m.audited("hang-up-call") != 1 || ended != "x-2callsx-1calls" {
		t.Errorf("ended %q, %+v", ended, m.audits)
	}
	s.Hangup = nil
	calls.want(404, "DELETE", "/calls/x-1", "", nil)
}
