package transport

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// torture adds the messages of RFC 4475 as seeds.
func torture(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("../../pbxdtest/testdata/rfc4475/*.dat")
	if err != nil || len(files) != 49 {
		f.Fatalf("%d messages of RFC 4475, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// Whatever comes, what is taken can be written and read again, and what is
// refused is answered by a message that is SIP and hardly longer.
func FuzzMessage(f *testing.F) {
	torture(f)
	f.Add([]byte(options("1", "v=0")))
	f.Add([]byte("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a\r\nf: <sip:a@b>\r\nt: \"x\" <sip:c>\r\ni: 1\r\nCSeq: 1 INVITE\r\nm: *\r\nl: 0\r\n\r\n"))
	f.Add([]byte("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a;rport\nX: y\r\nTo: a\rb\r\n\r\n"))
	flow := Flow{Network: "udp", Remote: netip.MustParseAddrPort("192.0.2.1:5060")}
	l := New(slog.New(slog.DiscardHandler), listener(func(sip.Message, Flow) {}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := split(b)
		if err == nil {
			err = p.check()
		}
		if err != nil {
			refused(t, l, &p, flow, err, b)
			return
		}
		once := p.bytes()
		again, err := split(once)
		if err == nil {
			err = again.check()
		}
		if err != nil || !bytes.Equal(again.bytes(), once) {
			t.Fatalf("%q is written %q and then %q, %v", b, once, again.bytes(), err)
		}
		m, err := l.parse(b, flow)
		if err != nil {
			refused(t, l, &p, flow, err, b)
			return
		}
		_ = m.String()
	})
}

func refused(t *testing.T, l *Layer, p *plain, f Flow, why error, b []byte) {
	t.Helper()
	text, ok := l.refusal(p, f, why)
	if !ok || !p.request {
		return
	}
	if len(text) > len(b)+300 {
		t.Errorf("%d octets are answered by %d", len(b), len(text))
	}
	lines := strings.Split(text, "\r\n")
	if n := len(lines); !strings.HasPrefix(text, "SIP/2.0 4") || lines[n-1] != "" || lines[n-2] != "" || strings.Count(text, "\r\n\r\n") != 1 || strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n") {
		t.Errorf("%q is answered by %q", b, text)
	}
	for _, line := range lines[1 : len(lines)-2] {
		switch name, _, _ := strings.Cut(line, ": "); name {
		case "Via", "From", "To", "Call-ID", "CSeq", "Warning", "Content-Length":
		default:
			t.Errorf("%q is answered with the line %q", b, line)
		}
	}
}

// The answer to a damaged request goes to the peer itself, nowhere else.
func FuzzBack(f *testing.F) {
	f.Add("SIP/2.0/UDP 192.0.2.1:5080;branch=z9hG4bKa")
	f.Add("SIP/2.0/UDP 192.0.2.2;rport")
	f.Add("SIP / 2.0 / UDP [2001:db8::1]:99999 ; received = 192.0.2.9")
	flow := Flow{Network: "udp", Remote: netip.MustParseAddrPort("192.0.2.1:4444")}
	l := New(slog.New(slog.DiscardHandler), listener(func(sip.Message, Flow) {}))
	f.Fuzz(func(t *testing.T, via string) {
		to := l.back(&plain{fields: []field{{"via", via}}}, flow)
		if to.Network != "udp" || to.Remote.Addr() != flow.Remote.Addr() || to.Remote.Port() == 0 {
			t.Errorf("Via %q sends the answer to %s", via, to)
		}
	})
}
