package provider

import "fmt"

// Line is how a provider calls a customer.
type Line struct {
	Customer string // host:port, and parameters, of the customer
	User     string // user in the Request-URI
	Number   string // in To
	Caller   string // number of the caller
}

func (l Line) uri() string  { return fmt.Sprintf("sip:%s@%s", l.User, l.Customer) }
func (l Line) to() string   { return fmt.Sprintf("<sip:%s@%s>", l.Number, realm) }
func (l Line) from() string { return fmt.Sprintf("<sip:%s@%s>", l.Caller, realm) }

// talks is what follows an INVITE that is taken; then the provider hangs up.
func (s *script) talks(checks ...Check) {
	s.optional(180, 183)
	s.answered(200, checks...)
	s.ack("")
	s.hangsUp()
}

// Calls calls, with further fields, and hangs up at once. With the number in To
// alone, User of the line is the account.
func Calls(l Line, fields ...string) Habit {
	return calls("calls", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp(), fields...)
		s.talks()
	})
}

// CallsAndTalks calls, and hangs up when the test says so (peer.Sipp.Go).
func CallsAndTalks(l Line, fields ...string) Habit {
	return calls("calls-and-talks", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp(), fields...)
		s.optional(180, 183)
		s.answered(200)
		s.ack("")
		s.b.WriteString("  <nop><action><log message=\"call [call_id]\"/></action></nop>\n")
		s.wait()
		s.hangsUp()
	})
}

// CallsAnonymously hides who calls from the one who is called (RFC 3323), and
// tells it to the customer alone (RFC 3325).
func CallsAnonymously(l Line) Habit {
	return calls("calls-anonymously", func(s *script) {
		s.calls(l.uri(), `"Anonymous" <sip:anonymous@anonymous.invalid>`, l.to(), sdp(), "Privacy: id", "P-Asserted-Identity: "+l.from())
		s.talks()
	})
}

// CallsWithoutAudio leaves it to the customer to offer audio, and answers that
// in the ACK.
func CallsWithoutAudio(l Line) Habit {
	return calls("calls-without-audio", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), "")
		s.optional(180, 183)
		s.answered(200, Check{"body", "m=audio [1-9]"})
		s.ack(sdp())
		s.hangsUp()
	})
}

// CallsReliably requires to be told of ringing reliably (RFC 3262).
func CallsReliably(l Line) Habit {
	return calls("calls-reliably", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp(), "Require: 100rel")
		s.ringsReliably()
		s.talks()
	})
}

// CallsWithTimer wants a session timer that the customer refreshes (RFC 4028).
func CallsWithTimer(l Line) Habit {
	return calls("calls-with-timer", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp(), "Supported: timer", "Session-Expires: 90;refresher=uas", "Min-SE: 90")
		s.talks(Check{"Session-Expires", "^ *90;refresher=uas"})
	})
}

// CallsForTooShort wants a session timer that is shorter than RFC 4028 permits,
// and is refused.
func CallsForTooShort(l Line) Habit {
	return calls("calls-for-too-short", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp(), "Supported: timer", "Session-Expires: 30", "Min-SE: 30")
		s.answered(422, Check{"Min-SE", "^ *[1-9][0-9]+"})
		s.refused()
	})
}

// Cancels takes its call back while it rings.
func Cancels(l Line) Habit {
	return calls("cancels", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp())
		s.answered(180)
		s.cancel()
		s.answered(200)
		s.answered(487)
		s.refused()
	})
}

// CancelsTooLate takes its call back when it has been answered already, and ends
// it then.
func CancelsTooLate(l Line) Habit {
	return calls("cancels-too-late", func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp())
		s.optional(180, 183)
		s.answered(200)
		s.cancel()
		s.b.WriteString("  <recv response=\"481\" optional=\"true\" next=\"1\"/>\n")
		s.b.WriteString("  <recv response=\"200\"/>\n  <label id=\"1\"/>\n")
		s.ack("")
		s.hangsUp()
	})
}

// IsRefused calls and expects a status.
func IsRefused(l Line, status int, checks ...Check) Habit {
	return calls(fmt.Sprintf("is-refused-%d", status), func(s *script) {
		s.calls(l.uri(), l.from(), l.to(), sdp())
		s.optional(180, 183)
		s.answered(status, checks...)
		s.refused()
	})
}
