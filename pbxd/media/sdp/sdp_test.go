package sdp

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	psdp "github.com/pion/sdp/v3"

	"galilei/pbxd/media"
)

// update writes the wanted part of the files in testdata anew, to be reviewed.
var update = flag.Bool("update", false, "write testdata anew")

var (
	ours   = netip.MustParseAddrPort("198.51.100.50:20000")
	ours6  = netip.MustParseAddrPort("[2001:db8::50]:20002")
	origin = Origin{ID: 4711, Version: 1}
)

// TestPhones reads what phones and other systems send. Each file is a
// description, then what is offered to the other side, then what is answered
// when that side takes G.711 A-law and digits.
func TestPhones(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	answer := mustParse(t, "v=0\nc=IN IP4 192.0.2.99\nm=audio 4000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\n")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(text), "\n---- ")
			input = strings.TrimRight(input, "\n") + "\n"
			var got string
			for _, end := range []string{"\r\n", "\n", "\r"} {
				got = render(t, []byte(strings.ReplaceAll(input, "\n", end)), answer)
				if !*update && got != "---- "+want {
					t.Errorf("lines ending in %q: got\n%s\nwant\n---- %s", end, got, want)
				}
			}
			if *update {
				if err := os.WriteFile(file, []byte(input+got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func render(t *testing.T, body []byte, answer *media.Description) string {
	t.Helper()
	d, err := Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := d.Usable(); err != nil {
		b.WriteString("---- error\n" + err.Error() + "\n")
	} else {
		b.WriteString("---- receives at " + d.RTP().String() + " and " + d.RTCP().String() + "\n")
		b.WriteString("---- offer\n" + strict(t, Offer(d, origin, ours)))
	}
	b.WriteString("---- answer\n" + strict(t, Answer(answer, d, origin, ours6)))
	return b.String()
}

// strict checks that b follows the grammar as pion/sdp has it and reads back
// as it was meant, and returns it with plain line ends. Fax sections are beyond
// that parser.
func strict(t *testing.T, b []byte) string {
	t.Helper()
	text := string(b)
	if !strings.Contains(text, "m=image") {
		var s psdp.SessionDescription
		if err := s.Unmarshal(b); err != nil {
			t.Errorf("pion/sdp: %v in\n%s", err, b)
		}
	}
	lines := strings.SplitAfter(text, "\r\n")
	if lines[len(lines)-1] != "" {
		t.Errorf("last line %q lacks its end", lines[len(lines)-1])
	}
	if strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n") {
		t.Errorf("lines do not all end in CRLF: %q", text)
	}
	return strings.ReplaceAll(text, "\r\n", "\n")
}

func mustParse(t testing.TB, text string) *media.Description {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// phones returns the descriptions in testdata by file name.
func phones(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		input, _, _ := strings.Cut(string(text), "\n---- ")
		inputs[file] = strings.TrimRight(input, "\n") + "\n"
	}
	return inputs
}

// TestHidden looks for everything of one side that must not reach the other.
func TestHidden(t *testing.T) {
	for file, input := range phones(t) {
		d := mustParse(t, input)
		var out []byte
		if d.Usable() == nil {
			out = append(Offer(d, origin, ours), Answer(d, d, origin, ours)...)
			out = append(out, Reoffer(d, d, origin, ours)...)
		}
		for _, secret := range []string{"192.0.2.", "2001:db8::3", "crypto", "inline", "candidate", "ice-", "fingerprint", "setup", "mux", "rtcp", "ssrc", "cname", "root", "user", "alice", "Cisco", "Gigaset", "Asterisk", "tool", "label", "AS:", "k="} {
			if bytes.Contains(out, []byte(secret)) {
				t.Errorf("%s: %q passes", file, secret)
			}
		}
	}
}

// TestRoundTrip writes a description and reads it back.
func TestRoundTrip(t *testing.T) {
	for _, at := range []netip.AddrPort{ours, ours6, netip.MustParseAddrPort("[::ffff:198.51.100.50]:20000")} {
		for _, dir := range []media.Direction{media.Inactive, media.SendOnly, media.RecvOnly, media.SendRecv} {
			d := &media.Description{
				Direction: dir, PTime: 20, MaxPTime: 120, Audio: 0,
				Sections: []media.Section{{Kind: "audio", Proto: "RTP/AVP", Formats: []string{"96", "8", "101"}, Port: at.Port()}},
				Formats: []media.Format{
					{PT: 96, Name: "opus", Clock: 48000, Channels: 2, FMTP: "useinbandfec=1; stereo=0"},
					{PT: 8, Name: "PCMA", Clock: 8000, Channels: 1},
					{PT: 101, Name: "telephone-event", Clock: 8000, Channels: 1, FMTP: "0-16"},
				},
			}
			want := d.Clone()
			want.Addr, want.RTPPort = at.Addr().Unmap(), at.Port()
			want.RTCPAddr, want.RTCPPort = want.Addr, at.Port()+1
			for name, b := range map[string][]byte{"offer": Offer(d, origin, at), "reoffer": Reoffer(d, d, origin, at)} {
				got, err := Parse(b)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s %v: got %+v, want %+v", name, dir, got, want)
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("x", maxToken+1)
	tests := []struct {
		name, text string
		is         error
		says       string
	}{
		{"empty", "", ErrInvalid, "no lines"},
		{"blank", "\r\n\r\n", ErrInvalid, "no lines"},
		{"not SDP", "<xml/>", ErrInvalid, "v=0"},
		{"version 1", "v=1\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "v=0"},
		{"no type", "v=0\nhello\n", ErrInvalid, "TYPE=VALUE"},
		{"too large", "v=0\n" + strings.Repeat("a=x\n", MaxSize/4), ErrInvalid, "65536"},
		{"too many sections", "v=0\n" + strings.Repeat("m=video 0 RTP/AVP 99\n", MaxSections+1), ErrInvalid, "more than 16 sections"},
		{"too many formats", "v=0\nm=audio 4000 RTP/AVP" + strings.Repeat(" 8", MaxFormats+1) + "\n", ErrInvalid, "65 formats"},
		{"short m= line", "v=0\nm=audio 4000\n", ErrInvalid, "2 fields"},
		{"port too high", "v=0\nm=audio 65536 RTP/AVP 8\n", ErrInvalid, "65536"},
		{"negative port", "v=0\nm=audio -1 RTP/AVP 8\n", ErrInvalid, `"-1"`},
		{"odd kind", "v=0\nm=au\"dio 4000 RTP/AVP 8\n", ErrInvalid, "word"},
		{"long profile", "v=0\nm=audio 4000 " + long + " 8\n", ErrInvalid, "word"},
		{"no address", "v=0\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "no c= line"},
		{"host name", "v=0\nc=IN IP4 phone.example.com\nm=audio 4000 RTP/AVP 8\n", ErrHostName, `"phone.example.com"`},
		{"one label", "v=0\nc=IN IP4 phone\nm=audio 4000 RTP/AVP 8\n", ErrHostName, `"phone"`},
		{"damaged address", "v=0\nc=IN IP4 192.0.2.300\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "192.0.2.300"},
		{"damaged IPv6", "v=0\nc=IN IP6 2001:db8:::fe\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "not an address"},
		{"zone", "v=0\nc=IN IP6 fe80::1%eth0\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "not an address"},
		{"multicast", "v=0\nc=IN IP4 224.2.1.1/127\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "224.2.1.1"},
		{"broadcast", "v=0\nc=IN IP4 255.255.255.255\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "255.255.255.255"},
		{"ATM", "v=0\nc=ATM NSAP 47\nm=audio 4000 RTP/AVP 8\n", ErrInvalid, "IN IP4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.text))
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %+v, %v; want %q that says %q", d, err, tt.is, tt.says)
			}
		})
	}
}

func TestUnusable(t *testing.T) {
	for text, says := range map[string]string{
		"v=0\n":                                               "no sections",
		"v=0\nm=audio 0 RTP/AVP 8\n":                          "section 1, audio RTP/AVP: port 0",
		"v=0\nm=audio 4000 RTP/SAVPF 8\n":                     "encrypted",
		"v=0\nm=audio 4000 TCP/RTP/AVP 8\n":                   "unknown profile",
		"v=0\nm=audio 4000/2 RTP/AVP 8\n":                     "several ports",
		"v=0\nm=audio 0 RTP/AVP 8\nm=video 4000 RTP/AVP 99\n": "section 2, video RTP/AVP: not audio",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 96 256 x 72\na=rtpmap:72 opus/48000/2\n": "no known formats",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 96\na=rtpmap:96 opus\n":                  "no known formats",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP\n":                                       "no known formats",
	} {
		d, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err := d.Usable(); !errors.Is(err, media.ErrNoAudio) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want ErrNoAudio that says %q", text, err, says)
		}
		if d.Addr.IsValid() || d.Formats != nil {
			t.Errorf("%q: left-overs %+v", text, d)
		}
	}
}

func TestAttributes(t *testing.T) {
	head := "v=0\nc=IN IP4 192.0.2.1\na=ptime:30\na=recvonly\nm=audio 4000 RTP/AVP 0 8 0 13 97 98\na=rtpmap:97 X/8000\n"
	d := mustParse(t, head+"a=ptime:20.0\na=maxptime:99999\na=inactive\na=rtcp:0\na=fmtp:97 "+strings.Repeat("x", maxFMTP+1)+"\n")
	if d.PTime != 20 || d.MaxPTime != 0 || d.Direction != media.Inactive || d.RTCP() != netip.MustParseAddrPort("192.0.2.1:4001") {
		t.Errorf("got %+v", d)
	}
	var names []string
	for _, f := range d.Formats {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "PCMU PCMA CN" {
		t.Errorf("formats %s, want PCMU PCMA CN: listed once, explained, with their parameters", got)
	}
	d = mustParse(t, head)
	if d.PTime != 30 || d.Direction != media.RecvOnly {
		t.Errorf("of the session: %+v", d)
	}
	if d := mustParse(t, "v=0\nc=IN IP6 ::\nm=audio 4000 RTP/AVP 8\na=sendrecv\n"); !d.NullAddr || d.Direction != media.SendOnly {
		t.Errorf("hold by null address: %+v", d)
	}
	if d := mustParse(t, "v=0\nc=IN IP4 192.0.2.1\nm=audio 65535 RTP/AVP 8\n"); d.RTCPPort != 0 {
		t.Errorf("RTCP port %d after 65535, want 0", d.RTCPPort)
	}
	if d := mustParse(t, "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n\x00"); d.RTPPort != 4000 {
		t.Errorf("with the end of a C string: %+v", d)
	}
}
