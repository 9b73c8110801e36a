package pbxd

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// letters are mails that were queued.
type letters struct {
	list []pbx.MailJob
	err  error
}

func (l *letters) Enqueue(_ context.Context, job pbx.MailJob) (int64, error) {
	l.list = append(l.list, job)
	return int64(len(l.list)), l.err
}

// Administrators with an address read who has used up how much of what, in their
// language.
func TestTollMail(t *testing.T) {
	cfg := pbx.Factory(pbx.Defaults{})
	cfg.Mail.Enabled, cfg.Network.Hostname, cfg.Locale.Language, cfg.Locale.TimeZone = true, "pbx", "de", "Europe/Berlin"
	cfg.UserByID(pbx.AdminID).Email, cfg.UserByID(pbx.AdminID).Language = "admin@example.org", "en"
	cfg.UserByID("demo101").Email, cfg.UserByID("demo102").Email = "anna@example.org", "ben@example.org"
	cfg.UserByID("demo102").Admin = true
	g := pbx.Gateway{ID: "g1"}
	g.Name = "Provider"
	cfg.Gateways = []pbx.Gateway{g}
	now := time.Date(2026, 3, 2, 22, 10, 0, 0, time.UTC)
	queue, told := &letters{}, 0
	m := newTollMails(func() *pbx.Config { return cfg }, queue, func() time.Time { return now }, func() { told++ }, slog.New(slog.DiscardHandler))
	over, stop := context.WithCancel(t.Context())
	stop()
	tell := func(a pbx.TollAlarm) []pbx.MailJob {
		queue.list = nil
		m.take(a)
		m.run(over) // those that wait are written after the end, too
		slices.SortFunc(queue.list, func(a, b pbx.MailJob) int { return len(b.To) - len(a.To) })
		return queue.list
	}
	list := tell(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 96, Limit: 120})
	want := []pbx.MailJob{
		{To: "admin@example.org", Kind: pbx.MailKindSystem, Subject: "Anna Demo (101): 96 of 120 minutes to other countries today", Text: `Of the 120 minutes to other countries that are allowed, 96 were spoken today over the telephone system pbx.

User: Anna Demo (101)
Time: 2 March 2026, 23:10

When the limit is reached, these calls end, and further ones are refused until midnight. You can raise the limit before.
If you did not expect this, somebody may be misusing the phone or its password: look in the call records who was called, and change the SIP password of the user.
`},
		{To: "ben@example.org", Kind: pbx.MailKindSystem, Subject: "Anna Demo (101): heute 96 von 120 Minuten ins Ausland", Text: `Über die Telefonanlage pbx wurden heute 96 von 120 erlaubten Minuten ins Ausland gesprochen.

Benutzer: Anna Demo (101)
Zeit: 02.03.2026, 23:10

Ist die Grenze erreicht, enden diese Anrufe, und weitere werden bis Mitternacht abgelehnt. Vorher können Sie die Grenze anheben.
Haben Sie das nicht erwartet, missbraucht vielleicht jemand das Telefon oder sein Passwort: Sehen Sie in den Verbindungsdaten nach, wohin telefoniert wurde, und ändern Sie das SIP-Passwort des Benutzers.
`},
	}
	if len(list) != 2 || list[0].Subject != want[0].Subject || list[0].Text != want[0].Text || list[1].Subject != want[1].Subject || list[1].Text != want[1].Text || list[0].To != want[0].To || list[1].To != want[1].To {
		t.Errorf("got %+v\nwant %+v", list, want)
	}
	list = tell(pbx.TollAlarm{Gateway: "g1", Class: pbx.TollPremium, Spoken: 60, Limit: 60, Reached: true})
	if len(list) != 2 || list[0].Subject != "Calls blocked: Provider, 60 of 60 minutes to premium numbers today" || list[1].Subject != "Anrufe gesperrt: Provider, heute 60 von 60 Minuten zu Sonderrufnummern" {
		t.Errorf("got %+v", list)
	}
	queue.err = errors.New("the queue is full")
	if list = tell(pbx.TollAlarm{User: "gone", Class: pbx.TollForeign, Spoken: 1, Limit: 1}); len(list) != 2 || told != 3 {
		t.Errorf("%d mails, told %d times", len(list), told)
	}
	cfg.Mail.Enabled = false
	if list = tell(pbx.TollAlarm{User: "demo101"}); len(list) != 0 {
		t.Errorf("got %+v", list)
	}
}

// The page lists limits while they are almost used up, the most used first.
func TestTollWarnings(t *testing.T) {
	cfg := pbx.Factory(pbx.Defaults{})
	alarms := []pbx.TollAlarm{
		{User: "demo101", Class: pbx.TollForeign, Spoken: 96, Limit: 120},
		{User: "demo102", Class: pbx.TollPremium, Spoken: 15, Limit: 15, Reached: true},
	}
	list := tollWarnings(cfg, alarms)
	if len(list) != 2 || list[0].Message.Text() != "Ben Demo (102) has spoken 15 of 15 minutes to premium numbers today: more such calls are refused until midnight, or until you raise the limit" ||
		list[1].Message.Text() != "Anna Demo (101) has spoken 96 of 120 minutes to other countries today" || list[0].Screen != "toll-limits" {
		t.Errorf("got %+v", list)
	}
	for range 99 {
		alarms = append(alarms, alarms[0])
	}
	if n := len(tollWarnings(cfg, alarms)); n != maxTollWarnings {
		t.Errorf("%d warnings, want %d", n, maxTollWarnings)
	}
}
