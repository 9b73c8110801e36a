package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"galilei/pbxd/pbx"
)

type page struct {
	Before int64 `query:"before" title:"Before" doc:"Only entries with a smaller number; 0 for the newest" minimum:"0" maximum:"9007199254740991"`
	Limit  int   `query:"limit" title:"Limit" doc:"At most so many entries" minimum:"1" maximum:"200" default:"50"`
}

// Restored answers a restore.
type Restored struct {
	Revision int64 `json:"revision" title:"Revision" doc:"Number of the revision that the restore made" minimum:"1"`
}

func (s *Server) registerHistory() {
	register(s, operation{id: "list-revisions", method: http.MethodGet, path: "/revisions", tag: "History", module: "revisions",
		summary: "Revisions of the configuration", description: "Newest first, each with what changed. Secrets show as ***."}, s.revisions)
	register(s, operation{id: "restore-revision", method: http.MethodPost, path: "/revisions/{number}/restore", tag: "History", module: "revisions",
		summary: "Go back to a revision", description: "Makes a new revision with the configuration of the old one. Nobody can delete themselves or take their own administration with it. If-Match is the ETag of the effect.", audits: []string{"restore-revision"},
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}, s.restore)
	register(s, operation{id: "get-restore-effect", method: http.MethodGet, path: "/revisions/{number}/effect", tag: "History", module: "revisions",
		summary: "Whom the restore of a revision would concern", description: "Users who would be deleted or brought back, and whose rights would change.",
		errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity}}, s.effect)
}

func (s *Server) revisions(ctx context.Context, in *page) (*answer[[]pbx.Revision], error) {
	list, err := s.Store.Revisions(ctx, in.Before, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list revisions before %d: %w", in.Before, err)
	}
	if list == nil {
		list = []pbx.Revision{}
	}
	for i := range list {
		if list[i].Changes == nil {
			list[i].Changes = []pbx.Change{}
		}
	}
	return &answer[[]pbx.Revision]{list}, nil
}

// RevisionPath is the path parameter that names a revision.
type RevisionPath struct {
	Number int64 `path:"number" title:"Revision" doc:"Number of the revision" minimum:"1" maximum:"9007199254740991"`
}

func (s *Server) effect(ctx context.Context, in *RevisionPath) (*tagged[Effect], error) {
	_, current := s.Store.Current()
	e, err := s.effectOf(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	return &tagged[Effect]{etag(current), e}, nil
}

func (s *Server) restore(ctx context.Context, in *struct {
	RevisionPath
	IfMatch
}) (*answer[Restored], error) {
	c := callerOf(ctx)
	seen, before := s.Store.Current()
	if err := in.check(etag(before)); err != nil {
		return nil, err
	}
	e, err := s.effectOf(ctx, in.Number)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(e.Deleted, c.user.Name):
		return nil, refuse(http.StatusConflict, "Revision {n} has no user {name}: you would delete yourself. Ask another administrator.", "n", in.Number, "name", c.user.Name)
	case slices.Contains(e.Demoted, c.user.Name):
		return nil, refuse(http.StatusConflict, "In revision {n} you are no administrator: you would lock yourself out. Ask another administrator.", "n", in.Number)
	}
	n, err := s.restoreRevision(ctx, in.Number, func(now *pbx.Config) error {
		if !reflect.DeepEqual(now, seen) {
			return in.check("") // something was changed since
		}
		return nil
	})
	if errors.Is(err, pbx.ErrDamaged) {
		return nil, refuse(http.StatusConflict, "Revision {n} is damaged. Restore another one.", "n", in.Number)
	}
	if err != nil {
		return nil, notFound(err, "There is no revision {n}.", "n", in.Number)
	}
	if n != before {
		s.record(ctx, "restore-revision", fmt.Sprint(in.Number))
	}
	return &answer[Restored]{Restored{n}}, nil
}
