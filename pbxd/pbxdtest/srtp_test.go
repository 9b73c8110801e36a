package pbxdtest

import (
	"bytes"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/media/srtp"
	"galilei/pbxd/pbx"
)

// cipher is a phone's end of encrypted audio.
type cipher struct {
	*srtp.Endpoint
	conn      *net.UDPConn
	plain     [][]byte
	encrypted [][]byte
	wire      media.Endpoint // what the endpoint is given from the network
}

func newCipher(conn *net.UDPConn) *cipher {
	c := &cipher{conn: conn}
	c.Endpoint = srtp.New(cipherWire{c})
	c.Endpoint.SetPeer(cipherEar{c})
	return c
}

type cipherWire struct{ c *cipher }

func (w cipherWire) WriteRTP(p []byte)        { w.c.encrypted = append(w.c.encrypted, slices.Clone(p)) }
func (w cipherWire) WriteRTCP([]byte)         {}
func (w cipherWire) SetPeer(e media.Endpoint) { w.c.wire = e }

type cipherEar struct{ c *cipher }

func (e cipherEar) WriteRTP(p []byte)    { e.c.plain = append(e.c.plain, slices.Clone(p)) }
func (cipherEar) WriteRTCP([]byte)       {}
func (cipherEar) SetPeer(media.Endpoint) {}

// seal returns p as the phone sends it.
func (c *cipher) seal(p []byte) []byte {
	c.encrypted = nil
	c.WriteRTP(p)
	if len(c.encrypted) != 1 {
		return nil
	}
	return c.encrypted[0]
}

// open returns p as the phone hears it, nil for what it cannot decrypt.
func (c *cipher) open(p []byte) []byte {
	c.plain = nil
	c.wire.WriteRTP(p)
	if len(c.plain) != 1 {
		return nil
	}
	return c.plain[0]
}

// secureSDP is SDP with encrypted audio.
func secureSDP(port int, key media.Crypto, lines ...string) string {
	d := &media.Description{Direction: media.SendRecv, Formats: []media.Format{
		{PT: 8, Name: "PCMA", Clock: 8000, Channels: 1}, {PT: 101, Name: media.TelephoneEvent, Clock: 8000, Channels: 1},
	}}
	body := string(sdp.Offer(d, sdp.Origin{ID: 1, Version: 1}, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), key))
	for _, l := range lines {
		body = strings.Replace(body, "a=sendrecv", l, 1)
	}
	return body
}

// keyOf returns the one key of a description of the PBX.
func keyOf(t *testing.T, m *Message, tag int) media.Crypto {
	t.Helper()
	d, err := sdp.ParseSecure([]byte(m.Body))
	if err != nil || len(d.Crypto) != 1 || d.Crypto[0].Tag != tag || d.Sections[0].Proto != "RTP/SAVP" {
		t.Fatalf("description %q, %v; want RTP/SAVP with one key of tag %d", m.Body, err, tag)
	}
	return d.Crypto[0]
}

// A phone that encrypts talks with one that does not: from its first packet,
// which a stranger's before it does not keep out, over a roll-over of the
// sequence number, through hold, and through a change of its key.
func TestEncryptedAudio(t *testing.T) {
	s := Start(t, Options{})
	a, b := s.Phone("101", "tls").MustRegister(), s.Phone("102", "udp").MustRegister()
	ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	theirs := media.NewCrypto(3, media.AES80)
	call := a.Dial("102", secureSDP(port(ua), theirs))
	in := b.Ringing()
	if strings.Contains(in.Invite.Body, "crypto") || !strings.Contains(in.Invite.Body, " RTP/AVP 8") {
		t.Errorf("the phone over UDP is offered %q, want audio without encryption", in.Invite.Body)
	}
	in.Answer(SDP(port(ub)))
	res := call.Answered()
	toA, toB := res.AudioPort(), in.Invite.AudioPort()
	c := newCipher(ua)
	ours := keyOf(t, res, 3)
	if err := c.SetKeys(theirs, ours); err != nil {
		t.Fatal(err)
	}
	stranger := listenUDP(t, "127.0.0.1")
	for i := range uint16(20) {
		send(t, stranger, "127.0.0.1", toA, append(rtp(i), make([]byte, 10)...))
	}
	seq := uint16(65500)
	talk := func(n int) {
		t.Helper()
		for range n {
			seq++
			p, q := rtp(seq), rtp(seq+7)
			p[20], q[20], q[11] = 0x55, 0xaa, 9
			send(t, ua, "127.0.0.1", toA, c.seal(p))
			if got := receive(ub); len(got) != len(p) || !bytes.Equal(got[12:], p[12:]) { // its numbers may be another stream's
				t.Fatalf("102 hears %x, want what 101 said", got)
			}
			send(t, ub, "127.0.0.1", toB, q)
			got := receive(ua)
			if plain := c.open(got); bytes.Contains(got, q[12:30]) || plain == nil || !bytes.Equal(plain[12:], q[12:]) {
				t.Fatalf("101 is sent %x, want what 102 said, encrypted", got)
			}
		}
	}
	s.Eventually("the bridge", func() bool {
		seq++
		send(t, ua, "127.0.0.1", toA, c.seal(rtp(seq)))
		ub.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _, err := ub.ReadFromUDPAddrPort(make([]byte, 2048))
		return err == nil
	})
	talk(100)

	change := func(body string) *Message {
		t.Helper()
		call.Send("INVITE", body)
		ok := a.Response("INVITE", 200)
		call.Ack("")
		return ok
	}
	if got := keyOf(t, change(secureSDP(port(ua), theirs, "a=sendonly")), 3); got != ours {
		t.Error("hold with the same key got another one")
	}
	if got := keyOf(t, change(secureSDP(port(ua), theirs)), 3); got != ours {
		t.Error("the call is resumed with another key")
	}
	for quiet := false; !quiet; { // 102 heard silence meanwhile, and 101 what was under way
		ub.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _, err := ub.ReadFromUDPAddrPort(make([]byte, 2048))
		quiet = err != nil
	}
	talk(100)

	// A refresh with a new key is for us alone: the audio is the same.
	theirs = media.NewCrypto(4, media.AES80)
	call.Send("INVITE", secureSDP(port(ua), theirs))
	ok := a.Response("INVITE", 200)
	call.Ack("")
	if ours = keyOf(t, ok, 4); ours.Key.Reveal() == keyOf(t, res, 3).Key.Reveal() {
		t.Error("a new key got the old one of ours")
	}
	if err := c.SetKeys(theirs, ours); err != nil {
		t.Fatal(err)
	}
	talk(50)
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
	if log := s.Log.String(); strings.Contains(log, "inline:") || strings.Contains(log, ours.Key.Reveal()) {
		t.Error("the log holds a key")
	}
}

// A phone over TLS is offered encryption first; what follows when it refuses is
// for the settings to say.
func TestEncryptionIsOffered(t *testing.T) {
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
