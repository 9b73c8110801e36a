package pbxdtest

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/media/srtp"
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
	t.Parallel()
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
		ok := call.Response(200)
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
	ok := call.Response(200)
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
