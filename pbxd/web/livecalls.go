package web

import (
	"context"
	"net/http"
	"slices"

	"galilei/pbxd/pbx"
)

func (s *Server) registerLiveCalls() {
	register(s, operation{id: "list-calls", method: http.MethodGet, path: "/calls", tag: "Calls", module: seesCalls,
		summary: "Calls of now", description: "Oldest first. The event stream keeps them current."},
		func(ctx context.Context, _ *none) (*answer[[]pbx.CallStatus], error) {
			return &answer[[]pbx.CallStatus]{s.snapshot(ctx).Calls}, nil
		})
	register(s, operation{id: "hang-up-call", method: http.MethodDelete, path: "/calls/{id}", tag: "Calls", module: "live-calls", status: http.StatusNoContent,
		summary: "Hang up a call", description: "All who take part in it hear that it has ended. It needs no If-Match: the ID names one call, which is never another.", audits: []string{"hang-up-call"},
		errors: []int{http.StatusNotFound}}, s.hangUp)
}

// hangUp ends a call. Who was cut off by whom is in the audit log.
func (s *Server) hangUp(ctx context.Context, in *struct {
	ID string `path:"id" title:"Identifier" doc:"Identifier of the call" minLength:"1" maxLength:"40"`
}) (*none, error) {
	calls := s.snapshot(ctx).Calls
	i := slices.IndexFunc(calls, func(c pbx.CallStatus) bool { return c.ID == in.ID })
	if i < 0 || s.Hangup == nil {
		return nil, noCall()
	}
	if err := s.still(ctx); err != nil {
		return nil, err
	}
	if !s.Hangup(in.ID, callerOf(ctx).actor.Name) {
		return nil, noCall()
	}
	s.record(ctx, "hang-up-call", calls[i].From+" > "+calls[i].To)
	return &none{}, nil
}
