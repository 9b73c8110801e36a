package transport

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net/netip"
	"testing"
	"time"
)

// bindingRequest is the keep-alive of RFC 5626 section 4.4.2, with attributes.
func bindingRequest(attributes ...byte) []byte {
	b := []byte{0, 1, 0, byte(len(attributes)), 0x21, 0x12, 0xA4, 0x42}
	b = append(b, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae) // the transaction of RFC 5769
	return append(b, attributes...)
}

// The addresses are those of RFC 5769 sections 2.2 and 2.3, whose encodings
// are given there.
func TestSTUNAddresses(t *testing.T) {
	tests := []struct{ from, want string }{
		{"192.0.2.1:32853", "002000080001a147e112a643"},
		{"[2001:db8:1234:5678:11:2233:4455:6677]:32853", "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"},
		{"[::ffff:192.0.2.1]:32853", "002000080001a147e112a643"},
	}
	for _, tt := range tests {
		got := stunAnswer(bindingRequest(), netip.MustParseAddrPort(tt.from))
		want, _ := hex.DecodeString(tt.want)
		if len(got) < stunHeader || !bytes.Equal(got[stunHeader:], want) {
			t.Errorf("%s: got % x, want attribute % x", tt.from, got, want)
			continue
		}
		if binary.BigEndian.Uint16(got) != stunBindingResponse || int(binary.BigEndian.Uint16(got[2:])) != len(want) || !bytes.Equal(got[4:stunHeader], bindingRequest()[4:]) {
			t.Errorf("%s: header % x", tt.from, got[:stunHeader])
		}
	}
}

func TestSTUNRefusals(t *testing.T) {
	from := netip.MustParseAddrPort("192.0.2.1:5060")
	withFingerprint := func(wrong uint32) []byte {
		b := bindingRequest()
		b[3] = 8
		sum := crc32.ChecksumIEEE(b) ^ fingerprintXOR ^ wrong
		return binary.BigEndian.AppendUint32(append(b, 0x80, 0x28, 0, 4), sum)
	}
	indication := bindingRequest()
	indication[1] = 0x11
	short := bindingRequest()
	short[3] = 4
	tests := []struct {
		name string
		in   []byte
		kind uint16 // of the answer, 0 for none
	}{
		{"request", bindingRequest(), stunBindingResponse},
		{"software, which may be ignored", bindingRequest(0x80, 0x22, 0, 2, 'a', 'b', 0, 0), stunBindingResponse},
		{"user name", bindingRequest(0, 6, 0, 3, 'a', 'b', 'c', 0), stunBindingResponse},
		{"attribute that must be understood", bindingRequest(0, 3, 0, 4, 0, 0, 0, 6), stunBindingError},
		{"right fingerprint", withFingerprint(0), stunBindingResponse},
		{"wrong fingerprint", withFingerprint(1), 0},
		{"indication", indication, 0},
		{"length beyond the end", short, 0},
		{"attribute beyond the end", bindingRequest(0, 6, 0, 9, 0, 0, 0, 0), 0},
		{"cut", bindingRequest()[:19], 0},
		{"SIP", []byte(options("1", "")), 0},
	}
	for _, tt := range tests {
		got := stunAnswer(tt.in, from)
		var kind uint16
		if len(got) > 1 {
			kind = binary.BigEndian.Uint16(got)
		}
		if kind != tt.kind {
			t.Errorf("%s: got an answer of type %#x, want %#x", tt.name, kind, tt.kind)
		}
	}
	got := stunAnswer(withFingerprint(0), from)
	if at := len(got) - 8; at < stunHeader || binary.BigEndian.Uint32(got[at+4:]) != crc32.ChecksumIEEE(got[:at])^fingerprintXOR {
		t.Errorf("the answer's fingerprint is wrong: % x", got)
	}
	unknown := stunAnswer(bindingRequest(0, 3, 0, 4, 0, 0, 0, 6), from)
	if !bytes.Contains(unknown, []byte{0, 0, 4, 20}) || !bytes.Contains(unknown, []byte{0, 0x0A, 0, 2, 0, 3}) {
		t.Errorf("the refusal does not name 420 and attribute 3: % x", unknown)
	}
}

// A phone keeps its address translation open with STUN on the SIP port and
// learns by it that its address has changed; SIP goes on beside it.
func TestSTUNOnTheSIPPort(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, h, at := open(t, addr)
		u := dial(t, "udp", at)
		if _, err := u.Write(bindingRequest()); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		u.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := u.Read(buf)
		if err != nil || !bytes.Equal(buf[:n], stunAnswer(bindingRequest(), netip.MustParseAddrPort(u.LocalAddr().String()))) {
			t.Errorf("got % x, %v", buf[:n], err)
		}
		if _, err := u.Write([]byte(options("1", ""))); err != nil {
			t.Fatal(err)
		}
		if h.next(t); l.Malformed() != 0 {
			t.Errorf("%d messages count as malformed, want 0", l.Malformed())
		}
	}
}

func FuzzSTUN(f *testing.F) {
	f.Add(bindingRequest())
	f.Add(bindingRequest(0x80, 0x22, 0, 2, 'a', 'b', 0, 0))
	f.Add(bindingRequest(0, 3, 0, 4, 0, 0, 0, 6))
	from := netip.MustParseAddrPort("[2001:db8::1]:5060")
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		out := stunAnswer(b, from)
		if !bytes.Equal(b, before) {
			t.Error("the request was changed")
		}
		if out == nil {
			return
		}
		if int(binary.BigEndian.Uint16(out[2:])) != len(out)-stunHeader || len(out) > len(b)+76 || stunAnswer(out, from) != nil {
			t.Errorf("answer % x to % x", out, b)
		}
	})
}
