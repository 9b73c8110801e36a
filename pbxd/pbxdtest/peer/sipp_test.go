package peer

import (
	"context"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

func listen(t *testing.T) *RTP {
	t.Helper()
	r, err := ListenRTP(loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func startSipp(t *testing.T, ctx context.Context, o SippOptions) *Sipp {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := StartSipp(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// One sipp calls another; each lends its audio to an RTP of ours.
func TestSippCallsSipp(t *testing.T) {
	NeedSipp(t)
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			callerAudio, calleeAudio := listen(t), listen(t)
			callee := startSipp(t, ctx, SippOptions{Scenario: SippAnswer, Transport: transport, RTPPort: int(calleeAudio.Addr().Port())})
			if err := callee.WaitReady(ctx); err != nil {
				t.Fatal(err)
			}
			const talk = 3 * time.Second
			caller := startSipp(t, ctx, SippOptions{
				Scenario: SippCall, Transport: transport, Remote: callee.Addr(), Talk: talk, RTPPort: int(callerAudio.Addr().Port()),
				Users: []SippUser{{User: "a", Number: "b"}},
			})
			sending, hangUp := context.WithCancel(ctx)
			var sent [2]int
			var wg sync.WaitGroup
			for i, side := range []struct {
				s    *Sipp
				r    *RTP
				freq float64
			}{{caller, callerAudio, 440}, {callee, calleeAudio, 880}} {
				port, err := side.s.AwaitMediaPort(ctx, 1)
				if err != nil {
					t.Fatal(err)
				}
				wg.Go(func() {
					var err error
					if sent[i], err = side.r.SendTone(sending, loopback(port), side.freq); err != nil {
						t.Error(err)
					}
				})
			}
			for _, s := range []*Sipp{caller, callee} {
				if r, err := s.Wait(); err != nil || r.Successful != 1 || r.Failed != 0 || r.Unexpected != 0 {
					t.Errorf("%+v, %v", r, err)
				}
			}
			hangUp()
			wg.Wait()
			receives(t, callerAudio, 880, sent[1])
			receives(t, calleeAudio, 440, sent[0])
		})
	}
}

func receives(t *testing.T, r *RTP, freq float64, sent int) {
	t.Helper()
	// What was sent last may still be on its way through the kernel.
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if s, _ := r.Streams(); len(s) == 1 && s[0].Packets >= sent {
			break
		}
	}
	streams, invalid := r.Streams()
	if len(streams) != 1 || invalid != 0 {
		t.Fatalf("%d streams, %d packets that are not RTP", len(streams), invalid)
	}
	s := streams[0]
	share, dominant := ToneShare(s.Samples, freq), DominantFrequency(s.Samples)
	t.Logf("%d of %d packets, %.0f Hz, share %.4f", s.Packets, sent, dominant, share)
	if sent < 100 || s.Packets*100 <= sent*99 || s.Lost()+s.Duplicates+s.Moved != 0 {
		t.Errorf("%d packets of %d, %d lost, %d doubled, %d from elsewhere", s.Packets, sent, s.Lost(), s.Duplicates, s.Moved)
	}
	if share < 0.97 || math.Abs(dominant-freq) > 2 {
		t.Errorf("%.0f Hz with share %.4f; want %.0f Hz", dominant, share, freq)
	}
}

func TestSippManyCalls(t *testing.T) {
	NeedSipp(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	callee := startSipp(t, ctx, SippOptions{Scenario: SippAnswer, Calls: 50})
	if err := callee.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := RunSipp(ctx, SippOptions{
		Dir: t.TempDir(), Scenario: SippCall, Remote: callee.Addr(), Calls: 50, Rate: 50, Talk: 200 * time.Millisecond,
		Users: []SippUser{{User: "a", Number: "b"}, {User: "c", Number: "d"}},
	})
	if err != nil || r.Successful != 50 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := callee.Wait(); err != nil || r.Successful != 50 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSippTellsFailure(t *testing.T) {
	NeedSipp(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// A phone that answers calls does not know how to register others.
	callee := startSipp(t, ctx, SippOptions{Scenario: SippAnswer})
	if err := callee.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	short, end := context.WithTimeout(ctx, 2*time.Second)
	defer end()
	r, err := RunSipp(short, SippOptions{Dir: t.TempDir(), Scenario: SippRegister, Remote: callee.Addr(), Users: []SippUser{{User: "a", Password: "secret"}}})
	if err == nil || r.Successful != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the password shows in %v", err)
	}
	if _, err := StartSipp(ctx, SippOptions{Dir: t.TempDir(), Scenario: "nonsense"}); err == nil {
		t.Error("unknown scenario started")
	}
	if _, err := StartSipp(ctx, SippOptions{Dir: t.TempDir(), Scenario: SippCall, Transport: "pigeon"}); err == nil {
		t.Error("unknown transport started")
	}
}
