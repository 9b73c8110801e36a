package pbxd

import (
	"context"
	"fmt"

	"galilei/pbxd/mail"
	"galilei/pbxd/pbx"
)

// newOutbox returns the queue of e-mail.
func (p *PBX) newOutbox() *mail.Outbox {
	return mail.New(mail.Deps{
		Config: p.config, Queue: p.store, Open: p.store.Key().Open, Hostname: func() string { return p.config().Network.Hostname },
		Now: p.deps.Now, Log: p.deps.Log.With("part", "mail"), SaveRefreshToken: p.saveRefreshToken,
	})
}

// saveRefreshToken keeps the refresh token that an OAuth server gave in place
// of the one before, which is no longer good (RFC 6749 section 6).
func (p *PBX) saveRefreshToken(ctx context.Context, token pbx.Secret) error {
	sealed := p.store.Key().Seal(pbx.MailPasswordPurpose, token)
	_, err := p.store.Commit(ctx, "system", "Refresh token of the mail account renewed", func(c *pbx.Config) error {
		c.Mail.Password = sealed
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep the refresh token: %w", err)
	}
	return nil
}
