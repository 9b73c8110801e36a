package mail

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCleaner(t *testing.T) {
	const secret = "p&ssw0rd!x"
	c := newCleaner("", secret)
	for in, want := range map[string]string{
		"5.7.8 authentication failed":                                                "5.7.8 authentication failed",
		"no " + secret + ".":                                                         "no ***.",
		"no " + strings.ToUpper(secret):                                              "no ***",
		"AUTH PLAIN " + b64([]byte("\x00anna\x00"+secret)):                           "AUTH PLAIN ***",
		"AUTH PLAIN " + b64([]byte("\x00ann\x00"+secret)):                            "AUTH PLAIN ***",
		"AUTH PLAIN " + b64([]byte("\x00an\x00"+secret)):                             "AUTH PLAIN ***",
		"got " + b64([]byte(secret)) + " instead":                                    "got *** instead",
		"got " + base64.RawURLEncoding.EncodeToString([]byte("1234"+secret)):         "got ***",
		"url " + url.QueryEscape(secret):                                             "url ***",
		"hex " + hex.EncodeToString([]byte(secret)):                                  "hex ***",
		"line\r\nbreak\x00and\x1bmore":                                               "line break and more",
		"id " + strings.Repeat("Ab3", 20):                                            "id ***", // nobody reads that anyway
		"[BE1P281CA0123.DEUP281.PROD.OUTLOOK.COM 2026-03-01T12:00:00.000Z 08DC2F1A]": "[BE1P281CA0123.DEUP281.PROD.OUTLOOK.COM 2026-03-01T12:00:00.000Z 08DC2F1A]",
	} {
		if got := c.text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := newCleaner("two  spaces\there").text("no two  spaces\there."); got != "no ***." {
		t.Errorf("secret with spaces: got %q", got)
	}
	if got := newCleaner("ab").text("about your password"); got != mask {
		t.Errorf("short secret: got %q, want %q, which tells nothing", got, mask)
	}
	long := strings.Repeat("ü ", answerText)
	if got := c.text(long); len(got) > answerText || !utf8.ValidString(got) {
		t.Errorf("got %d bytes, want at most %d of UTF-8", len(got), answerText)
	}
}

func FuzzCleaner(f *testing.F) {
	f.Add("secret word", "before ", " after")
	f.Add("üüüü", "\xff", "=")
	f.Add("aaaaaaaa", "aaa", "a")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < 8 || len(secret) > 200 || !utf8.ValidString(secret) || strings.Contains(mask, secret) {
			return
		}
		c := newCleaner(secret)
		for _, s := range []string{
			before + secret + after,
			"x " + b64([]byte(before+secret+after)),
			"x " + base64.RawURLEncoding.EncodeToString([]byte(before+secret+after)) + " y",
		} {
			got := c.text(s)
			if len(got) > answerText || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00") {
				t.Fatalf("%q: got %q", s, got)
			}
			if strings.Contains(got, secret) {
				t.Fatalf("%q: secret %q in %q", s, secret, got)
			}
			for _, word := range strings.Fields(got) {
				if b, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(word)); err == nil && strings.Contains(string(b), secret) {
					t.Fatalf("%q: secret %q in base64 %q", s, secret, word)
				}
			}
		}
	})
}
