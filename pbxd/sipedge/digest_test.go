package sipedge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"galilei/pbxd/pbx"
)

// credentials answers a challenge as a phone would; edit changes what it says.
func credentials(t testing.TB, a *authenticator, edit func(*digest.Options, *digest.Challenge)) string {
	t.Helper()
	chal := &digest.Challenge{Realm: realm, Nonce: a.nonce(), Algorithm: "MD5", QOP: []string{"auth"}}
	o := digest.Options{Method: "REGISTER", URI: "sip:pbx.example", Username: "101", Password: "secret", Cnonce: "c", Count: 1}
	edit(&o, chal)
	c, err := digest.Digest(chal, o)
	if err != nil {
		t.Fatal(err)
	}
	return c.String()
}

func registerWith(authorization string) *sip.Request {
	var u sip.Uri
	_ = sip.ParseUri("sip:pbx.example:5060", &u) // a constant
	req := sip.NewRequest(sip.REGISTER, u)
	if authorization != "" {
		req.AppendHeader(sip.NewHeader("Authorization", authorization))
	}
	return req
}

func TestAuthenticator(t *testing.T) {
	tests := []struct {
		name string
		edit func(*digest.Options, *digest.Challenge)
		text func(string) string
		wait time.Duration
		want verdict
	}{
		{name: "right", want: authGood},
		{name: "SHA-256", edit: func(_ *digest.Options, c *digest.Challenge) { c.Algorithm = "SHA-256" }, want: authGood},
		{name: "without qop", edit: func(_ *digest.Options, c *digest.Challenge) { c.QOP = nil }, want: authGood},
		{name: "old nonce", wait: nonceLifetime + time.Second, want: authStale},
		{name: "nonce of before a restart", edit: func(_ *digest.Options, c *digest.Challenge) { c.Nonce = "somebody else's" }, want: authStale},
		{name: "old nonce and wrong password", wait: nonceLifetime + time.Second, edit: func(o *digest.Options, _ *digest.Challenge) { o.Password = "guess" }, want: authWrong},
		{name: "wrong password", edit: func(o *digest.Options, _ *digest.Challenge) { o.Password = "guess" }, want: authWrong},
		{name: "unknown user", edit: func(o *digest.Options, _ *digest.Challenge) { o.Username, o.Password = "999", "no such user" }, want: authWrong},
		{name: "made for another method", edit: func(o *digest.Options, _ *digest.Challenge) { o.Method = "INVITE" }, want: authWrong},
		{name: "made for another host", edit: func(o *digest.Options, _ *digest.Challenge) { o.URI = "sip:elsewhere.example" }, want: authWrong},
		{name: "count is zero", edit: func(o *digest.Options, _ *digest.Challenge) { o.Count = 0 }, text: func(s string) string { return strings.Replace(s, "nc=00000001", "nc=00000000", 1) }, want: authWrong},
		{name: "another realm", edit: func(_ *digest.Options, c *digest.Challenge) { c.Realm = "other" }, want: authMissing},
		{name: "not digest", text: func(string) string { return "Basic MTAxOnNlY3JldA==" }, want: authMissing},
		{name: "nothing", text: func(string) string { return "" }, want: authMissing},
		{name: "unknown algorithm", text: func(s string) string { return strings.Replace(s, "algorithm=MD5", "algorithm=MD5-sess", 1) }, want: authWrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			a := newAuthenticator(func() time.Time { return now })
			if tt.edit == nil {
				tt.edit = func(*digest.Options, *digest.Challenge) {}
			}
			text := credentials(t, a, tt.edit)
			if tt.text != nil {
				text = tt.text(text)
			}
			now = now.Add(tt.wait)
			_, got := a.check(registerWith(text), func(user string) (pbx.Secret, bool) { return "secret", user == "101" })
			if got != tt.want {
				t.Errorf("got verdict %d, want %d for %s", got, tt.want, text)
			}
		})
	}
}

func TestNonceCountsRise(t *testing.T) {
	a := newAuthenticator(time.Now)
	n := a.nonce()
	for _, step := range []struct {
		count int
		want  bool
	}{{1, true}, {1, false}, {2, true}, {5, true}, {4, false}, {5, false}, {6, true}} {
		if got := a.count("101", n, step.count); got != step.want {
			t.Errorf("count %d: got %v, want %v", step.count, got, step.want)
		}
	}
}

// Nobody can make us forget a nonce that could be replayed by using others.
func TestNoncesAreNotPushedOut(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAuthenticator(func() time.Time { return now })
	a.count("101", "overheard", 1)
	refused := 0
	for i := range maxNoncesEach + 100 {
		if !a.count("102", fmt.Sprint(i), 1) {
			refused++
		}
	}
	if refused != 100 || a.count("101", "overheard", 1) {
		t.Errorf("%d of too many nonces were refused, want 100; and the overheard one must stay used", refused)
	}
	now = now.Add(nonceLifetime + time.Second)
	if !a.count("102", "new", 1) || len(a.used) != 1 || a.order.Len() != 1 || len(a.each) != 1 {
		t.Errorf("after their time %d nonces of %d users are remembered, want 1 of 1", len(a.used), len(a.each))
	}
}

func FuzzCredentials(f *testing.F) {
	f.Add(`Digest username="101", realm="galilei", nonce="x", uri="sip:a", response="00", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`)
	f.Add(`Digest realm="galilei",nc=zz,username=`)
	a := newAuthenticator(time.Now)
	f.Fuzz(func(t *testing.T, s string) {
		if _, v := a.check(registerWith(s), func(string) (pbx.Secret, bool) { return "secret that nobody guesses", true }); v == authGood {
			t.Errorf("%q was accepted", s)
		}
	})
}

func TestQuoted(t *testing.T) {
	for name, want := range map[string]string{"Anna": "Anna", `An "na"`: `An \"na\"`, `back\slash`: `back\\slash`, "two\r\nlines": "twolines"} {
		if got := quoted(name); got != want {
			t.Errorf("%q is written %s, want %s", name, got, want)
		}
	}
}
