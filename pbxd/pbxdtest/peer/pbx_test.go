package peer_test

import (
	"context"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

func nothingLeft(t *testing.T, s *pbxdtest.System) {
	t.Helper()
	s.Eventually("all calls and ports to be given back", func() bool {
		c := s.PBX.Counts()
		return c.Calls == 0 && c.SIP.Legs == 0 && c.Ports == 0
	})
}

// Two baresips register and talk through the PBX, over each transport.
func TestBaresipThroughPBX(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			s := pbxdtest.Start(t, pbxdtest.Options{})
			phone := func(ext string, tone float64) *peer.Baresip {
				b, err := peer.StartBaresip(ctx, peer.BaresipOptions{
					Dir: t.TempDir(), User: ext, Password: s.Password(ext), Registrar: s.SIP.String(),
					Transport: transport, Expires: time.Minute, Tone: tone,
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := b.Stop(); err != nil {
						t.Error(err)
					}
					if strings.Contains(b.Log(), s.Password(ext)) {
						t.Errorf("the log of %s holds its password", ext)
					}
					if t.Failed() {
						t.Logf("log of %s:\n%s", ext, b.Log())
					}
				})
				if err := b.AwaitRegistered(ctx); err != nil {
					t.Fatal(err)
				}
				return b
			}
			a, b := phone("101", 440), phone("102", 880)
			if err := a.Dial(ctx, "102"); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, b, "CALL_INCOMING")
			await(t, ctx, a, "CALL_RINGING")
			if err := b.Answer(ctx); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, a, "CALL_ESTABLISHED")
			await(t, ctx, b, "CALL_ESTABLISHED")
			time.Sleep(20 * time.Second) // so long that what is under way at the hang-up is far below 1 percent
			if err := b.Hangup(ctx); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, a, "CALL_CLOSED")
			await(t, ctx, b, "CALL_CLOSED")
			nothingLeft(t, s)
			sent, received := map[*peer.Baresip]int{}, map[*peer.Baresip]int{}
			for _, p := range []*peer.Baresip{a, b} {
				if err := p.Stop(); err != nil {
					t.Fatal(err)
				}
				counts, err := p.Stats()
				if err != nil || len(counts) != 1 {
					t.Fatalf("%d calls counted, %v", len(counts), err)
				}
				if counts[0].SentLost > 0 || counts[0].ReceivedLost > 0 {
					t.Errorf("packets lost in the middle of the stream: %+v", counts[0])
				}
				sent[p], received[p] = counts[0].Sent, counts[0].Received
			}
			heard(t, "101", a, 880, sent[b], received[a])
			heard(t, "102", b, 440, sent[a], received[b])
		})
	}
}

func await(t *testing.T, ctx context.Context, b *peer.Baresip, event string) {
	t.Helper()
	if _, err := b.Await(ctx, event); err != nil {
		t.Fatal(err)
	}
}

func heard(t *testing.T, name string, p *peer.Baresip, freq float64, sent, received int) {
	t.Helper()
	samples, err := p.Heard()
	if err != nil {
		t.Fatal(err)
	}
	samples = peer.Sounding(samples)
	share, dominant := peer.ToneShare(samples, freq), peer.DominantFrequency(samples)
	t.Logf("%s hears %.0f Hz with share %.4f, %d of %d packets", name, dominant, share, received, sent)
	if share < 0.97 || math.Abs(dominant-freq) > 2 || sent < 900 || received*100 <= sent*99 {
		t.Errorf("%s hears %.0f Hz with share %.4f, %d of %d packets; want %.0f Hz and over 99 percent", name, dominant, share, received, sent, freq)
	}
}

func TestBaresipIsRefused(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := pbxdtest.Start(t, pbxdtest.Options{})
	start := func(user, password string) *peer.Baresip {
		b, err := peer.StartBaresip(ctx, peer.BaresipOptions{Dir: t.TempDir(), User: user, Password: password, Registrar: s.SIP.String(), Expires: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Stop(); err != nil {
				t.Error(err)
			}
		})
		return b
	}
	start("101", "wrong")
	start("999", "nobody")
	s.Eventually("both to be refused", func() bool { return strings.Count(s.Log.String(), "SIP authentication failed") >= 2 })
	a := start("102", s.Password("102"))
	if err := a.AwaitRegistered(ctx); err != nil {
		t.Fatal(err)
	}
	for number, status := range map[string]string{"999": "404", "103": "480"} {
		if err := a.Dial(ctx, number); err != nil {
			t.Fatal(err)
		}
		if e, err := a.Await(ctx, "CALL_CLOSED"); err != nil || !strings.Contains(e.Param, status) {
			t.Errorf("call to %s ends with %q, %v; want %s", number, e.Param, err, status)
		}
	}
	nothingLeft(t, s)
}

// sipp registers a phone, and another sipp calls it, some calls at a time.
func TestSippThroughPBX(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	throughPBX(t, peer.SippCallAuth, peer.SippAnswer)
}

// As before, with early audio and reliable provisional answers on both sides
// (RFC 3262).
func TestSippReliableThroughPBX(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	throughPBX(t, peer.SippCallReliable, peer.SippAnswerReliable)
}

func throughPBX(t *testing.T, call, answer peer.Scenario) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			s := pbxdtest.Start(t, pbxdtest.Options{})
			audio := func() *peer.RTP {
				r, err := peer.ListenRTP(netip.MustParseAddrPort("127.0.0.1:0"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { r.Close() })
				return r
			}
			const calls = 20
			callee, err := peer.StartSipp(ctx, peer.SippOptions{Dir: t.TempDir(), Scenario: answer, Transport: transport, Calls: calls, RTPPort: int(audio().Addr().Port())})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(callee.Stop)
			if err := callee.WaitReady(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := peer.RunSipp(ctx, peer.SippOptions{
				Dir: t.TempDir(), Scenario: peer.SippRegister, Transport: transport, Remote: s.SIP, ContactPort: int(callee.Addr().Port()),
				Users: []peer.SippUser{{User: "102", Password: s.Password("102")}},
			}); err != nil {
				t.Fatal(err)
			}
			r, err := peer.RunSipp(ctx, peer.SippOptions{
				Dir: t.TempDir(), Scenario: call, Transport: transport, Remote: s.SIP, Calls: calls, Talk: time.Second,
				RTPPort: int(audio().Addr().Port()), Users: []peer.SippUser{{User: "101", Password: s.Password("101"), Number: "102"}},
			})
			if err != nil {
				callee.Stop()
				_, why := callee.Wait()
				t.Fatalf("%+v: %v; the called one: %v\n%s", r, err, why, s.Log)
			}
			if r, err := callee.Wait(); err != nil {
				t.Errorf("%+v: %v", r, err)
			}
			nothingLeft(t, s)
		})
	}
}
