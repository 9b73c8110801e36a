package web

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// access is who may call an operation. The zero value is nobody.
type access string

const (
	accessPublic access = "public" // anybody
	accessAny    access = "any"    // logged in, even when the PIN must be changed first
	accessUser   access = "user"   // logged in
	accessModule access = "module" // logged in, and one of the operation's modules is on
)

// anyAdminModule stands for every module of the administration.
const anyAdminModule = "admin"

// caller is who sent a request.
type caller struct {
	user        pbx.User                // whose rights hold, as configured now
	actor       pbx.User                // who logged in: the user, or who impersonates the user
	modules     map[string]bool         // of the user
	permissions map[pbx.Permission]bool // that the user holds, towards anybody
	token       tokenHash
	cookie      bool      // the token came as a cookie
	op          operation // that the caller asks for
	ends        time.Time // of the session, at the latest
}

// as reports whether the caller impersonates somebody (F051).
func (c *caller) as() bool { return c.actor.ID != c.user.ID }

// ids returns the IDs of whose rights hold: the user's and, of who impersonates
// the user, their own.
func (c *caller) ids() []string {
	if c.as() {
		return []string{c.user.ID, c.actor.ID}
	}
	return []string{c.user.ID}
}

// author names the caller in revisions.
func (c *caller) author() string {
	if c.as() {
		return c.actor.Name + " as " + c.user.Name
	}
	return c.user.Name
}

// has reports whether one of the modules, separated by '|', is on. None at all
// is always on.
func (c *caller) has(modules string) bool {
	return modules == "" || slices.ContainsFunc(strings.Split(modules, "|"), func(id string) bool {
		if id != anyAdminModule {
			return c.modules[id]
		}
		return slices.ContainsFunc(pbx.Modules(), func(m pbx.Module) bool { return m.Area == "admin" && c.modules[m.ID] })
	})
}

type callerKey struct{}

// callerOf returns who sent the request, or nil in operations for everybody.
func callerOf(ctx context.Context) *caller {
	c, _ := ctx.Value(callerKey{}).(*caller)
	return c
}

// changePINProblem is the problem type (RFC 9457 section 3.1.1) of a refusal
// that ends when the user has changed the PIN.
const changePINProblem = "urn:galilei:problem:change-pin"

// require lets a request pass when its sender may call op.
func (s *Server) require(op operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if op.hasBody && !sendsOneOf(ctx, op.accepts) {
			s.answer(ctx, refuse(http.StatusUnsupportedMediaType, "Send Content-Type: {types}.", "types", strings.Join(accepted(op.accepts), ", ")))
			return
		}
		if op.access == accessPublic {
			next(ctx)
			return
		}
		c := s.callerOfRequest(ctx, true)
		if p := mayCall(op, c, ctx); p != nil {
			if p.Status == http.StatusUnauthorized {
				ctx.SetHeader("WWW-Authenticate", "Bearer")
			}
			s.answer(ctx, p)
			return
		}
		c.op = op
		next(huma.WithValue(ctx, callerKey{}, c))
	}
}

// stillMay returns why the caller, who was allowed to begin a request, may not
// go on with it now that its body has come, or nil: the session is over, is
// that of another, or does not have the rights any more.
func (s *Server) stillMay(ctx huma.Context) *Problem {
	c := callerOf(ctx.Context())
	if c == nil {
		return nil
	}
	user := c.user.ID
	if !s.refresh(c, false) || c.user.ID != user {
		ctx.SetHeader("WWW-Authenticate", "Bearer")
		return mayCall(c.op, nil, ctx)
	}
	return mayCall(c.op, c, ctx)
}

// still is stillMay in the midst of an operation, when work that takes long is
// done and before anything is kept. commit does the same by itself.
func (s *Server) still(ctx context.Context) error {
	cfg, _ := s.Store.Current()
	return s.stillIn(cfg, callerOf(ctx))
}

// stillIn returns why the caller, who was allowed to begin an operation, may not
// go on with it in cfg, or nil. What the caller has is that of cfg from then on.
func (s *Server) stillIn(cfg *pbx.Config, c *caller) error {
	actor, user, _ := s.sessions.users(c.token, cfg, s.Now(), false)
	if actor == nil || user.ID != c.user.ID {
		return huma.ErrorWithHeaders(refuse(http.StatusUnauthorized, "Log in first."), http.Header{"WWW-Authenticate": {"Bearer"}})
	}
	c.modules, c.permissions = cfg.ModulesOf(user), permissionsOf(cfg, user)
	if p := hasRight(c.op, c, actor); p != nil {
		return p
	}
	return nil
}

// mayCall returns why c, who may be nil, may not call op, or nil.
func mayCall(op operation, c *caller, ctx huma.Context) *Problem {
	switch {
	case c == nil:
		return refuse(http.StatusUnauthorized, "Log in first.")
	case c.cookie && !sentByPage(ctx):
		return refuse(http.StatusForbidden, "A cookie counts only for requests of the device's own page. Scripts send the token as Authorization: Bearer.")
	}
	return hasRight(op, c, &c.actor)
}

// hasRight returns why c, for whom actor logged in, may not call op, or nil.
func hasRight(op operation, c *caller, actor *pbx.User) *Problem {
	switch {
	case op.access == accessAny:
		return nil
	case mustChangePIN(actor):
		p := refuse(http.StatusForbidden, "Change your PIN first.")
		p.Type = changePINProblem
		return p
	case op.access == accessUser, op.access == accessModule && op.module != "" && c.has(op.module), op.permission != "" && c.permissions[op.permission]:
		return nil
	}
	return noModule(op.module)
}

// noModule refuses what a module of the GUI groups would allow.
func noModule(modules string) *Problem {
	first, _, _ := strings.Cut(modules, "|")
	return refuse(http.StatusForbidden, "Your GUI groups do not allow this: it needs the module {module}. Ask an administrator.", "module", first)
}

// answer ends a request with a problem.
func (s *Server) answer(ctx huma.Context, p *Problem) {
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	if err := json.NewEncoder(ctx.BodyWriter()).Encode(p); err != nil {
		s.Log.Debug("refusal not delivered", "status", p.Status, "err", err)
	}
}

// accepted returns the media types of an operation's body: JSON unless it
// names others.
func accepted(types []string) []string {
	if len(types) == 0 {
		return []string{"application/json"}
	}
	return types
}

// sendsOneOf reports whether the body, if any, says that it is of one of the
// types; image/* stands for every picture. That no other type is taken also
// keeps plain forms of other sites out.
func sendsOneOf(ctx huma.Context, types []string) bool {
	t := ctx.Header("Content-Type")
	if t == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(t)
	return err == nil && slices.ContainsFunc(accepted(types), func(a string) bool {
		prefix, any := strings.CutSuffix(a, "*")
		return media == a || any && strings.HasPrefix(media, prefix)
	})
}

// callerOfRequest returns who sent the request, or nil. A token in the
// Authorization header goes before the cookie.
func (s *Server) callerOfRequest(ctx huma.Context, touch bool) *caller {
	c := &caller{}
	if auth := ctx.Header("Authorization"); auth != "" {
		scheme, token, _ := strings.Cut(auth, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil
		}
		c.token = hashToken(strings.TrimSpace(token))
	} else {
		cookie, err := huma.ReadCookie(ctx, cookieName)
		if err != nil {
			return nil
		}
		c.token, c.cookie = hashToken(cookie.Value), true
	}
	if !s.refresh(c, touch) {
		return nil
	}
	return c
}

// refresh reads the caller's users and modules as configured now. It returns
// false when the session is over.
func (s *Server) refresh(c *caller, touch bool) bool {
	cfg, _ := s.Store.Current()
	actor, user, ends := s.sessions.users(c.token, cfg, s.Now(), touch)
	if actor == nil {
		return false
	}
	c.actor, c.user, c.ends, c.modules, c.permissions = *actor, *user, ends, cfg.ModulesOf(user), permissionsOf(cfg, user)
	return true
}

// permissionsOf returns the permissions that u holds, towards anybody.
func permissionsOf(cfg *pbx.Config, u *pbx.User) map[pbx.Permission]bool {
	held := map[pbx.Permission]bool{}
	for i := range cfg.PermissionGroups {
		g := &cfg.PermissionGroups[i]
		if !g.Has(u) {
			continue
		}
		for _, p := range g.Permissions {
			held[p.Permission] = true
		}
	}
	return held
}

// sentByPage reports whether a browser says that a request which changes
// something comes from the device's own page. That it is not from another one
// http.CrossOriginProtection has checked; here one of its headers must be
// there at all.
func sentByPage(ctx huma.Context) bool {
	switch ctx.Method() {
	case http.MethodGet, http.MethodHead:
		return true
	}
	return ctx.Header("Sec-Fetch-Site") != "" || ctx.Header("Origin") != ""
}

func mustChangePIN(u *pbx.User) bool { return u.MustChangePIN || u.PIN == pbx.FactoryPIN }
