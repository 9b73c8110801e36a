package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"galilei/pbxd/pbx"
)

// wizardUsers is how many users the wizard makes (F036).
const wizardUsers = 3

// Wizard is what the installation wizard begins with (F027).
type Wizard struct {
	Done     bool          `json:"done" title:"Done" doc:"The wizard was finished or left; it does not start by itself any more"`
	Locale   pbx.Locale    `json:"locale" title:"Country" doc:"Country, language and time zone of now"`
	Mail     EmailDelivery `json:"mail" title:"E-mail delivery" doc:"How the device sends e-mail now"`
	Users    []WizardUser  `json:"users" title:"Users" doc:"The users demo101, demo102 and demo103 of now; one that is absent shows what it would be, and once the wizard is done nothing" maxItems:"3"`
	Model    string        `json:"model" title:"Model" doc:"Model of the device" maxLength:"16"`
	Lines    []string      `json:"lines" title:"Gateways" doc:"Names of the gateways that there are" maxItems:"1000" maxLength:"50"`
	MaxUsers int           `json:"maxUsers" title:"Users of the model" doc:"Most users with an extension; 0 for no limit" minimum:"0" maximum:"10000"`
}

// WizardUser is a user that the wizard makes or changes.
type WizardUser struct {
	FirstName string `json:"firstName" title:"First name" doc:"First name" maxLength:"50"`
	LastName  string `json:"lastName" title:"Last name" doc:"Last name" maxLength:"50"`
	Extension string `json:"extension" title:"Extension" doc:"Internal number: 2 to 10 digits. It must be unique and begin no emergency number." minLength:"2" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits"`
	Email     string `json:"email,omitempty" title:"E-mail" doc:"E-mail address" maxLength:"254" format:"email"`
}

// WizardSubmit is everything that the wizard sets, in one commit.
type WizardSubmit struct {
	Locale pbx.Locale           `json:"locale" title:"Country" doc:"Country, language and time zone; an empty time zone is that of the country"`
	Mail   *EmailDeliveryChange `json:"mail,omitempty" title:"E-mail delivery" doc:"How the device sends e-mail; absent: stays"`
	Users  []WizardUser         `json:"users,omitempty" title:"Users" doc:"The users demo101, demo102 and demo103, in this order; those that are absent stay, and an empty entry makes no user" maxItems:"3"`
	Line   *WizardLine          `json:"line,omitempty" title:"Outside line" doc:"An outside line that is added; absent: none"`
}

const wizardModule = "wizard"

func (s *Server) registerWizard() {
	register(s, operation{id: "get-wizard", method: http.MethodGet, path: "/wizard", tag: "Wizard", module: wizardModule, summary: "What the installation wizard begins with"},
		func(context.Context, *none) (*tagged[Wizard], error) { return s.showWizard(), nil })
	register(s, operation{id: "submit-wizard", method: http.MethodPost, path: "/wizard", tag: "Wizard", module: wizardModule,
		summary: "Finish the installation wizard", description: "Sets everything in one commit, or nothing. New users have the PIN 0000, which they must change at their first login from the local network; users that exist keep PIN and password.",
		audits: []string{"finish-wizard"}, errors: []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}},
		func(ctx context.Context, in *struct {
			IfMatch
			Body newBody[WizardSubmit]
		}) (*tagged[Wizard], error) {
			if err := s.submitWizard(ctx, &in.Body.value, in.check); err != nil {
				return nil, err
			}
			return s.showWizard(), nil
		})
	register(s, operation{id: "leave-wizard", method: http.MethodPost, path: "/wizard/leave", tag: "Wizard", module: wizardModule,
		summary: "Leave the installation wizard", description: "It does not start by itself any more, and can be run again from the menu. It needs no If-Match: nothing else is set.", audits: []string{"leave-wizard"}},
		func(ctx context.Context, _ *none) (*tagged[Wizard], error) {
			_, before := s.Store.Current()
			after, err := s.commit(ctx, pbx.Say("Installation wizard left"), func(cfg *pbx.Config) error {
				cfg.Setup.WizardDone = true
				return nil
			})
			if err != nil {
				return nil, err
			}
			if after != before {
				s.record(ctx, "leave-wizard", "")
			}
			return s.showWizard(), nil
		})
}

// wizardName is the login name of the wizard's user i, from 0.
func wizardName(i int) string { return "demo" + strconv.Itoa(101+i) }

func (s *Server) showWizard() *tagged[Wizard] {
	cfg, _ := s.Store.Current()
	w := Wizard{Done: cfg.Setup.WizardDone, Locale: cfg.Locale, Mail: showMail(&cfg.Mail).Body, Model: s.Model.Name, MaxUsers: s.license.state().MaxUsers}
	w.Users = wizardUsersOf(cfg)
	w.Lines = []string{}
	for i := range cfg.Gateways {
		w.Lines = append(w.Lines, cfg.Gateways[i].Name)
	}
	return &tagged[Wizard]{tagOfWizard(cfg), w}
}

// wizardUsersOf returns the wizard's users of now. The first time an absent one
// shows what it would be; later somebody has deleted it, and it stays so unless
// it is filled in.
func wizardUsersOf(cfg *pbx.Config) []WizardUser {
	users := []WizardUser{}
	for i := range wizardUsers {
		u := cfg.UserByName(wizardName(i))
		if u == nil {
			u = &pbx.User{}
			if !cfg.Setup.WizardDone {
				u.Extension = strconv.Itoa(101 + i)
			}
		}
		users = append(users, WizardUser{u.FirstName, u.LastName, u.Extension, u.Email})
	}
	return users
}

// tagOfWizard is the ETag of all that the wizard sets.
func tagOfWizard(cfg *pbx.Config) string {
	return etag([]any{cfg.Locale, cfg.Mail, wizardUsersOf(cfg)})
}

// submitWizard sets all. match checks the ETag that the client has seen.
func (s *Server) submitWizard(ctx context.Context, w *WizardSubmit, match func(tag string) error) error {
	if len(w.Users) > wizardUsers {
		return invalidField("users", pbx.Say("has {n} entries; at most {max} are allowed", "n", len(w.Users), "max", wizardUsers))
	}
	if w.Line != nil {
		if err := pbx.CheckParams(&w.Line.WizardNumber); err != nil {
			return refusedIn(err, []place{{"", "line."}})
		}
	}
	places := []place{{"locale.", "locale."}, {"mail.", "mail."}}
	_, err := s.commit(ctx, pbx.Say("Installation wizard finished"), func(cfg *pbx.Config) error {
		if err := match(tagOfWizard(cfg)); err != nil {
			return err
		}
		was := cfg.Locale.OutsideLine
		cfg.Locale = inCountry(w.Locale)
		followOutsideLine(cfg, was)
		cfg.Setup.WizardDone = true
		var err error
		if w.Mail != nil {
			err = s.applyMail(&cfg.Mail, *w.Mail, "mail.")
		}
		for i, x := range w.Users {
			if x == (WizardUser{}) && cfg.UserByName(wizardName(i)) == nil {
				continue
			}
			at := s.wizardUser(cfg, i, x)
			places = append(places, place{fmt.Sprintf("users[%d].", at), fmt.Sprintf("users[%d].", i)})
		}
		if w.Line != nil {
			places = append(places, s.addLine(cfg, w.Line)...)
			if a := w.Line.Answer; err == nil && a != "" && !hasExtension(cfg, a) {
				err = invalidField("line.answer", pbx.Say("is no extension of a user or hunt group"))
			}
		}
		return err
	})
	if err != nil {
		return refusedIn(err, places)
	}
	s.record(ctx, "finish-wizard", "")
	if w.Mail != nil && s.Mail != nil {
		s.Mail.Configured()
	}
	return nil
}

// wizardUser makes x the wizard's user i of cfg, and returns its index there.
// A user that exists keeps PIN and password.
func (s *Server) wizardUser(cfg *pbx.Config, i int, x WizardUser) (at int) {
	name := wizardName(i)
	at = slices.IndexFunc(cfg.Users, func(u pbx.User) bool { return u.Name == name })
	if at < 0 {
		u := pbx.User{ID: pbx.NewID(), UserSettings: pbx.UserSettings{Name: name}, PIN: pbx.FactoryPIN, MustChangePIN: true}
		at = len(cfg.Users)
		cfg.Users = append(cfg.Users, u)
	}
	u := &cfg.Users[at]
	u.FirstName, u.LastName, u.Extension = x.FirstName, x.LastName, x.Extension
	if x.Email != "" {
		u.Email = x.Email
	}
	if u.PIN == "" {
		u.PIN, u.MustChangePIN = pbx.FactoryPIN, true
	}
	if u.SIPPassword == "" {
		u.SIPPassword = s.Store.Key().Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
	}
	return at
}
