package web

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"galilei/pbxd/pbx"
)

// pendingWindow is how long a risky change waits to be confirmed, unless Deps
// say otherwise.
const pendingWindow = 120 * time.Second

func (s *Server) trial() time.Duration { return cmp.Or(s.Trial, pendingWindow) }

// PendingState says whether a change waits to be confirmed.
type PendingState struct {
	Pending     *pbx.PendingChange `json:"pending" title:"Unconfirmed change" doc:"Change that reverts by itself unless it is confirmed; null when there is none"`
	Confirmable bool               `json:"confirmable" title:"Confirmable" doc:"This connection was made in the new situation and can confirm the change"`
	SecondsLeft int                `json:"secondsLeft" title:"Time left" doc:"Time until the change reverts" unit:"s" minimum:"0" maximum:"600"`
}

func (s *Server) registerPending() {
	register(s, operation{id: "get-pending-change", method: http.MethodGet, path: "/pending-change", tag: "System", module: anyAdminModule,
		summary: "Change that waits to be confirmed", description: "Risky changes hold at once and revert by themselves unless they are confirmed from the new situation."}, s.pendingChange)
	register(s, operation{id: "confirm-pending-change", method: http.MethodPost, path: "/pending-change/{id}/confirm", tag: "System", module: "certificates",
		summary: "Keep the change", description: "It must come over a connection that was made in the new situation, for example with the new certificate; otherwise the answer is 409. It needs no If-Match: the identifier names one change, which is never edited.",
		errors: []int{http.StatusNotFound, http.StatusConflict}, status: http.StatusNoContent, audits: []string{"confirm-change"}}, s.confirmPending)
	register(s, operation{id: "revert-pending-change", method: http.MethodPost, path: "/pending-change/{id}/revert", tag: "System", module: "certificates",
		summary: "Go back", description: "It needs no If-Match: the identifier names one change, which is never edited.", errors: []int{http.StatusNotFound}, status: http.StatusNoContent, audits: []string{"revert-change"}}, s.revertPending)
}

// confirmable reports whether the request proves that the new situation works.
// Only the certificate of the page is changed in this way.
func (s *Server) confirmable(ctx context.Context, p *pbx.PendingChange) bool {
	return p != nil && p.Section == "page" && s.current(ctx)
}

func (s *Server) pendingChange(ctx context.Context, _ *none) (*answer[PendingState], error) {
	p := s.Store.Pending()
	st := PendingState{Pending: p, Confirmable: s.confirmable(ctx, p)}
	if p != nil {
		st.SecondsLeft = max(0, int(p.Deadline.Sub(s.Now()).Seconds()))
	}
	return &answer[PendingState]{st}, nil
}

const notPending = "This change does not wait to be confirmed any more. It may have been reverted."

func (s *Server) confirmPending(ctx context.Context, in *EntryPath) (*none, error) {
	p := s.Store.Pending()
	if p == nil || p.ID != in.ID {
		return nil, refuse(http.StatusNotFound, notPending)
	}
	if !s.confirmable(ctx, p) {
		return nil, refuse(http.StatusConflict, "This connection was made before the change and does not show that it works. Load the page again and confirm then.")
	}
	if err := s.Store.Confirm(ctx, callerOf(ctx).author(), in.ID); err != nil {
		return nil, notFound(err, notPending)
	}
	s.record(ctx, "confirm-change", p.Comment)
	return &none{}, nil
}

func (s *Server) revertPending(ctx context.Context, in *EntryPath) (*none, error) {
	p := s.Store.Pending()
	if p == nil || p.ID != in.ID {
		return nil, refuse(http.StatusNotFound, notPending)
	}
	if err := s.Store.RevertPending(ctx, callerOf(ctx).author(), in.ID); err != nil {
		return nil, notFound(err, notPending)
	}
	s.record(ctx, "revert-change", p.Comment)
	return &none{}, nil
}
