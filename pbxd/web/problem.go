package web

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"

	"galilei/pbxd/pbx"
)

// Problem is what the API answers when it refuses a request: problem details
// (RFC 9457). Detail and messages are English; the template and args beside
// them let a page say the same in another language.
type Problem struct {
	Type     string          `json:"type,omitempty" title:"Type" doc:"Kind of the problem, when a program must tell it from others of the same status" maxLength:"100"`
	Title    string          `json:"title" title:"Title" doc:"Name of the status" maxLength:"100"`
	Status   int             `json:"status" title:"Status" doc:"HTTP status" minimum:"400" maximum:"599"`
	Detail   string          `json:"detail" title:"Detail" doc:"What is wrong and what to do next, in English" maxLength:"1000"`
	Template string          `json:"template,omitempty" title:"Template" doc:"Detail with {name} for each of args" maxLength:"1000"`
	Args     map[string]any  `json:"args,omitempty" title:"Arguments" doc:"What stands in the template"`
	Errors   []ProblemDetail `json:"errors,omitempty" title:"Errors" doc:"Fields of the request that are refused" maxItems:"1000"`
}

// ProblemDetail says what is wrong with one field of a request.
type ProblemDetail struct {
	Location string         `json:"location" title:"Location" doc:"Field of the request, for example body.extension" maxLength:"300"`
	Message  string         `json:"message" title:"Message" doc:"Rule that the field breaks, in English" maxLength:"1000"`
	Template string         `json:"template,omitempty" title:"Template" doc:"Message with {name} for each of args" maxLength:"1000"`
	Args     map[string]any `json:"args,omitempty" title:"Arguments" doc:"What stands in the template"`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// problemType is the media type of problem details.
const problemType = "application/problem+json"

// refuse makes the answer to a request that cannot be granted. The template
// must be a constant; see pbx.Say.
func refuse(status int, template string, pairs ...any) *Problem {
	return refuseWith(status, pbx.Say(template, pairs...))
}

func refuseWith(status int, why pbx.Message) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: why.Text(), Template: why.Template, Args: why.Args}
}

// notValid is the detail of every refusal that names fields.
const notValid = "Some values are not valid."

// invalid refuses a request for its fields.
func invalid(fields ...ProblemDetail) *Problem {
	p := refuse(http.StatusUnprocessableEntity, notValid)
	p.Errors = fields
	return p
}

// invalidIfAny refuses a request for its fields when there are any.
func invalidIfAny(fields []ProblemDetail) error {
	if len(fields) == 0 {
		return nil
	}
	return invalid(fields...)
}

// invalidField refuses one field of the body.
func invalidField(field string, rule pbx.Message) *Problem {
	return invalid(detailOf("body."+field, rule))
}

func detailOf(location string, rule pbx.Message) ProblemDetail {
	return ProblemDetail{Location: location, Message: rule.Text(), Template: rule.Template, Args: rule.Args}
}

// refusedFields returns the fields that err refuses, when it does nothing else:
// those of a *Problem that names fields.
func refusedFields(err error) []ProblemDetail {
	if p, ok := errors.AsType[*Problem](err); ok && p.Status == http.StatusUnprocessableEntity {
		return p.Errors
	}
	return nil
}

// refusedAt names the fields of the body when the configuration was refused.
// The parameters below path ("users[3].", "sip.") are those of the body.
func refusedAt(err error, path string) error {
	return refusedIn(err, []place{{path, ""}})
}

// notFound answers 404 when err says that something does not exist.
func notFound(err error, template string, pairs ...any) error {
	if errors.Is(err, fs.ErrNotExist) {
		return refuse(http.StatusNotFound, template, pairs...)
	}
	return err
}

// writeProblem answers with problem details outside of huma.
func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	// An error means that the client is gone.
	_ = json.NewEncoder(w).Encode(p)
}
