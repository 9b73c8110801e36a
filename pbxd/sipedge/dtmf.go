package sipedge

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/sipedge/transaction"
)

var errNotDigit = errors.New("no DTMF digit")

// maxDigit bounds the length of a digit that is believed.
const maxDigit = 10 * time.Second

// parseDTMF reads the body of an INFO: application/dtmf-relay with a Signal and
// perhaps a Duration in ms, or application/dtmf with the bare digit. Flash is
// told as '!'.
func parseDTMF(contentType, body string) (digit rune, length time.Duration, err error) {
	kind, _, _ := strings.Cut(contentType, ";")
	signal := ""
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/dtmf":
		signal = strings.TrimSpace(body)
	case "application/dtmf-relay":
		for line := range strings.Lines(body) {
			k, v, _ := strings.Cut(line, "=")
			v = strings.TrimSpace(v)
			switch strings.ToLower(strings.TrimSpace(k)) {
			case "signal":
				signal = v
			case "duration":
				if ms, err := strconv.ParseUint(v, 10, 31); err == nil {
					length = min(time.Duration(ms)*time.Millisecond, maxDigit)
				}
			}
		}
	default:
		return 0, 0, fmt.Errorf("body of type %.40q: %w", contentType, errContentType)
	}
	switch strings.ToLower(signal) {
	case "10":
		return '*', length, nil
	case "11":
		return '#', length, nil
	case "12", "13", "14", "15":
		return rune('A' + signal[1] - '2'), length, nil
	case "16", "!", "f", "flash", "hf":
		return '!', length, nil
	}
	if len(signal) == 1 && strings.Contains("0123456789*#ABCD", strings.ToUpper(signal)) {
		return rune(strings.ToUpper(signal)[0]), length, nil
	}
	return 0, 0, fmt.Errorf("signal %.20q: %w", signal, errNotDigit)
}

// info takes an INFO within a call (RFC 6086; DTMF as of before it). One without
// a body is a sign of life.
func (l *leg) info(tx *transaction.Server, req *sip.Request) {
	if headerValue(req, "info-package") != "" { // RFC 6086 section 4.2.2: we asked for none
		res := l.edge.response(req, 469, "Bad Info Package")
		res.AppendHeader(sip.NewHeader("Recv-Info", ""))
		l.edge.send(tx, res)
		return
	}
	if len(req.Body()) == 0 {
		l.edge.reply(tx, req, 200, "OK")
		return
	}
	digit, length, err := parseDTMF(headerValue(req, "content-type"), string(req.Body()))
	switch {
	case errors.Is(err, errContentType):
		res := l.edge.response(req, 415, reasonPhrase(415))
		res.AppendHeader(sip.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
		l.edge.send(tx, res)
		return
	case err != nil:
		l.log.Info("INFO refused", "err", err)
		l.edge.reply(tx, req, 400, "Signal Is Not Known")
		return
	}
	l.edge.reply(tx, req, 200, "OK")
	l.tell(call.Event{Kind: call.EventDigit, Digit: digit, Length: length})
}

// Digit implements call.Leg.
func (l *leg) Digit(digit rune, length time.Duration) {
	l.sendDigit(digit, length, func() {})
}

// maxDigits bounds the digits that wait to be sent.
const maxDigits = 64

// digits are those that the media engine gives to be sent by INFO. It must not
// wait for the leg.
type digits struct {
	mu      sync.Mutex
	waiting []engine.Digit
	sending bool
}

// pressed sends a key to a phone that takes no telephone-event.
func (l *leg) pressed(d engine.Digit) {
	q := &l.digits
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == maxDigits {
		return
	}
	q.waiting = append(q.waiting, d)
	if !q.sending {
		q.sending = true
		go l.sendDigits()
	}
}

// sendDigits sends the next digit that waits, and once that is answered those
// after it: one that is lost and repeated would come too late for its number
// (RFC 3261 section 12.2.2).
func (l *leg) sendDigits() {
	q := &l.digits
	for sent := false; !sent; {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.sending = false
			q.mu.Unlock()
			return
		}
		d := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		sent = l.sendDigit(rune(d.Key), time.Duration(d.Ms)*time.Millisecond, l.sendDigits)
	}
}

// sendDigit sends a digit by INFO and reports whether it did; then is called
// when it is answered, or never will be.
func (l *leg) sendDigit(digit rune, length time.Duration, then func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != legUp || !strings.ContainsRune("0123456789*#ABCD", digit) {
		return false
	}
	if length <= 0 {
		length = 160 * time.Millisecond
	}
	req := l.requestLocked(sip.INFO)
	ct := sip.ContentTypeHeader("application/dtmf-relay")
	req.AppendHeader(&ct)
	req.SetBody(fmt.Appendf(nil, "Signal=%c\r\nDuration=%d\r\n", digit, min(length, maxDigit).Milliseconds()))
	flow, err := l.wayLocked()
	if err == nil {
		l.via(req, flow)
		_, err = l.askLocked(req, flow, func(res *sip.Response, err error, _ uint32) { // a digit that is not taken is lost
			if err != nil || res.StatusCode >= 200 {
				then()
			}
		})
	}
	if err != nil {
		l.log.Info("digit not sent", "err", err)
	}
	return err == nil
}
