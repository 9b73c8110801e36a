package sipedge

import (
	"log/slog"
	"testing"
	"time"

	"github.com/icholy/digest"

	"galilei/pbxd/pbx"
)

// The work for a user that exists, for one without a SIP password and for one
// that does not exist is the same: as many allocations, and the same verdict.
// Time itself is too noisy to compare.
func TestWorkTellsNoUser(t *testing.T) {
	var key pbx.DeviceKey
	cfg := pbx.Factory(pbx.Defaults{})
	for i := range cfg.Users {
		if u := &cfg.Users[i]; u.Extension == "101" {
			u.SIPPassword = key.Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
		}
	}
	e := &Edge{deps: Deps{Config: func() *pbx.Config { return cfg }, Key: key, Log: slog.New(slog.DiscardHandler)}, digest: newAuthenticator(time.Now), nobody: nobody(key)}
	work := func(user string) (allocations float64, v verdict) {
		text := credentials(t, e.digest, func(o *digest.Options, _ *digest.Challenge) { o.Username, o.Password = user, "guess" })
		req := registerWith(text)
		allocations = testing.AllocsPerRun(200, func() {
			_, v = e.digest.check(req, func(name string) (pbx.Secret, bool) { return e.password(cfg, name) })
		})
		return allocations, v
	}
	want, v := work("101")
	if v != authWrong || want < 5 {
		t.Fatalf("a wrong password gives verdict %d with %.0f allocations, so that this tests nothing", v, want)
	}
	for _, user := range []string{"102", "777", "999"} {
		if got, v := work(user); got != want || v != authWrong {
			t.Errorf("%s: verdict %d with %.0f allocations; a user that exists: %d with %.0f", user, v, got, authWrong, want)
		}
	}
}
