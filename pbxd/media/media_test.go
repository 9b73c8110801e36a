package media

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestDirection(t *testing.T) {
	for _, tt := range []struct {
		d, reverse      Direction
		text            string
		sends, receives bool
	}{
		{Inactive, Inactive, "inactive", false, false},
		{SendOnly, RecvOnly, "sendonly", true, false},
		{RecvOnly, SendOnly, "recvonly", false, true},
		{SendRecv, SendRecv, "sendrecv", true, true},
	} {
		if tt.d.Reverse() != tt.reverse || tt.d.String() != tt.text || tt.d.Sends() != tt.sends || tt.d.Receives() != tt.receives {
			t.Errorf("%v: reverse %v, sends %v, receives %v; want %+v", tt.d, tt.d.Reverse(), tt.d.Sends(), tt.d.Receives(), tt)
		}
	}
	if got := SendOnly.Answer(SendRecv); got != RecvOnly {
		t.Errorf("answer to sendonly is %v, want recvonly", got)
	}
}

func TestStaticFormats(t *testing.T) {
	// RFC 3551 table 4: those of telephony, spelt as registered.
	for pt, want := range map[uint8]Format{
		0:  {0, "PCMU", 8000, 1, ""},
		8:  {8, "PCMA", 8000, 1, ""},
		9:  {9, "G722", 8000, 1, ""},
		10: {10, "L16", 44100, 2, ""},
		13: {13, "CN", 8000, 1, ""},
		18: {18, "G729", 8000, 1, ""},
	} {
		if got, ok := StaticFormat(pt); !ok || got != want {
			t.Errorf("payload type %d: %+v %v, want %+v", pt, got, ok, want)
		}
	}
	for pt := range 256 {
		f, ok := StaticFormat(uint8(pt))
		if ok && (int(f.PT) != pt || f.Clock == 0 || f.Channels == 0) || ok && pt > 18 {
			t.Errorf("payload type %d: %+v", pt, f)
		}
	}
}

func TestCommon(t *testing.T) {
	pcma, _ := StaticFormat(8)
	pcmu, _ := StaticFormat(0)
	cn, _ := StaticFormat(13)
	event := Format{101, TelephoneEvent, 8000, 1, "0-15"}
	event48 := Format{100, TelephoneEvent, 48000, 1, "0-15"}
	renumbered := Format{111, "Pcma", 8000, 1, ""}
	for _, tt := range []struct {
		name                string
		offer, answer, want []Format
	}{
		{"order and payload types of the answer", []Format{pcmu, pcma, event}, []Format{event, renumbered}, []Format{event, renumbered}},
		{"what was not offered is left out", []Format{pcma}, []Format{pcma, pcmu, event}, []Format{pcma}},
		{"another clock is another format", []Format{pcma, event48}, []Format{pcma, event}, []Format{pcma}},
		{"digits and noise are no conversation", []Format{pcma, event, cn}, []Format{pcmu, event, cn}, nil},
		{"nothing", nil, nil, nil},
	} {
		if got := Common(tt.offer, tt.answer); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	d := &Description{Formats: []Format{{PT: 8}}, Sections: []Section{{Formats: []string{"8"}}}}
	c := d.Clone()
	c.Formats[0].PT, c.Sections[0].Formats[0], c.Sections[0].Port = 0, "0", 1
	if d.Formats[0].PT != 8 || d.Sections[0].Formats[0] != "8" || d.Sections[0].Port != 0 {
		t.Errorf("change of the clone reached the original: %+v", d)
	}
}

func TestUsable(t *testing.T) {
	d := &Description{Audio: -1, Sections: []Section{{Kind: "video", Proto: "RTP/AVP", Unusable: "not audio"}}}
	if err := d.Usable(); !errors.Is(err, ErrNoAudio) || !strings.Contains(err.Error(), "section 1, video RTP/AVP: not audio") {
		t.Errorf("error %v", err)
	}
	if d.RTP().IsValid() || d.RTCP().IsValid() {
		t.Error("addresses without audio are valid")
	}
	d = &Description{Addr: netip.MustParseAddr("192.0.2.1"), RTPPort: 4000, RTCPAddr: netip.MustParseAddr("192.0.2.2"), RTCPPort: 9}
	if err := d.Usable(); err != nil || d.RTP().String() != "192.0.2.1:4000" || d.RTCP().String() != "192.0.2.2:9" {
		t.Errorf("%v, %v, %v", err, d.RTP(), d.RTCP())
	}
}

// side is an endpoint that remembers its peer.
type side struct{ peer Endpoint }

func (*side) WriteRTP([]byte)      {}
func (*side) WriteRTCP([]byte)     {}
func (s *side) SetPeer(e Endpoint) { s.peer = e }

func TestBridge(t *testing.T) {
	a, b := &side{}, &side{}
	Bridge(a, b)
	if a.peer != b || b.peer != a {
		t.Errorf("peers %v and %v after bridging", a.peer, b.peer)
	}
	Unbridge(a, nil)
	if a.peer != nil || b.peer != a {
		t.Errorf("peers %v and %v after one side was detached", a.peer, b.peer)
	}
	Unbridge(a, b)
	if b.peer != nil {
		t.Errorf("peer %v after unbridging", b.peer)
	}
}
