package pbxd

import (
	"context"
	"fmt"

	"galilei/pbxd/mail"
	"galilei/pbxd/pbx"
	"galilei/pbxd/web"
)

// newOutbox returns the queue of e-mail.
func (p *PBX) newOutbox(ctx context.Context) *mail.Outbox {
	p.renewed = openRenewed(ctx, p.store, p.deps.Log)
	return mail.New(mail.Deps{
		Config: p.config, Queue: p.store, Open: p.renewed.open, Hostname: func() string { return p.config().Network.Hostname },
		Now: p.deps.Now, Log: p.deps.Log.With("part", "mail"), SaveRefreshToken: p.saveRefreshToken,
	})
}

// saveRefreshToken keeps the refresh token that an OAuth server gave in place
// of the old one. When the one in force is another, the account has been
// changed meanwhile, and nothing is kept.
func (p *PBX) saveRefreshToken(ctx context.Context, old, new pbx.Secret) error {
	if err := p.renewed.replace(ctx, p.config().Mail.Password, old, new); err != nil {
		return fmt.Errorf("keep the refresh token: %w", err)
	}
	return nil
}

// testMail sends a test mail for the page. A refresh token that the OAuth server
// gives in place of one that was typed in is kept when that one is stored.
func (p *PBX) testMail(ctx context.Context, t web.MailTest) ([]web.MailStep, error) {
	result, err := p.mail.Test(ctx, t.Settings, mail.Typed{Password: t.Password, ClientSecret: t.ClientSecret}, t.To)
	if result.RefreshToken != "" && t.Password != nil {
		if err := p.saveRefreshToken(ctx, *t.Password, result.RefreshToken); err != nil {
			p.deps.Log.Error("test mail", "err", err)
		}
	}
	steps := make([]web.MailStep, len(result.Steps))
	for i, s := range result.Steps {
		steps[i] = web.MailStep{Step: string(s.Step), OK: s.OK, Text: s.Text, Advice: s.Advice}
	}
	return steps, err
}
