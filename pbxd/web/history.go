package web

import (
	"context"
	"fmt"
	"net/http"

	"galilei/pbxd/pbx"
)

type page struct {
	Before int64 `query:"before" doc:"Only entries with a smaller number; 0 for the newest" minimum:"0"`
	Limit  int   `query:"limit" doc:"At most so many entries" minimum:"1" maximum:"200" default:"50"`
}

// Restored answers a restore.
type Restored struct {
	Revision int64 `json:"revision" doc:"Number of the revision that the restore made"`
}

func (s *Server) registerHistory() {
	register(s, operation{id: "list-revisions", method: http.MethodGet, path: "/revisions", tag: "History", access: accessAdmin,
		summary: "Revisions of the configuration", description: "Newest first, each with what changed. Secrets show as ***."}, s.revisions)
	register(s, operation{id: "restore-revision", method: http.MethodPost, path: "/revisions/{number}/restore", tag: "History", access: accessAdmin,
		summary: "Go back to a revision", description: "Makes a new revision with the configuration of the old one.",
		errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity}}, s.restore)
	register(s, operation{id: "list-audit", method: http.MethodGet, path: "/audit", tag: "History", access: accessAdmin,
		summary: "Audit log", description: "Newest first: logins, revealed passwords, changes."}, s.auditLog)
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

func (s *Server) restore(ctx context.Context, in *struct {
	Number int64 `path:"number" doc:"Number of the revision" minimum:"1"`
}) (*answer[Restored], error) {
	c := callerOf(ctx)
	n, err := s.Store.Restore(ctx, c.user.Name, in.Number)
	if err != nil {
		return nil, notFound(fmt.Errorf("restore revision %d: %w", in.Number, err), fmt.Sprintf("There is no revision %d.", in.Number))
	}
	s.record(ctx, c.user.Name, "restore-revision", fmt.Sprint(in.Number))
	return &answer[Restored]{Restored{n}}, nil
}

func (s *Server) auditLog(ctx context.Context, in *page) (*answer[[]pbx.AuditEntry], error) {
	list, err := s.Store.AuditLog(ctx, in.Before, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list audit entries before %d: %w", in.Before, err)
	}
	if list == nil {
		list = []pbx.AuditEntry{}
	}
	return &answer[[]pbx.AuditEntry]{list}, nil
}
