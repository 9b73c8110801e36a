package web

import (
	"errors"
	"strings"

	"galilei/pbxd/pbx"
)

// place says where a part of the configuration stands in a body: the paths
// that begin with config begin with body there.
type place struct{ config, body string }

// refusedIn names the fields of the body when the configuration was refused.
// What is in none of the places is told with its own path, unless some are.
func refusedIn(err error, places []place) error {
	wrong, ok := errors.AsType[*pbx.ValidationError](err)
	if !ok {
		return err
	}
	var details []ProblemDetail
	for _, f := range wrong.Fields {
		for _, p := range places {
			if rest, ok := strings.CutPrefix(f.Path, p.config); ok {
				details = append(details, detailOf("body."+p.body+rest, f.Rule))
				break
			}
		}
	}
	if details == nil {
		return invalidFields(wrong, "", "")
	}
	return invalid(details...)
}
