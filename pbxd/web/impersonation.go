package web

import (
	"context"
	"net/http"

	"galilei/pbxd/pbx"
)

// ImpersonationRequest is the body of POST /session/impersonation.
type ImpersonationRequest struct {
	User string `json:"user" title:"User" doc:"Login name or identifier of the user whose rights to take" minLength:"1" maxLength:"50"`
}

func (s *Server) registerImpersonation() {
	register(s, operation{id: "impersonate", method: http.MethodPost, path: "/session/impersonation", tag: "Login", module: "impersonate",
		summary:     "Take the rights of another user",
		description: "Until DELETE or logout this session sees and may do what that user does. The audit log keeps both names. It needs the permission Impersonate towards the user.",
		errors:      []int{http.StatusConflict, http.StatusUnprocessableEntity}, audits: []string{"impersonate"}}, s.impersonate)
	register(s, operation{id: "end-impersonation", method: http.MethodDelete, path: "/session/impersonation", tag: "Login", access: accessAny,
		summary: "Go back to the own rights", audits: []string{"impersonate-end"}}, s.endImpersonation)
}

// mayLogIn reports whether the GUI groups of u show the page at all.
func mayLogIn(cfg *pbx.Config, u *pbx.User) bool { return cfg.ModulesOf(u)["login"] }

// mayImpersonate returns why actor may not take the rights of target, or nil.
func mayImpersonate(cfg *pbx.Config, actor, target *pbx.User) *Problem {
	switch {
	case actor.ID == target.ID:
		return refuse(http.StatusConflict, "You are {name} already.", "name", target.Name)
	case !cfg.ModulesOf(actor)["impersonate"]:
		return noModule("impersonate")
	case target.Admin && !actor.Admin:
		return refuse(http.StatusForbidden, "Only administrators may take the rights of an administrator.")
	case actor.ID != pbx.AdminID && !cfg.May(actor, pbx.PermitImpersonate, target):
		return refuse(http.StatusForbidden, "Your permission groups do not let you take the rights of {name}. It needs the permission Impersonate.", "name", target.Name)
	}
	return nil
}

func (s *Server) impersonate(ctx context.Context, in *struct{ Body body[ImpersonationRequest] }) (*answer[SessionInfo], error) {
	c := callerOf(ctx)
	if c.as() {
		return nil, refuse(http.StatusConflict, "You have the rights of {name} already. Go back to your own first.", "name", c.user.Name)
	}
	cfg, _ := s.Store.Current()
	target := cfg.UserByName(in.Body.value.User)
	if target == nil {
		target = cfg.UserByID(in.Body.value.User)
	}
	if target == nil {
		return nil, invalidField("user", pbx.Say("names no user"))
	}
	if p := mayImpersonate(cfg, &c.actor, target); p != nil {
		return nil, p
	}
	if !s.sessions.impersonate(c.token, target.ID) {
		return nil, refuse(http.StatusConflict, "This session has the rights of another user already.")
	}
	if err := s.audit(ctx, "impersonate", target.Name); err != nil {
		s.sessions.impersonate(c.token, "") // not without a record
		return nil, err
	}
	return s.sessionNow(c)
}

func (s *Server) endImpersonation(ctx context.Context, _ *none) (*answer[SessionInfo], error) {
	c := callerOf(ctx)
	if c.as() {
		s.sessions.impersonate(c.token, "")
		s.record(ctx, "impersonate-end", c.user.Name)
	}
	return s.sessionNow(c)
}

// sessionNow answers with the state of the caller's session after a change.
func (s *Server) sessionNow(c *caller) (*answer[SessionInfo], error) {
	if !s.refresh(c, false) {
		return nil, refuse(http.StatusUnauthorized, "Log in first.")
	}
	return &answer[SessionInfo]{s.sessionInfo(c)}, nil
}
