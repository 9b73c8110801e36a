package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"
)

// fail makes an *Error of what went wrong in the current step.
func (s *session) fail(err error) *Error {
	var already *Error
	if errors.As(err, &already) {
		return already
	}
	e := &Error{Step: s.step, Server: s.server}
	if cause := s.ctx.Err(); cause != nil { // the connection was closed under the step
		e.Fault, e.Err = FaultInterrupted, cause
		if errors.Is(cause, context.DeadlineExceeded) {
			e.Fault = FaultTimeout
		}
		return e
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		e.Code, e.Answer = reply.Code, s.clean.text(reply.Msg)
		e.Fault = replyFault(s.step, reply.Code, e.Answer)
		return e
	}
	e.Fault = connectionFault(&e.Step, err)
	e.Err = errors.New(s.clean.text(err.Error())) // the cause may repeat what the server sent
	return e
}

// replyFault sorts an answer that was not the wanted one (RFC 5321 section 4.2.1).
func replyFault(step Step, code int, answer string) Fault {
	switch {
	case code >= 400 && code < 500:
		return FaultBusy
	case code < 400 || code > 599:
		return FaultNotSMTP
	}
	switch {
	case code == 538, code == 523, code == 530 && strings.Contains(strings.ToUpper(answer), "TLS"), code == 530 && step == StepLogin:
		return FaultEncryptionNeeded
	case code == 530 && (step == StepSender || step == StepRecipient):
		return FaultLoginNeeded
	}
	switch step {
	case StepLogin:
		return loginFault(answer)
	case StepSender:
		return FaultSender
	case StepRecipient:
		if refusesRelay(answer) {
			return FaultRelay
		}
		return FaultRecipient
	case StepContent:
		return FaultContent
	}
	return FaultTurnedAway
}

// refusesRelay reports whether the refusal of a receiver speaks of who sends:
// status 5.7 is about rights (RFC 3463 section 3.8), and servers without such
// codes say it in words.
func refusesRelay(answer string) bool {
	lower := strings.ToLower(strings.TrimSpace(answer))
	return strings.HasPrefix(lower, "5.7.") || strings.Contains(lower, "relay") || strings.Contains(lower, "authenticat")
}

// connectionFault sorts what broke a connection, and puts the step right when
// the cause knows better.
func connectionFault(step *Step, err error) Fault {
	var (
		dns      *net.DNSError
		record   tls.RecordHeaderError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		unknown  x509.UnknownAuthorityError
		verify   *tls.CertificateVerificationError
		alert    tls.AlertError
		protocol textproto.ProtocolError
		timeout  net.Error
	)
	switch {
	case errors.As(err, &dns):
		*step = StepResolve
		return FaultResolve
	case errors.As(err, &name):
		return FaultCertificateName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return FaultCertificateTime
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &verify):
		return FaultCertificate
	case errors.As(err, &record):
		return FaultNotTLS
	case errors.As(err, &alert):
		return FaultTLS
	case errors.As(err, &protocol), errors.Is(err, errFlood):
		return FaultNotSMTP
	case errors.Is(err, syscall.ECONNREFUSED):
		return FaultRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return FaultUnreachable
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return FaultTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return FaultClosed
	}
	switch *step {
	case StepTLS, StepSTARTTLS:
		return FaultTLS
	case StepConnect:
		return FaultUnreachable
	}
	return FaultNotSMTP
}

// wrongReply is an answer that is well formed but not one that the step knows.
func wrongReply(code int, text string) error {
	return fmt.Errorf("unexpected answer: %w", &textproto.Error{Code: code, Msg: text})
}
