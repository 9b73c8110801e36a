package ladder

import (
	"bytes"
	"testing"
	"time"
)

const registerText = "REGISTER sip:192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74b43;rport\r\nMax-Forwards: 70\r\n" +
	"From: \"Anna Demo\" <sip:101@192.0.2.9>;tag=9fxced76sl\r\nTo: <sip:101@192.0.2.9>\r\nCall-ID: 3848276298220188511@192.0.2.1\r\nCSeq: 2 REGISTER\r\n" +
	"Contact: <sip:101@192.0.2.1:5060>\r\nUser-Agent: Telephone 1.0\r\nContent-Length: 0\r\n\r\n"

// What a message costs: one that belongs to no call, and one that is kept,
// which allocates its copy and now and then room for more.
func BenchmarkCapture(b *testing.B) {
	from, to := addr("192.0.2.1:5060"), addr("192.0.2.9:5060")
	b.Run("of no call", func(b *testing.B) {
		r := newRecorder(newClock())
		m := []byte(registerText)
		b.ReportAllocs()
		for b.Loop() {
			r.Capture("udp", to, from, false, m)
		}
	})
	b.Run("of a call", func(b *testing.B) {
		r := newRecorder(newClock())
		m := bytes.Replace([]byte(registerText), []byte("REGISTER"), []byte("INVITE"), 1)
		m = append(m, crlf(digestText+"Content-Type: application/sdp\n\n"+sdpText)...)
		b.SetBytes(int64(len(m)))
		b.ReportAllocs()
		for b.Loop() {
			r.Capture("udp", to, from, false, m)
		}
	})
	b.Run("pack a call", func(b *testing.B) {
		c := newClock()
		r := newRecorder(c)
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			spoken(r, c, n, time.Minute)
			c.after(settleTime)
			b.StartTimer()
			r.Tidy()
		}
	})
}

// A message of no call costs no memory; one of a call its copy.
func TestCaptureAllocates(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	from, to := addr("192.0.2.1:5060"), addr("192.0.2.9:5060")
	m := []byte(registerText)
	if n := testing.AllocsPerRun(100, func() { r.Capture("udp", to, from, false, m) }); n != 0 {
		t.Errorf("a message of no call: %v allocations", n)
	}
	m = bytes.Replace(m, []byte("REGISTER"), []byte("INVITE"), 1)
	r.Capture("udp", to, from, false, m)
	for _, d := range r.dialogs {
		d.packets = append(make([]packet, 0, 200), d.packets...) // it grows rarely
	}
	if n := testing.AllocsPerRun(100, func() { r.Capture("udp", to, from, false, m) }); n > 1 {
		t.Errorf("a message of a call: %v allocations", n)
	}
}
