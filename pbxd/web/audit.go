package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// audit writes an entry about the act of the caller. What leaves no other
// trace, such as a look at a password, must not happen when this fails. The
// action must be one of the operation's audits.
func (s *Server) audit(ctx context.Context, action, object string) error {
	return s.auditEntry(ctx, s.act(ctx, action, object))
}

// act is the entry about an act of the caller.
func (s *Server) act(ctx context.Context, action, object string) pbx.AuditEntry {
	e := pbx.AuditEntry{Time: s.Now(), From: addrOf(ctx).String(), Action: action, Object: object}
	if c := callerOf(ctx); c != nil {
		e.Actor = c.actor.Name
		if c.as() {
			e.As = c.user.Name
		}
	}
	return e
}

func (s *Server) auditEntry(ctx context.Context, e pbx.AuditEntry) error {
	if err := s.Store.Audit(ctx, e); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

// record audits what has been done already, or must be possible even with a
// full disk, such as a login to mend that. A failure goes to the log.
func (s *Server) record(ctx context.Context, action, object string) {
	s.logged(s.audit(ctx, action, object), object)
}

// recordAs is record for an actor who has no session yet.
func (s *Server) recordAs(ctx context.Context, actor, action, object string) {
	e := s.act(ctx, action, object)
	e.Actor, e.As = actor, ""
	s.logged(s.auditEntry(ctx, e), object)
}

func (s *Server) logged(err error, object string) {
	if err != nil {
		s.Log.Error("audit log not written", "object", object, "err", err)
	}
}

type auditPage struct {
	Before int64     `query:"before" title:"Before" doc:"Only entries with a smaller number; 0 for the newest" minimum:"0" maximum:"9007199254740991"`
	Limit  int       `query:"limit" title:"Limit" doc:"At most so many entries" minimum:"1" maximum:"500" default:"50"`
	Actor  string    `query:"actor" title:"User" doc:"Only acts of this login name, or done with the rights of that user" maxLength:"50"`
	Action string    `query:"action" title:"Action" doc:"Only acts of this kind, for example login" maxLength:"50"`
	Since  time.Time `query:"since" title:"Since" doc:"Only entries from this time on"`
	Until  time.Time `query:"until" title:"Until" doc:"Only entries before this time"`
}

func (s *Server) registerAudit() {
	register(s, operation{id: "list-audit", method: http.MethodGet, path: "/audit", tag: "History", module: "audit-log",
		summary: "Audit log", description: "Logins, failures, reveals of secrets and changes, newest first."}, s.auditLog)
	register(s, operation{id: "list-audit-actions", method: http.MethodGet, path: "/audit/actions", tag: "History", module: "audit-log",
		summary: "Kinds of acts that the audit log keeps"}, s.listActions)
}

func (s *Server) auditLog(ctx context.Context, in *auditPage) (*answer[[]pbx.AuditEntry], error) {
	list, err := s.Store.AuditLog(ctx, pbx.AuditQuery{Before: in.Before, Limit: in.Limit, Actor: in.Actor, Action: in.Action, Since: in.Since, Until: in.Until})
	if err != nil {
		return nil, fmt.Errorf("list audit entries before %d: %w", in.Before, err)
	}
	if list == nil {
		list = []pbx.AuditEntry{}
	}
	return &answer[[]pbx.AuditEntry]{list}, nil
}

func (s *Server) listActions(context.Context, *none) (*answer[[]string], error) {
	return &answer[[]string]{s.auditActions()}, nil
}

// auditActions returns every action that the operations may write, sorted.
func (s *Server) auditActions() []string {
	list := slices.Clone(s.actions)
	slices.Sort(list)
	return slices.Compact(list)
}
