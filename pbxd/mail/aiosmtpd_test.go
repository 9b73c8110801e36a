package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// foreignMail is what aiosmtpd took.
type foreignMail struct {
	From    string   `json:"from"`
	To      []string `json:"to"`
	Content string   `json:"content"`
	Login   bool     `json:"login"`
}

// startForeign starts Debian's aiosmtpd, an SMTP server that nobody of us
// wrote, and returns its address and the mails that it takes.
func startForeign(t *testing.T, ca *authority, security string, login bool) (net.Addr, func() foreignMail) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if err := exec.Command(python, "-c", "import aiosmtpd").Run(); err != nil {
		t.Skip("aiosmtpd is missing: install python3-aiosmtpd")
	}
	dir := t.TempDir()
	cert := ca.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"testdata/aiosmtpd_server.py", "--security", security, "--cert", filepath.Join(dir, "cert.pem"), "--key", filepath.Join(dir, "key.pem")}
	if login {
		args = append(args, "--login")
	}
	cmd := exec.Command(python, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		r := bufio.NewScanner(stdout)
		for r.Buffer(nil, 32<<20); r.Scan(); {
			lines <- r.Text()
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		kill := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		defer kill.Stop()
		for range lines { // to its end, before Wait closes the pipe
		}
		cmd.Wait()
		if t.Failed() {
			t.Logf("aiosmtpd: %s", stderr.String())
		}
	})
	next := func() string {
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatal("aiosmtpd has ended")
			}
			return l
		case <-time.After(30 * time.Second):
			t.Fatal("aiosmtpd says nothing")
		}
		return ""
	}
	port, err := strconv.Atoi(next())
	if err != nil {
		t.Fatal(err)
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, func() (m foreignMail) {
		if err := json.Unmarshal([]byte(next()), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func TestForeignServer(t *testing.T) {
	const user, password = "anna@example.com", "Grüße aus Köln"
	ca := newAuthority(t)
	for _, security := range []string{"none", "starttls", "tls"} {
		t.Run(security, func(t *testing.T) {
			addr, mail := startForeign(t, ca, security, true)
			for _, method := range []string{"plain", "login"} {
				m := settingsFor(t, addr, func(m *pbx.MailSettings) {
					m.Security, m.Authentication, m.Method, m.UserName = security, true, method, user
				})
				d := newDevice(t, ca.roots, m, "")
				message := testMessage("bob@example.com")
				message.Subject, message.Text = "Grüße", ".\n..\nEnde\n"
				err := d.Send(t.Context(), m, password, message)
				if security == "none" {
					wantFault(t, err, StepLogin, FaultPlaintext)
					m.AllowPlaintextPassword = true
					err = d.Send(t.Context(), m, password, message)
				}
				if err != nil {
					t.Fatalf("%s: %v", method, err)
				}
				got := mail()
				if got.From != "pbx@example.com" || len(got.To) != 1 || got.To[0] != "bob@example.com" || !got.Login {
					t.Errorf("%s: got %+v", method, got)
				}
				if subject := header(t, got.Content, "Subject"); subject != "Grüße" || !strings.HasSuffix(got.Content, "\r\n\r\n.\r\n..\r\nEnde\r\n") {
					t.Errorf("%s: got subject %q in %q", method, subject, got.Content)
				}
				wantFault(t, d.Send(t.Context(), m, "Grüße aus Bonn", message), StepLogin, FaultLogin)
				m.Method = "scram-sha-1"
				wantFault(t, d.Send(t.Context(), m, password, message), StepLogin, FaultMethod)
				m.Authentication = false
				wantFault(t, d.Send(t.Context(), m, "", message), StepSender, FaultLoginNeeded)
				if security == "starttls" {
					m.Security = "none"
					wantFault(t, d.Send(t.Context(), m, "", message), StepSender, FaultEncryptionNeeded)
				}
			}
		})
	}
}

func TestForeignServerRefuses(t *testing.T) {
	addr, mail := startForeign(t, newAuthority(t), "none", false)
	m := settingsFor(t, addr, nil)
	d := newDevice(t, nil, m, "")
	wantFault(t, d.Send(t.Context(), m, "", testMessage("nobody@example.com")), StepRecipient, FaultRecipient)
	wantFault(t, d.Send(t.Context(), m, "", testMessage("grey@example.com")), StepRecipient, FaultBusy)
	if err := d.Send(t.Context(), m, "", testMessage("grey@example.com")); err != nil {
		t.Fatalf("the second time: %v", err)
	}
	if got := mail(); got.To[0] != "grey@example.com" {
		t.Errorf("got %+v", got)
	}
	large := testMessage("bob@example.com")
	large.Attachments = []pbx.MailAttachment{{Name: "a.bin", Data: make([]byte, 4<<20)}} // aiosmtpd's limit is 32 MiB of content
	if err := d.Send(t.Context(), m, "", large); err != nil {
		t.Fatal(err)
	}
	if got := mail(); len(got.Content) < 4<<20 {
		t.Errorf("got %d bytes", len(got.Content))
	}
	m.SenderAddress = "bad@example.com"
	wantFault(t, d.Send(t.Context(), m, "", testMessage("bob@example.com")), StepSender, FaultSender)
}
