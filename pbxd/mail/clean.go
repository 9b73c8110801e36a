package mail

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	answerText  = 300 // bytes of a server's answer that are kept
	mask        = "***"
	shortSecret = 4  // below this, masking would tell more than it hides
	opaqueRun   = 32 // letters of base64 without a break that nobody can read anyway
)

// cleaner takes secrets out of what servers say: some repeat the command that
// they refuse, with the password in base64.
type cleaner struct {
	secrets []string
	cores   []string // what the base64 of any text with a secret in it contains
	plain   *regexp.Regexp
}

// newCleaner makes a cleaner for the given secrets; empty ones do not count.
func newCleaner(secrets ...string) cleaner {
	var c cleaner
	var forms []string
	for _, s := range secrets {
		if s == "" {
			continue
		}
		c.secrets = append(c.secrets, s)
		if len(s) < shortSecret {
			continue
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s))} {
			forms = append(forms, regexp.QuoteMeta(form))
		}
		c.cores = append(c.cores, base64Cores(s)...)
	}
	if len(forms) > 0 {
		// Secrets that are no UTF-8 make no expression; the base64 forms still count.
		if re, err := regexp.Compile("(?i)" + strings.Join(forms, "|")); err == nil {
			c.plain = re
		}
	}
	return c
}

// base64Cores returns, for each of the three positions that secret can have
// in a longer text, the letters of the text's base64 that depend on secret alone.
func base64Cores(secret string) (cores []string) {
	for before := range 3 {
		b := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:before] + secret))
		first := (before*8 + 5) / 6                // letters that also hold bits of what stands before
		last := (before + len(secret)) * 8 / 6     // letters that are whole
		if core := b[first:last]; len(core) >= 4 { // fewer would match ordinary words
			cores = append(cores, core)
		}
	}
	return cores
}

// text returns s as one printable line of at most answerText bytes, without
// the secrets in plain, percent, hexadecimal or base64 form.
func (c cleaner) text(s string) string {
	if len(s) > 16*answerText {
		s = s[:16*answerText]
		s = s[:strings.LastIndexByte(s, ' ')+1] // half a word may be half a secret
	}
	s = c.mask(s)
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	s = c.mask(s) // what was dropped may have stood inside a secret
	if len(s) > answerText {
		cut := answerText
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return s
}

// mask masks the secrets in all forms. A short one hides the whole text.
func (c cleaner) mask(s string) string {
	for _, secret := range c.secrets {
		if len(secret) < shortSecret && strings.Contains(s, secret) {
			return mask
		}
	}
	if c.plain != nil {
		s = c.plain.ReplaceAllString(s, mask)
	}
	return c.maskRuns(s)
}

// maskRuns masks each unbroken run of base64 letters that holds a secret, or
// that is so long that it can only be encoded text.
func (c cleaner) maskRuns(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		start := strings.IndexFunc(s, isBase64)
		if start < 0 {
			break
		}
		b.WriteString(s[:start])
		s = s[start:]
		end := strings.IndexFunc(s, func(r rune) bool { return !isBase64(r) })
		if end < 0 {
			end = len(s)
		}
		if run := s[:end]; c.holdsSecret(run) {
			b.WriteString(mask)
		} else {
			b.WriteString(run)
		}
		s = s[end:]
	}
	b.WriteString(s)
	return b.String()
}

func (c cleaner) holdsSecret(run string) bool {
	run = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(run)
	if len(run) >= opaqueRun {
		return true
	}
	for _, core := range c.cores {
		if strings.Contains(run, core) {
			return true
		}
	}
	decoded, err := base64.RawStdEncoding.DecodeString(run)
	if err != nil {
		return false
	}
	for _, secret := range c.secrets {
		if strings.Contains(string(decoded), secret) {
			return true
		}
	}
	return false
}

func isBase64(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("+/=-_", r))
}
