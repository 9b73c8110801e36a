package mail

import (
	"context"
	"fmt"
	"strings"

	"galilei/pbxd/pbx"
)

// Secrets are what an administrator has typed: the password, or the refresh
// token of xoauth2, and the client secret.
type Secrets struct {
	Password     pbx.Secret
	ClientSecret pbx.Secret
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
// off. Secrets that are empty are the stored ones, but only when the settings
// lead to the same server in the same way: nobody gets a password by naming a
// server of his own. The error is that of the last step.
func (o *Outbox) Test(ctx context.Context, settings pbx.MailSettings, secrets Secrets, to string) (Result, error) {
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

func (o *Outbox) test(ctx context.Context, settings pbx.MailSettings, secrets Secrets, to string, r *Result) error {
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
func (o *Outbox) testPassword(ctx context.Context, settings pbx.MailSettings, typed Secrets, r *Result, note func(Step, pbx.Message)) (string, error) {
	stored := o.deps.Config().Mail
	var kept Secrets
	if sameWay(settings, stored.MailSettings) {
		var err error
		if kept, err = o.opened(stored); err != nil && typed.Password == "" {
			return "", err
		}
	}
	use := typed
	if use.Password == "" {
		use.Password = kept.Password
	}
	if settings.Method != "xoauth2" {
		if use.Password == "" {
			return "", &Error{Step: StepLogin, Fault: FaultCredentials, Server: settings.Server}
		}
		return use.Password.Reveal(), nil
	}
	if use.ClientSecret == "" {
		use.ClientSecret = kept.ClientSecret
	}
	g := grantOf(settings, use.Password, use.ClientSecret)
	access := ""
	if use.Password == kept.Password {
		var err error
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

// sameWay reports whether secrets go over a as they go over the stored settings
// b: to the same servers, as well protected or better.
func sameWay(a, b pbx.MailSettings) bool {
	return strings.EqualFold(a.Server, b.Server) && a.Port == b.Port && a.Security == b.Security && a.Method == b.Method &&
		(b.AllowPlaintextPassword || !a.AllowPlaintextPassword) && a.OAuthTokenURL == b.OAuthTokenURL
}
