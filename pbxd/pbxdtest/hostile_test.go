package pbxdtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile returns SIP messages that are damaged in every way: cut, with bytes
// changed, doubled, with fields missing or absurd.
func hostile(r *rand.Rand, n int) [][]byte {
	seeds := []string{
		"INVITE sip:102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5555;branch=z9hG4bKx%d;rport\r\nMax-Forwards: 70\r\nFrom: \"A\" <sip:101@127.0.0.1>;tag=1\r\nTo: <sip:102@127.0.0.1>\r\nCall-ID: h%d\r\nCSeq: 1 INVITE\r\nContact: <sip:101@127.0.0.1:5555>\r\nContent-Type: application/sdp\r\nContent-Length: 129\r\n\r\n" + SDP(16000),
		"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5555;branch=z9hG4bKr%d\r\nFrom: <sip:101@127.0.0.1>;tag=1\r\nTo: <sip:101@127.0.0.1>\r\nCall-ID: r%d\r\nCSeq: 1 REGISTER\r\nContact: <sip:101@127.0.0.1>;expires=60, \"b\" <sip:b@c>\r\nAuthorization: Digest username=\"101\", realm=\"galilei\", nonce=\"x\", uri=\"sip:127.0.0.1\", response=\"0\", nc=00000001, cnonce=\"a\", qop=auth\r\nContent-Length: 0\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKs%d\r\nFrom: <sip:a@b>;tag=2\r\nTo: <sip:c@d>;tag=3\r\nCall-ID: s%d\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n",
		"BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:1;branch=z9hG4bKb%d\r\nFrom: <sip:a@b>;tag=2\r\nTo: <sip:c@d>;tag=3\r\nCall-ID: b%d\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n",
	}
	absurd := []string{"Content-Length: 99999999999\r\n", "Content-Length: -1\r\n", "CSeq: 99999999999999 INVITE\r\n", "Via: \r\n", "Max-Forwards: x\r\n",
		"Contact: <sip:\r\n", strings.Repeat("Via: SIP/2.0/UDP a;branch=z9hG4bK\r\n", 200), "To: " + strings.Repeat("(", 3000) + "\r\n", "Expires: 18446744073709551616\r\n",
		"Record-Route: <sip:a;lr>,<sip:b" + strings.Repeat(",", 500) + "\r\n", "\x00\xff\xfe: \x80\r\n", "From: \"" + strings.Repeat("\\", 999) + "\r\n"}
	out := make([][]byte, n)
	for i := range out {
		m := []byte(fmt.Sprintf(seeds[r.IntN(len(seeds))], i, i))
		switch r.IntN(5) {
		case 0:
			m = m[:r.IntN(len(m))]
		case 1:
			for range 1 + r.IntN(20) {
				m[r.IntN(len(m))] = byte(r.IntN(256))
			}
		case 2:
			at := strings.Index(string(m), "\r\n") + 2
			m = []byte(string(m[:at]) + absurd[r.IntN(len(absurd))] + string(m[at:]))
		case 3:
			from := r.IntN(len(m))
			m = append(m[:from:from], m[min(len(m), from+r.IntN(60)):]...)
		case 4:
			m = make([]byte, r.IntN(1500))
			for j := range m {
				m[j] = byte(r.IntN(256))
			}
		}
		out[i] = m
	}
	return out
}

func TestHostileMessages(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	s, a, b := twoPhones(t, Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	u, err := net.Dial("udp", s.SIP.String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, m := range hostile(r, 1000) {
		u.Write(m) // a refused datagram is as good as a lost one
	}
	for i, m := range hostile(r, 1000) {
		c, err := net.Dial("tcp", s.SIP.String())
		if err != nil {
			t.Fatalf("TCP connection %d: %v", i, err)
		}
		for len(m) > 0 { // in fragments
			n := 1 + r.IntN(len(m))
			if _, err := c.Write(m[:n]); err != nil {
				break
			}
			m = m[n:]
		}
		if i%20 == 0 {
			defer c.Close() // some stay half open
		} else {
			c.Close()
		}
	}
	s.Eventually("the calls that were begun to end", func() bool { return s.PBX.Counts().Calls == 0 })
	call := a.Dial("102", SDP(16000))
	b.Ringing().Answer(SDP(16002))
	call.Answered()
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	if got := s.PBX.Counts().SIP.Malformed; got == 0 {
		t.Error("no message was counted as malformed")
	}
	nothingLeft(t, s)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("heap grew by %d octets, want at most 16 MiB", grown)
	}
	if strings.Contains(s.Log.String(), "panicked") {
		t.Errorf("a handler panicked:\n%s", s.Log)
	}
}

func TestOutsideDialogs(t *testing.T) {
	s := Start(t, Options{})
	a := s.Phone("101", "udp")
	tests := []struct {
		name, method, uri, extra string
		toTag                    bool
		want                     int
	}{
		{"options", "OPTIONS", "sip:x", "", false, 200},
		{"method that is known but not served", "PUBLISH", "sip:x", "", false, 405},
		{"unknown method", "DANCE", "sip:x", "", false, 501},
		{"dialog that does not exist", "BYE", "sip:x", "", true, 481},
		{"extension that is required", "OPTIONS", "sip:x", "Require: nothing-we-know\r\n", false, 420},
		{"extensions of the registrar", "REGISTER", "sip:x", "Require: path, outbound\r\n", false, 401},
		{"more fields than are read", "OPTIONS", "sip:x", strings.Repeat("X: y\r\n", 300), false, 400},
		{"no more hops", "BYE", "sip:x", "Max-Forwards: 0\r\n", false, 483},
		{"URI of another kind", "INVITE", "tel:+49123", "", false, 416},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tag := ""
			if tt.toTag {
				tag = ";tag=x"
			}
			a.Send(fmt.Sprintf("%s %s SIP/2.0\r\nVia: %s\r\nFrom: <sip:101@x>;tag=1\r\nTo: <sip:x>%s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n%sContent-Length: 0\r\n\r\n",
				tt.method, tt.uri, a.Via(), tag, a.Unique(), tt.method, tt.extra))
			if res := a.Final(tt.method); res.Status() != tt.want {
				t.Errorf("got %s, want %d", res.Start, tt.want)
			}
		})
	}
}
