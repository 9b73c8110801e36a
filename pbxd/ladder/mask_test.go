package ladder

import (
	"bytes"
	"strings"
	"testing"
)

// Each message holds SECRET where something must be masked; what is wanted says
// what must still be there.
func TestMask(t *testing.T) {
	for _, tt := range []struct{ name, text, wanted string }{
		{"digest", "REGISTER sip:x SIP/2.0\nAuthorization: Digest username=\"101\", realm=\"galilei\", nonce=\"SECRET\", uri=\"sip:x\", response=\"SECRET\", algorithm=MD5, cnonce=\"SECRET\", opaque=\"SECRET\", qop=auth, nc=00000001\nFrom: <sip:101@x>;tag=a\n\n",
			`Authorization: Digest username="101", realm="galilei", nonce="******", uri="sip:x", response="******", algorithm=MD5`},
		{"tokens", "REGISTER sip:x SIP/2.0\nproxy-AUTHORIZATION : digest  nonce = SECRET , qop=auth,response=SECRET\n\n", "qop=auth"},
		{"escaped quote", "INVITE sip:x SIP/2.0\nAuthorization: Digest nonce=\"a\\\"SECRET\", response=\"SECRET\\\\\", realm=\"r\"\n\n", `realm="r"`},
		{"open quote", "INVITE sip:x SIP/2.0\nAuthorization: Digest response=\"SECRET\nFrom: <sip:1@x>\n\n", "From: <sip:1@x>"},
		{"no parameters", "INVITE sip:x SIP/2.0\nAuthorization: Digest SECRET\n\n", "Digest ******"},
		{"folded", "INVITE sip:x SIP/2.0\nAuthorization: Digest realm=\"r\",\n  nonce=\"SECRET\",\n\tresponse=\"SECRET\"\nSubject: hello\n\n", "Subject: hello"},
		{"challenge", "SIP/2.0 401 Unauthorized\nWWW-Authenticate: Digest realm=\"r\", nonce=\"SECRET\", opaque=\"SECRET\", algorithm=SHA-256\nWWW-Authenticate: Digest realm=\"r\", nonce=\"SECRET\", Digest nonce=\"SECRET\"\n\n", "algorithm=SHA-256"},
		{"next nonce", "SIP/2.0 200 OK\nAuthentication-Info: nextnonce=\"SECRET\", rspauth=\"SECRET\", nc=00000001\n\n", "nc=00000001"},
		{"basic", "INVITE sip:x SIP/2.0\nAuthorization: Basic SECRET=\n\n", "Basic ******"},
		{"bearer", "INVITE sip:x SIP/2.0\nAuthorization: Bearer SECRET, nc=SECRET\n\n", "Bearer"},
		{"own fields", "INVITE sip:x SIP/2.0\nX-Auth-Key: SECRET\nx-api-token: SECRET\nCookie: SECRET\nX-Serial: 7\n\n", "X-Serial: 7"},
		{"password in addresses", "INVITE sip:101:SECRET@x SIP/2.0\nTo: \"a: b\" <sips:102:SECRET@x>\nContact: sip:1:SECRET@x;expires=3\nRefer-To: <sip:102@x?Authorization=Digest%20SECRET&Subject=hi>\n\n", "Subject=hi"},
		{"text", "MESSAGE sip:x SIP/2.0\nContent-Type: text/plain\n\nSECRET SECRET\nSECRET", "*************\n******"},
		{"no type", "INFO sip:x SIP/2.0\n\nSECRET", "\n\n******"},
		{"digits", "INFO sip:x SIP/2.0\nc: application/dtmf-relay\n\nSignal=SECRET\nDuration=160\n", "application/dtmf-relay"},
		{"keys of audio", "INVITE sip:x SIP/2.0\nc:application/sdp;x=y\n\nv=0\nk=base64:SECRET\nm=audio 4000 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET|2^20|1:4;inline:SECRET FEC_ORDER=FEC_SRTP\nA=CRYPTO:2 X SECRET\na=key-mgmt:mikey SECRET\na=ice-pwd:SECRET\na=sendrecv\n",
			"AES_CM_128_HMAC_SHA1_80 inline:"},
		{"fragment", "NOTIFY sip:x SIP/2.0\nContent-Type: message/sipfrag;version=2.0\n\nSIP/2.0 200 OK\nAuthorization: SECRET\n", "SIP/2.0 200 OK"},
		{"session", "INVITE sip:x SIP/2.0\nContent-Type: application/sdp\n\nv=0\nm=audio 4000 RTP/AVP 8\na=rtpmap:8 PCMA/8000\n", "m=audio 4000 RTP/AVP 8\na=rtpmap:8 PCMA/8000\n"},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			text := []byte(strings.ReplaceAll(tt.text, "\n", end))
			before := len(text)
			mask(text)
			if bytes.Contains(text, []byte("SECRET")) || len(text) != before {
				t.Errorf("%s: %q", tt.name, text)
			}
			if wanted := strings.ReplaceAll(tt.wanted, "\n", end); !bytes.Contains(text, []byte(wanted)) {
				t.Errorf("%s: %q lacks %q", tt.name, text, wanted)
			}
		}
	}
}

func TestTagOf(t *testing.T) {
	for value, want := range map[string]string{
		`<sip:101@x>;tag=abc`:                          "abc",
		`"Anna;tag=no <x>" <sip:101@x;tag=no>;TAG=abc`: "abc",
		`sip:101@x;tag=abc;x=y`:                        "abc",
		`"a\"<" <sip:101@x> ; x ; tag = abc ;y`:        "abc",
		`<sip:101@x>`:                                  "",
		`<sip:101@x`:                                   "",
		`"open`:                                        "",
		``:                                             "",
	} {
		if got := string(tagOf([]byte(value))); got != want {
			t.Errorf("%s: %q; want %q", value, got, want)
		}
	}
}

// Whatever comes, it is kept within its bounds, keeps its length and its lines,
// and never holds an answer to a challenge.
func FuzzCapture(f *testing.F) {
	for _, s := range []string{
		"INVITE sip:102:pw@x SIP/2.0\r\nCall-ID: 1\r\nFrom: <sip:1@x>;tag=t\r\nTo: <sip:2@x>\r\n" + digestText + "Content-Type: application/sdp\r\n\r\nv=0\r\na=crypto:1 X inline:abc\r\n",
		"INVITE sip:x SIP/2.0\ni:1\nf:\"a <\" <sip:1@x>;tag=\nAuthorization: Digest a=\"\\", "SIP/2.0 200\nCSeq: 1 INVITE\ni : 1\n\nx", "\n\n\n", " INVITE", ":\r\n:\r\n",
	} {
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, m []byte, sent bool) {
		c := newClock()
		r := newRecorder(c)
		given := bytes.Clone(m)
		r.Status(pbxStatus("1"))
		for range 3 {
			r.Capture("udp", addr("0.0.0.0:5060"), addr("192.0.2.1:5060"), sent, m)
		}
		if !bytes.Equal(given, m) {
			t.Fatal("the message was changed")
		}
		if held, _ := r.Held(); held > 3*(maxText+packetCost)+recordCost {
			t.Fatalf("%d octets are held of %d", held, len(m))
		}
		for _, d := range r.dialogs {
			p := d.packets[0]
			if len(p.text) != min(len(m), maxText) || p.size != len(m) {
				t.Fatalf("%d octets of %d were kept as %d", len(p.text), len(m), p.size)
			}
			if bytes.Count(p.text, []byte("\n")) != bytes.Count(m[:len(p.text)], []byte("\n")) {
				t.Fatalf("%q has other lines than %q", p.text, m)
			}
			again := bytes.Clone(p.text)
			mask(again)
			if !bytes.Equal(again, p.text) {
				t.Fatalf("%q is masked again to %q", p.text, again)
			}
			r.Joined("1", "sip:"+string(p.tag()), "101", "")
		}
		if b, err := r.PCAP("1"); err != nil || len(b) < 24 {
			t.Fatalf("%d octets, %v", len(b), err)
		}
		if _, err := r.Messages("1"); err != nil {
			t.Fatal(err)
		}
		s := pbxStatus("1")
		s.Ended = c.now()
		r.Status(s)
		c.after(settleTime)
		r.Tidy()
		if _, err := r.Messages("1"); err != nil {
			t.Fatal(err)
		}
	})
}

// Packed records come from this process only; a damaged one is an error all the
// same.
func FuzzRecord(f *testing.F) {
	c := newClock()
	r := newRecorder(c)
	spoken(r, c, 0, 20e9)
	legs := r.open(r.order[0])
	why, err := appendWhy(nil, c.now(), r.order[0].steps, legs)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(why)
	f.Add(appendWire(nil, c.now(), legs))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, read, err := readWhy(b, c.now())
		_ = readWire(b, c.now(), make([]opened, 2))
		if err != nil {
			return
		}
		for i := range read {
			if len(read[i].samples) > len(b) {
				t.Fatalf("%d samples out of %d octets", len(read[i].samples), len(b))
			}
		}
	})
}
