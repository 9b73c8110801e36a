package web

import (
	"bytes"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Limits of answers. A client that reads slowly keeps what it does not take in
// the device's memory.
const (
	largeAnswer = 32 << 10 // bytes from which an answer is counted
	answerTime  = time.Minute
)

// brief is an answer that can be cut short where there is no room for the
// whole: what it tells of has happened, so that a refusal would mislead.
type brief interface{ briefly() any }

// writeAnswer writes a body as JSON. Large ones are counted until they are
// written, like bodies of requests and with the same limits, and have
// answerTime to be read.
func (e *endpoint) writeAnswer(ctx huma.Context, status int, body any) error {
	var text bytes.Buffer
	if err := writeJSON(&text, body); err != nil {
		return err
	}
	if text.Len() > largeAnswer {
		held := e.s.outgoing.share(senderOf(ctx.Context()))
		defer held.release()
		if held.try(int64(text.Cap()), 0) != nil {
			b, ok := body.(brief)
			if !ok {
				e.s.answer(ctx, later(ctx, "60", tooManyAnswers()))
				return nil
			}
			text.Reset()
			if err := writeJSON(&text, b.briefly()); err != nil {
				return err
			}
		}
		readWithin(ctx, answerTime)
	}
	ctx.SetHeader("Content-Type", "application/json")
	ctx.SetStatus(status)
	_, err := ctx.BodyWriter().Write(text.Bytes())
	return err
}

// readWithin gives the client so long to read the answer. Not every writer has
// deadlines: a test's recorder has none.
func readWithin(ctx huma.Context, d time.Duration) {
	_, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

func tooManyAnswers() *Problem {
	return refuse(http.StatusServiceUnavailable, "Too many large answers are under way. Try again in a minute.")
}
