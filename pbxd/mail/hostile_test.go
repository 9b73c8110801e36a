package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// challenger greets, offers all methods, and answers each line of a login with
// the next of the answers, the last one again and again. said keeps what it heard.
func challenger(said *heard, answers ...string) script {
	return func(c net.Conn, next func() (string, bool)) {
		c.Write([]byte("220 hello\r\n"))
		if _, ok := next(); !ok {
			return
		}
		c.Write([]byte("250-mail.test\r\n250 AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 NTLM XOAUTH2\r\n"))
		for i := 0; ; i++ {
			line, ok := next()
			if !ok {
				return
			}
			said.add(line)
			if _, err := c.Write([]byte(answers[min(i, len(answers)-1)])); err != nil {
				return
			}
		}
	}
}

type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) add(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

// all returns what was heard, with what base64 hides in it.
func (h *heard) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b bytes.Buffer
	for _, line := range h.lines {
		b.WriteString(line + "\n")
		for _, word := range strings.Fields(line) {
			plain, _ := base64.StdEncoding.DecodeString(word)
			b.Write(plain)
		}
	}
	return b.String()
}

// TestHostileLogins has servers answer each method with what no honest one
// says. No mail goes there, no method that hides the password shows it, and
// the login ends at once.
func TestHostileLogins(t *testing.T) {
	const password = "secret word"
	challenge := func(text string) string { return "334 " + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n" }
	endless := challenge("again")
	servers := map[string][]string{
		"takes anybody":          {"235 welcome\r\n"},
		"asks without end":       {endless},
		"empty challenges":       {"334\r\n"},
		"empty text":             {"334 \r\n"},
		"no base64":              {"334 !!!!\r\n"},
		"binary":                 {challenge(string([]byte{0, 255, 13, 10, 1}))},
		"asks for the password":  {challenge("Password:")},
		"long challenge":         {challenge(strings.Repeat("x", 100_000))},
		"longer than any answer": {challenge(strings.Repeat("x", answerBytes))},
		"empty NTLM challenge":   {"334 \r\n", challenge("NTLMSSP\x00\x02\x00\x00\x00")},
		"NTLM fields far away":   {"334 \r\n", challenge("NTLMSSP\x00\x02\x00\x00\x00" + strings.Repeat("\xff", 40))},
		"SCRAM without a nonce":  {"334 \r\n", challenge("r=,s=,i=4096")},
		"SCRAM, other nonce":     {challenge("r=abcdef,s=c2FsdA==,i=4096"), challenge("v=AAAA")},
		"another code":           {"250 ok\r\n"},
		"later":                  {"432 later\r\n"},
		"refuses, repeating":     {"535 no: " + password + "\r\n"},
		"another code within":    {"334-more\r\n235 welcome\r\n334 \r\n"},
		"control characters":     {"535 \x1b[2Jno\x00\r\n"},
	}
	for name, answers := range servers {
		for _, method := range []string{"plain", "login", "cram-md5", "scram-sha-1", "ntlm", "xoauth2"} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				said := &heard{}
				m := settingsFor(t, rawServer(t, challenger(said, answers...)), func(m *pbx.MailSettings) {
					m.Authentication, m.Method, m.UserName, m.AllowPlaintextPassword = true, method, "anna", true
				})
				d := newDevice(t, nil, m, "")
				begin := time.Now()
				err := d.Send(t.Context(), m, password, testMessage("bob@example.com"))
				if took := time.Since(begin); took > 4*time.Second {
					t.Errorf("took %v", took)
				}
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("got %v, want an error of the login or behind it", err)
				}
				text := said.all()
				if accepts := strings.HasPrefix(answers[0], "235"); e.Step != StepLogin && !(accepts && method != "scram-sha-1") {
					t.Errorf("got step %s (%v)", e.Step, err)
				}
				if strings.Contains(text, "DATA") || e.Permanent() {
					t.Errorf("the mail was begun, or is given up: %v", err)
				}
				if hides := !sendsPassword(mechanism(method)); hides && (strings.Contains(text, password) || bytes.Contains([]byte(text), utf16le(password))) {
					t.Errorf("the password was sent: %q", text)
				}
				for _, shown := range []string{err.Error(), e.What().Text(), e.Answer} {
					if strings.Contains(shown, password) || strings.ContainsAny(shown, "\x1b\x00\r\n") {
						t.Errorf("it shows %q", shown)
					}
				}
				if e.Advice().IsZero() {
					t.Error("no advice")
				}
			})
		}
	}
}

// TestInjectedBeforeTLS: what a server sends behind its answer to STARTTLS,
// before the connection is encrypted, is not taken as said under encryption.
func TestInjectedBeforeTLS(t *testing.T) {
	said := &heard{}
	addr := rawServer(t, func(c net.Conn, next func() (string, bool)) {
		c.Write([]byte("220 hello\r\n"))
		next()
		c.Write([]byte("250-mail.test\r\n250 STARTTLS\r\n"))
		next()
		c.Write([]byte("220 go\r\n250-mail.test\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"))
		for {
			line, ok := next()
			if !ok {
				return
			}
			said.add(line)
		}
	})
	m := settingsFor(t, addr, func(m *pbx.MailSettings) {
		m.Security, m.Authentication, m.UserName = "starttls", true, "anna"
	})
	d := newDevice(t, nil, m, "")
	l := d.reach.limits
	l.step = 500 * time.Millisecond
	d.limit(l)
	err := d.Send(t.Context(), m, "secret word", testMessage("bob@example.com"))
	var e *Error
	if !errors.As(err, &e) || e.Step != StepSTARTTLS {
		t.Errorf("got %v, want the encryption to fail", err)
	}
	if text := said.all(); strings.Contains(text, "AUTH") || strings.Contains(text, "secret word") {
		t.Errorf("the device logged in: %q", text)
	}
}
