package web

import (
	"errors"

	"galilei/pbxd/pbx"
)

// Sentence is something that the API says in an answer that is no refusal.
type Sentence struct {
	Message  string         `json:"message" title:"Message" doc:"What there is to say, in English" maxLength:"1000"`
	Template string         `json:"template" title:"Template" doc:"Message with {name} for each of args" maxLength:"1000"`
	Args     map[string]any `json:"args,omitempty" title:"Arguments" doc:"What stands in the template"`
}

func sentence(m pbx.Message) Sentence { return Sentence{m.Text(), m.Template, m.Args} }

func sentences(list []pbx.Message) []Sentence {
	all := []Sentence{}
	for _, m := range list {
		all = append(all, sentence(m))
	}
	return all
}

// told is an error that has a sentence for people.
type told interface {
	error
	Template() string
	Args() map[string]any
}

// toldMessage returns the sentence of err for people, if it has one.
func toldMessage(err error) (pbx.Message, bool) {
	var t told
	if !errors.As(err, &t) {
		return pbx.Message{}, false
	}
	return pbx.Message{Template: t.Template(), Args: t.Args()}, true
}
