package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"galilei/pbxd/pbx"
)

// nightModule is the module of the page on which the night answer service is
// administered.
const nightModule = "inbound-routes"

// NightServiceStatus is which profile holds, with what the caller may do there.
type NightServiceStatus struct {
	pbx.NightService
	MayChoose bool `json:"mayChoose" title:"May choose" doc:"The caller may choose among the profiles for users" readOnly:"true"`
	MaySet    bool `json:"maySet" title:"May set" doc:"The caller may choose any profile, and which ones users may choose" readOnly:"true"`
}

// registerNightService adds the night answer service (F192, F193) and the limits
// of what calls may cost.
func (s *Server) registerNightService() {
	register(s, operation{id: "get-night-service", method: http.MethodGet, path: "/night-service", tag: "Routes", module: "home|" + nightModule,
		summary:     "Active profile of the night answer service",
		description: "For administrators of inbound routes, and for users who may see or set it. The fact revision tells of each change."}, s.showNightService)
	register(s, operation{id: "change-night-service", method: http.MethodPut, path: "/night-service", tag: "Routes", module: "home|" + nightModule,
		summary: "Choose the profile of the night answer service", description: "Administrators of inbound routes set all of it. Users with the permission set-night-answer-service choose among the profiles for users, or none; what they send of those profiles is passed over.",
		audits: []string{"change-night-service"},
		errors: []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}, s.changeNightService)
	registerSection(s, section[pbx.Toll]{
		id: "toll-limits", path: "/toll-limits", name: "Limits of calls", changed: pbx.Say("Limits of calls changed"), summary: "Limits of calls to the outside", prefix: "toll.",
		tag: "Routes", module: "outbound-routes", about: "Replaces them as a whole.",
		of: func(c *pbx.Config) *pbx.Toll { return &c.Toll },
	})
}

// nightStatus is the night answer service as the caller sees it, unless the
// caller may not.
func nightStatus(cfg *pbx.Config, c *caller) (*tagged[NightServiceStatus], error) {
	v := NightServiceStatus{NightService: cfg.NightService, MaySet: c.has(nightModule), MayChoose: mayChooseNight(cfg, c)}
	if !v.MaySet && !v.MayChoose && !c.permissions[pbx.PermitNightStatus] {
		return nil, refuse(http.StatusForbidden, "You do not have the permission {permission}. Ask your administrator.", "permission", string(pbx.PermitNightStatus))
	}
	return &tagged[NightServiceStatus]{etag(cfg.NightService), v}, nil
}

// mayChooseNight reports whether the caller, and who impersonates, have the
// permission.
func mayChooseNight(cfg *pbx.Config, c *caller) bool {
	return !slices.ContainsFunc(c.ids(), func(id string) bool {
		u := cfg.UserByID(id)
		return u == nil || !cfg.Holds(u, pbx.PermitSetNightService)
	})
}

func (s *Server) showNightService(ctx context.Context, _ *none) (*tagged[NightServiceStatus], error) {
	cfg, _ := s.Store.Current()
	return nightStatus(cfg, callerOf(ctx))
}

func (s *Server) changeNightService(ctx context.Context, in *change[pbx.NightService]) (*tagged[NightServiceStatus], error) {
	c := callerOf(ctx)
	wanted := in.Body.value
	before := ""
	var after *tagged[NightServiceStatus]
	_, err := s.commit(ctx, wanted.Chosen(), func(cfg *pbx.Config) error {
		now, err := nightStatus(cfg, c)
		if err != nil {
			return err
		}
		if err := in.check(now.ETag); err != nil {
			return err
		}
		before = now.ETag
		switch {
		case now.Body.MaySet:
			cfg.NightService = wanted
		case !now.Body.MayChoose:
			return refuse(http.StatusForbidden, "You do not have the permission {permission}. Ask your administrator.", "permission", string(pbx.PermitSetNightService))
		case !cfg.NightService.UsersMay(wanted.Profile):
			return invalidField("profile", pbx.Say("is not one of the profiles that users may choose"))
		default:
			cfg.NightService.Profile = wanted.Profile
		}
		normalise(cfg)
		after, err = nightStatus(cfg, c)
		return err
	})
	if err != nil {
		return nil, refusedAt(err, "nightService.")
	}
	if after.ETag != before {
		s.record(ctx, "change-night-service", strconv.Itoa(after.Body.Profile))
	}
	return after, nil
}
