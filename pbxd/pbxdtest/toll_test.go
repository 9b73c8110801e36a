package pbxdtest

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// Minutes to other countries count over a restart: near the limit administrators
// get a mail and a warning, at the limit calls are refused and "Try a number" says
// why, until the limit is raised. Other calls go on.
func TestTollLimitOverARestart(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	y, m, d := time.Now().In(berlin).Date()
	ahead := time.Until(time.Date(y, m, d, 12, 0, 0, 0, berlin)) // no day ends during the test
	now := func() time.Time { return time.Now().Add(ahead) }
	s := Start(t, Options{Now: now, Configure: func(c *pbx.Config) {
		c.Locale.TimeZone = "Europe/Berlin"
		c.Toll.ForeignMinutes, c.Toll.AlarmPercent = 1, 1
		c.UserByID(pbx.AdminID).Email = "admin@example.org"
		c.Mail.Enabled, c.Mail.Server, c.Mail.Port = true, "127.0.0.1", 1 // nobody takes the mail: it waits
	}})
	a := s.Login()
	c := NewCarrier(t, netip.AddrPort{})
	c.Lines(a, "a", nil)
	s.LineIs(a, c.Gateway, "up")
	p := s.Phone("101", "udp").MustRegister()

	out := p.Dial("000431234567", SDP(30000))
	in := c.Ringing()
	in.Answer(SDP(30002))
	out.Answered()
	const near = "Anna Demo (101): 0 of 1 minutes to other countries today"
	s.Eventually("a mail about the limit", func() bool {
		var queue []pbx.MailJob
		a.Do("GET", "/api/v1/email-delivery/queue", nil, 200, &queue)
		return slices.ContainsFunc(queue, func(j pbx.MailJob) bool { return j.To == "admin@example.org" && j.Subject == near })
	})
	if got := tollWarnings(a); !slices.Equal(got, []string{"Anna Demo (101) has spoken 0 of 1 minutes to other countries today"}) {
		t.Errorf("warnings %q", got)
	}
	out.Hangup()
	in.Phone.Reply(c.Request("BYE"), in.Local, 200, "OK", "", "")
	s.Eventually("no leg left", func() bool { n := s.PBX.Counts(); return n.Lines.Legs == 0 && n.SIP.Legs == 0 })
	s.Stop()
	if err := execute(s.Dir, "UPDATE cdr_leg SET answered = answered - 60000 WHERE payer = 'demo101' AND toll = 'foreign'"); err != nil {
		t.Fatal(err)
	}

	s = Start(t, Options{Dir: s.Dir, Now: now})
	a = s.As("admin", "4711")
	s.LineIs(a, c.Gateway, "up")
	p = s.Phone("101", "udp").MustRegister()
	refused := p.Dial("000431234567", SDP(30000))
	refused.AckRefusal(p.Response("INVITE", 403))
	said := "Anna Demo (101) has spoken 1 of 1 minutes to other countries today"
	if got := tollWarnings(a); !slices.Equal(got, []string{said + ": more such calls are refused until midnight, or until you raise the limit"}) {
		t.Errorf("warnings %q", got)
	}
	var tried struct{ Decision dialplan.Decision }
	a.Do("GET", "/api/v1/dialplan/try?"+url.Values{"caller": {"101"}, "digits": {"000431234567"}, "now": {"true"}}.Encode(), nil, 200, &tried)
	if d := tried.Decision; d.Kind != dialplan.Refuse || d.Refuse != pbx.CauseNotAuthorised || !slices.ContainsFunc(d.Trace, func(x dialplan.Step) bool { return x.Rule == "toll" && x.Message.Text() == said }) {
		t.Errorf("tried: %+v", d)
	}
	home := p.Dial("0030123456", SDP(30000))
	in = c.Ringing()
	in.Reply(486, "Busy Here", "")
	home.AckRefusal(p.Response("INVITE", 486))

	var limits map[string]any
	a.Do("GET", "/api/v1/toll-limits", nil, 200, &limits)
	limits["foreignMinutes"] = 500
	a.Do("PUT", "/api/v1/toll-limits", limits, 200, nil)
	if got := tollWarnings(a); len(got) != 0 {
		t.Errorf("warnings %q", got)
	}
	again := p.Dial("000431234567", SDP(30000))
	in = c.Ringing()
	in.Reply(486, "Busy Here", "")
	again.AckRefusal(p.Response("INVITE", 486))
}

// tollWarnings are the warnings of the page about limits of calls.
func tollWarnings(a *Admin) (list []string) {
	a.t.Helper()
	var st struct {
		Warnings []struct{ Message, Screen string }
	}
	a.Do("GET", "/api/v1/status", nil, 200, &st)
	for _, w := range st.Warnings {
		if strings.HasPrefix(w.Screen, "toll") {
			list = append(list, w.Message)
		}
	}
	return list
}
