package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"galilei/pbxd/media"
)

const key40 = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" // of RFC 4568 section 4

func secureBody(proto string, lines ...string) []byte {
	return []byte("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 " + proto + " 8\r\n" + strings.Join(lines, "\r\n") + "\r\n")
}

func TestParseSecure(t *testing.T) {
	for _, tt := range []struct {
		name, proto string
		lines       []string
		want        []string // TAG SUITE of the keys; nil for no usable audio
	}{
		{"as in RFC 4568", "RTP/SAVP", []string{"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20"}, []string{"1 AES_CM_128_HMAC_SHA1_80"}},
		{"padded key, two suites, AVPF", "RTP/SAVPF", []string{"a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:" + key40, "a=crypto:8 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " WSH=64"}, []string{"7 AES_CM_128_HMAC_SHA1_32", "8 AES_CM_128_HMAC_SHA1_80"}},
		{"lines that cannot be used are left out", "RTP/SAVP", []string{
			"a=crypto:1 AEAD_AES_256_GCM inline:" + key40,
			"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20|1:4;inline:" + key40 + "|2^20|2:4",
			"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20|300:1",
			"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20|1:9",
			"a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " UNENCRYPTED_SRTP",
			"a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:short",
			"a=crypto:5 AES_CM_128_HMAC_SHA1_80",
			"a=crypto:6 AES_CM_128_HMAC_SHA1_80 inline:" + key40,
		}, []string{"6 AES_CM_128_HMAC_SHA1_80"}},
		{"no key", "RTP/SAVP", nil, nil},
		{"keys by DTLS", "UDP/TLS/RTP/SAVP", []string{"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key40}, nil},
		{"plain audio with a key may be encrypted", "RTP/AVP", []string{"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key40}, []string{"1 AES_CM_128_HMAC_SHA1_80"}},
		{"plain audio without", "RTP/AVP", nil, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := secureBody(tt.proto, tt.lines...)
			d, err := ParseSecure(body)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				if !errors.Is(d.Usable(), media.ErrNoAudio) {
					t.Errorf("audio is usable: %+v", d)
				}
				return
			}
			var got []string
			for _, k := range d.Crypto {
				got = append(got, fmt.Sprint(k.Tag, " ", k.Suite))
				if len(k.Key.Reveal()) != media.CryptoKeySize {
					t.Errorf("key of %d octets", len(k.Key.Reveal()))
				}
			}
			if d.Usable() != nil || strings.Join(got, ",") != strings.Join(tt.want, ",") {
				t.Errorf("keys %q, want %q; %v", got, tt.want, d.Usable())
			}
			plain, err := Parse(body)
			if err != nil || tt.proto != "RTP/AVP" && plain.Usable() == nil || len(plain.Crypto) != 0 {
				t.Errorf("Parse: %v, usable %v, %d keys", err, plain.Usable(), len(plain.Crypto))
			}
		})
	}
}

// Of two sections for the same audio the encrypted one is used where it can be,
// whichever comes first.
func TestEncryptedSectionIsPreferred(t *testing.T) {
	plain := "m=audio 4000 RTP/AVP 8\r\n"
	secure := "m=audio 5000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "\r\n"
	for _, tt := range []struct {
		name, sections string
		want           uint16
	}{
		{"first", secure + plain, 5000}, {"second", plain + secure, 5000},
		{"without a key that can be used", plain + "m=audio 5000 RTP/SAVP 8\r\n", 4000},
	} {
		body := []byte("v=0\r\nc=IN IP4 192.0.2.1\r\n" + tt.sections)
		d, err := ParseSecure(body)
		if err != nil || d.Usable() != nil || d.RTPPort != tt.want || len(d.Sections) != 2 || d.Sections[1-d.Audio].Unusable == "" {
			t.Errorf("%s: %+v, %v", tt.name, d, err)
		}
		if d, err := Parse(body); err != nil || d.RTPPort != 4000 || len(d.Crypto) != 0 {
			t.Errorf("%s, without encryption: %+v, %v", tt.name, d, err)
		}
	}
}

// TestKeysAreAgreed carries keys through an offer and its answer.
func TestKeysAreAgreed(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.9:6000")
	d := &media.Description{Direction: media.SendRecv}
	f, _ := media.StaticFormat(8)
	d.Formats = []media.Format{f}
	d.Sections = []media.Section{{Kind: "audio", Proto: "RTP/AVP", Formats: []string{"8"}, Port: 1}}
	ours := []media.Crypto{media.NewCrypto(1, media.AES80), media.NewCrypto(2, media.AES32)}
	offer, err := ParseSecure(Offer(d, NewOrigin(), at, ours...))
	if err != nil || offer.Sections[0].Proto != "RTP/SAVP" || len(offer.Crypto) != 2 || offer.Crypto[0] != ours[0] || offer.Crypto[1] != ours[1] {
		t.Fatalf("offer %+v, %v", offer, err)
	}
	answerers, offerers, err := media.AnswerCrypto(offer.Crypto)
	if err != nil || offerers != ours[0] || answerers.Tag != 1 || answerers.Key == ours[0].Key {
		t.Fatalf("answer with %v to %v: %v", answerers, offerers, err)
	}
	answer, err := ParseSecure(Answer(d, offer, NewOrigin(), at, answerers))
	if err != nil || answer.Usable() != nil {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	mine, theirs, err := media.AgreedCrypto(ours, answer.Crypto)
	if err != nil || mine != ours[0] || theirs != answerers {
		t.Errorf("agreed on %v and %v: %v", mine, theirs, err)
	}
	if _, _, err := media.AgreedCrypto(ours, []media.Crypto{media.NewCrypto(3, media.AES80)}); !errors.Is(err, media.ErrNoCrypto) {
		t.Errorf("a tag that was not offered: %v", err)
	}
	if _, _, err := media.AnswerCrypto(nil); !errors.Is(err, media.ErrNoCrypto) {
		t.Errorf("nothing offered: %v", err)
	}
	refused, err := ParseSecure(Answer(d, offer, NewOrigin(), at))
	if err != nil || refused.Usable() == nil {
		t.Errorf("encrypted audio answered without a key: %+v, %v", refused, err)
	}
	again, err := ParseSecure(Reoffer(d, offer, NewOrigin(), at, ours[1]))
	if err != nil || len(again.Crypto) != 1 || again.Crypto[0] != ours[1] {
		t.Errorf("offered again %+v, %v", again, err)
	}
}

func FuzzCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20 WSH=1")
	f.Add("2 AES_CM_128_HMAC_SHA1_32 inline:" + key40 + "|1:4")
	f.Fuzz(func(t *testing.T, value string) {
		k, ok := readCrypto(value)
		if !ok {
			return
		}
		if again, ok := readCrypto(writeCrypto(k)); !ok || again != k {
			t.Fatalf("%q is written as a line that reads as another", value)
		}
	})
}
