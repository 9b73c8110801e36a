package sipedge

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
)

// keptRegistrations is a RegistrationStore in memory.
type keptRegistrations struct {
	by    map[string][]pbx.Registration
	saves int
	slow  time.Duration // of reading
}

func (k *keptRegistrations) Registrations(context.Context) ([]pbx.Registration, error) {
	time.Sleep(k.slow)
	var list []pbx.Registration
	for _, regs := range k.by {
		list = append(list, regs...)
	}
	return list, nil
}

func (k *keptRegistrations) SaveRegistrations(_ context.Context, by map[string][]pbx.Registration) error {
	k.saves++
	for ext, regs := range by {
		k.by[ext] = slices.Clone(regs)
	}
	return nil
}

// wall is a clock that is set while the monotonic one goes on.
type wall struct{ by atomic.Int64 } // ns

func (w *wall) now() time.Time { return time.Now().Round(0).Add(time.Duration(w.by.Load())) }

func (w *wall) set(to time.Time) { w.by.Store(int64(to.Sub(time.Now().Round(0)))) }

// anHour is a binding for one hour.
func anHour(w *wall, host string) binding {
	now := w.now()
	return binding{
		uri: sip.Uri{Scheme: "sip", User: "a", Host: host},
		reg: pbx.Registration{Extension: "101", Contact: "sip:a@" + host, CallID: host, Since: now, Refreshed: now, Expires: now.Add(time.Hour)},
	}
}

func startRegistrar(t *testing.T, w *wall, kept *keptRegistrations) *registrar {
	t.Helper()
	cfg := &pbx.Config{Users: []pbx.User{{ID: "a", UserSettings: pbx.UserSettings{Extension: "101"}}}}
	r, err := newRegistrar(t.Context(), Deps{
		Config: func() *pbx.Config { return cfg }, Registrations: kept, Publish: func(pbx.Fact) {}, Now: w.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A device without a battery begins in 1970. When its clock is set, phones stay
// registered for what is left, and so they are kept.
func TestClockIsSet(t *testing.T) {
	today := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name     string
		from, to time.Time
	}{
		{"set for the first time", time.Unix(60, 0), today},
		{"set to the future", today, today.AddDate(10, 0, 0)},
		{"set back", today.AddDate(10, 0, 0), today},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, kept := &wall{}, &keptRegistrations{by: map[string][]pbx.Registration{"999": {{Extension: "999"}}}}
				w.set(tc.from)
				r := startRegistrar(t, w, kept)
				go r.run(t.Context())
				if _, err := r.change("101", []binding{anHour(w, "one"), anHour(w, "two")}, 10); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Minute)
				w.set(tc.to)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				check := func(list []pbx.Registration) {
					t.Helper()
					if len(list) != 2 {
						t.Fatalf("%d registrations", len(list))
					}
					for _, g := range list {
						if left := g.Expires.Sub(w.now()).Round(time.Minute); left != 40*time.Minute || g.Since.Year() != tc.to.Year() || g.Refreshed.Year() != tc.to.Year() {
							t.Errorf("%+v, %v left", g, left)
						}
					}
				}
				check(r.contacts("101"))
				check(kept.by["101"])
				if len(kept.by["999"]) != 0 {
					t.Error("a phone of nobody is kept")
				}
				check(startRegistrar(t, w, kept).contacts("101")) // as after a restart
				saves := kept.saves
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if kept.saves != saves {
					t.Errorf("saved %d times although nothing changed", kept.saves-saves)
				}
				time.Sleep(29 * time.Minute)
				if n := len(r.contacts("101")); n != 2 {
					t.Errorf("%d registrations before they expire", n)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if n := len(r.contacts("101")); n != 0 || len(kept.by["101"]) != 0 {
					t.Errorf("%d registrations when they have expired, %d kept", n, len(kept.by["101"]))
				}
			})
		})
	}
}

// A restart changes no time of a registration.
func TestRestartKeepsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, kept := &wall{}, &keptRegistrations{by: map[string][]pbx.Registration{}}
		reg := anHour(w, "one").reg
		kept.by["101"] = []pbx.Registration{reg}
		kept.slow = 7 * time.Millisecond
		got := startRegistrar(t, w, kept).contacts("101")
		if len(got) != 1 || !got[0].Since.Equal(reg.Since) || !got[0].Expires.Equal(reg.Expires) {
			t.Errorf("got %+v, want %+v", got, reg)
		}
	})
}
