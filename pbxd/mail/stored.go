package mail

import (
	"context"
	"errors"

	"galilei/pbxd/pbx"
)

// openStored opens a session with the stored settings and secrets.
func (o *Outbox) openStored(ctx context.Context, m pbx.Mail) (*session, error) {
	if !m.Authentication {
		return o.reach.open(ctx, m.MailSettings, login{}, nil)
	}
	secrets, err := o.opened(m)
	if err != nil {
		return nil, err
	}
	if m.Method != "xoauth2" {
		return o.reach.open(ctx, m.MailSettings, login{m.UserName, secrets.Password.Reveal()}, nil)
	}
	g := grantOf(m.MailSettings, secrets.Password, secrets.ClientSecret)
	access, kept, err := o.tokens.get(ctx, g, false)
	if err != nil {
		return nil, err
	}
	s, err := o.reach.open(ctx, m.MailSettings, login{m.UserName, access}, nil)
	var e *Error
	if !kept || !errors.As(err, &e) || e.Step != StepLogin || e.Code < 500 {
		return s, err
	}
	// A provider may take tokens back before their time, for example after a change of the password.
	if access, _, err = o.tokens.get(ctx, g, true); err != nil {
		return nil, err
	}
	return o.reach.open(ctx, m.MailSettings, login{m.UserName, access}, nil)
}

// opened opens the secrets of the settings.
func (o *Outbox) opened(m pbx.Mail) (Secrets, error) {
	var s Secrets
	var err error
	if m.Password != "" {
		if s.Password, err = o.deps.Open(pbx.MailPasswordPurpose, m.Password); err != nil {
			return s, &Error{Step: StepLogin, Fault: FaultSealed, Server: m.Server, Err: err}
		}
	}
	if m.ClientSecret != "" && m.Method == "xoauth2" {
		if s.ClientSecret, err = o.deps.Open(pbx.MailClientSecretPurpose, m.ClientSecret); err != nil {
			return s, &Error{Step: StepToken, Fault: FaultSealed, Server: m.Server, Err: err}
		}
	}
	return s, nil
}
