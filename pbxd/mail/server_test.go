package mail

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// received is one mail that a server took.
type received struct {
	from, to string
	utf8     bool
	content  string
}

// mailServer is an SMTP server that does what the test says.
type mailServer struct {
	addr net.Addr

	methods map[string]func() sasl.Server // by SASL name; a server of it accepts or refuses

	mu       sync.Mutex
	mails    []received
	sessions int
	logins   int
	onMail   func(from string) error
	onRcpt   func(to string) error
	onData   func(content string) error
}

// serverOptions changes the go-smtp server before it starts.
type serverOptions struct {
	cert     *tls.Certificate
	implicit bool // TLS from the start
	utf8     bool
	most     int64 // bytes of a mail
	listener net.Listener
}

// startServer starts a server that ends with the test.
func startServer(t *testing.T, o serverOptions, methods map[string]func() sasl.Server) *mailServer {
	t.Helper()
	m := &mailServer{methods: methods}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sessions++
		return &serverSession{server: m}, nil
	}))
	s.Domain, s.AllowInsecureAuth, s.EnableSMTPUTF8, s.MaxMessageBytes = "mail.test", true, o.utf8, o.most
	s.ErrorLog = log.New(io.Discard, "", 0)
	l := o.listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	m.addr = l.Addr()
	if o.cert != nil {
		conf := &tls.Config{Certificates: []tls.Certificate{*o.cert}}
		if o.implicit {
			l = tls.NewListener(l, conf)
		} else {
			s.TLSConfig = conf
		}
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	t.Cleanup(func() { s.Close(); l.Close(); <-done }) // Serve may not know l yet
	return m
}

func (m *mailServer) got() []received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

// set changes what the server does while it runs.
func (m *mailServer) set(change func(*mailServer)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

func (m *mailServer) count() (sessions, logins int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions, m.logins
}

// serverSession is one connection.
type serverSession struct {
	server *mailServer
	mail   received
}

func (s *serverSession) AuthMechanisms() (names []string) {
	for name := range s.server.methods {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *serverSession) Auth(mech string) (sasl.Server, error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.logins++
	start, ok := s.server.methods[mech]
	if !ok {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return start(), nil
}

func (s *serverSession) Mail(from string, o *smtp.MailOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail = received{from: from, utf8: o.UTF8}
	if s.server.onMail != nil {
		return s.server.onMail(from)
	}
	return nil
}

func (s *serverSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail.to = to
	if s.server.onRcpt != nil {
		return s.server.onRcpt(to)
	}
	return nil
}

func (s *serverSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail.content = string(b)
	if s.server.onData != nil {
		if err := s.server.onData(s.mail.content); err != nil {
			return err
		}
	}
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

func (s *serverSession) Reset()        {}
func (s *serverSession) Logout() error { return nil }

// refusal is an SMTP answer.
func refusal(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
}

// noRelay is what a server says that knows neither sender nor receiver.
func noRelay() error {
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relaying denied"}
}
