package transport

import (
	"log/slog"
	"testing"

	"github.com/emiago/sipgo/sip"
)

const registerText = "REGISTER sip:192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74b43;rport\r\nMax-Forwards: 70\r\n" +
	"From: \"Anna Demo\" <sip:101@192.0.2.9>;tag=9fxced76sl\r\nTo: <sip:101@192.0.2.9>\r\nCall-ID: 3848276298220188511@192.0.2.1\r\nCSeq: 2 REGISTER\r\n" +
	"Contact: <sip:101@192.0.2.1:5060;transport=udp>;expires=3600;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\r\n" +
	"Authorization: Digest username=\"101\", realm=\"galilei\", nonce=\"x\", uri=\"sip:192.0.2.9\", response=\"dfe56131d1958046689d83306477ecc\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"0a4f113b\"\r\n" +
	"User-Agent: Telephone 1.0\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, MESSAGE\r\nContent-Length: 0\r\n\r\n"

// What our own look at a message costs beside sipgo's parser.
func BenchmarkParse(b *testing.B) {
	l := New(slog.New(slog.DiscardHandler), listener(func(sip.Message, Flow) {}))
	m := []byte(registerText)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.parse(m, Flow{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sipgo alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.parser.ParseSIP(m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
