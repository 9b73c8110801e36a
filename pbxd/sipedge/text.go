package sipedge

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// maxText bounds a text message, octets: what fits into one datagram with its
// header (RFC 3428 section 8 wants less than 1300 in all; larger ones go over
// TCP).
const maxText = 8 << 10

// Text is a message from a phone (RFC 3428).
type Text struct {
	From call.Party
	To   string // number as dialled
	Body string // plain text, UTF-8
}

// text takes a MESSAGE outside of any call.
func (e *Edge) text(tx *transaction.Server, req *sip.Request) {
	if u, ok := e.authenticate(tx, req); ok {
		e.textOf(u, tx, req)
	}
}

// textOf takes a MESSAGE of a user.
func (e *Edge) textOf(u *pbx.User, tx *transaction.Server, req *sip.Request) {
	kind, params, err := mime.ParseMediaType(headerValue(req, "content-type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "text/plain" || charset != "" && charset != "utf-8" && charset != "us-ascii" {
		res := e.response(req, 415, reasonPhrase(415))
		res.AppendHeader(sip.NewHeader("Accept", "text/plain"))
		e.send(tx, res)
		return
	}
	body := req.Body()
	u, away := e.desks.acting(e.deps.Config(), u)
	status := 404 // nobody takes it
	switch {
	case away:
		status = 403 // the user of the phone is logged in at another one
	case len(body) > maxText, utf8.RuneCount(body) > pbx.MaxText:
		status = 413
	case !utf8.Valid(body), !pbx.PlainText(string(body)):
		status = 400
	case e.deps.Text != nil:
		if refused := e.deps.Text(Text{From: call.Party{Number: u.Extension, Name: u.DisplayName()}, To: dialled(req), Body: string(body)}); refused != 0 {
			status = refused.SIPStatus()
			break
		}
		status = 200
	}
	res := e.response(req, status, reasonPhrase(status))
	if status == 503 {
		res.AppendHeader(sip.NewHeader("Retry-After", "60"))
	}
	e.send(tx, res)
}

// Errors of SendText.
var (
	ErrNoPhone  = errors.New("no phone is registered")
	ErrTextSize = errors.New("text is too long")
)

// SendText sends plain text of at most 8 KiB to every phone of an extension and
// returns when the first has taken it. The error wraps ErrNoPhone or ErrTextSize,
// or says what each phone answered, or that ctx ended before.
func (e *Edge) SendText(ctx context.Context, extension string, from call.Party, text string) error {
	if len(text) > maxText {
		return fmt.Errorf("text of %d octets to %s, at most %d: %w", len(text), extension, maxText, ErrTextSize)
	}
	phones := e.phones(extension)
	if len(phones) == 0 {
		return fmt.Errorf("text to %s: %w", extension, ErrNoPhone)
	}
	results := make(chan error, len(phones)) // each phone answers once
	for _, reg := range phones {
		if err := e.sendText(reg, from, text, results); err != nil {
			results <- err
		}
	}
	var refused []error
	for range phones {
		select {
		case err := <-results:
			if err == nil {
				return nil
			}
			refused = append(refused, err)
		case <-ctx.Done():
			return fmt.Errorf("text to %s, %d of %d phones have answered: %w", extension, len(refused), len(phones), ctx.Err())
		}
	}
	return fmt.Errorf("text to %s: %w", extension, errors.Join(refused...))
}

func (e *Edge) sendText(reg pbx.Registration, from call.Party, text string, result chan<- error) error {
	d, err := e.towards(reg, from)
	if err != nil {
		return err
	}
	req := d.requestLocked(sip.MESSAGE)
	ct := sip.ContentTypeHeader("text/plain;charset=utf-8")
	req.AppendHeader(&ct)
	req.SetBody([]byte(text))
	d.via(req, d.flow)
	_, err = e.tx.Request(req, d.flow, func(res *sip.Response, err error) {
		switch {
		case err == nil && res.StatusCode < 200:
			return
		case err == nil && res.StatusCode >= 300:
			err = fmt.Errorf("phone at %s answered %d", reg.Source, res.StatusCode)
		}
		result <- err
	})
	return err
}
