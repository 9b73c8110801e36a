package qemutest

import (
	"context"
	"math"
	"net/netip"
	"os"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/peer"
)

// talkTime is long enough that the packets under way when a call begins and
// ends are far below 1 percent.
const talkTime = 10 * time.Second

// startPhone starts a baresip that lasts as long as the test, and waits until
// it is registered at the machine.
func startPhone(tb testing.TB, o peer.BaresipOptions) *peer.Baresip {
	tb.Helper()
	peer.NeedBaresip(tb)
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	o.Dir, o.Registrar, o.Expires, o.ToneTime = tb.TempDir(), sipAddress, time.Hour, 10*time.Minute
	p, err := peer.StartBaresip(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Stop(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			tb.Logf("log of phone %s:\n%s", o.User, p.Log())
		}
	})
	if err := p.AwaitRegistered(ctx); err != nil {
		tb.Fatal(err)
	}
	return p
}

// await waits for an event of a phone.
func await(tb testing.TB, p *peer.Baresip, event string) peer.Event {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	e, err := p.Await(ctx, event)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// connect makes a call from a to number, which rings at b and is answered.
func connect(tb testing.TB, a, b *peer.Baresip, number string) {
	tb.Helper()
	if err := a.Dial(tb.Context(), number); err != nil {
		tb.Fatal(err)
	}
	await(tb, b, "CALL_INCOMING")
	if err := b.Answer(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	await(tb, b, "CALL_ESTABLISHED")
	await(tb, a, "CALL_ESTABLISHED")
}

// hangUp ends the call of a and b at a.
func hangUp(tb testing.TB, a, b *peer.Baresip) {
	tb.Helper()
	if err := a.Hangup(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	await(tb, a, "CALL_CLOSED")
	await(tb, b, "CALL_CLOSED")
}

// talk lets the audio of a call flow.
func talk(tb testing.TB, d time.Duration) {
	tb.Helper()
	select {
	case <-time.After(d):
	case <-tb.Context().Done():
		tb.Fatal(context.Cause(tb.Context()))
	}
}

// talkUntilHeard lets the audio of a call flow until each phone has recorded so
// much of it. On a machine that is short of time that takes longer.
func talkUntilHeard(tb testing.TB, d time.Duration, phones ...*peer.Baresip) {
	tb.Helper()
	const sampleSize = 2 // bytes
	want := int64(d.Seconds() * peer.SampleRate * sampleSize)
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	for _, p := range phones {
		for size := int64(0); size < want; {
			files, err := p.Recordings()
			if err != nil {
				tb.Fatal(err)
			}
			if len(files) > 0 { // the call's own: earlier ones are taken away
				info, err := os.Stat(files[len(files)-1])
				if err != nil {
					tb.Fatal(err)
				}
				size = info.Size()
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				tb.Fatalf("recordings %q have %d bytes, want %d: %v", files, size, want, context.Cause(ctx))
			}
		}
	}
}

// forget takes away what the phones have recorded.
func forget(tb testing.TB, phones ...*peer.Baresip) {
	tb.Helper()
	for _, p := range phones {
		files, err := p.Recordings()
		if err != nil {
			tb.Fatal(err)
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// isTone checks that samples are a tone of a frequency and about as long as the
// talk: the phones of a loaded machine may begin late.
func isTone(tb testing.TB, who string, samples []int16, freq float64, length time.Duration) {
	tb.Helper()
	samples = peer.Sounding(samples)
	share, dominant := peer.ToneShare(samples, freq), peer.DominantFrequency(samples)
	heard := time.Duration(len(samples)) * time.Second / peer.SampleRate
	tb.Logf("%s hears %.0f Hz for %.2f s, share %.4f", who, dominant, heard.Seconds(), share)
	if share < 0.95 || math.Abs(dominant-freq) > 2 || heard < length*8/10 {
		tb.Errorf("%s hears %.0f Hz for %v with share %.4f; want %.0f Hz for %v with 0.95", who, dominant, heard, share, freq, length)
	}
}

// hears checks what the phone recorded of its last call.
func hears(tb testing.TB, p *peer.Baresip, who string, freq float64, length time.Duration) {
	tb.Helper()
	samples, err := p.Heard()
	if err != nil {
		tb.Fatal(err)
	}
	isTone(tb, who, samples, freq, length)
}

// arrived checks that over 99 percent of the packets arrived, and that there
// were about as many as the length of the talk promises.
func arrived(tb testing.TB, way string, sent, received int, length time.Duration) {
	tb.Helper()
	tb.Logf("%s: %d of %d packets, %.2f %%", way, received, sent, 100*float64(received)/float64(max(sent, 1)))
	if least := int(length / (20 * time.Millisecond) * 8 / 10); sent < least || received*100 <= sent*99 {
		tb.Errorf("%s: %d of %d packets arrived; want over 99 percent of at least %d", way, received, sent, least)
	}
}

// stats stops the phone, which makes its counts complete, and returns them.
func stats(tb testing.TB, p *peer.Baresip, calls int) []peer.CallStats {
	tb.Helper()
	if err := p.Stop(); err != nil {
		tb.Fatal(err)
	}
	list, err := p.Stats()
	if err != nil || len(list) != calls {
		tb.Fatalf("%d calls counted, want %d; %v", len(list), calls, err)
	}
	return list
}

// sippCaller and sippCallee are the SIP ports of the two sipp phones.
const (
	sippCaller = 5160
	sippCallee = 5162
)

// sippOptions are those that all sipp runs share.
func sippOptions(tb testing.TB, scenario peer.Scenario, port int) peer.SippOptions {
	tb.Helper()
	peer.NeedSipp(tb)
	return peer.SippOptions{Dir: tb.TempDir(), Scenario: scenario, Remote: netip.MustParseAddrPort(sipAddress), Port: port}
}

// sippRegister registers a user at the port that the phone will use: behind
// address translation it is called where its REGISTER came from.
func sippRegister(tb testing.TB, u peer.SippUser, port int) {
	tb.Helper()
	o := sippOptions(tb, peer.SippRegister, port)
	o.Users = []peer.SippUser{u}
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	if _, err := peer.RunSipp(ctx, o); err != nil {
		tb.Fatal(err)
	}
}

// sippCall calls from one registered sipp phone to another and checks the
// audio of both.
func sippCall(tb testing.TB, caller peer.SippUser, length time.Duration) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	start := func(o peer.SippOptions, audio *peer.RTP) *peer.Sipp {
		o.RTPPort = int(audio.Addr().Port())
		s, err := peer.StartSipp(ctx, o)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(s.Stop)
		return s
	}
	sides := [2]struct {
		sipp  *peer.Sipp
		audio *peer.RTP
		freq  float64
		sent  chan int
	}{{freq: 440}, {freq: 880}}
	for i := range sides {
		audio, err := peer.ListenRTP(netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { audio.Close() })
		sides[i].audio, sides[i].sent = audio, make(chan int, 1)
	}
	sides[1].sipp = start(sippOptions(tb, peer.SippAnswer, sippCallee), sides[1].audio)
	if err := sides[1].sipp.WaitReady(ctx); err != nil {
		tb.Fatal(err)
	}
	o := sippOptions(tb, peer.SippCallAuth, sippCaller)
	o.Users, o.Talk = []peer.SippUser{caller}, length
	sides[0].sipp = start(o, sides[0].audio)
	// Both begin when the caller knows of the answer, and stop before it
	// hangs up, so that every packet has its chance.
	if _, err := sides[0].sipp.AwaitMediaPort(ctx, 1); err != nil {
		tb.Fatal(err)
	}
	sending, stop := context.WithTimeout(ctx, length-2*time.Second)
	defer stop()
	for i := range sides {
		s := &sides[i]
		port, err := s.sipp.AwaitMediaPort(ctx, 1)
		if err != nil {
			tb.Fatal(err)
		}
		go func() {
			n, err := s.audio.SendTone(sending, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), s.freq)
			if err != nil {
				tb.Error(err)
			}
			s.sent <- n
		}()
	}
	for i, name := range []string{"sipp caller to callee", "sipp callee to caller"} {
		s, other := &sides[i], &sides[1-i]
		if _, err := s.sipp.Wait(); err != nil {
			tb.Error(err)
		}
		sent := <-s.sent
		streams, invalid := other.audio.Streams()
		if len(streams) != 1 || invalid != 0 {
			tb.Errorf("%s: %d streams and %d packets that are not RTP; want 1 and 0", name, len(streams), invalid)
			continue
		}
		arrived(tb, name, sent, streams[0].Packets-streams[0].Duplicates, length-2*time.Second)
		isTone(tb, name+", it", streams[0].Samples, s.freq, length-2*time.Second)
	}
}
