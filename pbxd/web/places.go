package web

import (
	"errors"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
)

// place says where a part of the configuration stands in a body: the paths
// that begin with config begin with body there.
type place struct{ config, body string }

// refusedIn names the fields of the body when the configuration was refused,
// each once, after those that the change itself has refused. What is in none of
// the places is told with what it is about.
func refusedIn(err error, places []place) error {
	wrong, ok := errors.AsType[*pbx.ValidationError](err)
	if !ok {
		return err
	}
	details := slices.Clone(refusedFields(err))
	for _, f := range wrong.Fields {
		d := atPlace(f, places)
		if d.Location == "body" || !slices.ContainsFunc(details, func(x ProblemDetail) bool { return x.Location == d.Location }) {
			details = append(details, d)
		}
	}
	return invalid(details...)
}

// atPlace says at its place in the body what is wrong with a parameter.
func atPlace(f pbx.FieldError, places []place) ProblemDetail {
	for _, p := range places {
		if rest, ok := strings.CutPrefix(f.Path, p.config); ok {
			return detailOf("body."+p.body+rest, f.Rule)
		}
	}
	return detailOf("body", f.Told())
}
