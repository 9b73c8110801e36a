package sdp

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/media"
)

const (
	head   = "v=0\nc=IN IP4 192.0.2.1\n"
	audio8 = head + "m=audio 4000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\n"
)

// TestAnswerDirection goes through RFC 3264 section 6.1: an answer never says
// more than the offer allows, whatever the other side said.
func TestAnswerDirection(t *testing.T) {
	all := []string{"sendrecv", "sendonly", "recvonly", "inactive"}
	want := map[string][]string{ // offered => answered, for each of all that the other side says
		"sendrecv": {"sendrecv", "sendonly", "recvonly", "inactive"},
		"sendonly": {"recvonly", "inactive", "recvonly", "inactive"},
		"recvonly": {"sendonly", "sendonly", "inactive", "inactive"},
		"inactive": {"inactive", "inactive", "inactive", "inactive"},
	}
	for offered, answers := range want {
		for i, said := range all {
			b := Answer(mustParse(t, audio8+"a="+said+"\n"), mustParse(t, audio8+"a="+offered+"\n"), origin, ours)
			if !strings.Contains(string(b), "a="+answers[i]+"\r\n") {
				t.Errorf("offered %s, other side %s: want %s in\n%s", offered, said, answers[i], b)
			}
		}
	}
}

func TestAnswerKeepsPayloadTypesOfTheAnswerer(t *testing.T) {
	offer := mustParse(t, head+"m=audio 4000 RTP/AVP 96 8 97\na=rtpmap:96 opus/48000/2\na=rtpmap:97 telephone-event/8000\n")
	answer := mustParse(t, head+"m=audio 5000 RTP/AVP 111 101 3\na=rtpmap:111 OPUS/48000/2\na=rtpmap:101 telephone-event/8000\n")
	got := mustParse(t, string(Answer(answer, offer, origin, ours)))
	var pts []uint8
	for _, f := range got.Formats {
		pts = append(pts, f.PT)
	}
	if want := []uint8{111, 101}; !slices.Equal(pts, want) {
		t.Errorf("payload types %v, want %v: those of the answerer that were offered", pts, want)
	}
}

func TestNothingInCommon(t *testing.T) {
	for _, tt := range []struct{ name, offer, answer, says string }{
		{"formats", head + "m=audio 4000 RTP/AVP 0\n", head + "m=audio 4000 RTP/AVP 8\n", "none of 1 formats offered is among 1 answered"},
		{"only digits", audio8, head + "m=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n", "none of 2"},
		{"refused by the answerer", audio8, "v=0\nm=audio 0 RTP/AVP 8\n", "answer: no usable audio: section 1, audio RTP/AVP: port 0"},
		{"nothing offered", "v=0\nm=audio 4000 RTP/SAVP 8\n", audio8, "offer: no usable audio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offer, answer := mustParse(t, tt.offer), mustParse(t, tt.answer)
			if _, err := Agreed(answer, offer); !errors.Is(err, media.ErrNoAudio) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want ErrNoAudio that says %q", err, tt.says)
			}
			got := mustParse(t, string(Answer(answer, offer, origin, ours)))
			if got.Audio != -1 || len(got.Sections) != len(offer.Sections) || !got.Sections[0].Refused {
				t.Errorf("answer %+v, want every section refused", got)
			}
		})
	}
}

// TestReoffer calls with video first, is answered, and is put on hold by the
// other side: the re-INVITE must keep the places of the sections.
func TestReoffer(t *testing.T) {
	caller := mustParse(t, head+"m=video 4002 RTP/AVP 99\na=rtpmap:99 H264/90000\nm=audio 4000 RTP/AVPF 8\n")
	hold := mustParse(t, audio8+"a=sendonly\n")
	b := string(Reoffer(hold, caller, origin.Next(), ours))
	want := "v=0\r\no=- 4711 2 IN IP4 198.51.100.50\r\ns=-\r\nc=IN IP4 198.51.100.50\r\nt=0 0\r\n" +
		"m=video 0 RTP/AVP 99\r\n" +
		"m=audio 20000 RTP/AVPF 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
	if b != want {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
	refused := mustParse(t, "v=0\nm=image 0 udptl t38\n")
	got := mustParse(t, string(Reoffer(hold, refused, origin, ours)))
	if len(got.Sections) != 2 || got.Audio != 1 || got.Sections[0].Kind != "image" {
		t.Errorf("after a session without audio: %+v, want the audio as a new section", got)
	}
}

func TestNewOrigin(t *testing.T) {
	a, b := NewOrigin(), NewOrigin()
	if a == b {
		t.Errorf("two origins are both %+v", a)
	}
	if a.ID >= 1<<31 || a.Version != 1 || a.Next() != (Origin{a.ID, 2}) {
		t.Errorf("origin %+v, next %+v", a, a.Next())
	}
}

// FuzzParse wants of anything that is accepted: within the limits, and what is
// written from it can be read again, says the same, and mirrors each section.
func FuzzParse(f *testing.F) {
	for _, text := range phones(f) {
		f.Add([]byte(text))
	}
	f.Add([]byte("v=0\nc=IN IP6 ::\nm=audio 9/1 RTP/AVP 0 127\na=rtpmap:127 a/1000/255\na=fmtp:0 x\na=ptime:1e2\na=rtcp:1 IN IP6 ::1\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body)
		if err != nil {
			if d != nil || !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrHostName) {
				t.Fatalf("%+v with error %v", d, err)
			}
			return
		}
		if len(d.Sections) > MaxSections || len(d.Formats) > MaxFormats || d.PTime < 0 || d.PTime > maxPTime {
			t.Fatalf("beyond the limits: %+v", d)
		}
		answer := Answer(d, d, origin, ours)
		a, err := Parse(answer)
		if err != nil {
			t.Fatalf("answer %q: %v", answer, err)
		}
		if len(a.Sections) != len(d.Sections) || a.Audio >= 0 && a.Audio != d.Audio {
			t.Fatalf("answer %q does not mirror %q", answer, body)
		}
		for i, s := range a.Sections {
			if s.Kind != d.Sections[i].Kind || s.Proto != d.Sections[i].Proto || i != a.Audio && !s.Refused {
				t.Fatalf("section %d of answer %q does not mirror %q", i, answer, body)
			}
		}
		if d.Audio < 0 {
			return
		}
		for _, b := range [][]byte{Offer(d, origin, ours), Reoffer(d, d, origin, ours)} {
			o, err := Parse(b)
			if err != nil || o.Audio < 0 {
				t.Fatalf("offer %q of %q: %+v, %v", b, body, o, err)
			}
			if !slices.Equal(o.Formats, d.Formats) || o.Direction != d.Direction || o.PTime != d.PTime || o.MaxPTime != d.MaxPTime || o.RTP() != ours {
				t.Fatalf("offer %+v differs from %+v", o, d)
			}
		}
	})
}
