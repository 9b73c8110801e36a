package mail

import (
	"context"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func steps(r Result) (s []string) {
	for _, step := range r.Steps {
		word := string(step.Step)
		if !step.OK {
			word += "!"
		}
		s = append(s, word)
	}
	return s
}

func TestTestMail(t *testing.T) {
	ca := newAuthority(t)
	cert := ca.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	server := startServer(t, serverOptions{cert: &cert}, allMethods("anna", "secret word"))
	m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
		m.Enabled, m.Security, m.Authentication, m.UserName = false, "starttls", true, "anna"
	})
	d := newDevice(t, ca.roots, pbx.MailSettings{}, "")
	r, err := d.Test(t.Context(), m, Typed{Password: new(pbx.Secret("secret word"))}, "bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(steps(r), " "); got != "connect starttls login sender recipient content" {
		t.Errorf("got steps %q", got)
	}
	if got := server.got(); len(got) != 1 || got[0].to != "bob@example.com" {
		t.Errorf("got mails %+v", got)
	}
	r, err = d.Test(t.Context(), m, Typed{Password: new(pbx.Secret("wrong word"))}, "bob@example.com")
	wantFault(t, err, StepLogin, FaultLogin)
	last := r.Steps[len(r.Steps)-1]
	if got := strings.Join(steps(r), " "); got != "connect starttls login!" || last.Text.IsZero() || last.Advice.IsZero() {
		t.Errorf("got steps %q, last %+v", got, last)
	}
	if _, err = d.Test(t.Context(), m, Typed{Password: new(pbx.Secret("secret word"))}, "bob"); err != nil {
		wantFault(t, err, StepRecipient, FaultAddress)
	} else {
		t.Error("an address that is none was taken")
	}
}

// TestStoredPasswordStaysWithItsServer has an administrator name a server of
// his own and hope for the stored password.
func TestStoredPasswordStaysWithItsServer(t *testing.T) {
	server, thief := startServer(t, serverOptions{}, allMethods("anna", "secret word")), startServer(t, serverOptions{}, allMethods("anna", "secret word"))
	change := func(m *pbx.MailSettings) {
		m.Authentication, m.UserName, m.AllowPlaintextPassword = true, "anna", true
	}
	m := settingsFor(t, server.addr, change)
	d := newDevice(t, nil, m, "secret word")
	if _, err := d.Test(t.Context(), m, Typed{}, "bob@example.com"); err != nil {
		t.Fatalf("stored password at its own server: %v", err)
	}
	_, err := d.Test(t.Context(), settingsFor(t, thief.addr, change), Typed{}, "bob@example.com")
	wantFault(t, err, StepLogin, FaultCredentials)
	if _, logins := thief.count(); logins != 0 {
		t.Error("another server got the stored password")
	}
	guarded := m
	guarded.AllowPlaintextPassword = false // better protected: the stored one may be used, and the server here has no encryption
	_, err = d.Test(t.Context(), guarded, Typed{}, "bob@example.com")
	wantFault(t, err, StepLogin, FaultPlaintext)
	_, err = d.Test(t.Context(), m, Typed{Password: new(pbx.Secret(""))}, "bob@example.com")
	wantFault(t, err, StepLogin, FaultCredentials) // taken away, not the stored one
	account := m
	account.UserName = "bert"
	_, err = d.Test(t.Context(), account, Typed{}, "bob@example.com")
	wantFault(t, err, StepLogin, FaultCredentials)
	if mails, logins := server.count(); logins != 1 {
		t.Errorf("%d logins with %d mails, want that of the stored account alone", logins, mails)
	}
	other := m
	other.Method = "login"
	_, err = d.Test(t.Context(), other, Typed{}, "bob@example.com")
	wantFault(t, err, StepLogin, FaultCredentials)
}

func TestTestMailWithTypedRefreshToken(t *testing.T) {
	o := startOAuth(t, "refresh-0")
	o.rotates = true
	d, server := oauthDevice(t, o, "") // nothing is stored
	m := d.config.Mail.MailSettings
	r, err := d.Test(t.Context(), m, Typed{Password: new(pbx.Secret("refresh-0")), ClientSecret: new(pbx.Secret("client word"))}, "bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(steps(r), " "); got != "token connect login sender recipient content" || len(server.got()) != 1 {
		t.Errorf("got steps %q and %d mails", got, len(server.got()))
	}
	if r.RefreshToken.Reveal() != "refresh-1" || len(d.saved) != 0 {
		t.Errorf("got no new refresh token to store, %d were stored unasked", len(d.saved))
	}
	d.set(m, "refresh-1")
	d.config.Mail.ClientSecret = d.key.Seal(pbx.MailClientSecretPurpose, "client word")
	if r, err = d.Test(t.Context(), m, Typed{}, "bob@example.com"); err != nil || r.RefreshToken != "" {
		t.Fatalf("stored token: %v", err)
	}
	if len(d.saved) != 1 || d.saved[0] != "refresh-2" {
		t.Errorf("stored %d tokens, want the new one", len(d.saved))
	}
}

func TestTestMailEnds(t *testing.T) {
	m := settingsFor(t, rawServer(t, hang), nil)
	d := newDevice(t, nil, m, "")
	l := d.reach.limits
	l.test = 200 * time.Millisecond
	d.limit(l)
	r, err := d.Test(t.Context(), m, Typed{}, "bob@example.com")
	wantFault(t, err, StepGreeting, FaultTimeout)
	if got := strings.Join(steps(r), " "); got != "connect greeting!" {
		t.Errorf("got steps %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = d.Test(ctx, m, Typed{}, "bob@example.com")
	wantFault(t, err, StepConnect, FaultInterrupted)
}
