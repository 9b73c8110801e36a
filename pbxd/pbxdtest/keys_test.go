package pbxdtest

import (
	"strings"
	"testing"

	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
)

// A re-INVITE without a description asks for an offer: it has the profile and
// the key in use, and the call stays encrypted whoever asks (RFC 3264 section 8,
// RFC 4568 section 7.1.4).
func TestDelayedOfferOfEncryptedCall(t *testing.T) {
	t.Parallel()
	for _, calls := range []bool{true, false} {
		s := Start(t, Options{})
		a, b := s.Phone("101", "tls").MustRegister(), s.Phone("102", "udp").MustRegister()
		theirs := media.NewCrypto(1, media.AES80)
		var c *Call
		var ours media.Crypto
		if calls {
			c = a.Dial("102", secureSDP(16000, theirs))
			b.Ringing().Answer(SDP(16002))
			ours = keyOf(t, c.Answered(), 1)
		} else {
			d := b.Dial("101", SDP(16002))
			c = a.Ringing()
			offer, err := sdp.ParseSecure([]byte(c.Invite.Body))
			if err != nil || len(offer.Crypto) != 2 {
				t.Fatalf("101 is offered %q, %v; want two keys", c.Invite.Body, err)
			}
			ours = offer.Crypto[0]
			c.Answer(secureSDP(16000, theirs))
			d.Answered()
		}
		c.Send("INVITE", "")
		res := a.Response("INVITE", 200)
		if got := keyOf(t, res, 1); got != ours {
			t.Error("the offer has another key than the one in use")
		}
		c.Ack(secureSDP(16000, theirs))

		// What changes nothing is answered with the one key that was accepted (RFC
		// 4568 section 5.1.2).
		for _, method := range []string{"INVITE", "UPDATE"} {
			c.Send(method, secureSDP(16000, theirs))
			if got := keyOf(t, a.Response(method, 200), 1); got != ours {
				t.Errorf("%s that changes nothing is answered with another key", method)
			}
			if method == "INVITE" {
				c.Ack("")
			}
		}
		c.Hangup()
		if bye := b.Request("BYE"); strings.Contains(bye.Get("Reason"), "cause=88") {
			t.Errorf("the call ended with %s", bye.Get("Reason"))
		} else {
			b.Reply(bye, "", 200, "OK", "", "")
		}
		nothingLeft(t, s)
		s.Stop()
	}
}

// A refresh of a phone that was called is answered at once with one key, though
// we had offered two.
func TestRefreshOfEncryptedCall(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a, b := s.Phone("101", "tls").MustRegister(), s.Phone("102", "udp").MustRegister()
	d := b.Dial("101", SDP(16002))
	c := a.Ringing()
	offer, err := sdp.ParseSecure([]byte(c.Invite.Body))
	if err != nil {
		t.Fatal(err)
	}
	theirs := media.NewCrypto(2, media.AES32)
	c.Answer(secureSDP(16000, theirs))
	d.Answered()
	for _, method := range []string{"INVITE", "UPDATE"} {
		c.Send(method, secureSDP(16000, theirs))
		if got := keyOf(t, a.Response(method, 200), 2); got.Key.Reveal() != offer.Crypto[1].Key.Reveal() {
			t.Errorf("%s is answered with another key than the one that was accepted", method)
		}
		if method == "INVITE" {
			c.Ack("")
		}
	}
	c.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}
