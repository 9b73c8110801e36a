package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// recordsOf is an office with three call records, of which a clerk with the module
// sees all.
func recordsOf(t *testing.T) (*memory, *Server, *client) {
	t.Helper()
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "carl", 311, "call-records")
		withModules(cfg, "dora", 312, "call-traces", "live-calls")
		cfg.Locale.TimeZone = "Europe/Berlin"
		g := pbx.GatewayGroup{ID: "main"}
		pbx.SetDefaults(&g.GatewayGroupSettings)
		g.Title = "Main"
		cfg.GatewayGroups = append(cfg.GatewayGroups, g)
		gw := pbx.Gateway{ID: "gw1"}
		pbx.SetDefaults(&gw.GatewaySettings)
		gw.Name, gw.Group, gw.Registrar, gw.User, gw.Codecs = "Provider, first", "main", "sip.example.org", "u", []string{"pcma"}
		cfg.Gateways = append(cfg.Gateways, gw)
	})
	at := time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC)
	anna := pbx.RecordParty{Number: "101", Name: "Anna", User: "demo101"}
	m.recorded(
		pbx.CallRecord{Call: "a", Direction: pbx.RecordOut, Caller: anna, Dialled: "0043 1 555", DialledE: "+431555", GatewayOut: "gw1", Result: pbx.RecordBusy, Cause: 17, Began: at, Ended: at.Add(9 * time.Second), Ring: 9, Toll: pbx.TollForeign},
		pbx.CallRecord{Call: "b", Direction: pbx.RecordInternal, Caller: anna, Dialled: "102", Target: pbx.RecordParty{Number: "102", Name: "=cmd()", User: "demo102"}, Result: pbx.RecordAnswered, Cause: 16,
			Began: at.Add(time.Hour), Answered: at.Add(time.Hour + 4*time.Second), Ended: at.Add(time.Hour + 65*time.Second), Ring: 4, Talk: 61, Toll: pbx.TollInternal, Legs: []pbx.RecordLeg{{Party: anna, Began: at}}},
		pbx.CallRecord{Call: "c", Direction: pbx.RecordIn, Caller: pbx.RecordParty{Number: "+43199", E164: "+43199"}, Dialled: "555", GatewayIn: "gone", Result: pbx.RecordNoAnswer, Began: at.Add(2 * time.Hour), Ended: at.Add(2 * time.Hour), Toll: pbx.TollInternal})
	return m, s, enter(t, s, "carl")
}

// calls reads call records part by part and returns their calls.
func (c *client) calls(query string) string {
	c.t.Helper()
	var list []string
	for after := ""; ; {
		var part CallRecordList
		c.want(200, "GET", "/call-records?limit=2"+query+"&after="+after, "", &part)
		for _, r := range part.Records {
			list = append(list, r.Call)
		}
		if after = part.Next; after == "" {
			return strings.Join(list, " ")
		}
	}
}

func TestCallRecords(t *testing.T) {
	_, s, carl := recordsOf(t)
	for query, want := range map[string]string{
		"": "c b a", "&direction=out": "a", "&direction=": "c b a", "&result=answered": "b", "&caller=101": "b a", "&target=0043*": "a", "&target=1?2": "b", "&minSeconds=1": "b",
		"&minSeconds=9&withRing=true": "b a", "&maxSeconds=60": "c a", "&user=demo102": "b", "&gateway=gw1": "a", "&since=2030-01-01T09:00:00Z": "c b", "&until=2030-01-01T10:00:00%2B01:00": "a",
		"&caller=101&result=busy&since=2030-01-01T09:00:00Z": "",
	} {
		if got := carl.calls(query); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	for query, field := range map[string]string{"limit=0": "limit", "limit=201": "limit", "direction=up": "direction", "result=good": "result", "after=x": "after", "after=1-2-3": "after", "since=now": "since", "minSeconds=-1": "minSeconds",
		"caller=" + strings.Repeat("1", 65): "caller"} {
		if res := carl.want(422, "GET", "/call-records?"+query, "", nil); !strings.Contains(res.text, "query."+field) {
			t.Errorf("%q: %s", query, res.text)
		}
	}
	var sum CallRecordTotals
	carl.want(200, "GET", "/call-records/totals", "", &sum)
	if want := (CallRecordTotals{Calls: 3, Answered: 1, Total: 61, Average: 61, TotalWithRing: 74, AverageWithRing: 25, KeptDays: 365, KeptCalls: 200_000}); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
	carl.want(200, "GET", "/call-records/totals?result=busy", "", &sum)
	if sum.Calls != 1 || sum.Total != 0 || sum.TotalWithRing != 9 {
		t.Errorf("%+v", sum)
	}
	var one WholeCallRecord
	carl.want(200, "GET", "/call-records/2", "", &one)
	if one.Call != "b" || len(one.Legs) != 1 || one.Legs[0].Party.Name != "Anna" || one.Why.Text() != "hung up" || len(one.LegWhy) != 1 {
		t.Errorf("%+v", one)
	}
	for id, want := range map[string][]RecordGateway{"1": {{"gw1", "Provider, first"}}, "2": {}, "3": {}} { // he may not see the gateways; one is gone
		if carl.want(200, "GET", "/call-records/"+id, "", &one); !slices.Equal(one.Gateways, want) {
			t.Errorf("record %s names the gateways %+v, want %+v", id, one.Gateways, want)
		}
	}
	carl.want(404, "GET", "/call-records/9", "", nil)
	carl.want(422, "GET", "/call-records/x", "", nil)
	for _, id := range []string{"dora", "anna"} {
		for _, path := range []string{"/call-records", "/call-records/2", "/call-records/totals", "/call-records/export"} {
			enter(t, s, id).want(403, "GET", path, "", nil)
		}
		enter(t, s, id).want(403, "DELETE", "/call-records?all=true", "", nil)
	}
}

func TestExportCallRecords(t *testing.T) {
	m, _, carl := recordsOf(t)
	res := carl.want(200, "GET", "/call-records/export?caller=101&separator=semicolon", "", nil)
	want := strings.ReplaceAll(`began,direction,caller.number,caller.e164,caller.name,hidden,dialled,dialledE164,target.number,target.e164,target.name,result,cause,ring,talk,toll,gatewayIn,gatewayOut,answered,ended,call
2030-01-01T10:00:00+01:00,internal,101,,Anna,false,102,,102,,'=cmd(),answered,16,4,61,internal,,,2030-01-01T10:00:04+01:00,2030-01-01T10:01:05+01:00,b
2030-01-01T09:00:00+01:00,out,101,,Anna,false,0043 1 555,+431555,,,,busy,17,9,0,foreign,,"Provider~ first",,2030-01-01T09:00:09+01:00,a
`, "\n", "\r\n")
	want = strings.ReplaceAll(strings.ReplaceAll(want, ",", ";"), "~", ",")
	if res.text != want {
		t.Errorf("got\n%s\nwant\n%s", res.text, want)
	}
	if h := res.Header; h.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(h.Get("Content-Disposition"), `attachment; filename="call-records-20`) {
		t.Errorf("%v", h)
	}
	if res := carl.want(200, "GET", "/call-records/export?header=false&direction=in&encoding=iso-8859-1", "", nil); strings.Count(res.text, "\r\n") != 1 || !strings.Contains(res.text, ",gone,") {
		t.Errorf("%s", res.text)
	}
	if m.audited("export-call-records") != 2 {
		t.Error("the audit log lacks an export")
	}
	m.recordsErr = errors.New("damaged")
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("an export that fails ends with %v", p)
		}
	}()
	carl.do("GET", apiPrefix+"/call-records/export", "")
}

func TestDeleteCallRecords(t *testing.T) {
	m, _, carl := recordsOf(t)
	for _, query := range []string{"", "?all=false", "?all=true&before=2030-01-01T09:00:00Z", "?before=yesterday"} {
		if res := carl.want(422, "DELETE", "/call-records"+query, "", nil); !strings.Contains(res.text, "query.before") {
			t.Errorf("%q: %s", query, res.text)
		}
	}
	m.mu.Lock()
	m.auditErr = errors.New("full")
	m.mu.Unlock()
	carl.want(500, "DELETE", "/call-records?all=true", "", nil)
	m.mu.Lock()
	m.auditErr = nil
	m.mu.Unlock()
	if got := carl.calls(""); got != "c b a" {
		t.Errorf("deleted without an entry in the audit log: %q", got)
	}
	var gone DeletedRecords
	carl.want(202, "DELETE", "/call-records?before=2030-01-01T10:00:00%2B01:00", "", &gone)
	if got := carl.calls(""); gone.Deleted != 1 || got != "c b" {
		t.Errorf("%d are deleted, %q are left", gone.Deleted, got)
	}
	carl.want(202, "DELETE", "/call-records?all=true", "", &gone)
	if got := carl.calls(""); gone.Deleted != 2 || got != "" {
		t.Errorf("%d are deleted, %q are left", gone.Deleted, got)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.audits[len(m.audits)-1]
	if e.Action != "delete-call-records" || e.Object != "2" || e.Actor != "carl" || e.From == "" || e.Time.IsZero() {
		t.Errorf("the audit log has %+v", e)
	}
}
