package pbxd

import (
	"context"
	"fmt"

	"galilei/pbxd/pbx"
)

// mailQueue takes mails that are sent even when the device restarts before.
type mailQueue interface {
	Enqueue(ctx context.Context, job pbx.MailJob) (int64, error)
}

// mailAdministrators queues a mail to each administrator who has an address, in
// the administrator's language, and returns how many there are. One that cannot be
// queued does not hinder the others.
func mailAdministrators(ctx context.Context, cfg *pbx.Config, queue mailQueue, write func(language string) (subject, text string)) (queued int, err error) {
	if !cfg.Mail.Enabled {
		return 0, nil
	}
	for i := range cfg.Users {
		u := &cfg.Users[i]
		if !u.Admin && u.ID != pbx.AdminID || u.Email == "" {
			continue
		}
		language := u.Language
		if language == "" {
			language = cfg.Locale.Language
		}
		subject, text := write(language)
		if _, failed := queue.Enqueue(ctx, pbx.MailJob{To: u.Email, Subject: subject, Text: text, Kind: pbx.MailKindSystem}); failed != nil {
			err = fmt.Errorf("mail to the administrator %s: %w", u.Name, failed)
			continue
		}
		queued++
	}
	return queued, err
}
