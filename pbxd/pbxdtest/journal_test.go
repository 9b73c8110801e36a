package pbxdtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// withPIN lets the demo users log in.
func withPIN(cfg *pbx.Config) {
	var pins pbx.PINs
	for _, ext := range []string{"101", "102", "103"} {
		u := cfg.UserByExtension(ext)
		u.PIN, u.MustChangePIN = pins.Hash("4711"), false
	}
}

// journal waits until a demo user's journal has as many entries as lines, newest
// first, each "direction result number name group".
func (s *System) journal(t *testing.T, ext string, want ...string) []pbx.JournalEntry {
	t.Helper()
	a := s.As("demo"+ext, "4711")
	var list []pbx.JournalEntry
	for end := time.Now().Add(5 * time.Second); len(list) < len(want) && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		a.Do("GET", "/api/v1/profile/journal", nil, 200, &list)
	}
	var got []string
	for _, e := range list {
		got = append(got, strings.TrimSpace(fmt.Sprint(e.Direction, " ", e.Result, " ", e.Number, " ", e.Name, " ", e.Group)))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the journal of %s is %q, want %q", ext, got, want)
	}
	return list
}

// A call is in the journals of both, as each of them saw it.
func TestCallsAreInBothJournals(t *testing.T) {
	t.Parallel()
	s, a, b, _ := threePhones(t, withPIN)
	call := a.Dial("102", SDP(16000)) // answered
	in := b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	time.Sleep(1100 * time.Millisecond)
	call.Send("BYE", "")
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)

	call = a.Dial("102", SDP(16000)) // given up
	in = b.Ringing()
	in.Reply(180, "Ringing", "")
	a.Response("INVITE", 180)
	call.Cancel()
	b.Reply(b.Request("CANCEL"), "", 200, "OK", "", "")
	in.Reply(487, "Request Terminated", "")
	call.AckRefusal(a.Final("INVITE"))

	call = a.Dial("102", SDP(16000)) // declined
	in = b.Ringing()
	in.Reply(180, "Ringing", "")
	in.Reply(603, "Decline", "")
	call.AckRefusal(a.Final("INVITE"))
	nothingLeft(t, s)

	out := s.journal(t, "101", "out busy 102 Ben Demo", "out noAnswer 102 Ben Demo", "out answered 102 Ben Demo")
	got := s.journal(t, "102", "in declined 101 Anna Demo", "in missed 101 Anna Demo", "in answered 101 Anna Demo")
	s.journal(t, "103")
	if t.Failed() {
		return
	}
	for i := range out {
		if out[i].Call != got[i].Call || out[i].User != "demo101" || got[i].User != "demo102" || time.Since(out[i].Time) > time.Minute {
			t.Errorf("%+v and %+v are not of one call", out[i], got[i])
		}
	}
	if out[2].Duration < 1 || out[2].Duration > 10 || got[2].Duration != out[2].Duration || out[1].Duration+got[1].Duration != 0 {
		t.Errorf("durations %d and %d", out[2].Duration, got[2].Duration)
	}
	if got[0].New || !got[1].New || out[1].New {
		t.Errorf("new: %+v", got)
	}
	s.As("demo102", "4711").Do("POST", "/api/v1/profile/journal/seen", map[string]any{"upTo": got[0].ID}, 200, nil)
	var left []pbx.JournalEntry
	if s.As("demo102", "4711").Do("GET", "/api/v1/profile/journal?new=true", nil, 200, &left); len(left) != 0 {
		t.Errorf("%+v are still new", left)
	}
}

// A call to a group that one member answers is elsewhere for the others, not
// missed (P12), and missed for all when nobody does.
func TestGroupCallsInJournals(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, func(cfg *pbx.Config) {
		withPIN(cfg)
		cfg.HuntGroups = []pbx.HuntGroup{{ID: "all", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", CallScheme: "parallel",
			Members: []pbx.HuntMember{{User: "demo102", Timeout: 30}, {User: "demo103", Timeout: 30}}}}}
	})
	call := a.Dial("600", SDP(16000))
	one, other := b.Ringing(), c.Ringing()
	other.Reply(180, "Ringing", "")
	one.Answer(SDP(16002))
	c.Reply(c.Request("CANCEL"), "", 200, "OK", "", "")
	other.Reply(487, "Request Terminated", "")
	call.Answered()
	call.Send("BYE", "")
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)

	call = a.Dial("600", SDP(16000))
	one, other = b.Ringing(), c.Ringing()
	one.Reply(180, "Ringing", "")
	other.Reply(180, "Ringing", "")
	a.Response("INVITE", 180)
	call.Cancel()
	for p, in := range map[*Phone]*Call{b: one, c: other} {
		p.Reply(p.Request("CANCEL"), "", 200, "OK", "", "")
		in.Reply(487, "Request Terminated", "")
	}
	call.AckRefusal(a.Final("INVITE"))
	nothingLeft(t, s)
	s.journal(t, "102", "in missed 101 Anna Demo Sales", "in answered 101 Anna Demo Sales")
	got := s.journal(t, "103", "in missed 101 Anna Demo Sales", "in elsewhere 101 Anna Demo Sales")
	if len(got) == 2 && got[1].New {
		t.Error("a call that another took is shown as missed")
	}
}

// facts reads the kinds of facts of a user's event stream until the test ends.
func (a *Admin) facts(t *testing.T) <-chan string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", a.base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	t.Cleanup(client.CloseIdleConnections)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(t.Context(), func() { res.Body.Close() })
	told := make(chan string, 100)
	lines := bufio.NewScanner(res.Body)
	go func() {
		defer close(told)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				told <- data
			}
		}
	}()
	<-told // the snapshot
	return told
}

// An administrator hangs up a call, which both phones hear and the journals
// keep; the streams tell each user of the own journal only.
func TestHungUpByAdministrator(t *testing.T) {
	t.Parallel()
	s, a, b, _ := threePhones(t, withPIN)
	concerned, stranger := s.As("demo102", "4711").facts(t), s.As("demo103", "4711").facts(t)
	admin := s.Login()
	call := a.Dial("102", SDP(16000))
	b.Ringing().Answer(SDP(16002))
	call.Answered()
	var list []pbx.CallStatus
	s.Eventually("the call among those of now", func() bool {
		admin.Do("GET", "/api/v1/calls", nil, 200, &list)
		return len(list) == 1 && list[0].From == "101" && list[0].With == "102" && list[0].State == pbx.CallUp
	})
	s.As("demo102", "4711").Do("DELETE", "/api/v1/calls/"+list[0].ID, nil, 403, nil)
	admin.Do("DELETE", "/api/v1/calls/"+list[0].ID, nil, 204, nil)
	for _, p := range []*Phone{a, b} {
		p.Reply(p.Request("BYE"), "", 200, "OK", "", "")
	}
	nothingLeft(t, s)
	s.journal(t, "101", "out answered 102 Ben Demo")
	s.journal(t, "102", "in answered 101 Anna Demo")
	admin.Do("DELETE", "/api/v1/calls/"+list[0].ID, nil, 404, nil)
	var log []pbx.AuditEntry
	if admin.Do("GET", "/api/v1/audit?action=hang-up-call", nil, 200, &log); len(log) != 1 || log[0].Object != "101 > 102" {
		t.Errorf("the audit log has %+v", log)
	}
	journals := func(told <-chan string, wait time.Duration) (n int) {
		for timeout := time.After(wait); ; {
			select {
			case fact := <-told:
				if strings.Contains(fact, `"journal"`) {
					return n + 1
				}
			case <-timeout:
				return n
			}
		}
	}
	if journals(concerned, 3*time.Second) != 1 || journals(stranger, 300*time.Millisecond) != 0 {
		t.Error("the streams do not tell just those whose journals have changed")
	}
}

// Who calls from the page answers the own phone first, then the other rings.
func TestClickToCall(t *testing.T) {
	t.Parallel()
	s, a, b, _ := threePhones(t, withPIN)
	anna := s.As("demo101", "4711")
	anna.Do("POST", "/api/v1/profile/calls", map[string]any{"number": "102"}, 202, nil)
	own := a.Ringing()
	if from := own.Invite.Get("From"); !strings.Contains(from, `"Ben Demo" <sip:102@`) {
		t.Errorf("the own phone shows %q", from)
	}
	own.Reply(180, "Ringing", "")
	own.Answer(SDP(16000))
	in := b.Ringing()
	if from := in.Invite.Get("From"); !strings.Contains(from, `"Anna Demo" <sip:101@`) {
		t.Errorf("the other phone shows %q", from)
	}
	in.Reply(180, "Ringing", "")
	in.Answer(SDP(16002))
	time.Sleep(100 * time.Millisecond)
	in.Send("BYE", "")
	b.Response("BYE", 200)
	a.Reply(a.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
	s.journal(t, "101", "out answered 102 Ben Demo")
	s.journal(t, "102", "in answered 101 Anna Demo")
}

// The calls that end since the device stops are in the journals, and those from
// before.
func TestJournalOverRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := Start(t, Options{Dir: dir, Configure: withPIN})
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
	call := a.Dial("102", SDP(16000))
	b.Ringing().Answer(SDP(16002))
	call.Answered()
	s.Stop()
	s = Start(t, Options{Dir: dir})
	first := s.journal(t, "101", "out answered 102 Ben Demo")
	s.journal(t, "102", "in answered 101 Anna Demo")
	a, b = s.Phone("101", "udp").MustRegister(), s.Phone("103", "udp").MustRegister()
	call = a.Dial("103", SDP(16000))
	b.Ringing().Reply(486, "Busy Here", "")
	call.AckRefusal(a.Final("INVITE"))
	if list := s.journal(t, "101", "out busy 103 Clara Demo", "out answered 102 Ben Demo"); len(list) == 2 && list[0].Call == first[0].Call {
		t.Errorf("two calls have the identifier %s", list[0].Call)
	}
}
