package peer

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"
)

// startPhone starts a phone that lasts as long as the test.
func startPhone(t *testing.T, ctx context.Context, o BaresipOptions) *Baresip {
	t.Helper()
	o.Dir = t.TempDir()
	b, err := StartBaresip(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", o.User, b.Log())
		}
	})
	return b
}

func await(t *testing.T, ctx context.Context, b *Baresip, types ...string) Event {
	t.Helper()
	e, err := b.Await(ctx, types...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTwoPhonesHearEachOther(t *testing.T) {
	NeedBaresip(t)
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			a := startPhone(t, ctx, BaresipOptions{User: "a", Tone: 440, Transport: transport})
			b := startPhone(t, ctx, BaresipOptions{User: "b", Tone: 880, Transport: transport})
			if err := a.Dial(ctx, b.URI()); err != nil {
				t.Fatal(err)
			}
			if e := await(t, ctx, b, "CALL_INCOMING"); !strings.Contains(e.Peer, "sip:a@") || e.Direction != "incoming" {
				t.Errorf("%+v", e)
			}
			await(t, ctx, a, "CALL_RINGING")
			if err := b.Answer(ctx); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, a, "CALL_ESTABLISHED")
			await(t, ctx, b, "CALL_ESTABLISHED")
			const talk = 6 * time.Second // long enough that the packets under way at the end are under 1 percent
			time.Sleep(talk)
			if err := a.Hangup(ctx); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, a, "CALL_CLOSED")
			await(t, ctx, b, "CALL_CLOSED")
			hears(t, a, 880, talk)
			hears(t, b, 440, talk)
			got := map[*Baresip]CallStats{}
			for _, p := range []*Baresip{a, b} {
				if err := p.Stop(); err != nil { // the counts are printed by now
					t.Fatal(err)
				}
				list, err := p.Stats()
				if err != nil || len(list) != 1 {
					t.Fatalf("%d calls counted, %v", len(list), err)
				}
				got[p] = list[0]
			}
			arrives(t, "a to b", got[a].Sent, got[b].Received, talk)
			arrives(t, "b to a", got[b].Sent, got[a].Received, talk)
		})
	}
}

// hears checks that the phone's recording is the tone and lasted.
func hears(t *testing.T, p *Baresip, freq float64, talk time.Duration) {
	t.Helper()
	samples, err := p.Heard()
	if err != nil {
		t.Fatal(err)
	}
	samples = Sounding(samples)
	share, dominant := ToneShare(samples, freq), DominantFrequency(samples)
	length := time.Duration(len(samples)) * time.Second / SampleRate
	t.Logf("%s hears %.0f Hz for %v: share %.4f, level %.1f dB", p.opts.User, dominant, length, share, Level(samples))
	if share < 0.97 || math.Abs(dominant-freq) > 2 || length < talk*95/100 {
		t.Errorf("%s hears %.0f Hz for %v with share %.4f; want %.0f Hz for %v with 0.97", p.opts.User, dominant, length, share, freq, talk)
	}
}

func arrives(t *testing.T, way string, sent, received int, talk time.Duration) {
	t.Helper()
	t.Logf("%s: %d of %d packets", way, received, sent)
	if least := int(talk / (20 * time.Millisecond) * 9 / 10); sent < least || received*100 <= sent*99 {
		t.Errorf("%s: %d of %d packets arrived; want over 99 percent of at least %d", way, received, sent, least)
	}
}

func TestBaresipRefusals(t *testing.T) {
	NeedBaresip(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a := startPhone(t, ctx, BaresipOptions{User: "a"})
	b := startPhone(t, ctx, BaresipOptions{User: "b"})
	if err := a.Dial(ctx, b.URI()); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, b, "CALL_INCOMING")
	if err := b.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	if e := await(t, ctx, a, "CALL_CLOSED"); !strings.Contains(e.Param, "486") {
		t.Errorf("refused call ends with %q", e.Param)
	}
	short, end := context.WithTimeout(ctx, 100*time.Millisecond)
	defer end()
	if _, err := a.Await(short, "CALL_ESTABLISHED"); err == nil || !strings.Contains(err.Error(), "its log ends") {
		t.Errorf("await what never comes: %v", err)
	}
	if _, err := a.Command(ctx, "nonsense", ""); err == nil {
		t.Error("nonsense was taken as a command")
	}
	if err := b.Kill(); err != nil {
		t.Error(err)
	}
	if _, err := b.Command(ctx, "listcalls", ""); err == nil {
		t.Error("a dead phone answers")
	}
}

func TestStartBaresipTellsWhy(t *testing.T) {
	NeedBaresip(t)
	_, err := StartBaresip(t.Context(), BaresipOptions{Dir: t.TempDir(), User: "x", Addr: "192.0.2.1", Port: 5999})
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("an address that is not here: %v", err)
	}
}
