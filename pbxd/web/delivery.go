package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// MailTest is a test mail: settings that need not be stored, secrets that were
// typed in (nil means the stored ones, empty none) and the address that it goes
// to.
type MailTest struct {
	Settings     pbx.MailSettings
	Password     *pbx.Secret
	ClientSecret *pbx.Secret
	To           string
}

// MailStep is what became of one step of a test mail.
type MailStep struct {
	Step   string
	OK     bool
	Text   pbx.Message
	Advice pbx.Message // what to do next, when the step failed
}

// TestMail sends a test mail and returns how far it came, the last step last;
// the error is that of the last step. It takes the stored secrets in place of
// those that were not typed only when they go where and as the stored settings say.
type TestMail func(ctx context.Context, t MailTest) ([]MailStep, error)

// mailTestTime is how long a test mail may take.
const mailTestTime = 30 * time.Second

// EmailDelivery is how the device sends e-mail, as the API shows it.
type EmailDelivery struct {
	pbx.MailSettings
	PasswordSet     bool `json:"passwordSet" title:"Password set" doc:"There is a password, or a refresh token for XOAUTH2" readOnly:"true"`
	ClientSecretSet bool `json:"clientSecretSet" title:"Client secret set" doc:"There is an OAuth client secret" readOnly:"true"`
}

// EmailDeliveryChange replaces the settings. Secrets that are absent stay,
// empty ones are removed.
type EmailDeliveryChange struct {
	pbx.MailSettings
	Password     *pbx.Secret `json:"password,omitempty" title:"SMTP password" doc:"Password of the account, or the refresh token for XOAUTH2. Absent: stays; empty: none. It is needed again when server, user name or encryption change." maxLength:"4096" writeOnly:"true"`
	ClientSecret *pbx.Secret `json:"clientSecret,omitempty" title:"OAuth client secret" doc:"Secret of the application that is registered with the provider. Absent: stays; empty: none." maxLength:"4096" writeOnly:"true"`
}

// EmailTest is the body of POST /email-delivery/test.
type EmailTest struct {
	To       string               `json:"to" title:"To" doc:"Address that the test mail goes to" minLength:"1" maxLength:"254" format:"email"`
	Settings *EmailDeliveryChange `json:"settings,omitempty" title:"Settings" doc:"Settings to test that are not saved; absent: the saved ones"`
}

// EmailTestResult says how far a test mail came.
type EmailTestResult struct {
	OK   bool   `json:"ok" title:"Sent" doc:"The server has taken the mail"`
	Step string `json:"step" title:"Step" doc:"Last step that was tried, for example connect, tls, login or recipient" maxLength:"40"`
	Sentence
	Advice Sentence        `json:"advice" title:"Advice" doc:"What to do next, when it failed"`
	Steps  []EmailTestStep `json:"steps" title:"Steps" doc:"All steps, in their order" maxItems:"20"`
}

// EmailTestStep is one step of a test mail.
type EmailTestStep struct {
	Step string `json:"step" title:"Step" doc:"Name of the step" maxLength:"40"`
	OK   bool   `json:"ok" title:"Done" doc:"The step was done"`
	Sentence
}

// mailNumber is the path parameter of a mail in the queue.
type mailNumber struct {
	ID int64 `path:"id" title:"Number" doc:"Number of the mail" minimum:"1" maximum:"9007199254740991"`
}

const deliveryModule = "email-delivery"

func (s *Server) registerDelivery() {
	const path, tag = "/email-delivery", "E-mail delivery"
	register(s, operation{id: "get-email-delivery", method: http.MethodGet, path: path, tag: tag, module: deliveryModule, summary: "How the device sends e-mail"},
		func(context.Context, *none) (*tagged[EmailDelivery], error) {
			cfg, _ := s.Store.Current()
			return showMail(&cfg.Mail), nil
		})
	register(s, operation{id: "change-email-delivery", method: http.MethodPut, path: path, tag: tag, module: deliveryModule,
		summary: "Change how the device sends e-mail", description: "Replaces the settings. The mails that wait are tried again at once.",
		audits: []string{"change-email-delivery"}, errors: []int{http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}, s.changeMail)
	register(s, operation{id: "test-email-delivery", method: http.MethodPost, path: path + "/test", tag: tag, module: deliveryModule,
		summary: "Send a test mail", description: "With the saved settings, or with those of the body. Takes at most 30 s, one at a time. The answer is 200 also when the mail was not sent; ok says so.",
		audits: []string{"send-test-mail"}, errors: []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}, s.testMail)
	register(s, operation{id: "list-mail-queue", method: http.MethodGet, path: path + "/queue", tag: tag, module: deliveryModule,
		summary: "Mails that wait or were given up"},
		func(ctx context.Context, _ *none) (*answer[[]pbx.MailJob], error) {
			list, err := s.Store.MailJobs(ctx)
			if err != nil {
				return nil, fmt.Errorf("list mail queue: %w", err)
			}
			if list == nil {
				list = []pbx.MailJob{}
			}
			return &answer[[]pbx.MailJob]{list}, nil
		})
	register(s, operation{id: "delete-mail", method: http.MethodDelete, path: path + "/queue/{id}", tag: tag, module: deliveryModule, status: http.StatusNoContent,
		summary: "Delete a mail of the queue", description: "It needs no If-Match: a mail is never edited, and goes however often it was tried.", audits: []string{"delete-mail"}, errors: []int{http.StatusNotFound}},
		func(ctx context.Context, in *mailNumber) (*none, error) {
			return s.atMail(ctx, in.ID, "delete-mail", s.Store.DeleteMail)
		})
	register(s, operation{id: "retry-mail", method: http.MethodPost, path: path + "/queue/{id}/retry", tag: tag, module: deliveryModule, status: http.StatusNoContent,
		summary: "Try a mail again", description: "Sends a mail that was given up or waits at once, as if it had never been tried.",
		audits: []string{"retry-mail"}, errors: []int{http.StatusNotFound, http.StatusConflict}},
		func(ctx context.Context, in *mailNumber) (*none, error) {
			done, err := s.atMail(ctx, in.ID, "retry-mail", s.Store.RetryMail)
			if err == nil && s.Mail != nil {
				s.Mail.Configured()
			}
			return done, err
		})
}

// atMail does something with a mail of the queue and records it with the
// mail's receiver.
func (s *Server) atMail(ctx context.Context, id int64, action string, do func(ctx context.Context, id int64) error) (*none, error) {
	jobs, err := s.Store.MailJobs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list mail queue: %w", err)
	}
	i := slices.IndexFunc(jobs, func(j pbx.MailJob) bool { return j.ID == id })
	if i < 0 {
		return nil, refuse(http.StatusNotFound, "There is no such mail.")
	}
	if err := do(ctx, id); err != nil {
		return nil, notFound(fmt.Errorf("%s %d: %w", action, id, err), "There is no such mail.")
	}
	s.record(ctx, action, jobs[i].To)
	return &none{}, nil
}

func showMail(m *pbx.Mail) *tagged[EmailDelivery] {
	return &tagged[EmailDelivery]{etag(m), EmailDelivery{m.MailSettings, m.Password != "", m.ClientSecret != ""}}
}

func (s *Server) changeMail(ctx context.Context, in *struct {
	IfMatch
	Body body[EmailDeliveryChange]
}) (*tagged[EmailDelivery], error) {
	var before, after pbx.Mail
	_, err := s.commit(ctx, pbx.Say("E-mail delivery changed"), func(cfg *pbx.Config) error {
		if err := in.check(etag(&cfg.Mail)); err != nil {
			return err
		}
		before = cfg.Mail
		if err := s.applyMail(&cfg.Mail, in.Body.value, ""); err != nil {
			return err
		}
		after = cfg.Mail
		return nil
	})
	if err != nil {
		return nil, refusedAt(err, "mail.")
	}
	if after != before {
		s.record(ctx, "change-email-delivery", "")
		if s.Mail != nil {
			s.Mail.Configured()
		}
	}
	return showMail(&after), nil
}

// applyMail makes the change to m. A stored secret never goes to another
// server or account, nor with less protection: it must be given again. within
// is where the settings stand in the body.
func (s *Server) applyMail(m *pbx.Mail, c EmailDeliveryChange, within string) error {
	var wrong []ProblemDetail
	if c.Password == nil && m.Password != "" && !c.KeepsPassword(m.MailSettings) {
		wrong = append(wrong, detailOf("body."+within+"password", pbx.Say("is needed again, because it would go to another server or account, or in another way")))
	}
	if c.ClientSecret == nil && m.ClientSecret != "" && !c.KeepsClientSecret(m.MailSettings) {
		wrong = append(wrong, detailOf("body."+within+"clientSecret", pbx.Say("is needed again, because it would go to another server")))
	}
	for _, x := range []struct {
		field  string
		secret *pbx.Secret
	}{{"password", c.Password}, {"clientSecret", c.ClientSecret}} {
		if x.secret != nil && len(*x.secret) > maxMailSecret {
			wrong = append(wrong, detailOf("body."+within+x.field, pbx.Say("has {n} characters; at most {max} are allowed", "n", len(*x.secret), "max", maxMailSecret)))
		}
	}
	m.MailSettings = c.MailSettings
	if wrong != nil {
		return invalid(wrong...) // what else is wrong with the settings can be said, too
	}
	s.sealSecret(&m.Password, pbx.MailPasswordPurpose, c.Password)
	s.sealSecret(&m.ClientSecret, pbx.MailClientSecretPurpose, c.ClientSecret)
	return nil
}

// maxMailSecret is how long a password or token may be, in bytes.
const maxMailSecret = 4096

// sealSecret keeps a secret that was given: none leaves what there is, an empty one
// takes it away.
func (s *Server) sealSecret(to *pbx.Sealed, purpose string, secret *pbx.Secret) {
	switch {
	case secret == nil:
	case *secret == "":
		*to = ""
	default:
		if old, err := s.Store.Key().Open(purpose, *to); err == nil && *to != "" && old == *secret {
			return // the same again is no change
		}
		*to = s.Store.Key().Seal(purpose, *secret)
	}
}

func (s *Server) testMail(ctx context.Context, in *struct{ Body body[EmailTest] }) (*answer[EmailTestResult], error) {
	t := in.Body.value
	if a, err := mail.ParseAddress(t.To); err != nil || a.Address != t.To || len(t.To) > 254 {
		return nil, invalidField("to", pbx.Say("is not an e-mail address, such as anna@example.org"))
	}
	if s.TestMail == nil {
		return nil, refuse(http.StatusServiceUnavailable, "This device cannot send e-mail.")
	}
	cfg, _ := s.Store.Current()
	cfg = cfg.Clone()
	test := MailTest{To: t.To}
	if t.Settings != nil {
		err := s.applyMail(&cfg.Mail, *t.Settings, "settings.")
		cfg.Mail.Enabled = true // what is tested must be able to work
		if err = errors.Join(err, pbx.Validate(cfg, s.Model)); err != nil {
			return nil, refusedIn(err, []place{{"mail.", "settings."}})
		}
		test.Password, test.ClientSecret = t.Settings.Password, t.Settings.ClientSecret
	}
	test.Settings = cfg.Mail.MailSettings
	select {
	case s.mailTest <- struct{}{}:
		defer func() { <-s.mailTest }()
	default:
		return nil, refuse(http.StatusConflict, "Another test mail is on its way. Try again when it is done.")
	}
	if err := s.audit(ctx, "send-test-mail", t.To); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTestTime)
	defer cancel()
	steps, err := s.TestMail(ctx, test)
	if len(steps) == 0 {
		return nil, fmt.Errorf("test mail: no step was taken: %w", err)
	}
	return &answer[EmailTestResult]{mailResult(steps, err == nil)}, nil
}

func mailResult(steps []MailStep, ok bool) EmailTestResult {
	last := steps[len(steps)-1]
	r := EmailTestResult{OK: ok, Step: last.Step, Sentence: sentence(last.Text), Advice: sentence(last.Advice), Steps: []EmailTestStep{}}
	for _, x := range steps {
		r.Steps = append(r.Steps, EmailTestStep{x.Step, x.OK, sentence(x.Text)})
	}
	return r
}
