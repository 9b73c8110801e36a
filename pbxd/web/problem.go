package web

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// invalidFields tells which fields of the request the configuration refused.
// The parameters below path ("users[3].", "sip.") are those of the body; what
// else is wrong keeps its own path in the message.
func invalidFields(e *pbx.ValidationError, path string) error {
	details := make([]error, 0, len(e.Fields))
	for _, f := range e.Fields {
		if field, ok := strings.CutPrefix(f.Path, path); ok && path != "" {
			details = append(details, &huma.ErrorDetail{Location: "body." + field, Message: f.Rule.Text()})
			continue
		}
		details = append(details, &huma.ErrorDetail{Location: "body", Message: f.Path + " " + f.Rule.Text()})
	}
	return huma.Error422UnprocessableEntity("Some values are not valid.", details...)
}

// invalidField refuses one field of the request.
func invalidField(field, rule string) error {
	return huma.Error422UnprocessableEntity("Some values are not valid.", &huma.ErrorDetail{Location: "body." + field, Message: rule})
}

// withoutValues takes the values out of problem details: among them are PINs
// and passwords, and the client knows what it sent.
func withoutValues(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	for _, d := range m.Errors {
		d.Value = nil
	}
	return m, nil
}

// writeProblem answers with problem details outside of huma.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// An error means that the client is gone.
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}

// refusedAt names the fields of the body when the configuration was refused.
func refusedAt(err error, path string) error {
	if invalid, ok := errors.AsType[*pbx.ValidationError](err); ok {
		return invalidFields(invalid, path)
	}
	return err
}

// notFound answers 404 when err says that something does not exist.
func notFound(err error, detail string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return huma.Error404NotFound(detail)
	}
	return err
}
