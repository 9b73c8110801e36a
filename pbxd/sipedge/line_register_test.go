package sipedge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// hurried tries again at once, and has a second of a millisecond.
func hurried(t *sipedge.Trunk) {
	t.Hurry(5*time.Millisecond, 20*time.Millisecond, time.Millisecond)
}

// A registration is refreshed before it ends, as the same one, and is taken back
// when the gateway goes (RFC 3261 section 10.2).
func TestRegistrationIsRefreshed(t *testing.T) {
	t.Parallel()
	x := newExchange(t, hurried, nil).answers().begins()
	if s := x.is("a", pbx.LineTrying); s.URI != "sip:usera@"+x.c.At.Addr().String() {
		t.Errorf("before the first answer the line is %+v", s)
	}
	first := x.registers()
	at := x.c.At.Addr().String()
	if want := "REGISTER sip:" + at + " SIP/2.0"; first.Start != want {
		t.Errorf("got %s, want %s", first.Start, want)
	}
	for _, h := range [][2]string{{"To", "<sip:usera@" + at + ">"}, {"From", "<sip:usera@" + at + ">;tag="}, {"Expires", "3600"}, {"Contact", "<sip:usera@" + x.c.Trunk.String() + ";line="}} {
		if got := first.Get(h[0]); !strings.Contains(got, h[1]) {
			t.Errorf("%s: %s, want %s", h[0], got, h[1])
		}
	}
	x.c.Grant(first, 60)
	s := x.is("a", pbx.LineUp)
	if s.Refresh != 30 || s.Expires.Sub(s.Registered) != time.Minute || s.Server != "udp:"+x.c.At.String() || s.Registered.IsZero() {
		t.Errorf("registered for 60 s, and the line is %+v", s)
	}
	second := x.fresh(first)
	if first.Get("Call-ID") != second.Get("Call-ID") || first.Get("Contact") != second.Get("Contact") || !strings.HasPrefix(second.Get("CSeq"), "2 ") {
		t.Errorf("the refresh is another registration:\n%s\n%s", first, second)
	}
	x.c.Grant(second, 3600) // refreshed after 3540
	x.until("the second answer", func() bool { return x.line("a").Refresh == 3540 })
	x.configure(func(c *pbx.Config) { c.Gateways = nil })
	last := x.fresh(second)
	if last.Get("Expires") != "0" || last.Get("Contact") != first.Get("Contact") || last.Get("Call-ID") != first.Get("Call-ID") {
		t.Errorf("the gateway is gone, and the provider got\n%s", last)
	}
	x.c.Grant(last, 0)
	x.until("nothing told of it", func() bool { x.mu.Lock(); defer x.mu.Unlock(); return fmt.Sprint(x.gone) == "[a]" })
	if up, _ := x.trunk.Line("a"); up {
		t.Error("a gateway that is gone is up")
	}
}

// What a gateway's parameters do to the registration: who asks, for how long, for
// which numbers (F157, F161, RFC 6140), and that one without registers nowhere.
func TestRegistrationOfAGateway(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*pbx.Gateway)
		user   string // of the credentials; "" for no registration
		want   map[string]string
	}{
		{"user", nil, "usera", map[string]string{"Contact": "sip:usera@", "Require": "", "Route": ""}},
		{"authentication name", func(g *pbx.Gateway) { g.AuthUser = "auth" }, "auth", map[string]string{"To": "sip:usera@", "Contact": "sip:usera@"}},
		{"time", func(g *pbx.Gateway) { g.Parameters = []string{"expires=600"} }, "usera", map[string]string{"Expires": "600"}},
		{"numbers", func(g *pbx.Gateway) { g.Numbers = []string{"+49301", "+49302"} }, "usera",
			map[string]string{"Contact": ";bnc", "Require": "gin", "Proxy-Require": "gin", "Supported": "path, gin"}},
		{"proxy", func(g *pbx.Gateway) { g.Proxy, g.Registrar = g.Registrar, "provider.example" }, "usera", map[string]string{"Route": ";lr>", "To": "@provider.example>"}},
		{"proxy without route", func(g *pbx.Gateway) {
			g.Proxy, g.Registrar, g.Parameters = g.Registrar, "provider.example", []string{"proxy_route=no"}
		}, "usera",
			map[string]string{"Route": "", "To": "@provider.example>"}},
		{"static", func(g *pbx.Gateway) { g.Register = false }, "", nil},
		{"without a group", func(g *pbx.Gateway) { g.Group = "" }, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, nil, tt.change).answers().begins()
			if tt.user == "" {
				if up, _ := x.trunk.Line("a"); up != (tt.name == "static") {
					t.Errorf("the line is up: %v", up)
				}
				x.c.Silent(200*time.Millisecond, "a request", func(*pbxdtest.Message) bool { return true })
				if len(x.asked) > 0 {
					t.Errorf("the provider got %s", <-x.asked)
				}
				return
			}
			m := x.registers()
			x.challenge(m, 401, "n1", "")
			if m = x.fresh(m); !proves(m, tt.user, "secret", "n1") {
				t.Errorf("no answer to the challenge of %s: %s", tt.user, m.Get("Authorization"))
			}
			for field, want := range tt.want {
				if got := m.Get(field); want == "" && got != "" || !strings.Contains(got, want) {
					t.Errorf("%s: %s, want %q", field, got, want)
				}
			}
			if bare := strings.Contains(m.Get("Contact"), "<sip:"+x.c.Trunk.String()); bare != (tt.name == "numbers") { // RFC 6140 section 5.2
				t.Errorf("Contact %s", m.Get("Contact"))
			}
			x.c.Grant(m, 3600)
			x.is("a", pbx.LineUp)
		})
	}
}

// How a registration goes on that is not taken at first.
func TestRegistrationIsNotTaken(t *testing.T) {
	t.Parallel()
	patient := func(t *sipedge.Trunk) { t.Hurry(time.Hour, time.Hour, time.Second) }
	t.Run("too short", func(t *testing.T) { // RFC 3261 section 10.2.8
		t.Parallel()
		x := newExchange(t, patient, func(g *pbx.Gateway) { g.Parameters = []string{"expires=60"} }).answers().begins()
		m := x.registers()
		x.c.Answer(m, 423, "Interval Too Brief", "Min-Expires: 1800\r\n")
		if m = x.fresh(m); m.Get("Expires") != "1800" {
			t.Errorf("Expires %s, want 1800", m.Get("Expires"))
		}
		x.c.Grant(m, 1800)
		if s := x.is("a", pbx.LineUp); s.Refresh != 1740 {
			t.Errorf("refreshed after %d s", s.Refresh)
		}
	})
	t.Run("too short without end", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, patient, nil).answers().begins()
		x.c.Answer(x.registers(), 423, "Interval Too Brief", "Min-Expires: 3600\r\n")
		if s := x.is("a", pbx.LineRefused); s.Status != 423 || s.Reason == "" {
			t.Errorf("the line is %+v", s)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, patient, nil).answers().begins()
		m := x.registers()
		x.challenge(m, 401, "n1", "")
		x.challenge(x.fresh(m), 401, "n2", "")
		s := x.is("a", pbx.LineRefused)
		if s.Status != 401 || !strings.Contains(s.Reason, "user and password") || !s.Expires.IsZero() {
			t.Errorf("the line is %+v", s)
		}
		if up, _ := x.trunk.Line("a"); up {
			t.Error("a gateway that is refused is up")
		}
		for range 3 { // whatever wants it: the pause is long, so that no account is locked
			x.trunk.Look("a")
		}
		time.Sleep(100 * time.Millisecond)
		if n := len(x.asked); n > 0 {
			t.Errorf("%d further REGISTER came", n)
		}
		x.configure(func(c *pbx.Config) { c.Gateways[0].Password = x.key.Seal(pbx.GatewayPasswordPurpose("a"), "better") })
		m = x.registers()
		x.challenge(m, 401, "n3", "")
		if m = x.fresh(m); !proves(m, "usera", "better", "n3") {
			t.Errorf("the new password is not used: %s", m.Get("Authorization"))
		}
		x.c.Grant(m, 3600)
		x.is("a", pbx.LineUp)
	})
	t.Run("refused for a while", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, hurried, nil).answers().begins()
		m := x.registers()
		x.c.Answer(m, 403, "Forbidden", "")
		x.is("a", pbx.LineRefused)
		m = x.fresh(m)
		x.c.Answer(m, 404, "Not Found", "")
		x.until("the second refusal", func() bool { return x.line("a").Status == 404 })
		x.c.Grant(x.fresh(m), 3600)
		if s := x.is("a", pbx.LineUp); s.Reason != "" || s.Status != 0 {
			t.Errorf("the line is %+v", s)
		}
	})
	t.Run("stale nonce", func(t *testing.T) { // RFC 7616 section 3.3
		t.Parallel()
		x := newExchange(t, patient, nil).answers().begins()
		m := x.registers()
		x.challenge(m, 401, "n1", "")
		m = x.fresh(m)
		x.challenge(m, 401, "n2", ", stale=true")
		if m = x.fresh(m); !proves(m, "usera", "secret", "n2") {
			t.Errorf("the new nonce is not used: %s", m.Get("Authorization"))
		}
		x.c.Grant(m, 3600)
		x.is("a", pbx.LineUp)
	})
	t.Run("a proxy and the registrar ask", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, patient, nil).answers().begins()
		m := x.registers()
		x.c.Answer(m, 407, "Prove It", "Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"p1\", qop=\"auth\"\r\n")
		m = x.fresh(m)
		x.challenge(m, 401, "n1", "")
		m = x.fresh(m)
		if !strings.Contains(m.Get("Proxy-Authorization"), "p1") || !strings.Contains(m.Get("Authorization"), "n1") {
			t.Errorf("credentials %q and %q", m.Get("Proxy-Authorization"), m.Get("Authorization"))
		}
		x.c.Grant(m, 3600)
		x.is("a", pbx.LineUp)
	})
	t.Run("out of service", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, hurried, nil).answers().begins()
		m := x.registers()
		start := time.Now()
		x.c.Answer(m, 503, "Service Unavailable", "Retry-After: 1\r\n")
		if s := x.is("a", pbx.LineUnreachable); s.Status != 503 || !strings.Contains(s.Reason, "503") {
			t.Errorf("the line is %+v", s)
		}
		m = x.fresh(m)
		if after := time.Since(start); after < time.Second {
			t.Errorf("asked again after %v, which is before the time that the provider has named", after)
		}
		x.c.Grant(m, 3600)
		x.is("a", pbx.LineUp)
	})
}

// A registration that is on its way when the gateway goes is taken back, too: the
// provider may have taken it.
func TestRegistrationOnItsWayIsTakenBack(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil).answers().begins()
	first := x.registers()
	x.configure(func(c *pbx.Config) { c.Gateways = nil })
	last := x.fresh(first)
	if last.Get("Expires") != "0" || last.Get("Contact") != first.Get("Contact") {
		t.Errorf("the provider got\n%s", last)
	}
	x.c.Grant(last, 0)
}
