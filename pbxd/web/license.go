package web

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"sync"
	"time"

	"galilei/pbxd/license"
	"galilei/pbxd/pbx"
)

// LicenseDeps is what the board says of licences (T15).
type LicenseDeps struct {
	Required bool              // users are added and changed only with a licence
	Key      ed25519.PublicKey // of the vendor; nil on a board that takes none
	Serial   string            // of the device
}

// licenseSecret is the name under which the licence is kept: it names the
// customer.
const licenseSecret = "license"

// licenseKeeper holds the licence of the device.
type licenseKeeper struct {
	LicenseDeps
	model pbx.Model
	now   func() time.Time

	changing sync.Mutex // held while a licence is taken or removed

	mu      sync.Mutex
	current *license.License // nil for none
}

// newLicenseKeeper reads the stored licence. One that cannot be read counts as
// none: the device works on, and the screen takes another.
func newLicenseKeeper(ctx context.Context, d Deps) (*licenseKeeper, error) {
	k := &licenseKeeper{LicenseDeps: d.License, model: d.Model, now: d.Now}
	text, err := d.Store.Secret(ctx, licenseSecret)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0:
		return k, nil
	case errors.Is(err, pbx.ErrSealed):
		d.Log.Warn("stored licence not used", "err", err)
		return k, nil
	case err != nil:
		return nil, fmt.Errorf("read licence: %w", err)
	}
	l, err := license.Parse(text, d.License.Key)
	if err != nil {
		d.Log.Warn("stored licence not used", "err", err)
		return k, nil
	}
	k.current = &l
	return k, nil
}

// state says what the licence allows now.
func (k *licenseKeeper) state() license.State {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, st := license.Limits(license.Device{Model: k.model, Serial: k.Serial, Required: k.Required}, k.current, k.now())
	return st
}

// tag is the ETag of the licence that there is.
func (k *licenseKeeper) tag() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return etag(k.current)
}

func (k *licenseKeeper) set(l *license.License) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = l
}

// roomForUser says whether the number of users with an extension may go from
// before to after.
func (s *Server) roomForUser(before, after int) error {
	return s.license.state().AllowUsers(before, after)
}

// licensed refuses a change of the users that the licence does not allow
// (F039). Everybody may change the own PIN without one, so that an
// administrator can log in and upload it.
func (s *Server) licensed(before, after *pbx.Config) error {
	if sameUsers(before, after) {
		return nil
	}
	count := func(c *pbx.Config) (n int) {
		for i := range c.Users {
			if c.Users[i].Extension != "" {
				n++
			}
		}
		return n
	}
	err := s.roomForUser(count(before), count(after))
	if err == nil {
		return nil
	}
	if m, ok := toldMessage(err); ok {
		return refuseWith(http.StatusForbidden, m)
	}
	return fmt.Errorf("licence: %w", err)
}

// sameUsers reports whether every user of after was there before and differs
// in the PIN at most.
func sameUsers(before, after *pbx.Config) bool {
	known := usersByID(before)
	for i := range after.Users {
		is := after.Users[i]
		was := known[is.ID]
		if was == nil {
			return false
		}
		is.PIN, is.MustChangePIN = was.PIN, was.MustChangePIN
		if !reflect.DeepEqual(is, *was) {
			return false
		}
	}
	return true
}

// LicenseState is the licence as the API shows it (F038).
type LicenseState struct {
	Code     string    `json:"code" title:"Licence code" doc:"Read or send this to the vendor to get a licence" maxLength:"100"`
	Model    string    `json:"model" title:"Model" doc:"Model of the device" maxLength:"16"`
	Serial   string    `json:"serial" title:"Serial number" doc:"Serial number of the device" maxLength:"64"`
	Required bool      `json:"required" title:"Needed" doc:"Users can be added and changed only with a licence"`
	State    string    `json:"state" title:"State" doc:"not-needed: the model's full limits hold. missing: none was uploaded. other-device: it is for another device." enum:"not-needed,active,missing,expired,other-device"`
	Problem  *Sentence `json:"problem,omitempty" title:"What to do" doc:"Why the licence does not hold"`
	Users    int       `json:"users" title:"Users" doc:"Users with an extension" minimum:"0" maximum:"10000"`
	MaxUsers int       `json:"maxUsers" title:"Licensed users" doc:"Most users with an extension; 0 for no limit" minimum:"0" maximum:"10000"`
	Expires  string    `json:"expires" title:"Expires" doc:"Last licensed day, for example 2027-12-31; empty for no end" maxLength:"10"`
	Customer string    `json:"customer" title:"Customer" doc:"Who has the licence" maxLength:"200"`
}

// stateNames are the words of the API for the states of package license.
func stateName(st license.Status) string {
	switch st {
	case license.NotRequired:
		return "not-needed"
	case license.Foreign:
		return "other-device"
	}
	return string(st)
}

func (s *Server) registerLicense() {
	register(s, operation{id: "get-license", method: http.MethodGet, path: "/license", tag: "License", module: "license",
		summary: "Licence of the device"},
		func(context.Context, *none) (*tagged[LicenseState], error) { return s.showLicense(), nil })
	registerUpload(s, operation{id: "upload-license", method: http.MethodPut, path: "/license", tag: "License", module: "license",
		summary: "Upload a licence", description: "The text of the licence file. One that is not for this device, or not valid, is refused and the present one stays.",
		audits: []string{"upload-license"}, errors: []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}, []string{typeText, typeBinary, "application/json"},
		func(ctx context.Context, in *struct {
			IfMatch
			File upload
		}) (*tagged[LicenseState], error) {
			text, err := in.File.bytes(license.MaxSize)
			if err != nil {
				return nil, err
			}
			if err := s.takeLicense(ctx, text, in.check); err != nil {
				return nil, err
			}
			return s.showLicense(), nil
		})
	register(s, operation{id: "delete-license", method: http.MethodDelete, path: "/license", tag: "License", module: "license",
		summary: "Remove the licence", audits: []string{"delete-license"}, errors: []int{http.StatusPreconditionFailed, http.StatusPreconditionRequired}},
		func(ctx context.Context, in *IfMatch) (*tagged[LicenseState], error) {
			s.license.changing.Lock()
			defer s.license.changing.Unlock()
			if err := s.still(ctx); err != nil {
				return nil, err
			}
			if err := in.check(s.license.tag()); err != nil {
				return nil, err
			}
			if err := s.Store.SetSecret(ctx, licenseSecret, nil); err != nil {
				return nil, fmt.Errorf("remove licence: %w", err)
			}
			s.license.set(nil)
			s.record(ctx, "delete-license", "")
			return s.showLicense(), nil
		})
}

// takeLicense checks and keeps a licence. match checks the ETag of the present
// one.
func (s *Server) takeLicense(ctx context.Context, text []byte, match func(tag string) error) error {
	s.license.changing.Lock()
	defer s.license.changing.Unlock()
	if err := s.still(ctx); err != nil {
		return err
	}
	if err := match(s.license.tag()); err != nil {
		return err
	}
	if len(s.license.Key) == 0 {
		return refuse(http.StatusConflict, "This device needs no licence and takes none.")
	}
	l, err := license.Parse(text, s.license.Key)
	if err == nil {
		err = l.CheckFor(s.Model.Name, s.license.Serial, s.Now())
	}
	if err != nil {
		m, ok := toldMessage(err)
		if !ok {
			return fmt.Errorf("check licence of %d bytes: %w", len(text), err)
		}
		p := refuseWith(http.StatusUnprocessableEntity, m)
		p.Errors = []ProblemDetail{detailOf("body", m)}
		return p
	}
	if err := s.Store.SetSecret(ctx, licenseSecret, text); err != nil {
		return fmt.Errorf("keep licence: %w", err)
	}
	s.license.set(&l)
	s.record(ctx, "upload-license", l.Customer)
	return nil
}

func (s *Server) showLicense() *tagged[LicenseState] {
	st := s.license.state()
	v := LicenseState{Code: st.Code, Model: s.Model.Name, Serial: s.license.Serial, Required: s.license.Required, State: stateName(st.Status), MaxUsers: st.MaxUsers}
	cfg, _ := s.Store.Current()
	for i := range cfg.Users {
		if cfg.Users[i].Extension != "" {
			v.Users++
		}
	}
	if m, ok := toldMessage(st.Problem); ok {
		say := sentence(m)
		v.Problem = &say
	}
	if st.License != nil {
		v.Expires, v.Customer = st.License.Expires, st.License.Customer
	}
	return &tagged[LicenseState]{s.license.tag(), v}
}
