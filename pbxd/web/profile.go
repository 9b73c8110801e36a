package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// Person is a user as others see it.
type Person struct {
	ID          string `json:"id" title:"Identifier" doc:"Identifier of the user" maxLength:"26"`
	User        string `json:"user" title:"User" doc:"Login name" maxLength:"50"`
	DisplayName string `json:"displayName" title:"Name" doc:"Name as shown on phones" maxLength:"101"`
}

func personOf(u *pbx.User) Person { return Person{u.ID, u.Name, u.DisplayName()} }

// SessionInfo says who is logged in and what that user may do.
type SessionInfo struct {
	Person
	Admin         bool             `json:"admin" title:"Administrator" doc:"May administer the device"`
	MustChangePIN bool             `json:"mustChangePin" title:"New PIN needed" doc:"The PIN must be changed first"`
	Language      string           `json:"language" title:"Language" doc:"Language of this page: that of the user, or of the device" enum:"en,de"`
	Modules       []string         `json:"modules" title:"Modules" doc:"Modules of the page and of the API that the user may use" maxItems:"300"`
	Permissions   []pbx.Permission `json:"permissions" title:"Permissions" doc:"Permissions that the user has towards anybody" maxItems:"100"`
	TimeZone      string           `json:"timeZone" title:"Time zone" doc:"Time zone of the device, in which the page shows times" maxLength:"64"`
	SIPPort       uint16           `json:"sipPort" title:"SIP port" doc:"Port at which phones register" minimum:"0" maximum:"65535"`
	Ends          time.Time        `json:"ends" title:"Ends" doc:"End of the session at the latest; time without use ends it before"`
	WizardDone    bool             `json:"wizardDone" title:"Wizard done" doc:"The installation wizard was finished or left"`
	Actor         *Person          `json:"actor,omitempty" title:"Logged in" doc:"Who logged in and has the rights of the user for now; absent otherwise"`
}

// Profile is what users see of themselves.
type Profile struct {
	ID        string `json:"id" title:"Identifier" doc:"Identifier of the user" maxLength:"26" readOnly:"true"`
	User      string `json:"user" title:"User" doc:"Login name" maxLength:"50" readOnly:"true"`
	FirstName string `json:"firstName" title:"First name" doc:"First name" maxLength:"50" readOnly:"true"`
	LastName  string `json:"lastName" title:"Last name" doc:"Last name" maxLength:"50" readOnly:"true"`
	Email     string `json:"email" title:"E-mail" doc:"Address for voice messages, faxes and messages of the device" maxLength:"254" readOnly:"true"`
	Extension string `json:"extension" title:"Extension" doc:"Own extension" maxLength:"10" readOnly:"true"`
	ProfileChange
	Image         string             `json:"image" title:"Image" doc:"Hash of the picture that is shown when the user calls, or empty" maxLength:"64" readOnly:"true"`
	SIPPort       uint16             `json:"sipPort" title:"SIP port" doc:"Port at which phones register" minimum:"0" maximum:"65535" readOnly:"true"`
	Registrations []pbx.Registration `json:"registrations" title:"Phones" doc:"Phones that are registered on the extension" maxItems:"1000" readOnly:"true"`
}

// ProfileChange is the body of PUT /profile: what users change of themselves.
type ProfileChange struct {
	Mobile   string `json:"mobile" title:"Mobile" doc:"Mobile number, shown in the internal directory" maxLength:"32" pattern:"^\\+?[0-9*#]+$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	Home     string `json:"home" title:"Home" doc:"Private number, shown in the internal directory" maxLength:"32" pattern:"^\\+?[0-9*#]+$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	Language string `json:"language" title:"Language" doc:"Language of this page, of announcements and of the phone. Empty: that of the device." enum:",en,de"`
}

func (s *Server) registerProfile() {
	register(s, operation{id: "get-session", method: http.MethodGet, path: "/session", tag: "Login", access: accessAny,
		summary: "Who is logged in and may do what"}, s.session)
	register(s, operation{id: "get-profile", method: http.MethodGet, path: "/profile", tag: "Profile", module: "profile|home",
		summary: "Own data and registrations"}, s.profile)
	register(s, operation{id: "change-profile", method: http.MethodPut, path: "/profile", tag: "Profile", module: "profile-data|profile-language",
		summary: "Change the own data", description: "The numbers need the module profile-data, the language profile-language.", audits: []string{"change-profile"},
		errors: []int{http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}, s.changeProfile)
}

func (s *Server) sessionInfo(c *caller) SessionInfo {
	cfg, _ := s.Store.Current()
	info := SessionInfo{Person: personOf(&c.user), TimeZone: cfg.Locale.TimeZone, SIPPort: s.SIPPort(), Admin: c.user.Admin, MustChangePIN: mustChangePIN(&c.actor), Ends: c.ends,
		Language: languageOf(cfg, &c.user), WizardDone: cfg.Setup.WizardDone, Modules: []string{}, Permissions: []pbx.Permission{}}
	for _, m := range pbx.Modules() {
		if c.modules[m.ID] {
			info.Modules = append(info.Modules, m.ID)
		}
	}
	for p := range pairsOf(cfg, &c.user) {
		if !slices.Contains(info.Permissions, p.Permission) {
			info.Permissions = append(info.Permissions, p.Permission)
		}
	}
	slices.Sort(info.Permissions)
	if c.as() {
		actor := personOf(&c.actor)
		info.Actor = &actor
	}
	return info
}

func (s *Server) session(ctx context.Context, _ *none) (*answer[SessionInfo], error) {
	return &answer[SessionInfo]{s.sessionInfo(callerOf(ctx))}, nil
}

func (s *Server) profile(ctx context.Context, _ *none) (*tagged[Profile], error) {
	return s.showProfile(ctx, &callerOf(ctx).user), nil
}

// tagOfProfile is the ETag of what users change of themselves.
func tagOfProfile(_ *pbx.Config, u *pbx.User) string {
	return etag(struct {
		ProfileChange
		Image string
	}{profileOf(u), u.Image})
}

func profileOf(u *pbx.User) ProfileChange { return ProfileChange{u.Mobile, u.Home, u.Language} }

func (s *Server) showProfile(ctx context.Context, u *pbx.User) *tagged[Profile] {
	p := Profile{ID: u.ID, User: u.Name, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Extension: u.Extension, ProfileChange: profileOf(u),
		Image: u.Image, SIPPort: s.SIPPort(), Registrations: []pbx.Registration{}}
	for _, r := range s.snapshot(ctx).Registrations {
		if u.Extension != "" && r.Extension == u.Extension {
			p.Registrations = append(p.Registrations, r)
		}
	}
	return &tagged[Profile]{tagOfProfile(nil, u), p}
}

func (s *Server) changeProfile(ctx context.Context, in *change[ProfileChange]) (*tagged[Profile], error) {
	c := callerOf(ctx)
	now := in.Body.value
	at := -1
	var changed pbx.User
	same := false
	_, err := s.commit(ctx, pbx.Say("Own data of {name} changed", "name", c.user.Name), func(cfg *pbx.Config) error {
		at = slices.IndexFunc(cfg.Users, func(u pbx.User) bool { return u.ID == c.user.ID })
		if at < 0 {
			return noUser()
		}
		u := &cfg.Users[at]
		was := profileOf(u)
		if err := in.check(tagOfProfile(cfg, u)); err != nil {
			return err
		}
		if (now.Mobile != was.Mobile || now.Home != was.Home) && !c.has("profile-data") {
			return noModule("profile-data")
		}
		if now.Language != was.Language && !c.has("profile-language") {
			return noModule("profile-language")
		}
		u.Mobile, u.Home, u.Language = now.Mobile, now.Home, now.Language
		changed, same = *u, now == was
		return nil
	})
	if err != nil {
		return nil, refusedAt(err, s.users().at(at))
	}
	if !same {
		s.record(ctx, "change-profile", changed.Name)
	}
	return s.showProfile(ctx, &changed), nil
}
