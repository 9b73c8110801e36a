package pbxd

import (
	"fmt"
	"log/slog"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/store"
)

// mailAccount returns a change to an account with that refresh token.
func mailAccount(key pbx.DeviceKey, user string, token pbx.Secret) func(*pbx.Config) error {
	return func(c *pbx.Config) error {
		c.Mail.MailSettings = pbx.MailSettings{
			Server: "mail.example.org", Port: 587, Security: "starttls", SenderAddress: "pbx@example.org", Authentication: true,
			Method: "xoauth2", UserName: user, OAuthTokenURL: "https://login.example.org/token", OAuthClientID: "client",
		}
		c.Mail.Password = key.Seal(pbx.MailPasswordPurpose, token)
		return nil
	}
}

// withMail opens a store and what keeps its renewed tokens.
func withMail(t *testing.T, dir string) *PBX {
	t.Helper()
	st, err := store.Open(t.Context(), dir, store.Options{Model: pbx.Model{Name: "T640", MaxUsers: 80}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &PBX{store: st, renewed: openRenewed(t.Context(), st, slog.New(slog.DiscardHandler))}
}

// token is the refresh token that mail is sent with.
func (p *PBX) token(t *testing.T) string {
	t.Helper()
	s, err := p.renewed.open(pbx.MailPasswordPurpose, p.config().Mail.Password)
	if err != nil {
		t.Fatal(err)
	}
	return s.Reveal()
}

// A token that an OAuth server has replaced outlives a restart and comes back
// with no older revision, and its renewal is no change of the configuration.
func TestRenewedTokens(t *testing.T) {
	dir := t.TempDir()
	p := withMail(t, dir)
	commit := func(change func(*pbx.Config) error) int64 {
		t.Helper()
		n, err := p.store.Commit(t.Context(), "a", pbx.Typed(""), change)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	renew := func(old, new pbx.Secret) {
		t.Helper()
		if err := p.saveRefreshToken(t.Context(), old, new); err != nil {
			t.Fatal(err)
		}
	}
	want := func(token string) {
		t.Helper()
		if got := p.token(t); got != token {
			t.Errorf("token %s, want %s", got, token)
		}
	}
	first := commit(mailAccount(p.store.Key(), "anna", "anna-0"))
	renew("anna-0", "anna-1")
	want("anna-1")
	renew("anna-0", "late") // the answer to a request from before
	want("anna-1")
	renew("anna-1", "anna-2")
	if _, n := p.store.Current(); n != first {
		t.Errorf("revision %d, want %d: a renewal is no change of the configuration", n, first)
	}
	ring := commit(func(c *pbx.Config) error { c.SIP.RingTime = 44; return nil })
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	p = withMail(t, dir)
	want("anna-2")
	if _, err := p.store.Restore(t.Context(), "a", first); err != nil {
		t.Fatal(err)
	}
	want("anna-2")
	commit(mailAccount(p.store.Key(), "berta", "berta-0"))
	want("berta-0")
	renew("anna-2", "late")
	want("berta-0")
	renew("berta-0", "berta-1")
	if _, err := p.store.Restore(t.Context(), "a", ring); err != nil {
		t.Fatal(err)
	}
	want("anna-2")
	retyped := commit(mailAccount(p.store.Key(), "anna", "anna-9")) // an administrator has logged in anew
	want("anna-9")
	if n, err := p.store.Restore(t.Context(), "a", first); err != nil || n <= retyped {
		t.Fatalf("revision %d after %d, %v", n, retyped, err)
	}
	want("anna-9") // the same account keeps what works
	for i := range 3 * maxRenewed {
		commit(mailAccount(p.store.Key(), fmt.Sprint("user", i), "old"))
		renew("old", "new")
	}
	want("new")
	if n := len(p.renewed.list); n != maxRenewed {
		t.Errorf("%d tokens are kept, want %d", n, maxRenewed)
	}
}

func TestDamagedRenewedTokens(t *testing.T) {
	dir := t.TempDir()
	p := withMail(t, dir)
	if _, err := p.store.Commit(t.Context(), "a", pbx.Typed(""), mailAccount(p.store.Key(), "anna", "anna-0")); err != nil {
		t.Fatal(err)
	}
	if err := p.store.SetSecret(t.Context(), renewedSecret, []byte(`[{"of":`)); err != nil {
		t.Fatal(err)
	}
	p.renewed = openRenewed(t.Context(), p.store, slog.New(slog.DiscardHandler))
	if got := p.token(t); got != "anna-0" {
		t.Errorf("token %s", got)
	}
	if err := p.saveRefreshToken(t.Context(), "anna-0", "anna-1"); err != nil {
		t.Fatal(err)
	}
	if got := p.token(t); got != "anna-1" {
		t.Errorf("token %s", got)
	}
}
