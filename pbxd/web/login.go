package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// maxLogins is how many PINs may wait for verification, which is done one at a
// time and takes some ten milliseconds each.
const (
	maxLogins      = 16
	maxKnownLogins = 8       // further ones, of addresses that the user has logged in from
	maxLoginBody   = 4 << 10 // bytes of a body with a login name or PINs
)

// LoginRequest is the body of POST /login.
type LoginRequest struct {
	User string     `json:"user" title:"User" doc:"Login name" maxLength:"50" required:"true"`
	PIN  pbx.Secret `json:"pin" title:"PIN" doc:"PIN" maxLength:"10" required:"true" writeOnly:"true"`
}

// Login answers POST /login.
type Login struct {
	Token         string `json:"token" title:"Token" maxLength:"64" doc:"Bearer token of the session"`
	MustChangePIN bool   `json:"mustChangePin" title:"New PIN needed" doc:"Everything but the change of the PIN, logout and session is refused until the PIN is changed"`
}

// PINChange is the body of PUT /profile/pin.
type PINChange struct {
	Old pbx.Secret `json:"old" title:"Current PIN" doc:"Current PIN" writeOnly:"true" maxLength:"10" required:"true"`
	New pbx.Secret `json:"new" title:"New PIN" writeOnly:"true" doc:"New PIN: 3 to 10 digits, not all zeros. Six or more are recommended." minLength:"3" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits" required:"true"`
}

type withCookie[T any] struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      T
}

func (s *Server) registerLogin() {
	register(s, operation{id: "login", method: http.MethodPost, path: "/login", tag: "Login", access: accessPublic, maxBody: maxLoginBody,
		summary:     "Log in",
		description: "Sets the session cookie of the page and returns the token that scripts send. After several failures logins must wait; the answer is then 429 with Retry-After.",
		errors:      []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		audits:      []string{"login", "login-failed"}}, s.login)
	register(s, operation{id: "logout", method: http.MethodPost, path: "/logout", tag: "Login", access: accessAny, status: http.StatusNoContent,
		summary: "Log out", description: "Ends this session.", audits: []string{"logout", "impersonate-end"}}, s.logout)
	register(s, operation{id: "change-pin", method: http.MethodPut, path: "/profile/pin", tag: "Login", access: accessAny, status: http.StatusNoContent, maxBody: maxLoginBody,
		summary: "Change the own PIN", description: "This session lives on; the user's other sessions end. The old PIN takes the place of If-Match.",
		errors: []int{http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		audits: []string{"change-pin", "change-pin-failed"}}, s.changePIN)
}

// verify checks a PIN within the limits of back-off. It takes the same time
// for a user who does not exist (hash empty).
func (s *Server) verify(w who, hash pbx.PINHash, pin pbx.Secret) (bool, error) {
	leave := s.queueLogin(w)
	if leave == nil {
		return false, huma.ErrorWithHeaders(refuse(http.StatusServiceUnavailable, "Too many logins at a time. Try again in a second."),
			http.Header{"Retry-After": {"1"}})
	}
	defer leave()
	try, wait := s.backoff.reserve(w, s.Now())
	if wait > 0 {
		seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
		return false, huma.ErrorWithHeaders(refuse(http.StatusTooManyRequests, "Too many wrong PINs. Try again in {seconds} s.", "seconds", seconds),
			http.Header{"Retry-After": {seconds}})
	}
	ok := s.pins.Verify(hash, pin)
	if hash == pbx.FactoryPIN && !isLocal(w.addr) {
		ok = false // the PIN of a new device is good only from the local network
	}
	if ok {
		s.backoff.succeed(try, s.Now())
	}
	return ok, nil
}

// queueLogin takes a place among the PINs that wait for verification, and
// returns how to leave it, or nil when there is none. Known addresses have
// places of their own, so that a flood of strangers does not keep them out.
func (s *Server) queueLogin(w who) (leave func()) {
	queues := []chan struct{}{s.logins}
	if s.backoff.knows(w, s.Now()) {
		queues = append(queues, s.knownLogins)
	}
	for _, q := range queues {
		select {
		case q <- struct{}{}:
			return func() { <-q }
		default:
		}
	}
	return nil
}

func (s *Server) login(ctx context.Context, in *struct{ Body body[LoginRequest] }) (*withCookie[Login], error) {
	name, pin := in.Body.value.User, in.Body.value.PIN
	if len(name) > 50 {
		name = "" // no such user can be; it is not worth a bucket
	}
	if len(pin) > 10 {
		pin = ""
	}
	cfg, _ := s.Store.Current()
	u := cfg.UserByName(name)
	hash, object := pbx.PINHash(""), "unknown user" // what was typed may be a PIN in the wrong field
	if u != nil {
		hash, object = u.PIN, u.Name
	}
	ok, err := s.verify(who{name, u != nil, addrOf(ctx)}, hash, pin)
	if err != nil {
		return nil, err
	}
	if !ok || u == nil {
		s.Log.Info("login failed", "user", object, "from", addrOf(ctx))
		s.recordAs(ctx, object, "login-failed", object)
		return nil, refuse(http.StatusUnauthorized, "User name or PIN is wrong.")
	}
	if !mayLogIn(cfg, u) {
		s.recordAs(ctx, u.Name, "login-failed", u.Name)
		return nil, refuse(http.StatusForbidden, "Your GUI groups do not let you log in to this page. Ask an administrator.")
	}
	s.recordAs(ctx, u.Name, "login", u.Name)
	token := s.sessions.open(u, cfg.Page, s.Now())
	return &withCookie[Login]{
		SetCookie: sessionCookie(token, int(sessionLife(cfg.Page).Seconds())),
		Body:      Login{Token: token, MustChangePIN: mustChangePIN(u)},
	}, nil
}

// sessionCookie is the cookie that keeps a token; maxAge -1 removes it.
func sessionCookie(token string, maxAge int) http.Cookie {
	return http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func (s *Server) logout(ctx context.Context, _ *none) (*struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}, error) {
	c := callerOf(ctx)
	s.sessions.close(c.token)
	if c.as() {
		s.record(ctx, "impersonate-end", c.user.Name)
	}
	s.recordAs(ctx, c.actor.Name, "logout", c.actor.Name)
	return &struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}{sessionCookie("", -1)}, nil
}

func (s *Server) changePIN(ctx context.Context, in *struct{ Body body[PINChange] }) (*none, error) {
	c := callerOf(ctx)
	change := in.Body.value
	switch {
	case c.as():
		return nil, refuse(http.StatusForbidden, "You have the rights of {name}, whose PIN only {name} can change here. Set a new one under Users.", "name", c.user.Name)
	case !mustChangePIN(&c.user) && !c.has("profile-pin"):
		return nil, noModule("profile-pin")
	}
	if rule := pbx.CheckPIN(change.New.Reveal()); !rule.IsZero() {
		return nil, invalidField("new", rule)
	}
	if change.New == change.Old {
		return nil, invalidField("new", pbx.Say("is the PIN that you have"))
	}
	ok, err := s.verify(who{c.user.Name, true, addrOf(ctx)}, c.user.PIN, change.Old)
	if err != nil {
		return nil, err
	}
	if !ok {
		s.record(ctx, "change-pin-failed", c.user.Name)
		return nil, invalidField("old", pbx.Say("is not your PIN"))
	}
	hash := s.pins.Hash(change.New)
	s.sessions.announce(c.token, hash)
	_, err = s.commit(ctx, pbx.Say("Own PIN changed"), func(cfg *pbx.Config) error {
		u := cfg.UserByID(c.user.ID)
		if u == nil || u.PIN != c.user.PIN {
			return refuse(http.StatusConflict, "The PIN was changed in the meantime.")
		}
		u.PIN, u.MustChangePIN = hash, false
		return nil
	})
	s.sessions.settle(c.token, err == nil)
	if err != nil {
		return nil, fmt.Errorf("change PIN of %s: %w", c.user.Name, err)
	}
	s.record(ctx, "change-pin", c.user.Name)
	return &none{}, nil
}
