package transport

import (
	"bytes"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// The values that sipgo cannot read, as it reads them.
func TestCanonicalValues(t *testing.T) {
	tests := []struct{ name, value, want string }{ // want is empty for a refusal
		{"via", "SIP  /   2.0 /UDP    192.0.2.2 : 5060 ; branch = x ,\tSIP/2.0/TCP a", "SIP/2.0/UDP 192.0.2.2:5060;branch=x,SIP/2.0/TCP a"},
		{"via", "SIP/2.0/UDP a;;branch=x", ""},
		{"via", "SIP/2.0/UDP a;", ""},
		{"via", "", ""},
		{"to", "sip:a@b ;   tag    = 1", "sip:a@b;tag=1"},
		{"from", `"J Rosenberg \\\""       <sip:a@b> ; tag = 9`, `"J Rosenberg \\\"" <sip:a@b>;tag=9`},
		{"from", "caller<sip:a@b>;tag=1", "caller<sip:a@b>;tag=1"},
		{"from", "Bell, Alexander <sip:a@b>;tag=1", `"Bell, Alexander" <sip:a@b>;tag=1`},
		{"from", "Jürgen <sip:a@b>", `"Jürgen" <sip:a@b>`},
		{"from", `"Mr. J. User <sip:a@b>`, ""},
		{"from", "<sip:a@b", ""},
		{"to", "< sip:a@b >", ""},
		{"contact", `"A; b, c=d" <sip:a@b;x=y> ; q = 0.3 , sip:c@d`, `"A; b, c=d" <sip:a@b;x=y>;q=0.3,sip:c@d`},
		{"contact", "sip:a@b?Route=%3Cx%3E", ""},
		{"contact", "<sip:a@b?Route=%3Cx%3E>", "<sip:a@b?Route=%3Cx%3E>"},
		{"contact", "*", "*"},
		{"cseq", "0009   INVITE", "9 INVITE"},
		{"cseq", "2147483648 INVITE", ""},
		{"cseq", "-1 INVITE", ""},
		{"cseq", "1", ""},
		{"max-forwards", "0068", "68"},
		{"max-forwards", "256", ""},
		{"subject", ";;,,;;,;", ";;,,;;,;"},
	}
	for _, tt := range tests {
		got, err := canonical(tt.name, tt.value)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q becomes %q, %v; want %q", tt.name, tt.value, got, err, tt.want)
		}
	}
}

// Lists are taken apart where sipgo does not find their elements: a Via without
// parameters before a comma, a comma in an escaped string.
func TestListsAreTakenApart(t *testing.T) {
	h := &heard{messages: make(chan sip.Message, 1), flows: make(chan Flow, 1)}
	l := New(slog.New(slog.DiscardHandler), h)
	text := strings.Replace(options("1", ""), "Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKa",
		"Via: SIP/2.0/UDP one , SIP/2.0/TCP two;branch=z9hG4bKb\r\nContact: \"x\\\"y\" <sip:a@b;c=d,e>;q=1, sip:f@g\r\nRoute: <sip:r1;lr>,<sip:r2;lr>", 1)
	m, err := l.parse([]byte(text), Flow{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"via": {"SIP/2.0/UDP one", "SIP/2.0/TCP two;branch=z9hG4bKb"}, "contact": {"<sip:a@b;c=d,e>;q=1", "<sip:f@g>"}, "route": {"<sip:r1;lr>", "<sip:r2;lr>"},
	} {
		fields := m.GetHeaders(name)
		for i, h := range fields {
			if len(fields) != len(want) || !strings.HasSuffix(h.Value(), want[i]) {
				t.Errorf("%s %d is %q, want %q", name, i, h.Value(), want)
			}
		}
		if len(fields) != len(want) {
			t.Errorf("%d fields %s, want %d", len(fields), name, len(want))
		}
	}
}

// A message that is made to be slow takes no more than one that is as long: the
// worst of them allocate a small multiple of their size.
func TestMessagesThatAreMadeToBeSlow(t *testing.T) {
	l := New(slog.New(slog.DiscardHandler), listener(func(sip.Message, Flow) {}))
	flow := Flow{Network: "udp", Remote: netip.MustParseAddrPort("192.0.2.1:5060")}
	plain := options("1", "")
	at := strings.Index(plain, "From")
	with := func(text string, n int) []byte { return []byte(plain[:at] + strings.Repeat(text, n) + plain[at:]) }
	tests := map[string][]byte{
		"folded lines":  append(append([]byte(plain[:at]), "Subject: x\r\n"+strings.Repeat(" y\r\n", 16_000)...), plain[at:]...),
		"many fields":   with("X: y\r\n", 10_000),
		"many Vias":     with("Via: SIP/2.0/UDP a\r\n", 250),
		"one long Via":  with("Via: SIP/2.0/UDP a;b=c"+strings.Repeat(",SIP/2.0/UDP a;b=c", 3000)+"\r\n", 1),
		"many contacts": with("Contact: <sip:a@b>"+strings.Repeat(",<sip:a@b>;q=1", 4000)+"\r\n", 1),
		"parameters":    with("Contact: <sip:a@b>"+strings.Repeat(";a=b", 15_000)+"\r\n", 1),
		"quotes":        with("Contact: "+strings.Repeat("\"", 60_000)+"\r\n", 1),
		"backslashes":   with("Contact: \""+strings.Repeat("\\", 60_000)+"\" <sip:a@b>\r\n", 1),
		"route":         with("Route: <sip:a>"+strings.Repeat(",<sip:a>", 7000)+"\r\n", 1),
	}
	for name, m := range tests {
		if len(m) > MaxMessage {
			t.Fatalf("%s: %d octets", name, len(m))
		}
		before := bytes.Clone(m)
		var first, last runtime.MemStats
		runtime.ReadMemStats(&first)
		const runs = 5
		for range runs {
			_, _ = l.parse(m, flow)
		}
		runtime.ReadMemStats(&last)
		each := (last.TotalAlloc - first.TotalAlloc) / runs
		t.Logf("%-14s %d octets: %d allocated", name, len(m), each)
		if !bytes.Equal(m, before) {
			t.Errorf("%s: the received octets were changed", name)
		}
		if each > 64*MaxMessage {
			t.Errorf("%s: %d octets are allocated for %d", name, each, len(m))
		}
	}
}
