package pbxdtest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// A reminder rings at its time, shows what it is, plays a tone, and is off then.
func TestReminderRings(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var ahead atomic.Int64 // of the clock of the device
	set := func(at time.Time) { ahead.Store(int64(time.Until(at))) }
	set(time.Date(2026, 12, 1, 7, 0, 0, 0, zone))
	s := Start(t, Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, Configure: func(c *pbx.Config) {
		coded("102", "314159")(c)
		c.Locale.TimeZone, c.Locale.Language = "Europe/Berlin", "de"
	}})
	b := s.Phone("102", "udp").MustRegister()
	set(time.Date(2026, 12, 1, 7, 29, 50, 0, zone)) // however long the start took
	b.code("*340730", "")
	in := b.Ringing()
	if from := in.Invite.Get("From"); !strings.Contains(from, `"Erinnerung 07:30"`) {
		t.Errorf("the phone shows %q", from)
	}
	in.Answer(SDP(16000))
	time.Sleep(time.Second)
	in.Send("BYE", "")
	b.Response("BYE", 200)
	ben := s.As("demo102", "314159")
	s.Eventually("the reminder to be off", func() bool {
		var u pbx.UserCalls
		ben.Do("GET", "/api/v1/profile/calls", nil, 200, &u)
		return !u.Reminder && u.ReminderAt == "07:30"
	})
	nothingLeft(t, s)
}

// Texts of phones and of the page come to phones, and those that no phone takes
// are kept.
func TestTextsToPhones(t *testing.T) {
	t.Parallel()
	s, a, b, _ := threePhones(t, coded("103", "314159"))
	if res, _ := a.RequestWith("MESSAGE", "102", "", "text/plain", "Grüße"); res.Status() != 200 {
		t.Errorf("MESSAGE got %s", res.Start)
	}
	m := b.Request("MESSAGE")
	if m.Body != "Grüße" || !strings.Contains(m.Get("From"), `"Anna Demo" <sip:101@`) {
		t.Errorf("the phone got\n%s", m)
	}
	b.Reply(m, "", 200, "OK", "", "")
	if res, _ := a.RequestWith("MESSAGE", "999", "", "text/plain", "x"); res.Status() != 404 {
		t.Errorf("MESSAGE to nobody got %s", res.Start)
	}
	clara := s.As("demo103", "314159")
	var sent struct{ Receivers int }
	clara.Do("POST", "/api/v1/texts", map[string]any{"group": "allusers", "body": "Kaffee?"}, 200, &sent)
	if sent.Receivers != 3 { // the administrator, too, who has no phone
		t.Errorf("sent to %d", sent.Receivers)
	}
	for i, p := range []*Phone{a, b} {
		m := p.Request("MESSAGE")
		if m.Body != "Kaffee?" {
			t.Errorf("the phone got\n%s", m)
		}
		p.Reply(m, "", []int{200, 488}[i], "So", "", "")
	}
	admin := s.Login()
	for user, want := range map[string]string{"demo101": "Kaffee? true; ", "demo102": "Kaffee? false; Grüße true; "} {
		admin.Do("POST", "/api/v1/session/impersonation", map[string]string{"user": user}, 0, nil)
		s.Eventually("the messages of "+user+" to be "+want, func() bool {
			var list []pbx.Text
			admin.Do("GET", "/api/v1/profile/texts", nil, 200, &list)
			got := ""
			for _, m := range list {
				got += fmt.Sprintf("%s %v; ", m.Body, m.Delivered)
			}
			return got == want
		})
		admin.Do("DELETE", "/api/v1/session/impersonation", nil, 0, nil)
	}
}
