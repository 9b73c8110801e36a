package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(*mailServer)
		step  Step
		fault Fault
		code  int
	}{
		{"sender", func(m *mailServer) { m.onMail = func(string) error { return refusal(553, "not your address") } }, StepSender, FaultSender, 553},
		{"sender without login", func(m *mailServer) { m.onMail = func(string) error { return refusal(530, "log in") } }, StepSender, FaultLoginNeeded, 530},
		{"sender later", func(m *mailServer) { m.onMail = func(string) error { return refusal(451, "later") } }, StepSender, FaultBusy, 451},
		{"receiver", func(m *mailServer) { m.onRcpt = func(string) error { return refusal(550, "no such user") } }, StepRecipient, FaultRecipient, 550},
		{"relay", func(m *mailServer) { m.onRcpt = func(string) error { return noRelay() } }, StepRecipient, FaultRelay, 550},
		{"relay in words", func(m *mailServer) { m.onRcpt = func(string) error { return refusal(550, "relay not permitted") } }, StepRecipient, FaultRelay, 550},
		{"receiver without login", func(m *mailServer) {
			m.onRcpt = func(string) error { return refusal(553, "Authentication is required to send mail") }
		}, StepRecipient, FaultRelay, 553},
		{"receiver later", func(m *mailServer) { m.onRcpt = func(string) error { return refusal(450, "greylisted") } }, StepRecipient, FaultBusy, 450},
		{"content", func(m *mailServer) { m.onData = func(string) error { return refusal(554, "spam") } }, StepContent, FaultContent, 554},
		{"content later", func(m *mailServer) { m.onData = func(string) error { return refusal(452, "disk full") } }, StepContent, FaultBusy, 452},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := startServer(t, serverOptions{}, nil)
			server.set(c.do)
			m := settingsFor(t, server.addr, nil)
			d := newDevice(t, nil, m, "")
			e := wantFault(t, d.Send(t.Context(), m, "", testMessage("bob@example.com")), c.step, c.fault)
			if e.Code != c.code || e.Answer == "" {
				t.Errorf("got code %d, answer %q, want %d and what the server said", e.Code, e.Answer, c.code)
			}
			if e.Advice().IsZero() {
				t.Error("no advice")
			}
		})
	}
}

func TestTLSFaults(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	soon := time.Now().Add(time.Hour)
	for _, c := range []struct {
		name     string
		cert     tls.Certificate
		security string // of the settings
		implicit bool   // of the server
		step     Step
		fault    Fault
	}{
		{"name, from the start", ca.issue(t, "elsewhere.test", soon), "tls", true, StepTLS, FaultCertificateName},
		{"name, STARTTLS", ca.issue(t, "elsewhere.test", soon), "starttls", false, StepSTARTTLS, FaultCertificateName},
		{"expired", ca.issue(t, "127.0.0.1", time.Now().Add(-time.Minute)), "starttls", false, StepSTARTTLS, FaultCertificateTime},
		{"unknown authority", other.issue(t, "127.0.0.1", soon), "tls", true, StepTLS, FaultCertificate},
		{"server does not encrypt from the start", ca.issue(t, "127.0.0.1", soon), "tls", false, StepTLS, FaultNotTLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := startServer(t, serverOptions{cert: &c.cert, implicit: c.implicit}, allMethods("anna", "secret word"))
			m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
				m.Security, m.Authentication, m.UserName = c.security, true, "anna"
			})
			d := newDevice(t, ca.roots, m, "")
			wantFault(t, d.Send(t.Context(), m, "secret word", testMessage("bob@example.com")), c.step, c.fault)
			if _, logins := server.count(); logins != 0 {
				t.Error("the device began a login over a connection that it cannot trust")
			}
		})
	}
	t.Run("no STARTTLS", func(t *testing.T) {
		server := startServer(t, serverOptions{}, nil)
		m := settingsFor(t, server.addr, func(m *pbx.MailSettings) { m.Security = "starttls" })
		d := newDevice(t, ca.roots, m, "")
		wantFault(t, d.Send(t.Context(), m, "", testMessage("bob@example.com")), StepSTARTTLS, FaultNoSTARTTLS)
		if got := len(server.got()); got != 0 {
			t.Errorf("%d mails went unencrypted", got)
		}
	})
}

func TestBadServers(t *testing.T) {
	flood := func(c net.Conn, next func() (string, bool)) {
		b := []byte(strings.Repeat("x", 64<<10)) // one line without end
		c.Write([]byte("220-"))
		for {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}
	manyLines := func(c net.Conn, next func() (string, bool)) {
		c.Write([]byte("220 hello\r\n"))
		next()
		for {
			if _, err := c.Write([]byte("250-X-ANOTHER\r\n")); err != nil {
				return
			}
		}
	}
	for _, c := range []struct {
		name  string
		run   script
		step  Step
		fault Fault
	}{
		{"hangs from the start", hang, StepGreeting, FaultTimeout},
		{"hangs after EHLO", talk("220 hello\r\n"), StepGreeting, FaultTimeout},
		{"hangs after the content", talk("220 hello\r\n", "250 mail.test\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"), StepContent, FaultTimeout},
		{"hangs up at once", func(net.Conn, func() (string, bool)) {}, StepGreeting, FaultClosed},
		{"hangs up after EHLO", func(c net.Conn, next func() (string, bool)) { c.Write([]byte("220 hello\r\n")); next() }, StepGreeting, FaultClosed},
		{"another service", talk("HTTP/1.1 400 Bad Request\r\n\r\n"), StepGreeting, FaultNotSMTP},
		{"noise", talk("\x00\xff\x80\x01\r\n"), StepGreeting, FaultNotSMTP},
		{"noise later", talk("220 hello\r\n", "250 mail.test\r\n", "\xff\xfe\r\n"), StepSender, FaultNotSMTP},
		{"line without end", flood, StepGreeting, FaultNotSMTP},
		{"answer without end", manyLines, StepGreeting, FaultNotSMTP},
		{"turns away", talk("554 go away\r\n"), StepGreeting, FaultTurnedAway},
		{"busy", talk("421 too many connections\r\n"), StepGreeting, FaultBusy},
		{"going down at the receiver", talk("220 hello\r\n", "250 mail.test\r\n", "250 ok\r\n", "421 going down\r\n"), StepRecipient, FaultBusy},
		{"challenge that is no base64", talk("220 hello\r\n", "250-mail.test\r\n250 AUTH CRAM-MD5\r\n", "334 %%%\r\n"), StepLogin, FaultNotSMTP},
		{"login later", talk("220 hello\r\n", "250-mail.test\r\n250 AUTH CRAM-MD5\r\n", "454 later\r\n", "221 bye\r\n"), StepLogin, FaultBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := settingsFor(t, rawServer(t, c.run), func(m *pbx.MailSettings) {
				m.UserName, m.Method, m.Authentication = "anna", "cram-md5", c.step == StepLogin
			})
			d := newDevice(t, nil, m, "")
			l := d.reach.limits
			if c.fault == FaultTimeout {
				l.step, l.final = 200*time.Millisecond, 200*time.Millisecond
			}
			d.limit(l)
			begin := time.Now()
			e := wantFault(t, d.Send(t.Context(), m, "secret word", testMessage("bob@example.com")), c.step, c.fault)
			if took := time.Since(begin); took > 4*time.Second {
				t.Errorf("took %v", took)
			}
			if e.Permanent() || len(e.Answer) > answerText {
				t.Errorf("permanent %v, answer of %d bytes", e.Permanent(), len(e.Answer))
			}
			if e.Advice().IsZero() {
				t.Error("no advice")
			}
		})
	}
}

func TestHangingTLS(t *testing.T) {
	m := settingsFor(t, rawServer(t, talk("")), func(m *pbx.MailSettings) { m.Security = "tls" })
	d := newDevice(t, nil, m, "")
	l := d.reach.limits
	l.dial = 200 * time.Millisecond
	d.limit(l)
	wantFault(t, d.Send(t.Context(), m, "", testMessage("bob@example.com")), StepTLS, FaultTimeout)
}

func TestNoConnection(t *testing.T) {
	m := pbx.MailSettings{SenderAddress: "pbx@example.com", Server: "mail.example.com", Port: 25}
	for _, c := range []struct {
		name  string
		cause error
		step  Step
		fault Fault
	}{
		{"no such name", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "mail.example.com", IsNotFound: true}}, StepResolve, FaultResolve},
		{"name server hangs", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "timeout", Name: "mail.example.com", IsTimeout: true}}, StepResolve, FaultResolve},
		{"no route", &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, StepConnect, FaultUnreachable},
		{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, StepConnect, FaultRefused},
		{"no answer", &net.OpError{Op: "dial", Err: context.DeadlineExceeded}, StepConnect, FaultTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDevice(t, nil, m, "")
			d.reach.dial = func(context.Context, string, string) (net.Conn, error) { return nil, c.cause }
			wantFault(t, d.Send(t.Context(), m, "", testMessage("bob@example.com")), c.step, c.fault)
		})
	}
	d := newDevice(t, nil, m, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	real := settingsFor(t, l.Addr(), nil)
	l.Close() // nothing listens there now
	wantFault(t, d.Send(t.Context(), real, "", testMessage("bob@example.com")), StepConnect, FaultRefused)
	real.Server = ""
	wantFault(t, d.Send(t.Context(), real, "", testMessage("bob@example.com")), StepSettings, FaultNoServer)
}

func TestGoingDown(t *testing.T) {
	m := settingsFor(t, rawServer(t, talk("220 hello\r\n")), nil)
	d := newDevice(t, nil, m, "")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	err := d.Send(ctx, m, "", testMessage("bob@example.com"))
	wantFault(t, err, StepGreeting, FaultInterrupted)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it to wrap context.Canceled", err)
	}
}

func TestLoginAdvice(t *testing.T) {
	for answer, want := range map[string]Fault{
		"5.7.8 Error: authentication failed: (reason unavailable)":                                              FaultLogin,
		"5.7.139 Authentication unsuccessful, basic authentication is disabled.":                                FaultPasswordsOff,
		"5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.":             FaultPasswordsOff,
		"5.7.9 Application-specific password required. For more information, go to 5.7.9 https://support.test/": FaultAppPassword,
	} {
		if got := loginFault(answer); got != want {
			t.Errorf("%q: got %s, want %s", answer, got, want)
		}
	}
}

// TestWords holds every fault to a sentence of its own and an advice of its own.
func TestWords(t *testing.T) {
	unknown := (&Error{Fault: "another"}).Advice().Template
	for _, f := range []Fault{
		FaultNoServer, FaultSenderAddress, FaultAddress, FaultCredentials, FaultSealed, FaultTokenURL, FaultTokenUnreachable,
		FaultTokenRefused, FaultResolve, FaultRefused, FaultUnreachable, FaultTimeout, FaultClosed, FaultNotSMTP, FaultNotTLS, FaultTLS,
		FaultCertificateName, FaultCertificateTime, FaultCertificate, FaultNoSTARTTLS, FaultNoLogin, FaultMethod, FaultPlaintext,
		FaultLogin, FaultPasswordsOff, FaultAppPassword, FaultUnproven, FaultBusy, FaultTurnedAway, FaultEncryptionNeeded, FaultLoginNeeded, FaultRelay, FaultSender,
		FaultRecipient, FaultContent, FaultTooLarge, FaultForeignLetters, FaultInterrupted,
	} {
		e := &Error{Step: StepSender, Fault: f, Server: "mail.test:25", Address: "a@b.test", Code: 500, Answer: "no"}
		if what := e.What(); strings.Contains(what.Text(), "{") || strings.Contains(what.Template, "{fault}") {
			t.Errorf("%s: %q", f, what.Text())
		}
		if advice := e.Advice(); advice.Template == unknown || strings.Contains(advice.Text(), "{") {
			t.Errorf("%s: advice %q", f, advice.Text())
		}
	}
}
