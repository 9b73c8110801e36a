package provider

import (
	"context"
	"strings"
	"testing"
	"time"
)

// What a provider who registers its customers says to one.
func TestBulkRegistrationHabit(t *testing.T) {
	t.Parallel()
	register := func(password string, contact ...string) func(*script) {
		return func(s *script) {
			fields := append([]string{"Contact: <sip:[local_ip]:[local_port];bnc>", "Require: gin", "Proxy-Require: gin"}, contact...)
			from := "From: <sip:49301000@provider.test>;tag=r\nTo: <sip:49301000@provider.test>\n"
			s.send(true, head("REGISTER", "sip:provider.test", from, 1), "", fields...)
			s.answered(401)
			s.send(true, head("REGISTER", "sip:provider.test", from, 2), "", append(fields, "[authentication username=49301000 password="+password+"]")...)
			s.answered(200, Check{"Contact", "bnc"})
		}
	}
	for _, tt := range []struct{ password, reason string }{{"secret1", ""}, {"wrong", "wrong credentials"}} {
		t.Run(tt.password, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			p := startHabit(t, ctx, TakesBulk("49301000", "secret1"), HabitOptions{})
			c := startHabit(t, ctx, calls("customer", register(tt.password)), HabitOptions{Remote: p.Addr()})
			if tt.reason == "" {
				both(t, p, c)
				return
			}
			if _, err := p.Wait(); err == nil || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("%v; want it to complain of %s", err, tt.reason)
			}
		})
	}
}

// Providers that call get what they want from one who is called.
func TestCallingHabits(t *testing.T) {
	t.Parallel()
	takes := func(fields ...string) func(*script) {
		return func(s *script) {
			s.invited()
			s.answer("180 Ringing", "")
			s.answer("200 OK", sdp(), fields...)
			s.received("ACK")
			s.ends()
		}
	}
	reliable := func(s *script) {
		s.invited(Check{"Require", "100rel"})
		s.answer("180 Ringing", "", "Require: 100rel", "RSeq: 77")
		s.received("PRACK", Check{"RAck", "^ *77 1 INVITE"})
		s.reply("200 OK", "")
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	}
	for _, tt := range []struct {
		name     string
		habit    func(Line) Habit
		customer func(*script)
	}{
		{"calls", func(l Line) Habit { return Calls(l, "Diversion: <sip:4@b>") }, takes()},
		{"number in To only", func(l Line) Habit { return Calls(l) }, func(s *script) {
			s.invited(Check{"To", "sip:49301001@"}, Check{"", "^INVITE sip:account1@"})
			s.answer("180 Ringing", "")
			s.answer("200 OK", sdp())
			s.received("ACK")
			s.ends()
		}},
		{"talks", func(l Line) Habit { return CallsAndTalks(l) }, takes()},
		{"anonymous", CallsAnonymously, func(s *script) {
			s.invited(Check{"From", "anonymous@anonymous.invalid"}, Check{"P-Asserted-Identity", "sip:4989555@"}, Check{"Privacy", "id"})
			s.answer("200 OK", sdp())
			s.received("ACK")
			s.ends()
		}},
		{"without audio", CallsWithoutAudio, func(s *script) {
			s.invited(Check{"Content-Type", ""})
			s.answer("200 OK", sdp())
			s.received("ACK", Check{"body", "m=audio"})
			s.ends()
		}},
		{"reliably", CallsReliably, reliable},
		{"with timer", CallsWithTimer, takes("Require: timer", "Session-Expires: 90;refresher=uas")},
		{"for too short", CallsForTooShort, func(s *script) {
			s.invited()
			s.answer("422 Session Interval Too Small", "", "Min-SE: 90")
			s.received("ACK")
		}},
		{"cancels", Cancels, func(s *script) {
			s.invited()
			s.answer("180 Ringing", "")
			s.received("CANCEL")
			s.reply("200 OK", "")
			s.answer("487 Request Terminated", "")
			s.received("ACK")
		}},
		{"cancels too late", CancelsTooLate, func(s *script) {
			s.invited()
			s.answer("200 OK", sdp())
			s.received("CANCEL")
			s.reply("481 Call/Transaction Does Not Exist", "")
			s.received("ACK")
			s.ends()
		}},
		{"is refused", func(l Line) Habit { return IsRefused(l, 486) }, func(s *script) {
			s.invited()
			s.answer("486 Busy Here", "")
			s.received("ACK")
		}},
	} {
		for _, transport := range []string{"udp", "tcp"} {
			t.Run(tt.name+" "+transport, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				c := startHabit(t, ctx, called("customer", tt.customer), HabitOptions{Transport: transport})
				p := startHabit(t, ctx, tt.habit(Line{Customer: c.Addr().String(), User: "account1", Number: "49301001", Caller: "4989555"}), HabitOptions{Transport: transport, Remote: c.Addr()})
				if tt.name == "talks" {
					must(t, p.Go(ctx))
				}
				both(t, p, c)
			})
		}
	}
}
