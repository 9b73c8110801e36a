package provider

import (
	"fmt"
	"strings"
)

// Answers rings and answers, and waits for the far end to hang up. It looks at
// the INVITE.
func Answers(checks ...Check) Habit {
	return called("answers", func(s *script) {
		s.invited(checks...)
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	})
}

// AnswersWith answers with these payload types alone, the best first: "0" is
// PCMU, "8" PCMA, "9" G.722.
func AnswersWith(formats ...string) Habit {
	return called("answers-with-"+strings.Join(formats, "-"), func(s *script) {
		s.invited()
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp(formats...))
		s.received("ACK")
		s.ends()
	})
}

// Refuses answers with a status, for example "503 Service Unavailable", and
// further fields, for example "Retry-After: 5".
func Refuses(status string, fields ...string) Habit {
	return called("refuses-"+status[:3], func(s *script) {
		s.invited()
		s.answer(status, "", fields...)
		s.received("ACK")
	})
}

// Silent says nothing, not even that it tries. The test ends it.
func Silent() Habit {
	return called("silent", func(s *script) {
		s.invited()
		s.stay()
	})
}

// AnswersTooLate says nothing until the test says so (peer.Sipp.Go), and answers
// then: the caller, who has given up, must end the call that it has no more.
func AnswersTooLate() Habit {
	return called("answers-too-late", func(s *script) {
		s.invited()
		s.wait()
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	})
}

// IgnoresOptions gives no answer to OPTIONS. The test ends it.
func IgnoresOptions() Habit {
	return called("ignores-options", func(s *script) {
		s.received("OPTIONS")
		s.stay()
	})
}

// Redirects answers with 302 and contacts, for example
// "<sip:1@127.0.0.1:5070>;q=0.5" (RFC 3261 section 8.1.3.4).
func Redirects(contacts ...string) Habit {
	return called("redirects", func(s *script) {
		s.invited()
		s.answer("302 Moved Temporarily", "", "Contact: "+strings.Join(contacts, ", "))
		s.received("ACK")
	})
}

// realm is that of the passwords of single habits.
const realm = "provider.test"

func challenge(nonce string) string {
	return fmt.Sprintf(`Proxy-Authenticate: Digest realm="%s", nonce="%s", algorithm=MD5, qop="auth"`, realm, nonce)
}

// ChallengesAll asks for the password of a user with 407 for the INVITE, for the
// re-INVITE that must follow in the call, and for the BYE; each with a nonce of
// its own. It knows PCMA and PCMU. sipp cannot say whether the answers are right: Kamailio does.
func ChallengesAll(user string) Habit {
	answered := func(nonce string) Check {
		return Check{"Proxy-Authorization", fmt.Sprintf(`username="%s".*nonce="%s|nonce="%s.*username="%s"`, user, nonce, nonce, user)}
	}
	return called("challenges-all", func(s *script) {
		s.invited(Check{"Proxy-Authorization", ""})
		s.answer("407 Proxy Authentication Required", "", challenge("first[call_number]"))
		s.received("ACK")
		s.invited(answered("first"), Check{"To", "^[^;]*$"})
		s.answer("100 Trying", "")
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp("8", "0"))
		s.received("ACK")
		s.received("INVITE", Check{"To", ";tag="})
		s.reply("407 Proxy Authentication Required", "", challenge("second[call_number]"))
		s.received("ACK")
		s.received("INVITE", answered("second"), Check{"To", ";tag="})
		s.reply("200 OK", sdp("8", "0"))
		s.received("ACK")
		s.received("BYE")
		s.reply("407 Proxy Authentication Required", "", challenge("third[call_number]"))
		s.received("BYE", answered("third"))
		s.reply("200 OK", "")
	})
}

// RefreshesSession wants a session timer and refreshes itself, as the side that
// was called, by UPDATE (RFC 4028).
func RefreshesSession() Habit {
	return called("refreshes-session", func(s *script) {
		s.invited(Check{"Supported", "timer"}, Check{"Session-Expires", "[0-9]+"}, Check{"Allow", "UPDATE"})
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp(), "Supported: timer", "Session-Expires: 90;refresher=uas")
		s.received("ACK")
		s.request("UPDATE", "", "Supported: timer", "Session-Expires: 90;refresher=uac", "Min-SE: 90")
		s.answered(200, Check{"Session-Expires", "^ *90;refresher=uac"}, Check{"Require", "timer"})
		s.ends()
	})
}

// WantsSessionRefreshed wants a session timer of 90 s, the shortest that RFC 4028
// permits, that the side that calls refreshes by UPDATE. That takes it 45 s.
func WantsSessionRefreshed() Habit {
	return called("wants-session-refreshed", func(s *script) {
		s.invited(Check{"Supported", "timer"})
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp(), "Allow: INVITE, ACK, BYE, CANCEL, UPDATE", "Require: timer", "Supported: timer", "Session-Expires: 90;refresher=uac")
		s.received("ACK")
		s.received("UPDATE", Check{"Session-Expires", "^ *[0-9]+;refresher=uac"})
		s.reply("200 OK", "", "Require: timer", "Session-Expires: 1800;refresher=uac")
		s.ends()
	})
}

// LongSessions refuses a session timer below 7200 s with 422 (RFC 4028 section 6).
func LongSessions() Habit {
	return called("long-sessions", func(s *script) {
		s.invited(Check{"Session-Expires", "[0-9]+"})
		s.answer("422 Session Interval Too Small", "", "Min-SE: 7200")
		s.received("ACK")
		s.invited(Check{"Session-Expires", "^ *7200(;|$)"}, Check{"Min-SE", "^ *7200$"})
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp(), "Require: timer", "Session-Expires: 7200;refresher=uac")
		s.received("ACK")
		s.ends()
	})
}

// EarlyAudio has early audio by 183 and never says that it rings. It answers
// when the test says so (peer.Sipp.Go).
func EarlyAudio() Habit {
	return called("early-audio", func(s *script) {
		s.invited()
		s.answer("183 Session Progress", sdp())
		s.wait()
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	})
}

// RingsReliably wants to be told that its ringing has come (PRACK, RFC 3262).
func RingsReliably() Habit {
	return called("rings-reliably", func(s *script) {
		s.invited(Check{"Supported", "100rel"}, Check{"Allow", "PRACK"})
		s.answer("180 Ringing", "", "Require: 100rel", "RSeq: 4711")
		s.received("PRACK", Check{"RAck", "^ *4711 [0-9]+ INVITE"})
		s.reply("200 OK", "")
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	})
}

// UpdatesWhileRinging has early audio, reliably, and then another by UPDATE
// before it answers (RFC 3311).
func UpdatesWhileRinging() Habit {
	return called("updates-while-ringing", func(s *script) {
		s.invited(Check{"Supported", "100rel"}, Check{"Allow", "UPDATE"})
		s.answer("183 Session Progress", sdp(), "Require: 100rel", "RSeq: 1")
		s.received("PRACK", Check{"RAck", "^ *1 [0-9]+ INVITE"})
		s.reply("200 OK", "")
		s.request("UPDATE", strings.Replace(sdp("0"), "o=- 1 1 ", "o=- 1 2 ", 1))
		s.answered(200, Check{"body", "m=audio [1-9][0-9]* [^ ]* 0"})
		s.answer("180 Ringing", "")
		s.answer("200 OK", "")
		s.received("ACK")
		s.ends()
	})
}

// ReinvitesWithoutAudio asks by an INVITE without a description, in the call,
// what audio the far end has.
func ReinvitesWithoutAudio() Habit {
	return called("reinvites-without-audio", func(s *script) {
		s.invited()
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.request("INVITE", "")
		s.answered(200, Check{"body", "m=audio [1-9]"})
		s.ack(strings.Replace(sdp(), "o=- 1 1 ", "o=- 1 2 ", 1))
		s.ends()
	})
}

// AnswersWhenCancelled answers when CANCEL has already come, which crosses on the
// way: the caller must end the call that it has no more.
func AnswersWhenCancelled() Habit {
	return called("answers-when-cancelled", func(s *script) {
		s.invited()
		s.answer("180 Ringing", "")
		s.received("CANCEL")
		s.reply("200 OK", "")
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	})
}

// TakesBulk takes a registration of several numbers at once (RFC 6140), after it
// has asked for the password; the contact must stand for all of them.
func TakesBulk(user, password string) Habit {
	return called("takes-bulk", func(s *script) {
		bulk := []Check{
			{"Require", "gin"}, {"Proxy-Require", "gin"}, {"Contact", `<sips?:[^@>]*;bnc[;>]`}, {"To", "sips?:" + user + "@"},
		}
		s.received("REGISTER", bulk...)
		s.outside("401 Unauthorized", strings.Replace(challenge("bulk[call_number]"), "Proxy-Authenticate", "WWW-Authenticate", 1))
		s.proven("REGISTER", user, password, bulk...)
		s.outside("200 OK", "[last_Contact:]", "Expires: 600")
	})
}

// RefusesRegistration answers a registration with a status and fields.
func RefusesRegistration(status string, fields ...string) Habit {
	return called("refuses-registration-"+status[:3], func(s *script) {
		s.received("REGISTER")
		s.outside(status, fields...)
	})
}
