package pbxdtest

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// A gateway that its provider refuses is among what the page warns of, and a mail
// tells of it, in the reader's language; both tell when it works again. The device
// is healthy all the while.
func TestGatewayDown(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Outage: 300 * time.Millisecond, Configure: func(c *pbx.Config) {
		c.Mail.Enabled, c.Mail.Server, c.Mail.Port = true, "127.0.0.1", 9 // nobody is there: mails wait
		admin := c.UserByID(pbx.AdminID)
		admin.Email, admin.Language = "chief@example.com", "de"
	}})
	a := s.Login()
	c := NewCarrier(t, netip.AddrPort{})
	c.OnRegister(func(m *Message) { c.Reply(m, m.Get("To")+";tag=r", 403, "No Such Line", "", "") })
	c.Lines(a, "provider", nil)
	warned := func() (text string) {
		var st struct {
			Healthy  bool
			Warnings []struct{ Message, Screen string }
		}
		a.Do("GET", "/api/v1/status", nil, 200, &st)
		if !st.Healthy {
			t.Error("not healthy")
		}
		for _, w := range st.Warnings {
			if w.Screen == "sip-status" {
				text += w.Message
			}
		}
		return text
	}
	mailed := func(subject string) func() bool {
		return func() bool {
			var queue []struct{ To, Subject string }
			a.Do("GET", "/api/v1/email-delivery/queue", nil, 200, &queue)
			n := 0
			for _, m := range queue {
				if m.To == "chief@example.com" && m.Subject == subject {
					n++
				}
			}
			return n == 1
		}
	}
	s.Eventually("the warning", func() bool { return strings.Contains(warned(), "403 No Such Line. Check its user and password") })
	a.Do("GET", "/healthz", nil, http.StatusOK, nil)
	s.Eventually("the mail", mailed("Das Gateway provider ist ausgefallen"))
	c.OnRegister(nil)
	c.Change(a, set("user", "another", "password", "secret")) // the user was wrong
	s.Eventually("the end of the warning", func() bool { return warned() == "" })
	s.Eventually("the second mail", mailed("Das Gateway provider funktioniert wieder"))
}
