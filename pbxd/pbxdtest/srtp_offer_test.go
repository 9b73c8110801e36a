package pbxdtest

import (
	"regexp"
	"strings"
	"testing"

	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
)

// A phone over TLS is offered encryption first; what follows when it refuses is
// for the settings to say.
func TestEncryptionIsOffered(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{pbx.SRTPOff, pbx.SRTPOffered, pbx.SRTPRequired} {
		t.Run(mode, func(t *testing.T) {
			s := Start(t, Options{Configure: func(c *pbx.Config) { c.SIP.SRTP = mode }})
			a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "tls").MustRegister()
			call := a.Dial("102", SDP(16000))
			in := b.Ringing()
			keys := regexp.MustCompile(`a=crypto:\d AES_CM_128_HMAC_SHA1_(\d+) inline:`).FindAllStringSubmatch(in.Invite.Body, -1)
			if mode != pbx.SRTPOff {
				if len(keys) != 2 || keys[0][1] != "80" || keys[1][1] != "32" || !strings.Contains(in.Invite.Body, "RTP/SAVP ") {
					t.Fatalf("102 is offered %q, want RTP/SAVP with two keys", in.Invite.Body)
				}
				first := in.Invite.Get("CSeq")
				in.Reply(488, "Not Acceptable Here", "")
				b.Request("ACK")
				if mode == pbx.SRTPRequired {
					res := a.Final("INVITE")
					call.AckRefusal(res)
					if res.Status() != 488 {
						t.Errorf("the call got %s, want 488", res.Start)
					}
					nothingLeft(t, s)
					return
				}
				in = b.Ringing()
				if in.Invite.Get("CSeq") <= first {
					t.Errorf("CSeq %s follows %s", in.Invite.Get("CSeq"), first)
				}
			} else if len(keys) > 0 {
				t.Errorf("102 is offered keys: %q", in.Invite.Body)
			}
			if strings.Contains(in.Invite.Body, "SAVP") || strings.Contains(in.Invite.Body, "crypto") {
				t.Errorf("102 is offered %q, want audio without encryption", in.Invite.Body)
			}
			in.Answer(SDP(16002))
			call.Answered()
			in.Send("BYE", "")
			a.Reply(a.Request("BYE"), "", 200, "OK", "", "")
			b.Response("BYE", 200)
			nothingLeft(t, s)
		})
	}
}

// Keys in clear signalling protect nothing: over UDP and TCP encrypted audio is
// refused, as it is where the settings turn it off. Over TLS it is audio
// without encryption that the settings may refuse.
func TestEncryptionIsRefused(t *testing.T) {
	t.Parallel()
	plain, secure := SDP(16000), secureSDP(16000, media.NewCrypto(1, media.AES80))
	for _, tt := range []struct {
		mode, network, sdp string
		want               int
	}{
		{pbx.SRTPOffered, "udp", secure, 488}, {pbx.SRTPRequired, "tcp", secure, 488}, {pbx.SRTPOff, "tls", secure, 488},
		{pbx.SRTPRequired, "tls", plain, 488}, {pbx.SRTPRequired, "udp", plain, 480}, {pbx.SRTPRequired, "tls", secure, 480}, {pbx.SRTPOffered, "tls", plain, 480},
	} {
		s := Start(t, Options{Configure: func(c *pbx.Config) { c.SIP.SRTP = tt.mode }})
		a := s.Phone("101", tt.network).MustRegister()
		call := a.Dial("102", tt.sdp) // where nobody is registered
		res := a.Final("INVITE")
		call.AckRefusal(res)
		if res.Status() != tt.want {
			t.Errorf("%s, %s: %s, want %d", tt.mode, tt.network, res.Start, tt.want)
		}
		if w := res.Get("Warning"); tt.want == 488 && (!strings.HasPrefix(w, `399 galilei "`) || !strings.Contains(w, "encrypt")) {
			t.Errorf("%s, %s: Warning %q does not tell of encryption", tt.mode, tt.network, w)
		}
		nothingLeft(t, s)
		s.Stop()
	}
}

// A caller over TLS that leaves the offer to the PBX cannot refuse encryption
// any more: it is offered only where it is required.
func TestEncryptionOfDelayedOffer(t *testing.T) {
	t.Parallel()
	for mode, secure := range map[string]bool{pbx.SRTPOffered: false, pbx.SRTPRequired: true} {
		s := Start(t, Options{Configure: func(c *pbx.Config) { c.SIP.SRTP = mode }})
		a, b := s.Phone("101", "tls").MustRegister(), s.Phone("102", "udp").MustRegister()
		ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
		call := a.Dial("102", "")
		in := b.Ringing()
		in.Answer(SDP(port(ub)))
		res := a.Response("INVITE", 200)
		call.learn(res)
		if got := strings.Contains(res.Body, "RTP/SAVP"); got != secure {
			t.Fatalf("%s: 101 is offered %q", mode, res.Body)
		}
		c, theirs := newCipher(ua), media.NewCrypto(2, media.AES32)
		if secure {
			d, err := sdp.ParseSecure([]byte(res.Body))
			if err != nil || len(d.Crypto) != 2 {
				t.Fatalf("%d keys, %v", len(d.Crypto), err)
			}
			if err := c.SetKeys(theirs, d.Crypto[1]); err != nil {
				t.Fatal(err)
			}
			call.Ack(secureSDP(port(ua), theirs))
		} else {
			c.SetPlain()
			call.Ack(SDP(port(ua)))
		}
		s.Eventually("audio", func() bool {
			send(t, ua, "127.0.0.1", res.AudioPort(), c.seal(rtp(1)))
			send(t, ua, "127.0.0.1", res.AudioPort(), c.seal(rtp(2)))
			got := receive(ub)
			return len(got) == 172
		})
		call.Hangup()
		b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
		nothingLeft(t, s)
		s.Stop()
	}
}

// A phone may offer audio without encryption and keys beside, and agrees by
// its answer (RFC 5939 does not name it; snom and baresip do it).
func TestKeysBesidePlainAudio(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a, b := s.Phone("101", "tls").MustRegister(), s.Phone("102", "udp").MustRegister()
	body := strings.Replace(secureSDP(16000, media.NewCrypto(1, media.AES80)), "RTP/SAVP", "RTP/AVP", 1)
	call := a.Dial("102", body)
	b.Ringing().Answer(SDP(16002))
	res := call.Answered()
	if !strings.Contains(res.Body, " RTP/AVP 8") || strings.Count(res.Body, "a=crypto:1 ") != 1 {
		t.Errorf("answered with %q, want RTP/AVP with a key", res.Body)
	}
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// A call with encrypted audio stays with TLS: a request in clear does not change
// it, and gets no key, though it knows the dialog.
func TestEncryptedCallStaysWithTLS(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a, b := s.Phone("101", "tls").MustRegister(), s.Phone("102", "udp").MustRegister()
	key := media.NewCrypto(1, media.AES80)
	call := a.Dial("102", secureSDP(16000, key))
	in := b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	clear := s.Phone("101", "udp").MustRegister()
	for _, method := range []string{"INVITE", "BYE"} {
		stray := *call
		stray.Phone, stray.CSeq = clear, call.CSeq+10
		body := ""
		if method == "INVITE" {
			body = secureSDP(16000, key)
		}
		stray.Send(method, body)
		if res := clear.Final(method); res.Status() != 403 || strings.Contains(res.Body, "crypto") {
			t.Errorf("%s in clear got %s with %q, want 403", method, res.Start, res.Body)
		} else if method == "INVITE" {
			stray.AckRefusal(res)
		}
	}
	in.Send("BYE", "")
	a.Reply(a.Request("BYE"), "", 200, "OK", "", "") // over TLS, though the phone has registered over UDP since
	b.Response("BYE", 200)
	nothingLeft(t, s)
}

// A phone that answers and refuses the encrypted audio is offered other audio
// before the caller is told, and the call ends when it refuses that, too.
func TestEncryptionIsRefusedByTheAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 488} {
		s := Start(t, Options{})
		a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "tls").MustRegister()
		call := a.Dial("102", SDP(16000))
		in := b.Ringing()
		in.Reply(200, "OK", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/SAVP 8\r\n")
		b.Request("ACK")
		re := b.Request("INVITE")
		if strings.Contains(re.Body, "crypto") || !strings.Contains(re.Body, " RTP/AVP ") {
			t.Errorf("then 102 is offered %q, want audio without encryption", re.Body)
		}
		body := "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/SAVP 8\r\nm=audio 16002 RTP/AVP 8\r\n"
		if status == 200 {
			b.Reply(re, in.Local, 200, "OK", "", body)
			b.Request("ACK")
			if res := call.Answered(); res.AudioPort() == 0 {
				t.Errorf("101 is answered %q", res.Body)
			}
			call.Hangup()
			b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
		} else {
			b.Reply(re, in.Local, 488, "Not Acceptable Here", "", "")
			b.Request("ACK")
			b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
			res := a.Final("INVITE")
			call.AckRefusal(res)
			if res.Status() != 488 {
				t.Errorf("101 got %s, want 488", res.Start)
			}
		}
		nothingLeft(t, s)
		s.Stop()
	}
}
