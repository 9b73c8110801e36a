package mail

import (
	"context"
	"fmt"

	"galilei/pbxd/pbx"
)

// Secrets are the password, or the refresh token of xoauth2, and the client
// secret. Empty means none.
type Secrets struct {
	Password     pbx.Secret
	ClientSecret pbx.Secret
}

// Typed are the secrets that an administrator has typed for a test. nil means
// the stored one, empty none.
type Typed struct {
	Password     *pbx.Secret
	ClientSecret *pbx.Secret
}

// StepResult is what became of one step of a test mail.
type StepResult struct {
	Step   Step        `json:"step"`
	OK     bool        `json:"ok"`
	Text   pbx.Message `json:"text"`
	Advice pbx.Message `json:"advice"` // what to do next, when the step failed
}

// Result is the transcript of a test mail.
type Result struct {
	Steps []StepResult `json:"steps"`
	// RefreshToken is the token that the OAuth server gave in place of the one
	// typed in: it must be stored instead. Empty when the typed one stays good.
	RefreshToken pbx.Secret `json:"-"`
}

// Test sends a test mail with settings that need not be stored yet, and tells
// how far it came: within 60 s, past the queue, also when delivery is switched
// off. Secrets that were not typed are the stored ones, but only when the
// settings lead to the same account in the same way: nobody gets a password by
// naming a server of his own. The error is that of the last step.
func (o *Outbox) Test(ctx context.Context, settings pbx.MailSettings, secrets Typed, to string) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, o.reach.limits.test)
	defer cancel()
	var r Result
	err := o.test(ctx, settings, secrets, to, &r)
	if err != nil {
		e := asError(err, StepContent)
		r.Steps = append(r.Steps, StepResult{Step: e.Step, Text: e.What(), Advice: e.Advice()})
		return r, fmt.Errorf("send test mail: %w", err)
	}
	return r, nil
}

func (o *Outbox) test(ctx context.Context, settings pbx.MailSettings, secrets Typed, to string, r *Result) error {
	now := o.deps.Now()
	m := Message{
		ID: fmt.Sprintf("galilei.test.%x.%s", now.UnixNano(), pbx.NewID()), Date: now, To: to,
		Subject: "Test mail of the telephone system",
		Text:    "This mail was sent to test the e-mail settings of the telephone system.\nThey work.\n",
	}
	if _, _, _, err := compose(settings, m, "localhost"); err != nil {
		return err
	}
	note := func(step Step, text pbx.Message) {
		r.Steps = append(r.Steps, StepResult{Step: step, OK: true, Text: text})
	}
	l := login{user: settings.UserName}
	if settings.Authentication {
		var err error
		if l.password, err = o.testPassword(ctx, settings, secrets, r, note); err != nil {
			return err
		}
	}
	s, err := o.reach.open(ctx, settings, l, note)
	if err != nil {
		return err
	}
	if err := s.deliver(m); err != nil {
		s.drop()
		return err
	}
	s.close()
	return nil
}

// testPassword returns the password or, for xoauth2, an access token that is
// asked for anew, so that the test tells whether that works.
func (o *Outbox) testPassword(ctx context.Context, settings pbx.MailSettings, typed Typed, r *Result, note func(Step, pbx.Message)) (string, error) {
	use, stored, err := o.testSecrets(settings, typed)
	if err != nil {
		return "", err
	}
	oauth := settings.Method == "xoauth2"
	switch {
	case use.Password == "" && oauth:
		return "", &Error{Step: StepToken, Fault: FaultCredentials, Server: settings.Server}
	case use.Password == "":
		return "", &Error{Step: StepLogin, Fault: FaultCredentials, Server: settings.Server}
	case !oauth:
		return use.Password.Reveal(), nil
	}
	g := grantOf(settings, use.Password, use.ClientSecret)
	access := ""
	if stored {
		if access, _, err = o.tokens.get(ctx, g, true); err != nil {
			return "", err
		}
	} else {
		got, err := o.reach.fetch(ctx, g)
		if err != nil {
			return "", err
		}
		access, r.RefreshToken = got.access, pbx.Secret(got.refresh)
	}
	note(StepToken, pbx.Say("{server} gave an access token.", "server", g.host()))
	return access, nil
}

// testSecrets returns the secrets for a test: those that were typed, and in
// place of the others the stored ones, as far as they may go over settings.
// stored reports that the password is the stored one.
func (o *Outbox) testSecrets(settings pbx.MailSettings, typed Typed) (use Secrets, stored bool, err error) {
	m := o.deps.Config().Mail
	if !settings.KeepsPassword(m.MailSettings) {
		m.Password = ""
	}
	if !settings.KeepsClientSecret(m.MailSettings) || typed.ClientSecret != nil {
		m.ClientSecret = ""
	}
	if use, err = o.opened(m); err != nil && typed.Password == nil {
		return use, false, err
	}
	stored = use.Password != "" && (typed.Password == nil || *typed.Password == use.Password)
	if typed.Password != nil {
		use.Password = *typed.Password
	}
	if typed.ClientSecret != nil {
		use.ClientSecret = *typed.ClientSecret
	}
	return use, stored, nil
}
