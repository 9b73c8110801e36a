package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/csvtable"
)

// Limits of uploads.
const (
	maxUpload     = csvtable.MaxBytes // bytes of a file, the largest that is taken
	maxUploads    = 2                 // that are worked on at a time, and as many of administrators
	uploadTime    = 2 * time.Minute   // for the body: 5 MB at 350 kbit/s
	uploadWork    = 5 * time.Minute   // for what is done with it, beside that
	uploadWait    = 20 * time.Second
	multipartRoom = 64 << 10 // bytes of a form around its file
)

// The media types that bodies with a file may have.
const (
	typeCSV       = "text/csv"
	typeText      = "text/plain"
	typeBinary    = "application/octet-stream"
	typeMultipart = "multipart/form-data"
	typeImage     = "image/*"
)

// upload is a request body that is a file: the body itself, or the one file
// of a form. It has come whole before the operation begins.
type upload struct {
	media string // Content-Type
	body  *pieces

	form *multipart.Reader // nil when the body is the file
}

// open returns the file, of which at most limit bytes are wanted: there may be
// a few more, so that its reader can say that it is too large.
func (u *upload) open(limit int64) (io.Reader, error) {
	if u.body.size > limit+multipartRoom {
		return nil, refuse(http.StatusRequestEntityTooLarge, "The file is larger than {limit} bytes.", "limit", limit)
	}
	media, params, err := mime.ParseMediaType(u.media)
	if err != nil || media != typeMultipart {
		return u.body, nil // a type that is not taken was refused before
	}
	u.form = multipart.NewReader(u.body, params["boundary"])
	return u.nextFile()
}

// errForm says that a form is not written as one.
var errForm = errors.New("form cannot be read")

// nextFile returns the next file of the form. Other fields are passed over.
func (u *upload) nextFile() (io.Reader, error) {
	for {
		part, err := u.form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, refuse(http.StatusUnprocessableEntity, "The form has no file.")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errForm, err)
		}
		if part.FileName() != "" {
			return part, nil
		}
	}
}

// bytes returns the whole file, at most limit bytes and one.
func (u *upload) bytes(limit int64) ([]byte, error) {
	file, err := u.open(limit)
	if err != nil {
		return nil, brokenUpload(err)
	}
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, brokenUpload(fmt.Errorf("read file after %d bytes: %w", len(text), err))
	}
	if u.form == nil || int64(len(text)) > limit {
		return text, nil
	}
	if _, err := u.nextFile(); err == nil {
		return nil, refuse(http.StatusUnprocessableEntity, "The form has more than one file. Send one at a time.")
	}
	return text, nil
}

// brokenUpload says to the client that a form cannot be read, and returns
// other errors as they are.
func brokenUpload(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errForm) {
		return refuse(http.StatusBadRequest, "The file did not arrive whole.")
	}
	return err
}

// uploadPlaces are what only so many may have at a time. Those of administrators are
// apart, so that nobody else keeps them waiting.
type uploadPlaces struct{ plain, admin chan struct{} }

func newUploadPlaces(each int) uploadPlaces {
	return uploadPlaces{plain: make(chan struct{}, each), admin: make(chan struct{}, each)}
}

// enterUpload takes a place among those who work on a file, and returns how to
// leave it.
func (s *Server) enterUpload(ctx context.Context) (leave func(), err error) {
	return s.uploads.enter(ctx)
}

// enter takes a place within uploadWait.
func (p uploadPlaces) enter(ctx context.Context) (leave func(), err error) {
	queue := p.plain
	if c := callerOf(ctx); c != nil && c.actor.Admin {
		queue = p.admin
	}
	wait := time.NewTimer(uploadWait)
	defer wait.Stop()
	select {
	case queue <- struct{}{}:
		return func() { <-queue }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to upload: %w", ctx.Err())
	case <-wait.C:
		return nil, huma.ErrorWithHeaders(refuse(http.StatusServiceUnavailable, "Too many uploads at a time. Try again in a minute."),
			http.Header{"Retry-After": {strconv.Itoa(60)}})
	}
}

// registerUpload registers an operation whose body is a file of one of the
// media types, or a form with one file, of at most maxBody bytes, 0 for maxUpload.
func registerUpload[I, O any](s *Server, op operation, types []string, handle func(context.Context, *I) (*O, error)) {
	if op.maxBody == 0 {
		op.maxBody = maxUpload
	}
	op.maxBody += multipartRoom
	op.accepts = append(slices.Clone(types), typeMultipart)
	op.errors = append(op.errors, http.StatusRequestTimeout, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	register(s, op, handle)
	file := func() *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Format: "binary", Title: "File", Description: "Content of the file"}
	}
	content := map[string]*huma.MediaType{typeMultipart: {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"},
		Properties: map[string]*huma.Schema{"file": file()}}}}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: file()}
	}
	item := s.api.OpenAPI().Paths[apiPrefix+op.path]
	for _, o := range []*huma.Operation{item.Post, item.Put} {
		if o != nil && o.OperationID == op.id {
			o.RequestBody = &huma.RequestBody{Required: true, Content: content}
		}
	}
}
