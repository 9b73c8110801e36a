package mail

import (
	"errors"
	"fmt"
	"strings"

	"galilei/pbxd/pbx"
)

// Step is a part of a delivery, in the order in which they happen.
type Step string

// The steps of a delivery.
const (
	StepSettings  Step = "settings"
	StepToken     Step = "token" // OAuth access token (RFC 6749)
	StepResolve   Step = "resolve"
	StepConnect   Step = "connect"
	StepTLS       Step = "tls"
	StepGreeting  Step = "greeting"
	StepSTARTTLS  Step = "starttls"
	StepLogin     Step = "login"
	StepSender    Step = "sender"
	StepRecipient Step = "recipient"
	StepContent   Step = "content"
)

// Fault is why a step failed. Each has one advice.
type Fault string

// The faults.
const (
	FaultNoServer         Fault = "noServer"         // settings name no server
	FaultSenderAddress    Fault = "senderAddress"    // settings' sender address cannot be used
	FaultAddress          Fault = "address"          // receiver's address cannot be used
	FaultCredentials      Fault = "credentials"      // user name or password is missing or holds control characters
	FaultSealed           Fault = "sealed"           // stored secret cannot be opened
	FaultTokenURL         Fault = "tokenURL"         // OAuth address is missing or not https
	FaultTokenUnreachable Fault = "tokenUnreachable" // no usable answer from the OAuth address
	FaultTokenRefused     Fault = "tokenRefused"     // OAuth server refused to give a token
	FaultResolve          Fault = "resolve"          // no address for the server's name
	FaultRefused          Fault = "refused"          // nothing listens there
	FaultUnreachable      Fault = "unreachable"      // network has no way there
	FaultTimeout          Fault = "timeout"          // no answer in time
	FaultClosed           Fault = "closed"           // server closed the connection
	FaultNotSMTP          Fault = "notSMTP"          // answers are not SMTP
	FaultNotTLS           Fault = "notTLS"           // server does not speak TLS from the start
	FaultTLS              Fault = "tls"              // other TLS failure
	FaultCertificateName  Fault = "certificateName"  // certificate is for another name
	FaultCertificateTime  Fault = "certificateTime"  // certificate is out of its time
	FaultCertificate      Fault = "certificate"      // certificate of an unknown authority, or broken
	FaultNoSTARTTLS       Fault = "noSTARTTLS"       // not offered
	FaultNoLogin          Fault = "noLogin"          // server offers no AUTH
	FaultMethod           Fault = "method"           // server does not offer the method
	FaultPlaintext        Fault = "plaintext"        // password would go over an unencrypted connection
	FaultLogin            Fault = "login"            // user name or password refused
	FaultPasswordsOff     Fault = "passwordsOff"     // provider takes no passwords any more (P21)
	FaultAppPassword      Fault = "appPassword"      // provider wants a password made for this device
	FaultUnproven         Fault = "unproven"         // server did not prove that it knows the password (RFC 5802 section 3)
	FaultBusy             Fault = "busy"             // 4xx: for the time being
	FaultTurnedAway       Fault = "turnedAway"       // 5xx before the login
	FaultEncryptionNeeded Fault = "encryptionNeeded" // 523, 530 or 538: server wants encryption first (RFC 3207, RFC 4954 section 6)
	FaultLoginNeeded      Fault = "loginNeeded"      // 530: server wants a login
	FaultRelay            Fault = "relay"            // 5xx to RCPT TO: not from this device, or not without a login
	FaultSender           Fault = "sender"           // 5xx to MAIL FROM
	FaultRecipient        Fault = "recipient"        // 5xx to RCPT TO
	FaultContent          Fault = "content"          // 5xx to DATA or to the content
	FaultTooLarge         Fault = "tooLarge"         // over the server's SIZE (RFC 1870)
	FaultForeignLetters   Fault = "foreignLetters"   // address needs SMTPUTF8 (RFC 6531), which the server lacks
	FaultInterrupted      Fault = "interrupted"      // the device is going down
)

// Error says which step of a delivery failed, and why. It holds no secret:
// what the server said is cleaned of them.
type Error struct {
	Step    Step
	Fault   Fault
	Server  string   // host:port, or the host of the OAuth address
	Address string   // the address that was refused, for sender and recipient
	Code    int      // SMTP reply code (RFC 5321 section 4.2), 0 when there was none
	Answer  string   // what the server said, cleaned, at most 300 bytes
	Offered []string // login methods that the server offers
	Err     error    // cause, nil when Answer says it all
}

// Error returns the step, What in English, and the cause.
func (e *Error) Error() string {
	text := string(e.Step) + ": " + strings.TrimSuffix(e.What().Text(), ".")
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Permanent reports whether this mail can never be delivered, whatever the
// settings: its receiver or its content was refused with 5xx.
func (e *Error) Permanent() bool {
	switch e.Fault {
	case FaultAddress, FaultRecipient, FaultContent, FaultTooLarge, FaultForeignLetters:
		return true
	}
	return false
}

// aboutMail reports whether the fault concerns one mail only, so that others
// may go over the same connection.
func (e *Error) aboutMail() bool {
	later := e.Fault == FaultBusy && e.Code != 421 && (e.Step == StepRecipient || e.Step == StepContent)
	return e.Permanent() || later || e.Fault == FaultRelay // the server may take mail for its own addresses
}

// asError returns err as *Error. An error of another kind is a broken
// connection of the given step.
func asError(err error, step Step) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Step: step, Fault: FaultClosed, Err: err}
}

// reply is the server's answer as people read it in a log.
func (e *Error) reply() string {
	if e.Code == 0 {
		return e.Answer
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, e.Answer))
}

func (e *Error) offered() string {
	if len(e.Offered) == 0 {
		return "-"
	}
	return strings.Join(e.Offered, ", ")
}

// What says in one sentence what failed.
func (e *Error) What() pbx.Message {
	server, answer := e.Server, e.reply()
	switch e.Fault {
	case FaultNoServer:
		return pbx.Say("No mail server is set.")
	case FaultSenderAddress:
		return pbx.Say("The sender address {address} cannot be used.", "address", e.Address)
	case FaultAddress:
		return pbx.Say("The address {address} cannot be used.", "address", e.Address)
	case FaultCredentials:
		return pbx.Say("The user name or the password for {server} is missing or holds characters that cannot be sent.", "server", server)
	case FaultSealed:
		return pbx.Say("The stored password for {server} cannot be read.", "server", server)
	case FaultTokenURL:
		return pbx.Say("The OAuth token URL cannot be used.")
	case FaultTokenUnreachable:
		return pbx.Say("No access token was got from {server}.", "server", server)
	case FaultTokenRefused:
		return pbx.Say("{server} refused to give an access token: {answer}", "server", server, "answer", answer)
	case FaultResolve:
		return pbx.Say("No address was found for {server}.", "server", server)
	case FaultRefused:
		return pbx.Say("{server} refuses the connection.", "server", server)
	case FaultUnreachable:
		return pbx.Say("{server} cannot be reached.", "server", server)
	case FaultTimeout:
		return pbx.Say("{server} did not answer in time.", "server", server)
	case FaultClosed:
		return pbx.Say("{server} closed the connection.", "server", server)
	case FaultNotSMTP:
		return pbx.Say("What {server} answers is not SMTP.", "server", server)
	case FaultNotTLS:
		return pbx.Say("{server} does not encrypt from the start.", "server", server)
	case FaultTLS:
		return pbx.Say("No encrypted connection to {server} came about.", "server", server)
	case FaultCertificateName:
		return pbx.Say("The certificate of {server} is for another name.", "server", server)
	case FaultCertificateTime:
		return pbx.Say("The certificate of {server} has expired or is not valid yet.", "server", server)
	case FaultCertificate:
		return pbx.Say("The certificate of {server} cannot be trusted.", "server", server)
	case FaultNoSTARTTLS:
		return pbx.Say("{server} does not offer STARTTLS.", "server", server)
	case FaultNoLogin:
		return pbx.Say("{server} offers no login.", "server", server)
	case FaultMethod:
		return pbx.Say("{server} does not offer this authentication type. It offers: {offered}", "server", server, "offered", e.offered())
	case FaultPlaintext:
		return pbx.Say("The password was not sent to {server}, since the connection is not encrypted.", "server", server)
	case FaultLogin, FaultPasswordsOff, FaultAppPassword:
		return pbx.Say("{server} refused the login: {answer}", "server", server, "answer", answer)
	case FaultUnproven:
		return pbx.Say("{server} did not prove that it knows the password.", "server", server)
	case FaultBusy:
		return pbx.Say("{server} cannot take the mail now: {answer}", "server", server, "answer", answer)
	case FaultTurnedAway:
		return pbx.Say("{server} turned the device away: {answer}", "server", server, "answer", answer)
	case FaultEncryptionNeeded:
		return pbx.Say("{server} wants an encrypted connection: {answer}", "server", server, "answer", answer)
	case FaultLoginNeeded:
		return pbx.Say("{server} wants a login: {answer}", "server", server, "answer", answer)
	case FaultRelay:
		return pbx.Say("{server} does not let this device send to {address}: {answer}", "server", server, "address", e.Address, "answer", answer)
	case FaultSender:
		return pbx.Say("{server} refused the sender {address}: {answer}", "server", server, "address", e.Address, "answer", answer)
	case FaultRecipient:
		return pbx.Say("{server} refused the receiver {address}: {answer}", "server", server, "address", e.Address, "answer", answer)
	case FaultContent:
		return pbx.Say("{server} refused the mail: {answer}", "server", server, "answer", answer)
	case FaultTooLarge:
		if server == "" {
			return pbx.Say("The mail is too large: {answer}", "answer", answer)
		}
		return pbx.Say("The mail is too large for {server}: {answer}", "server", server, "answer", answer)
	case FaultForeignLetters:
		return pbx.Say("{server} cannot take the address {address}.", "server", server, "address", e.Address)
	case FaultInterrupted:
		return pbx.Say("The delivery was interrupted.")
	}
	return pbx.Say("The delivery failed: {fault}", "fault", string(e.Fault))
}
