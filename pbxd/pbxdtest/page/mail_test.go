package page_test

import (
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"galilei/pbxd/pbxdtest/browser"
)

// postOffice is an SMTP server that keeps what it is given, and knows nobody at
// example.net.
type postOffice struct {
	mu    sync.Mutex
	mails []string
}

func (o *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &postman{office: o}, nil }

type postman struct {
	office *postOffice
	to     string
}

func (*postman) Mail(string, *smtp.MailOptions) error { return nil }
func (*postman) Reset()                               {}
func (*postman) Logout() error                        { return nil }

func (m *postman) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasSuffix(to, "@example.net") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	m.to = to
	return nil
}

func (m *postman) Data(r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return err
	}
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	m.office.mails = append(m.office.mails, m.to+"\n"+string(text))
	return nil
}

// TestPeopleMail sets up the delivery of e-mail, sends a test mail, and is told
// when the server knows the receiver not or is not there.
func TestPeopleMail(t *testing.T) {
	post := &postOffice{}
	server := smtp.NewServer(post)
	server.Domain, server.ReadTimeout, server.WriteTimeout = "localhost", 10*time.Second, 10*time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-over
	})
	port := l.Addr().(*net.TCPAddr).Port

	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("E-mail delivery")
	p.Tick("E-mail delivery", true)
	p.Fill("Sender e-mail address", "pbx@example.org")
	p.Fill("SMTP server", "127.0.0.1")
	p.Fill("SMTP port", strconv.Itoa(port))
	p.Tick("Plaintext", true)
	p.Fill("Send a test mail to", "anna@example.org")
	p.Press("Send test mail")
	p.Sees("The mail server has taken the test mail to anna@example.org.")
	shoot(p, "mail-tested")
	post.mu.Lock()
	mails := append([]string(nil), post.mails...)
	post.mu.Unlock()
	if len(mails) != 1 || !strings.HasPrefix(mails[0], "anna@example.org\n") || !strings.Contains(mails[0], "pbx@example.org") {
		t.Errorf("the server took %q", mails)
	}

	p.Fill("Send a test mail to", "nobody@example.net")
	p.Press("Send test mail")
	p.Sees("Failed: receiver")
	p.Sees("no such mailbox")
	shoot(p, "mail-refused")
	p.Press("Save")
	p.Sees("Settings are saved")

	// The user is told by mail of what an administrator changes (F216).
	a := s.As("admin", pin)
	a.Do("PUT", "/api/v1/users/"+idOf(a, "anna"), map[string]any{"user": "anna", "extension": "201", "firstName": "Anna", "lastName": "Adler", "email": "anna@example.org"}, 0, nil)
	s.Eventually("the mail about the change", func() bool {
		post.mu.Lock()
		defer post.mu.Unlock()
		return len(post.mails) == 2 && strings.Contains(post.mails[1], "Last name")
	})
	p.NoTroubles()
}
