package sipedge

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"galilei/pbxd/pbx"
)

// The work for a user that exists, for one without a SIP password and for one
// that does not exist is the same: as many allocations, and the same verdict.
// Time itself is too noisy to compare.
func TestWorkTellsNoUser(t *testing.T) {
	e, cfg := guessed()
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

// guessed is an edge on which extension 101 has a SIP password, 102 has none,
// and 777 does not exist.
func guessed() (*Edge, *pbx.Config) {
	var key pbx.DeviceKey
	cfg := pbx.Factory(pbx.Defaults{})
	for i := range cfg.Users {
		if u := &cfg.Users[i]; u.Extension == "101" {
			u.SIPPassword = key.Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
		}
	}
	return &Edge{deps: Deps{Config: func() *pbx.Config { return cfg }, Key: key, Log: slog.New(slog.DiscardHandler)}, digest: newAuthenticator(time.Now), nobody: nobody(key)}, cfg
}

// BenchmarkGuesses measures what a wrong password takes for a user that exists
// and for one that does not, in turns, and reports by how much the medians
// differ and how that compares with the spread of one of them: below 0.1 nobody
// tells them apart over a network.
func BenchmarkGuesses(b *testing.B) {
	e, cfg := guessed()
	users := []string{"101", "777"}
	var requests [2]*sip.Request
	for i, user := range users {
		requests[i] = registerWith(credentials(b, e.digest, func(o *digest.Options, _ *digest.Challenge) { o.Username, o.Password = user, "guess" }))
	}
	times := [2][]float64{}
	for b.Loop() {
		for i, req := range requests {
			began := time.Now()
			e.digest.check(req, func(name string) (pbx.Secret, bool) { return e.password(cfg, name) })
			times[i] = append(times[i], float64(time.Since(began)))
		}
	}
	quantile := func(list []float64, q float64) float64 { return list[int(q*float64(len(list)-1))] }
	for i := range times {
		slices.Sort(times[i])
	}
	differ := quantile(times[0], 0.5) - quantile(times[1], 0.5)
	b.ReportMetric(quantile(times[0], 0.5), "ns/exists")
	b.ReportMetric(quantile(times[1], 0.5), "ns/nobody")
	b.ReportMetric(differ/max(1, quantile(times[0], 0.75)-quantile(times[0], 0.25)), "difference/spread")
}
