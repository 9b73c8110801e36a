package mail

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	netmail "net/mail"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"galilei/pbxd/pbx"
)

// Bounds of one mail.
const (
	MaxText        = 1 << 20  // bytes of text
	MaxAttachments = 10 << 20 // bytes of all attachments together, before base64; sending takes 6 times that of memory
	maxFiles       = 20
	maxSubject     = 200 // runes; RFC 5322 section 2.1.1 bounds a line to 998 bytes
	maxFileName    = 100 // runes
	maxAddress     = 254 // bytes, RFC 5321 section 4.5.3.1.3
)

// Message is one mail to one receiver.
type Message struct {
	ID          string // left of the Message-ID's @, letters and digits; the same for each attempt
	Date        time.Time
	To          string // name@example.com
	Subject     string
	Text        string
	Attachments []pbx.MailAttachment
}

// messageOf returns what is sent for a job. The ID has the time of writing in
// it, since a queue may give a number again.
func messageOf(j pbx.MailJob) Message {
	return Message{
		ID:   fmt.Sprintf("galilei.%d.%x", j.ID, j.Created.UnixNano()),
		Date: j.Created, To: j.To, Subject: j.Subject, Text: j.Text, Attachments: j.Attachments,
	}
}

// address is an address as SMTP and headers take it: its domain in ASCII.
type address struct {
	text string // local@domain, local part as it is
	// foreign says that the local part is not ASCII: only a server with
	// SMTPUTF8 takes it (RFC 6531).
	foreign bool
}

// path returns the address in angle brackets, its local part quoted when it
// must be (RFC 5321 section 4.1.2).
func (a address) path() string { return (&netmail.Address{Address: a.text}).String() }

// parseAddress reads name@example.com. Anything besides one bare address is
// refused, and so is a control character anywhere.
func parseAddress(s string) (address, error) {
	if len(s) > maxAddress {
		return address{}, fmt.Errorf("address of %d bytes, at most %d", len(s), maxAddress)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return address{}, errors.New("address holds characters that cannot be sent")
	}
	parsed, err := netmail.ParseAddress(s)
	if err != nil {
		return address{}, fmt.Errorf("parse address: %w", err)
	}
	at := strings.LastIndexByte(parsed.Address, '@')
	if parsed.Name != "" || strings.ContainsAny(s, "<>") || at < 1 {
		return address{}, errors.New("address has the form name@example.com")
	}
	local, domain := parsed.Address[:at], parsed.Address[at+1:]
	if domain, err = asciiName(domain); err != nil {
		return address{}, fmt.Errorf("domain of the address: %w", err)
	}
	return address{text: local + "@" + domain, foreign: !isASCII(local)}, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// asciiName writes a name with other letters as DNS has it (RFC 5891). Names
// in ASCII stay as they are, also those that DNS rules do not allow.
func asciiName(name string) (string, error) {
	if isASCII(name) {
		return name, nil
	}
	return idna.Lookup.ToASCII(name)
}

// line makes s fit for one header line: no control characters, at most max runes.
func line(s string, max int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	}), " ")
	if r := []rune(s); len(r) > max {
		s = strings.TrimSpace(string(r[:max]))
	}
	return s
}

// fileName makes an attachment's name harmless: no path, nothing that ends a
// quoted string.
func fileName(s string) string {
	s = line(path.Base(strings.ReplaceAll(s, `\`, "/")), maxFileName)
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`"/:<>?|*;`, r) {
			return '_'
		}
		return r
	}, s)
	if strings.Trim(s, "._ ") == "" {
		return "attachment"
	}
	return s
}

// check refuses a message that can never be sent.
func (m Message) check() error {
	if _, err := parseAddress(m.To); err != nil {
		return &Error{Step: StepRecipient, Fault: FaultAddress, Address: line(m.To, maxAddress), Err: err}
	}
	size := 0
	for _, a := range m.Attachments {
		size += len(a.Data)
	}
	if len(m.Text) > MaxText || size > MaxAttachments || len(m.Attachments) > maxFiles {
		return &Error{Step: StepContent, Fault: FaultTooLarge, Err: ErrTooLarge, Answer: fmt.Sprintf(
			"text of %d bytes, %d attachments of %d bytes, at most %d, %d and %d",
			len(m.Text), len(m.Attachments), size, MaxText, maxFiles, MaxAttachments)}
	}
	return nil
}

// size estimates from above the bytes of the message as sent: base64 with
// line ends for attachments, quoted-printable for the text.
func (m Message) size() int {
	n := 4096 + 3*len(m.Text) + 3*len(m.Text)/70
	for _, a := range m.Attachments {
		n += (len(a.Data)+2)/3*4*78/76 + 2048
	}
	return n
}

// compose writes the message for go-mail. host is the right side of the
// Message-ID.
func compose(s pbx.MailSettings, m Message, host string) (msg *gomail.Msg, from, to address, err error) {
	if from, err = parseAddress(s.SenderAddress); err != nil {
		return nil, from, to, &Error{Step: StepSender, Fault: FaultSenderAddress, Address: line(s.SenderAddress, maxAddress), Err: err}
	}
	if err = m.check(); err != nil {
		return nil, from, to, err
	}
	if to, err = parseAddress(m.To); err != nil {
		return nil, from, to, err
	}
	msg = gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&netmail.Address{Name: line(s.SenderName, maxFileName), Address: from.text})
	msg.ToMailAddress(&netmail.Address{Address: to.text})
	msg.Subject(line(m.Subject, maxSubject))
	msg.SetDateWithValue(m.Date)
	msg.SetMessageIDWithValue(m.ID + "@" + host)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 section 5: nobody answers on a holiday
	msg.SetBodyString(gomail.TypeTextPlain, strings.ToValidUTF8(m.Text, "?"))
	for _, a := range m.Attachments {
		kind, _, err := mime.ParseMediaType(a.Type)
		if err != nil || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
			kind = "application/octet-stream"
		}
		msg.AttachReadSeeker(fileName(a.Name), bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(kind)))
	}
	return msg, from, to, nil
}
