package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// UserCallSettings are what a user sets for the own calls, with what may be
// chosen there.
type UserCallSettings struct {
	pbx.UserCalls
	CLIPInternal []string  `json:"clipInternal" title:"CLIP internal" doc:"Extensions that the user may show on internal calls" maxItems:"100" maxLength:"10" readOnly:"true"`
	CLIPExternal []string  `json:"clipExternal" title:"CLIP external" doc:"Numbers that the user may show on outgoing calls. It must be possible to call them." maxItems:"100" maxLength:"32" readOnly:"true"`
	ReminderNext time.Time `json:"reminderNext,omitzero" title:"Next reminder" doc:"When the reminder rings next; absent when it is off, and while the clock of the device is not set" readOnly:"true"`
}

type userCallsChange struct {
	EntryPath
	IfMatch
	Body body[pbx.UserCalls]
}

func (s *Server) registerCalls() {
	errors := []int{http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}
	register(s, operation{id: "get-own-calls", method: http.MethodGet, path: "/profile/calls", tag: "Profile", module: "call-forwarding|service-attributes",
		summary: "Own call forwarding and service attributes"}, func(ctx context.Context, _ *none) (*tagged[UserCallSettings], error) {
		return s.showCalls(&callerOf(ctx).user), nil
	})
	register(s, operation{id: "change-own-calls", method: http.MethodPut, path: "/profile/calls", tag: "Profile", module: "call-forwarding|service-attributes",
		summary: "Change the own call forwarding and service attributes", description: "Forwarding needs the module call-forwarding, the rest service-attributes, and each its permission.",
		audits: []string{"change-own-calls"}, errors: errors}, s.changeOwnCalls)
	register(s, operation{id: "get-user-calls", method: http.MethodGet, path: "/users/{id}/calls", tag: "Users", module: "users",
		summary: "Call forwarding and service attributes of a user", errors: []int{http.StatusNotFound}}, s.userCalls)
	register(s, operation{id: "change-user-calls", method: http.MethodPut, path: "/users/{id}/calls", tag: "Users", module: "users",
		summary: "Change the call forwarding and service attributes of a user", description: "What the user has no permission for is kept and does not hold.",
		audits: []string{"change-user-calls"}, errors: append(errors, http.StatusNotFound, http.StatusConflict)}, s.changeUserCalls)
}

// firstYear is the year before which the clock cannot have been set.
const firstYear = 2025

func tagOfCalls(u *pbx.User) string { return etag(u.Calls) }

func (s *Server) showCalls(u *pbx.User) *tagged[UserCallSettings] {
	v := UserCallSettings{UserCalls: u.Calls, CLIPInternal: append([]string{}, u.CLIPInternal...), CLIPExternal: append([]string{}, u.CLIPExternal...)}
	if now := s.Now(); now.Year() >= firstYear {
		cfg, _ := s.Store.Current()
		v.ReminderNext, _ = u.Calls.NextReminder(now, zoneOf(cfg))
	}
	return &tagged[UserCallSettings]{tagOfCalls(u), v}
}

func (s *Server) userCalls(_ context.Context, in *EntryPath) (*tagged[UserCallSettings], error) {
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	if u == nil {
		return nil, noUser()
	}
	return s.showCalls(u), nil
}

func (s *Server) changeUserCalls(ctx context.Context, in *userCallsChange) (*tagged[UserCallSettings], error) {
	return s.setCalls(ctx, in.ID, "change-user-calls", in.IfMatch, in.Body.value, func(*pbx.Config, *pbx.User) error { return nil })
}

func (s *Server) changeOwnCalls(ctx context.Context, in *change[pbx.UserCalls]) (*tagged[UserCallSettings], error) {
	c := callerOf(ctx)
	return s.setCalls(ctx, c.user.ID, "change-own-calls", in.IfMatch, in.Body.value, func(cfg *pbx.Config, u *pbx.User) error {
		return mayChangeCalls(cfg, u, &in.Body.value, c)
	})
}

// setCalls replaces what a user sets, if allowed says so.
func (s *Server) setCalls(ctx context.Context, id, action string, match IfMatch, now pbx.UserCalls, allowed func(*pbx.Config, *pbx.User) error) (*tagged[UserCallSettings], error) {
	var changed pbx.User
	same, at := false, -1
	name := ""
	if cfg, _ := s.Store.Current(); cfg.UserByID(id) != nil {
		name = cfg.UserByID(id).Name
	}
	comment := pbx.Say("Call settings of {name} changed", "name", name)
	if action == "change-own-calls" {
		comment = pbx.Say("Own call settings of {name} changed", "name", name) // see pbx.OwnChange
	}
	_, err := s.commit(ctx, comment, func(cfg *pbx.Config) error {
		at = slices.IndexFunc(cfg.Users, func(u pbx.User) bool { return u.ID == id })
		if at < 0 {
			return noUser()
		}
		u := &cfg.Users[at]
		if err := match.check(tagOfCalls(u)); err != nil {
			return err
		}
		if err := allowed(cfg, u); err != nil {
			return err
		}
		wrong := notOffered(u, &now)
		for _, f := range now.EmergencyForwards(&u.Calls, cfg) {
			wrong = append(wrong, detailOf("body."+f.Path, f.Rule))
		}
		if wrong != nil {
			return invalid(wrong...)
		}
		same = u.Calls == now
		u.Calls = now
		changed = *u
		return nil
	})
	if err != nil {
		return nil, refusedAt(err, s.users().at(at)+"callSettings.")
	}
	if !same {
		s.record(ctx, action, changed.Name)
	}
	return s.showCalls(&changed), nil
}

// notOffered names choices that an administrator does not offer. One that was
// made before may stay, though it does not hold.
func notOffered(u *pbx.User, now *pbx.UserCalls) (wrong []ProblemDetail) {
	if n := now.ShowInternal; n != "" && n != u.Calls.ShowInternal && n != u.Extension && !slices.Contains(u.CLIPInternal, n) {
		wrong = append(wrong, detailOf("body.showInternal", pbx.Say("is not one of the numbers that are offered to you")))
	}
	if n := now.ShowExternal; n != "" && n != u.Calls.ShowExternal && !slices.Contains(u.CLIPExternal, n) {
		wrong = append(wrong, detailOf("body.showExternal", pbx.Say("is not one of the numbers that are offered to you")))
	}
	return wrong
}

// mayChangeCalls refuses what the user has no module or no permission for
// (F090, F092, F096).
func mayChangeCalls(cfg *pbx.Config, u *pbx.User, now *pbx.UserCalls, c *caller) error {
	was := &u.Calls
	forwarding := !was.SameForwarding(now)
	rest := *now
	for _, external := range []bool{false, true} {
		for _, reason := range []pbx.DiversionReason{pbx.DivertAlways, pbx.DivertBusy, pbx.DivertNoAnswer, pbx.DivertUnregistered} {
			number, on := was.Forwarding(external, reason)
			rest.SetForwarding(external, reason, on, number)
			if number == "" { // SetForwarding keeps a number
				rest.ClearForwarding(external, reason)
			}
		}
	}
	rest.NoAnswerTime = was.NoAnswerTime
	switch {
	case forwarding && !c.has("call-forwarding"):
		return noModule("call-forwarding")
	case rest != *was && !c.has("service-attributes"):
		return noModule("service-attributes")
	}
	for _, x := range []struct {
		differs    bool
		permission pbx.Permission
	}{
		{forwarding, pbx.PermitCallForwarding},
		{was.DoNotDisturb != now.DoNotDisturb, pbx.PermitDND},
		{was.BusyOnBusy != now.BusyOnBusy, pbx.PermitCallWaiting},
		{was.HideNumber != now.HideNumber, pbx.PermitCLIR},
		{was.ShowInternal != now.ShowInternal || was.ShowExternal != now.ShowExternal, pbx.PermitCLIP},
		{was.Reminder != now.Reminder || was.ReminderAt != now.ReminderAt || was.ReminderDaily != now.ReminderDaily, pbx.PermitReminder},
	} {
		if x.differs && !cfg.Holds(u, x.permission) {
			return refuse(http.StatusForbidden, "You do not have the permission {permission}. Ask your administrator.", "permission", string(x.permission))
		}
	}
	return nil
}
