package mail

import (
	"bytes"
	"testing"

	"github.com/wneessen/go-mail/smtp"
)

// FuzzChallenge has a server ask anything: no method may panic, send the
// password in readable form when it should not, or take long.
func FuzzChallenge(f *testing.F) {
	f.Add(uint8(0), []byte("<1.2@mail.test>"), []byte(""))
	f.Add(uint8(1), []byte(""), []byte("r=abc,s=MDEy,i=4096"))
	f.Add(uint8(1), []byte("r=,s=,i=1"), []byte("v=abc"))
	f.Add(uint8(1), []byte(""), []byte("e=invalid-proof"))
	f.Add(uint8(2), ntlmChallenge([]byte("12345678")), []byte(""))
	f.Add(uint8(2), ntlmChallenge([]byte("12345678"))[:50], []byte("NTLMSSP\x00\x02\x00\x00\x00"))
	const password = "secret word"
	methods := []string{"CRAM-MD5", "SCRAM-SHA-1", "NTLM"}
	f.Fuzz(func(t *testing.T, method uint8, first, second []byte) {
		mech := methods[int(method)%len(methods)]
		g := &guard{Auth: newAuth(mech, login{"anna", password}, "mail.test"), scram: mech == "SCRAM-SHA-1"}
		_, response, err := g.Start(&smtp.ServerInfo{Name: "mail.test"})
		if err != nil {
			t.Fatal(err)
		}
		for _, challenge := range [][]byte{nil, first, second} {
			if bytes.Contains(response, []byte(password)) || bytes.Contains(response, utf16le(password)) {
				t.Fatalf("%s sends the password", mech)
			}
			if response, err = g.Next(challenge, true); err != nil {
				return
			}
		}
		if _, err := g.Next(nil, false); mech == "SCRAM-SHA-1" && err == nil {
			t.Fatal("a server without proof was believed")
		}
	})
}
