package pbxd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

// mails is a queue in memory. It refuses the address full@example.com.
type mails []pbx.MailJob

func (m *mails) Enqueue(_ context.Context, job pbx.MailJob) (int64, error) {
	if job.To == "full@example.com" {
		return 0, errors.New("no room")
	}
	*m = append(*m, job)
	return int64(len(*m)), nil
}

// inOffice makes an office with three administrators, two of them with addresses.
func inOffice() (cfg *pbx.Config, e *emergencies, sent *mails, now *time.Time) {
	cfg = pbx.Factory(pbx.Defaults{})
	cfg.Mail.Enabled, cfg.Locale.TimeZone, cfg.Locale.Language, cfg.Network.Hostname = true, "Europe/Berlin", "en", "house"
	cfg.UserByID(pbx.AdminID).Email = "chief@example.com"
	u := cfg.UserByExtension("101")
	u.FirstName, u.LastName, u.Location, u.Email = "Anna", "Bauer", "Reception", "anna@example.com"
	u = cfg.UserByExtension("102")
	u.FirstName, u.LastName, u.Admin, u.Email, u.Language = "Ben", "Koch", true, "ben@example.com", "de"
	u = cfg.UserByExtension("103")
	u.FirstName, u.LastName, u.Admin, u.Email = "Cora", "Lang", true, "full@example.com"
	g := pbx.Gateway{ID: "g1"}
	g.Name = "Provider A"
	cfg.Gateways = []pbx.Gateway{g}
	sent = &mails{}
	at := time.Date(2026, 11, 23, 13, 2, 3, 0, time.UTC)
	now = &at
	e = newEmergencies(func() *pbx.Config { return cfg }, sent, func() time.Time { return *now }, func() {}, slog.New(slog.DiscardHandler))
	return cfg, e, sent, now
}

// Each administrator with an address is told who calls, where, and what to do, in
// the own language; one mail that cannot be queued hinders no other.
func TestMailAboutAnEmergencyCall(t *testing.T) {
	cfg, e, sent, now := inOffice()
	anna, ben := cfg.UserByExtension("101").ID, cfg.UserByExtension("102").ID
	for _, tt := range []struct {
		x              call.Emergency
		english, words string // of the German one
		warning        string
	}{
		{call.Emergency{User: anna, Phone: "101", Gateway: "g1", Address: "192.0.2.7:5060"},
			"Emergency call to 112: Anna Bauer (101), Reception|An emergency number was dialled at the telephone system house.||Number dialled: 112|Time: 23 November 2026, 14:02:03|" +
				"Caller: Anna Bauer (101)|Location: Reception|Address of the phone: 192.0.2.7:5060|Gateway: Provider A||Look who needs help, and show the helpers the way.|",
			"Notruf 112: Anna Bauer (101), Reception|Ort: Reception", "2026-11-23 14:02: emergency call to 112 by Anna Bauer (101), Reception"},
		{call.Emergency{User: ben, Phone: "101", Gateway: "g1"}, // logged in at another's phone: that is the place
			"Emergency call to 112: Ben Koch (102), Reception|Caller: Ben Koch (102)|Phone of: Anna Bauer (101)|Location: Reception",
			"Telefon von: Anna Bauer (101)", "2026-11-23 14:02: emergency call to 112 by Ben Koch (102), Reception"},
		{call.Emergency{User: ben, Phone: "102"},
			"Emergency call to 112 did not get out: Ben Koch (102)|Location: not known. Enter it at the user.|Gateway: none took the call|Call for help by another way",
			"Notruf 112 kam nicht hinaus: Ben Koch (102)|Gateway: keines hat den Anruf angenommen|Mobiltelefon", "2026-11-23 14:02: no gateway took the emergency call to 112 by Ben Koch (102)"},
		{call.Emergency{Likely: "101", Claims: "103", Gateway: "g1", Address: "192.0.2.7:5060"},
			"Emergency call to 112: unknown phone, Reception|Caller: unknown phone|Probably: Anna Bauer (101)|The phone calls itself: Cora Lang (103)|Location: Reception|192.0.2.7:5060",
			"unbekanntes Telefon|Wahrscheinlich: Anna Bauer (101)|Das Telefon nennt sich: Cora Lang (103)", "2026-11-23 14:02: emergency call to 112 from the unknown phone at 192.0.2.7:5060"},
		{call.Emergency{Address: "192.0.2.7:5060"}, "Emergency call to 112 did not get out: unknown phone", "Notruf 112 kam nicht hinaus: unbekanntes Telefon",
			"2026-11-23 14:02: no gateway took the emergency call to 112 from the unknown phone at 192.0.2.7:5060"},
	} {
		*sent = nil
		tt.x.Number, tt.x.At = "112", *now
		e.tell(t.Context(), tt.x)
		if len(*sent) != 2 || (*sent)[0].To != "chief@example.com" || (*sent)[1].To != "ben@example.com" {
			t.Fatalf("%+v: mails %+v", tt.x, *sent)
		}
		text := func(job pbx.MailJob) string { return job.Subject + "|" + strings.ReplaceAll(job.Text, "\n", "|") }
		for i, want := range []string{tt.english, tt.words} {
			for _, line := range strings.Split(want, "|") {
				if got := text((*sent)[i]); !strings.Contains(got, line) {
					t.Errorf("mail %q lacks %q", got, line)
				}
			}
		}
		if got := e.warnings()[0].Text(); got != tt.warning {
			t.Errorf("warning %q, want %q", got, tt.warning)
		}
	}
	if got := len(e.warnings()); got != 5 {
		t.Errorf("%d warnings, want 5", got)
	}
	if *now = now.Add(25 * time.Hour); len(e.warnings()) != 0 {
		t.Errorf("a day later: %v", e.warnings())
	}
	*sent = nil
	cfg.Mail.Enabled = false
	if e.tell(t.Context(), call.Emergency{User: anna, Number: "112", At: *now}); len(*sent) != 0 || len(e.warnings()) != 1 {
		t.Errorf("without e-mail: %+v, %v", *sent, e.warnings())
	}
}

// Who has no password cannot fill the queue of mails, nor keep those from being
// written that matter.
func TestFloodOfEmergencyMails(t *testing.T) {
	cfg, e, sent, now := inOffice()
	for i := range 3 * maxUnknownMails {
		e.tell(t.Context(), call.Emergency{Number: "112", Address: fmt.Sprint("192.0.2.", i), At: *now})
	}
	if len(*sent) != 2*maxUnknownMails {
		t.Errorf("%d mails, want %d", len(*sent), 2*maxUnknownMails)
	}
	e.tell(t.Context(), call.Emergency{Number: "112", User: cfg.UserByExtension("101").ID, At: *now})
	if *now = now.Add(time.Hour); len(*sent) != 2*maxUnknownMails+2 {
		t.Errorf("a known phone: %d mails", len(*sent))
	}
	e.tell(t.Context(), call.Emergency{Number: "112", At: *now})
	if len(*sent) != 2*maxUnknownMails+4 || len(e.warnings()) != maxEmergencies {
		t.Errorf("an hour later: %d mails, %d warnings", len(*sent), len(e.warnings()))
	}
	for range 2 * maxEmergencies {
		e.take(call.Emergency{Number: "112", At: *now}) // nobody tells of them: it does not wait
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e.run(ctx); len(e.wait) != 0 {
		t.Errorf("%d wait at the end", len(e.wait))
	}
}
