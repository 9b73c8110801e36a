package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/wneessen/go-mail/smtp"

	"galilei/pbxd/pbx"
)

const (
	maxIterations = 1_000_000 // of SCRAM: a second or two on the device
	maxRounds     = 8         // of challenge and response; NTLM and SCRAM take three
)

var (
	errUnproven = errors.New("server signature is missing or wrong")
	errRefused  = errors.New("server refused the proof")
)

// mechanism returns the SASL name of a method of the settings.
func mechanism(method string) string { return strings.ToUpper(method) }

// sendsPassword reports whether the method sends the password, or a token
// that is as good, readable to everybody who sees the connection.
func sendsPassword(mech string) bool {
	return mech == "PLAIN" || mech == "LOGIN" || mech == "XOAUTH2"
}

// login proves to the server who we are, with the method of the settings.
func (s *session) login(l login, host string) error {
	if err := s.begin(StepLogin, s.limits.step); err != nil {
		return err
	}
	mech := mechanism(s.settings.Method)
	supported, list := s.client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(list))
	for i, o := range offered {
		offered[i] = s.clean.text(o)
	}
	_, encrypted := s.client.TLSConnectionState()
	switch {
	case !supported || len(offered) == 0:
		return &Error{Step: StepLogin, Fault: FaultNoLogin, Server: s.server}
	case !slices.Contains(offered, mech):
		return &Error{Step: StepLogin, Fault: FaultMethod, Server: s.server, Offered: offered[:min(len(offered), 20)]}
	case sendsPassword(mech) && !encrypted && !s.settings.AllowPlaintextPassword:
		return &Error{Step: StepLogin, Fault: FaultPlaintext, Server: s.server}
	case l.user == "" || strings.ContainsFunc(l.user+l.password, unicode.IsControl):
		return &Error{Step: StepLogin, Fault: FaultCredentials, Server: s.server}
	}
	auth := newAuth(mech, l, host)
	if auth == nil {
		return &Error{Step: StepLogin, Fault: FaultMethod, Server: s.server, Offered: offered[:min(len(offered), 20)]}
	}
	info := &smtp.ServerInfo{Name: host, TLS: encrypted, Auth: offered}
	if err := s.exchange(&guard{Auth: auth, scram: strings.HasPrefix(mech, "SCRAM-")}, info); err != nil {
		return s.failLogin(err)
	}
	s.say(pbx.Say("Logged in as {user} with {method}.", "user", l.user, "method", s.settings.Method))
	return nil
}

// exchange speaks AUTH (RFC 4954 section 4). go-mail's own loop is not used:
// after a refusal it sends two commands more and waits for their answers.
func (s *session) exchange(auth smtp.Auth, info *smtp.ServerInfo) error {
	mech, response, err := auth.Start(info)
	if err != nil {
		return fmt.Errorf("start %s: %w", mech, err)
	}
	command := strings.TrimSpace("AUTH " + mech + " " + base64.StdEncoding.EncodeToString(response))
	for {
		code, text, err := s.ask(command)
		if err != nil {
			return err
		}
		var challenge []byte
		switch code {
		case 235:
			_, err = auth.Next(nil, false)
			return err
		case 334:
			if challenge, err = base64.StdEncoding.DecodeString(text); err == nil {
				response, err = auth.Next(challenge, true)
			}
		default:
			return &textproto.Error{Code: code, Msg: text}
		}
		if err != nil {
			if s.conn.begin(s.limits.quit) == nil {
				_, _, _ = s.ask("*") // cancels the exchange; the answer changes nothing
			}
			return err
		}
		command = base64.StdEncoding.EncodeToString(response)
	}
}

// ask sends one line and reads the answer, whatever its code.
func (s *session) ask(line string) (code int, text string, err error) {
	id, err := s.client.Text.Cmd("%s", line)
	if err != nil {
		return 0, "", err
	}
	s.client.Text.StartResponse(id)
	defer s.client.Text.EndResponse(id)
	return s.client.Text.ReadResponse(0)
}

func newAuth(mech string, l login, host string) smtp.Auth {
	switch mech {
	case "PLAIN":
		return smtp.PlainAuth("", l.user, l.password, host, true) // session.login has asked about encryption
	case "LOGIN":
		return smtp.LoginAuth(l.user, l.password, host, true)
	case "CRAM-MD5":
		return smtp.CRAMMD5Auth(l.user, l.password)
	case "SCRAM-SHA-1":
		return smtp.ScramSHA1Auth(l.user, l.password)
	case "NTLM":
		domain, user, ok := strings.Cut(l.user, `\`) // DOMAIN\user
		if !ok {
			domain, user = "", l.user
		}
		return smtp.NTLMAuth(user, l.password, domain)
	case "XOAUTH2":
		return smtp.XOAuth2Auth(l.user, l.password)
	}
	return nil
}

// failLogin makes an *Error of a login that did not succeed.
func (s *session) failLogin(err error) *Error {
	e := s.fail(err)
	var corrupt base64.CorruptInputError
	switch {
	case e.Fault == FaultInterrupted || e.Fault == FaultTimeout || e.Code != 0:
	case errors.Is(err, errUnproven):
		e.Fault = FaultUnproven
	case errors.Is(err, errRefused):
		e.Fault, e.Answer, e.Err = FaultLogin, s.clean.text(err.Error()), nil
	case errors.As(err, &corrupt):
		e.Fault = FaultNotSMTP
	case strings.Contains(err.Error(), "normaliz"): // go-mail: SASLprep does not allow the name or the password
		e.Fault = FaultCredentials
	}
	return e
}

// loginFault finds out, from the answer's text, what a refused login needs.
// Providers say it in an enhanced status code (RFC 3463) and in words.
func loginFault(answer string) Fault {
	lower := strings.ToLower(answer)
	switch {
	case strings.Contains(lower, "5.7.139"), strings.Contains(lower, "authentication is disabled"),
		strings.Contains(lower, "smtpclientauthentication is disabled"):
		return FaultPasswordsOff // Microsoft 365
	case strings.Contains(lower, "application-specific password"), strings.Contains(lower, "app password"):
		return FaultAppPassword // Google, Yahoo, iCloud
	}
	return FaultLogin
}

// guard stands between the server and a method: it bounds what the server may
// ask, and lets no server pass that has not proved itself where the method has
// a proof.
type guard struct {
	smtp.Auth
	scram  bool
	proven bool
	rounds int
}

// Next answers one challenge; more is false for the answer that accepts.
func (g *guard) Next(challenge []byte, more bool) ([]byte, error) {
	if g.rounds++; g.rounds > maxRounds {
		return nil, wrongReply(334, fmt.Sprintf("%d challenges", g.rounds))
	}
	if !g.scram {
		return g.Auth.Next(challenge, more)
	}
	switch {
	case !more && !g.proven:
		return nil, errUnproven // RFC 5802 section 3: the client checks ServerSignature
	case more && bytes.HasPrefix(challenge, []byte("e=")):
		return nil, fmt.Errorf("%w: %s", errRefused, challenge[2:])
	case more && bytes.HasPrefix(challenge, []byte("r=")):
		if err := checkIterations(challenge); err != nil {
			return nil, err
		}
	}
	answer, err := g.Auth.Next(challenge, more)
	if more && bytes.HasPrefix(challenge, []byte("v=")) {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnproven, err)
		}
		g.proven = true
	}
	return answer, err
}

// checkIterations refuses a SCRAM server-first-message (RFC 5802 section 7)
// that would keep the processor busy for minutes.
func checkIterations(challenge []byte) error {
	for _, field := range strings.Split(string(challenge), ",") {
		count, ok := strings.CutPrefix(field, "i=")
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(count); err != nil || n < 1 || n > maxIterations {
			return &textproto.Error{Code: 334, Msg: fmt.Sprintf("iteration count %.20q, at most %d", count, maxIterations)}
		}
	}
	return nil
}
