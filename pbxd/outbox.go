package pbxd

import (
	"context"
	"fmt"

	"galilei/pbxd/mail"
	"galilei/pbxd/pbx"
	"galilei/pbxd/web"
)

// newOutbox returns the queue of e-mail.
func (p *PBX) newOutbox() *mail.Outbox {
	return mail.New(mail.Deps{
		Config: p.config, Queue: p.store, Open: p.store.Key().Open, Hostname: func() string { return p.config().Network.Hostname },
		Now: p.deps.Now, Log: p.deps.Log.With("part", "mail"), SaveRefreshToken: p.saveRefreshToken,
	})
}

// saveRefreshToken keeps the refresh token that an OAuth server gave in place
// of the old one, which is no longer good (RFC 6749 section 6). When the stored
// one is another, the account has been changed meanwhile, and nothing is kept.
func (p *PBX) saveRefreshToken(ctx context.Context, old, new pbx.Secret) error {
	key := p.store.Key()
	sealed := key.Seal(pbx.MailPasswordPurpose, new)
	_, err := p.store.Commit(ctx, "system", pbx.Say("Refresh token of the mail account renewed"), func(c *pbx.Config) error {
		if stored, err := key.Open(pbx.MailPasswordPurpose, c.Mail.Password); err == nil && stored == old {
			c.Mail.Password = sealed
		}
		return nil
	})
	if err != nil {
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
