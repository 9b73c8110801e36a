package mail

import (
	"strconv"

	gomail "github.com/wneessen/go-mail"

	"galilei/pbxd/pbx"
)

// deliver sends one mail over the session. Its errors are *Error;
// after one with aboutMail the session goes on.
func (s *session) deliver(m Message) error {
	msg, from, to, err := compose(s.settings, m, s.host)
	if err != nil {
		return err
	}
	if s.used {
		if err := s.begin(StepSender, s.limits.step); err != nil {
			return err
		}
		if err := s.client.Reset(); err != nil {
			return s.fail(err)
		}
	}
	s.used = true
	if err := s.envelope(m, from, to); err != nil {
		return err
	}
	return s.content(msg)
}

// headerHost returns host as it may stand in a header and in EHLO, or "localhost":
// a name with other characters in it never reaches a line.
func headerHost(host string) string {
	a, err := parseAddress("x@" + host)
	if err != nil {
		return "localhost"
	}
	return a.text[len("x@"):]
}

// envelope names sender and receiver (RFC 5321 sections 4.1.1.2 and 4.1.1.3).
func (s *session) envelope(m Message, from, to address) error {
	if err := s.begin(StepSender, s.limits.step); err != nil {
		return err
	}
	if err := s.fits(m); err != nil {
		return err
	}
	s.client.SkipSMTPUTF8(!from.foreign && !to.foreign)
	if ok, _ := s.client.Extension("SMTPUTF8"); !ok {
		if from.foreign {
			return &Error{Step: StepSender, Fault: FaultSenderAddress, Server: s.server, Address: from.text}
		}
		if to.foreign {
			return &Error{Step: StepRecipient, Fault: FaultForeignLetters, Server: s.server, Address: to.text}
		}
	}
	if err := s.client.Mail(from.path()); err != nil {
		e := s.fail(err)
		e.Address = from.text
		return e
	}
	s.say(pbx.Say("The server takes mail from {address}.", "address", from.text))
	if err := s.begin(StepRecipient, s.limits.step); err != nil {
		return err
	}
	if err := s.client.Rcpt(to.path()); err != nil {
		e := s.fail(err)
		e.Address = to.text
		return e
	}
	s.say(pbx.Say("The server takes mail for {address}.", "address", to.text))
	return nil
}

// fits compares the mail with the size that the server announced (RFC 1870
// section 4; 0 means no limit).
func (s *session) fits(m Message) error {
	ok, text := s.client.Extension("SIZE")
	most, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || most <= 0 || int64(m.size()) <= most {
		return nil
	}
	return &Error{
		Step: StepContent, Fault: FaultTooLarge, Server: s.server,
		Answer: strconv.Itoa(m.size()) + " > " + strconv.FormatInt(most, 10),
	}
}

// content sends headers and body (RFC 5321 section 4.1.1.4).
func (s *session) content(msg *gomail.Msg) error {
	if err := s.begin(StepContent, s.limits.step); err != nil {
		return err
	}
	w, err := s.client.Data()
	if err != nil {
		return s.fail(err)
	}
	s.conn.block = s.limits.block
	if _, err := msg.WriteTo(w); err != nil {
		// The dot that ends the content must not be sent: the server would take half a mail.
		s.conn.Close()
		return s.fail(err)
	}
	if err := s.begin(StepContent, s.limits.final); err != nil {
		return err
	}
	s.conn.block = s.limits.final // closing flushes what is left, then waits for the answer
	if err := w.Close(); err != nil {
		return s.fail(err)
	}
	s.say(pbx.Say("The server has taken the mail."))
	return nil
}
