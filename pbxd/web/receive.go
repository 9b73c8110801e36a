package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Limits of bodies as they arrive.
const (
	bodyWait     = 2 * time.Second // for room for a body
	smallestBody = 1 << 10         // bytes that a body counts for at least
	uploadChunk  = 32 << 10        // bytes of a file that must come within uploadPause
	uploadPause  = 10 * time.Second
)

// readBody returns the body of a request, which must come within its time and
// size. It has the room that it may need before it is read.
func (e *endpoint) readBody(ctx huma.Context, held *share) ([]byte, *Problem) {
	r, _ := humago.Unwrap(ctx)
	size := e.op.MaxBodyBytes
	if r.ContentLength >= 0 {
		size = min(size, r.ContentLength)
	}
	if !held.take(ctx.Context(), max(size, smallestBody), 0, bodyWait) {
		return nil, later(ctx, "1", refuse(http.StatusServiceUnavailable, "Too many requests at a time. Try again in a second."))
	}
	// Not every connection has deadlines: a test's recorder has none.
	_ = ctx.SetReadDeadline(time.Now().Add(e.op.BodyReadTimeout))
	text, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), e.op.MaxBodyBytes+1))
	switch {
	case int64(len(text)) > e.op.MaxBodyBytes:
		return nil, refuse(http.StatusRequestEntityTooLarge, "This is too large.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "The request took too long to arrive.")
	case err != nil:
		e.s.Log.Debug("request did not arrive whole", "operation", e.op.OperationID, "bytes", len(text), "err", err)
		return nil, refuse(http.StatusBadRequest, "The request did not arrive whole.")
	case len(text) == 0:
		return nil, refuse(http.StatusBadRequest, "The request has no body.")
	}
	return text, nil
}

// readFile reads a body that is a file, piece by piece: each has room before it
// is read and uploadPause to come, all together uploadTime. So the memory that a
// slow sender holds is what has come, not what may come.
func (e *endpoint) readFile(ctx huma.Context, held *share) (*pieces, *Problem) {
	r, w := humago.Unwrap(ctx)
	tooLarge := refuse(http.StatusRequestEntityTooLarge, "The file is larger than {limit} bytes.", "limit", e.op.MaxBodyBytes-multipartRoom)
	if r.ContentLength > e.op.MaxBodyBytes {
		return nil, tooLarge
	}
	control := http.NewResponseController(w)
	end := time.Now().Add(uploadTime)
	_ = control.SetWriteDeadline(end.Add(uploadWork)) // as in readBody: a recorder has none
	body := &pieces{}
	for files := 1; ; files = 0 {
		if !held.take(ctx.Context(), uploadChunk, files, uploadWait) {
			return nil, later(ctx, "60", refuse(http.StatusServiceUnavailable, "Too many uploads at a time. Try again in a minute."))
		}
		_ = control.SetReadDeadline(earlier(time.Now().Add(uploadPause), end))
		piece := make([]byte, uploadChunk)
		n, err := fill(r.Body, piece)
		body.add(piece[:n])
		switch {
		case body.size > e.op.MaxBodyBytes:
			return nil, tooLarge
		case err == io.EOF:
			return body, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, refuse(http.StatusRequestTimeout, "The request took too long to arrive.")
		case err != nil:
			e.s.Log.Debug("file did not arrive whole", "operation", e.op.OperationID, "bytes", body.size, "err", err)
			return nil, refuse(http.StatusBadRequest, "The file did not arrive whole.")
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// later is p, which says when to come again.
func later(ctx huma.Context, seconds string, p *Problem) *Problem {
	ctx.SetHeader("Retry-After", seconds)
	return p
}

// fill reads until b is full or nothing more comes. Other than io.ReadFull it
// returns the very error: one end of a body is its end, the other is not.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var more int
		more, err = r.Read(b[n:])
		n += more
	}
	return n, err
}

// pieces is a body in memory that is read once.
type pieces struct {
	list [][]byte
	size int64 // bytes that were added
}

func (p *pieces) add(piece []byte) {
	p.list, p.size = append(p.list, piece), p.size+int64(len(piece))
}

// Read reads what was added.
func (p *pieces) Read(b []byte) (int, error) {
	for len(p.list) > 0 && len(p.list[0]) == 0 {
		p.list = p.list[1:]
	}
	if len(p.list) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.list[0])
	p.list[0] = p.list[0][n:]
	return n, nil
}
