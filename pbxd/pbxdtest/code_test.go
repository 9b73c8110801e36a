package pbxdtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// coded gives a user a PIN.
func coded(ext string, pin pbx.Secret) func(*pbx.Config) {
	return func(cfg *pbx.Config) {
		var pins pbx.PINs
		u := cfg.UserByExtension(ext)
		u.PIN, u.MustChangePIN = pins.Hash(pin), false
	}
}

// code dials a function code, presses keys once it is answered, and waits until
// the PBX hangs up.
func (p *Phone) code(digits, keys string) {
	p.T.Helper()
	call := p.Dial(digits, SDP(16000))
	call.Answered()
	time.Sleep(time.Duration(min(len(keys), 1)) * 500 * time.Millisecond) // the tone begins
	for _, key := range keys {
		call.SendWith("INFO", "", "application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=100\r\n", key))
		p.Response("INFO", 200)
	}
	p.Reply(p.Request("BYE"), "", 200, "OK", "", "")
}

// A change by code shows in the page, and one in the page holds for the phone.
func TestSettingsByCode(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, coded("102", "314159"))
	ben := s.As("demo102", "314159")
	shown := func() (u pbx.UserCalls) {
		t.Helper()
		ben.Do("GET", "/api/v1/profile/calls", nil, 200, &u)
		return u
	}
	b.code("*93", "")
	if u := shown(); !u.DoNotDisturb {
		t.Errorf("after *93: %+v", u)
	}
	call := a.Dial("102", SDP(16000))
	call.AckRefusal(a.Final("INVITE"))
	b.code("*93*", "")
	b.code("*21103", "")
	if u := shown(); u.DoNotDisturb || !u.InternalAlways || !u.ExternalAlways || u.InternalAlwaysNumber != "103" || u.ExternalAlwaysNumber != "103" {
		t.Errorf("after *93* and *21103: %+v", u)
	}
	call = a.Dial("102", SDP(16000))
	c.Ringing().Reply(486, "Busy Here", "")
	call.AckRefusal(a.Final("INVITE"))
	b.code("*21*", "")
	b.code("*92*", "")
	if u := shown(); u.InternalAlways || u.InternalAlwaysNumber != "103" || !u.BusyOnBusy {
		t.Errorf("after *21* and *92*: %+v", u)
	}
	for _, digits := range []string{"*5700", "*97", "**12", "*342560"} { // nothing of it is there
		call := b.Dial(digits, SDP(16000))
		res := b.Final("INVITE")
		if res.Status() == 501 || res.Status() < 400 {
			t.Errorf("%s: %s", digits, res.Start)
		}
		call.AckRefusal(res)
	}
	nothingLeft(t, s)
}

// Who has the permission chooses the night profile by phone, of those that users
// may choose; inbound routes follow it at once, and the revision is the user's.
func TestNightServiceByPhone(t *testing.T) {
	t.Parallel()
	s, a, b, _ := threePhones(t, func(c *pbx.Config) {
		c.UserByExtension("102").Admin = true
		c.NightService.Selectable = []string{"3"}
	})
	admin := s.Login()
	profile := func() int {
		t.Helper()
		var v struct{ Profile int }
		admin.Do("GET", "/api/v1/night-service", nil, 200, &v)
		return v.Profile
	}
	b.code("*383", "")
	if n := profile(); n != 3 {
		t.Errorf("after *383: profile %d", n)
	}
	for _, x := range []struct {
		phone  *Phone
		digits string
	}{{b, "*384"}, {a, "*383"}, {a, "*380"}} {
		call := x.phone.Dial(x.digits, SDP(16000))
		res := x.phone.Final("INVITE")
		if res.Status() < 400 || res.Status() == 501 || profile() != 3 {
			t.Errorf("%s: %s, profile %d", x.digits, res.Start, profile())
		}
		call.AckRefusal(res)
	}
	b.code("*380", "")
	if n := profile(); n != 0 {
		t.Errorf("after *380: profile %d", n)
	}
	b.code("*380", "") // no revision, no act
	var acts []pbx.AuditEntry
	admin.Do("GET", "/api/v1/audit?actor=demo102", nil, 200, &acts)
	said := ""
	for _, e := range acts {
		said += fmt.Sprintf("%s %s@%s ", e.Action, e.Object, e.From)
	}
	if said != "change-night-service 0@127.0.0.1 change-night-service 3@127.0.0.1 " {
		t.Errorf("audit log: %s", said)
	}
	var revs []pbx.Revision
	admin.Do("GET", "/api/v1/revisions?limit=2", nil, 200, &revs)
	if len(revs) != 2 || revs[0].Comment != "Night answer service off" || revs[1].Comment != "Night answer service: profile 3" || revs[0].Author != "demo102" || revs[1].Author != "demo102" {
		t.Errorf("revisions %+v", revs)
	}
	nothingLeft(t, s)
}

// A user logs in at the phone of another, is reached and calls there, is still
// there after a restart, and leaves it.
func TestLogInAtAPhone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := Start(t, Options{Dir: dir, Configure: coded("102", "314159")})
	a, b, c := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister(), s.Phone("103", "udp").MustRegister()
	a.code("*0102", "271828#") // wrong
	a.code("*0101", "0000#")   // that of a new device
	ring := func(from *Phone, digits string, at *Phone) {
		t.Helper()
		call := from.Dial(digits, SDP(16000))
		at.Ringing().Reply(486, "Busy Here", "")
		call.AckRefusal(from.Final("INVITE"))
	}
	refused := func(from *Phone, digits string) {
		t.Helper()
		call := from.Dial(digits, SDP(16000))
		res := from.Final("INVITE")
		if res.Status() < 400 {
			t.Errorf("a call to %s: %s", digits, res.Start)
		}
		call.AckRefusal(res)
	}
	ring(c, "101", a)
	a.code("*0102", "314159#")
	ring(c, "102", a)
	refused(c, "101")
	refused(b, "103") // the user is elsewhere
	call := a.Dial("103", SDP(16000))
	in := c.Ringing()
	if from := in.Invite.Get("From"); !strings.Contains(from, `"Ben Demo" <sip:102@`) {
		t.Errorf("103 sees %q, want Ben Demo, 102", from)
	}
	in.Reply(486, "Busy Here", "")
	call.AckRefusal(a.Final("INVITE"))
	admin := s.Login()
	var status struct{ Registrations []pbx.Registration }
	admin.Do("GET", "/api/v1/status", nil, 200, &status)
	shown := ""
	for _, r := range status.Registrations {
		shown += fmt.Sprintf("%s@%s ", r.Extension, r.Phone)
	}
	if shown != "102@101 103@ " {
		t.Errorf("shown as registered: %s", shown)
	}
	var acts []pbx.AuditEntry
	admin.Do("GET", "/api/v1/audit?actor=demo102", nil, 200, &acts)
	said := ""
	for _, e := range acts {
		said += e.Action + "@" + e.From + " "
	}
	if said != "phone-login@127.0.0.1 phone-login-failed@127.0.0.1 " {
		t.Errorf("audit log: %s", said)
	}
	nothingLeft(t, s)
	for _, p := range []*Phone{a, b, c} { // their sockets are others after the restart
		p.Register(0)
	}
	s.Stop()

	s = Start(t, Options{Dir: dir, Configure: func(*pbx.Config) {}})
	a, c = s.Phone("101", "udp").MustRegister(), s.Phone("103", "udp").MustRegister()
	ring(c, "102", a)
	a.code("*0*", "")
	ring(c, "101", a)
	nothingLeft(t, s)
}

// A quick dial calls the number of a contact, the own ones before the global
// ones; "Try a number" says so.
func TestQuickDialRings(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, coded("101", "314159"))
	admin, anna := s.Login(), s.As("demo101", "314159")
	admin.Do("POST", "/api/v1/contacts", map[string]any{"lastName": "Yard", "office": "10 2", "officeQuickdial": "12"}, 201, nil)
	ring := func(from *Phone, at *Phone) {
		t.Helper()
		call := from.Dial("**12", SDP(16000))
		at.Ringing().Reply(486, "Busy Here", "")
		call.AckRefusal(from.Final("INVITE"))
	}
	ring(a, b)
	anna.Do("POST", "/api/v1/private-contacts", map[string]any{"lastName": "Mother", "home": "103", "homeQuickdial": "12"}, 201, nil)
	ring(a, c)
	ring(c, b)
	for caller, want := range map[string]string{"101": "103 Mother", "103": "102 Yard"} {
		var tried struct {
			Decision struct {
				Ring  []struct{ Extension string }
				Trace []struct {
					Rule    string
					Message pbx.Message
				}
			}
		}
		admin.Do("GET", "/api/v1/dialplan/try?caller="+caller+"&digits=**12", nil, 200, &tried)
		got := ""
		if len(tried.Decision.Ring) == 1 {
			got = tried.Decision.Ring[0].Extension
		}
		for _, s := range tried.Decision.Trace {
			if s.Rule == "quick-dial" {
				got += fmt.Sprint(" ", s.Message.Args["name"])
			}
		}
		if got != want {
			t.Errorf("tried as %s: %s, want %s", caller, got, want)
		}
	}
	nothingLeft(t, s)
}
