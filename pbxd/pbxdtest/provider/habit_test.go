package provider

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/peer"
)

// customer is a dialogue of one who is called or calls, as a PBX would, made
// from the parts of the providers.
func customer(at netip.AddrPort, write func(s *script, invite func(fields ...string))) Habit {
	return calls("customer", func(s *script) {
		write(s, func(fields ...string) {
			s.calls(fmt.Sprintf("sip:4989555@%v", at), "<sip:49301000@provider.test>", "<sip:4989555@provider.test>", sdp(), fields...)
		})
	})
}

// credential is what answers a challenge in a scenario.
const credential = "[authentication username=customer1 password=secret1]"

var timer = []string{"Supported: timer, 100rel", "Session-Expires: 1800"}

// What each provider that is called says, and what must be said to it.
var calledHabits = []struct {
	habit    Habit
	customer func(s *script, invite func(...string))
	wrong    func(s *script, invite func(...string)) // fails with reason; nil when there is nothing to get wrong
	reason   string
}{
	{
		habit: Answers(Check{"Diversion", "<sip:49301001@[^>]*>;reason=unconditional"}, Check{"History-Info", "index=1[.]1"}, Check{"P-Preferred-Identity", "49301000"}, Check{"Privacy", ""}),
		customer: func(s *script, invite func(...string)) {
			invite("Diversion: <sip:49301001@provider.test>;reason=unconditional", "History-Info: <sip:1@b>;index=1, <sip:2@b>;index=1.1", "P-Preferred-Identity: <sip:49301000@provider.test>")
			s.talks()
		},
		wrong:  func(s *script, invite func(...string)) { invite(); s.talks() },
		reason: "Diversion",
	},
	{
		habit: Answers(Check{"Privacy", ""}),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.talks()
		},
		wrong:  func(s *script, invite func(...string)) { invite("Privacy: id"); s.talks() },
		reason: "id",
	},
	{
		habit:    AnswersWith("0"),
		customer: func(s *script, invite func(...string)) { invite(); s.talks(Check{"body", "RTP/AVP 0 101"}) },
	},
	{
		habit: Refuses("503 Service Unavailable", "Retry-After: 5"),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.answered(503, Check{"Retry-After", "5"})
			s.refused()
		},
	},
	{
		habit: Redirects("<sip:1@127.0.0.1:5070>;q=0.5", "<sip:2@127.0.0.1:5080>;q=0.1"),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.answered(302, Check{"Contact", "sip:1@.*sip:2@"})
			s.refused()
		},
	},
	{
		habit: ChallengesAll("customer1"),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.answered(407)
			s.refused()
			s.again(sdp(), credential)
			s.optional(180)
			s.answered(200)
			s.ack("")
			s.request("INVITE", sdp())
			s.answered(407)
			s.refused()
			s.request("INVITE", sdp(), credential)
			s.answered(200)
			s.ack("")
			s.request("BYE", "")
			s.answered(407)
			s.request("BYE", "", credential)
			s.answered(200)
		},
		wrong: func(s *script, invite func(...string)) {
			invite()
			s.answered(407)
			s.refused()
			s.again(sdp(), "[authentication username=another password=secret1]")
			s.optional(180)
			s.answered(200)
			s.ack("")
			s.request("INVITE", sdp(), credential)
			s.answered(407)
			s.refused()
			s.request("INVITE", sdp(), credential)
			s.answered(200)
			s.ack("")
			s.request("BYE", "")
			s.answered(407)
			s.request("BYE", "", credential)
			s.answered(200)
		},
		reason: "another",
	},
	{
		habit: RefreshesSession(),
		customer: func(s *script, invite func(...string)) {
			invite(timer...)
			s.optional(180)
			s.answered(200)
			s.ack("")
			s.received("UPDATE")
			s.reply("200 OK", "", "Require: timer", "Session-Expires: 90;refresher=uac")
			s.hangsUp()
		},
		wrong: func(s *script, invite func(...string)) {
			invite(timer...)
			s.optional(180)
			s.answered(200)
			s.ack("")
			s.received("UPDATE")
			s.reply("200 OK", "")
			s.hangsUp()
		},
		reason: "Session-Expires",
	},
	{
		habit: WantsSessionRefreshed(),
		customer: func(s *script, invite func(...string)) {
			invite(timer...)
			s.optional(180)
			s.answered(200)
			s.ack("")
			s.request("UPDATE", "", "Supported: timer", "Session-Expires: 90;refresher=uac")
			s.answered(200)
			s.hangsUp()
		},
	},
	{
		habit: LongSessions(),
		customer: func(s *script, invite func(...string)) {
			invite(timer...)
			s.answered(422)
			s.refused()
			s.again(sdp(), "Supported: timer", "Session-Expires: 7200", "Min-SE: 7200")
			s.talks()
		},
		wrong: func(s *script, invite func(...string)) {
			invite(timer...)
			s.answered(422)
			s.refused()
			s.again(sdp(), timer...)
			s.talks()
		},
		reason: "7200",
	},
	{
		habit: EarlyAudio(),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.answered(183, Check{"body", "m=audio"})
			s.answered(200)
			s.ack("")
			s.hangsUp()
		},
	},
	{
		habit: RingsReliably(),
		customer: func(s *script, invite func(...string)) {
			invite("Supported: 100rel")
			s.ringsReliably()
			s.talks()
		},
		wrong: func(s *script, invite func(...string)) {
			invite()
			s.ringsReliably()
			s.talks()
		},
		reason: "Supported",
	},
	{
		habit: UpdatesWhileRinging(),
		customer: func(s *script, invite func(...string)) {
			invite("Supported: 100rel")
			s.ringsReliably()
			s.received("UPDATE", Check{"body", "m=audio [0-9]+ RTP/AVP 0 101"})
			s.reply("200 OK", sdp("0"))
			s.talks()
		},
	},
	{
		habit: ReinvitesWithoutAudio(),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.optional(180)
			s.answered(200)
			s.ack("")
			s.received("INVITE")
			s.reply("200 OK", sdp())
			s.received("ACK", Check{"body", "m=audio"})
			s.hangsUp()
		},
	},
	{
		habit: AnswersTooLate(),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.talks()
		},
	},
	{
		habit: AnswersWhenCancelled(),
		customer: func(s *script, invite func(...string)) {
			invite()
			s.answered(180)
			s.cancel()
			s.answered(200)
			s.answered(200)
			s.ack("")
			s.hangsUp()
		},
	},
}

func startHabit(t *testing.T, ctx context.Context, h Habit, o HabitOptions) *peer.Sipp {
	t.Helper()
	peer.NeedSipp(t)
	o.Dir = t.TempDir()
	s, err := h.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func both(t *testing.T, list ...*peer.Sipp) {
	t.Helper()
	for _, s := range list {
		if r, err := s.Wait(); err != nil || r.Unexpected > 0 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// Each provider that is called gets what it wants from a customer made of the
// same parts, over UDP and TCP; and says what is wrong when it does not.
func TestCalledHabits(t *testing.T) {
	t.Parallel()
	for i, h := range calledHabits {
		for _, transport := range []string{"udp", "tcp"} {
			t.Run(fmt.Sprint(i, h.habit.Name, transport), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				p := startHabit(t, ctx, h.habit, HabitOptions{Transport: transport})
				c := startHabit(t, ctx, customer(p.Addr(), h.customer), HabitOptions{Transport: transport, Remote: p.Addr()})
				if h.habit.Name == "early-audio" || h.habit.Name == "answers-too-late" {
					must(t, p.Go(ctx))
				}
				both(t, p, c)
			})
		}
		if h.wrong != nil {
			t.Run(fmt.Sprint(i, h.habit.Name, "wrong"), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				p := startHabit(t, ctx, h.habit, HabitOptions{})
				startHabit(t, ctx, customer(p.Addr(), h.wrong), HabitOptions{Remote: p.Addr()})
				if r, err := p.Wait(); err == nil || r.Successful > 0 || !strings.Contains(err.Error(), h.reason) || ctx.Err() != nil {
					t.Errorf("%+v, %v; want it to complain of %s", r, err, h.reason)
				}
			})
		}
	}
}

// The same with kamailio between them, which records routes, as it must be where
// the customer is reached over TLS.
func TestCalledHabitsBehindKamailio(t *testing.T) {
	t.Parallel()
	for i, h := range calledHabits {
		if h.habit.Name == "refuses-503" {
			continue // kamailio makes it 500 (RFC 3261 section 16.7)
		}
		t.Run(fmt.Sprint(i, h.habit.Name), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			p := startHabit(t, ctx, h.habit, HabitOptions{})
			k := startKamailio(t, ctx, KamailioOptions{Open: true, Far: p.Addr()})
			c := startHabit(t, ctx, customer(k.Access(), h.customer), HabitOptions{Transport: "tcp", Remote: k.Access()})
			if h.habit.Name == "early-audio" || h.habit.Name == "answers-too-late" {
				must(t, p.Go(ctx))
			}
			both(t, p, c)
			happens(t, ctx, k, "outgoing from 49301000 to 4989555", 1)
		})
	}
}
