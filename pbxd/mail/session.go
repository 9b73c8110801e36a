package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"galilei/pbxd/pbx"
)

// dialFunc connects; net.Dialer.DialContext is one.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// reach is how servers are reached, whatever the settings.
type reach struct {
	dial   dialFunc
	roots  *x509.CertPool // nil: the system's
	host   func() string
	limits limits
}

// login is what a session logs in with. Password is the access token for xoauth2.
type login struct {
	user, password string
}

// session is one connection to a mail server, logged in and ready for mails.
// It serves one goroutine.
type session struct {
	ctx      context.Context
	stop     func() bool // ends the watch over ctx
	settings pbx.MailSettings
	limits   limits
	server   string // host:port
	conn     *boundedConn
	client   *smtp.Client
	clean    cleaner
	step     Step
	note     func(Step, pbx.Message) // tells what went well; may be nil
	host     string                  // right side of Message-IDs
	used     bool                    // a mail was tried on this connection
}

// open connects, encrypts and logs in as the settings say. Its errors are *Error.
func (r reach) open(ctx context.Context, settings pbx.MailSettings, l login, note func(Step, pbx.Message)) (*session, error) {
	s := &session{
		ctx: ctx, settings: settings, limits: r.limits, note: note, host: headerHost(r.host()),
		server: net.JoinHostPort(settings.Server, strconv.Itoa(settings.Port)),
		clean:  newCleaner(l.password),
	}
	if settings.Server == "" {
		return nil, &Error{Step: StepSettings, Fault: FaultNoServer}
	}
	host, err := asciiName(settings.Server)
	if err != nil {
		return nil, &Error{Step: StepResolve, Fault: FaultResolve, Server: s.server, Err: err}
	}
	if err := s.connect(r, host); err != nil {
		return nil, err
	}
	if err := s.greet(r, host); err != nil {
		s.drop()
		return nil, err
	}
	if settings.Authentication {
		if err := s.login(l, host); err != nil {
			s.drop()
			return nil, err
		}
	}
	return s, nil
}

// connect finds the server, connects and, for TLS from the start, encrypts.
func (s *session) connect(r reach, host string) error {
	s.step = StepConnect
	ctx, cancel := context.WithTimeout(s.ctx, r.limits.dial)
	defer cancel()
	conn, err := r.dial(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(s.settings.Port)))
	if err != nil {
		return s.fail(err)
	}
	s.conn = &boundedConn{Conn: conn}
	s.stop = context.AfterFunc(s.ctx, func() { conn.Close() })
	s.say(pbx.Say("Connected to {server} ({address}).", "server", s.server, "address", conn.RemoteAddr().String()))
	return nil
}

// greet speaks until the server knows who we are and the connection is as
// secure as the settings want.
func (s *session) greet(r reach, host string) error {
	conf := &tls.Config{ServerName: host, RootCAs: r.roots, MinVersion: tls.VersionTLS12}
	var conn net.Conn = s.conn
	if s.settings.Security == "tls" {
		if err := s.begin(StepTLS, r.limits.dial); err != nil {
			return err
		}
		encrypted := tls.Client(s.conn, conf)
		if err := encrypted.HandshakeContext(s.ctx); err != nil {
			return s.fail(err)
		}
		conn = encrypted
		s.sayEncrypted(encrypted.ConnectionState())
	}
	if err := s.begin(StepGreeting, r.limits.step); err != nil {
		return err
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return s.fail(err)
	}
	s.client = client
	if err := s.begin(StepGreeting, r.limits.step); err != nil {
		return err
	}
	if err := client.Hello(heloName(s.host, s.conn.LocalAddr())); err != nil {
		return s.fail(err)
	}
	if s.settings.Security != "starttls" {
		return nil
	}
	if err := s.begin(StepSTARTTLS, r.limits.step); err != nil {
		return err
	}
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return &Error{Step: StepSTARTTLS, Fault: FaultNoSTARTTLS, Server: s.server}
	}
	if err := client.StartTLS(conf); err != nil {
		return s.fail(err)
	}
	if state, ok := client.TLSConnectionState(); ok {
		s.sayEncrypted(state)
	}
	return nil
}

// heloName is the name for EHLO: the device's own when it is fully qualified,
// else its address as a literal (RFC 5321 sections 4.1.1.1 and 4.1.3).
func heloName(host string, local net.Addr) string {
	if strings.Contains(host, ".") {
		return host
	}
	addr, ok := local.(*net.TCPAddr)
	switch {
	case !ok:
		return "localhost"
	case addr.IP.To4() != nil:
		return "[" + addr.IP.String() + "]"
	}
	return "[IPv6:" + addr.IP.String() + "]"
}

// begin starts a step with its time.
func (s *session) begin(step Step, d time.Duration) error {
	s.step = step
	if err := s.conn.begin(d); err != nil {
		return s.fail(err)
	}
	return nil
}

// close says goodbye and closes the connection.
func (s *session) close() {
	if s.conn.begin(s.limits.quit) == nil {
		_ = s.client.Quit() // the mail is through; nobody waits for this answer
	}
	s.drop()
}

// drop closes the connection as it is.
func (s *session) drop() {
	s.stop()
	s.conn.Close()
}

func (s *session) say(m pbx.Message) {
	if s.note != nil {
		s.note(s.step, m)
	}
}

func (s *session) sayEncrypted(state tls.ConnectionState) {
	s.say(pbx.Say("The connection is encrypted with {version}.", "version", tls.VersionName(state.Version)))
}
