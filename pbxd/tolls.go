package pbxd

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/toll"
)

// newLedger returns what counts calls to the outside, with what was spoken today
// before the start. Records that cannot be read keep nobody from calling.
func (p *PBX) newLedger(ctx context.Context) *toll.Ledger {
	l := toll.New(toll.Deps{Config: p.config, Spoken: p.store.SpokenSince, Tell: p.tollMails.take, Now: p.deps.Now, Log: p.deps.Log.With("part", "toll")})
	if err := l.Load(ctx); err != nil {
		p.deps.Log.Error("what was spoken today before the start does not count yet: it cannot be read", "err", err)
	}
	return l
}

// maxTollMails is how many limits wait to be told of.
const maxTollMails = 256

// tollMails tells administrators by mail of limits of calls that are almost or
// wholly used up.
type tollMails struct {
	config  func() *pbx.Config
	mail    mailQueue
	now     func() time.Time
	changed func() // there is another warning
	log     *slog.Logger
	wait    chan pbx.TollAlarm
}

func newTollMails(config func() *pbx.Config, mail mailQueue, now func() time.Time, changed func(), log *slog.Logger) *tollMails {
	return &tollMails{config: config, mail: mail, now: now, changed: changed, log: log, wait: make(chan pbx.TollAlarm, maxTollMails)}
}

// take takes an alarm. It does not block.
func (m *tollMails) take(a pbx.TollAlarm) {
	select {
	case m.wait <- a:
	default:
		m.log.Error("no mail about a limit of calls: too many wait", "user", a.User, "gateway", a.Gateway)
	}
	m.changed()
}

// run writes mails until ctx ends, and then those that wait.
func (m *tollMails) run(ctx context.Context) {
	for {
		select {
		case a := <-m.wait:
			m.tell(context.WithoutCancel(ctx), a)
		case <-ctx.Done():
			for len(m.wait) > 0 {
				m.tell(context.WithoutCancel(ctx), <-m.wait)
			}
			return
		}
	}
}

func (m *tollMails) tell(ctx context.Context, a pbx.TollAlarm) {
	cfg := m.config()
	queued, err := mailAdministrators(ctx, cfg, m.mail, func(language string) (subject, text string) { return tollMail(cfg, a, m.now(), language) })
	switch {
	case err != nil:
		m.log.Error("mail about a limit of calls not written", "user", a.User, "gateway", a.Gateway, "err", err)
	case queued == 0:
		m.log.Warn("no mail about a limit of calls: no administrator has an e-mail address, or e-mail is off", "user", a.User, "gateway", a.Gateway)
	}
}

// tollMail writes the mail about one limit.
func tollMail(cfg *pbx.Config, a pbx.TollAlarm, now time.Time, language string) (subject, text string) {
	w := tollWordsIn(language)
	if zone, err := time.LoadLocation(cfg.Locale.TimeZone); err == nil {
		now = now.In(zone)
	}
	label, who, advice := w.user, a.Who(cfg), w.adviceUser
	if a.Gateway != "" {
		label, advice = w.gateway, w.adviceGateway
	}
	class := w.foreign
	if a.Class == pbx.TollPremium {
		class = w.premium
	}
	fill := func(template string) string {
		return pbx.Say(template, "who", who, "n", a.Spoken, "max", a.Limit, "class", class, "host", cfg.Network.Hostname).Text()
	}
	subject, after := fill(w.near), w.next
	if a.Reached {
		subject, after = fill(w.reached), w.blocked
	}
	var b strings.Builder
	for _, line := range []string{fill(w.about), "", label + ": " + who, w.time + ": " + now.Format(w.layout), "", after, advice} {
		b.WriteString(line + "\n")
	}
	return subject, b.String()
}

// tollWords are the words of the mail in one language.
type tollWords struct {
	near, reached, about, foreign, premium   string
	user, gateway, time, layout              string // labels; the last is that of a time
	next, blocked, adviceUser, adviceGateway string
}

// tollWordsIn returns the words of a language, English for one that there is none
// of.
func tollWordsIn(language string) tollWords {
	if language == "de" {
		return tollWords{
			near: "{who}: heute {n} von {max} Minuten {class}", reached: "Anrufe gesperrt: {who}, heute {n} von {max} Minuten {class}",
			about:   "Über die Telefonanlage {host} wurden heute {n} von {max} erlaubten Minuten {class} gesprochen.",
			foreign: "ins Ausland", premium: "zu Sonderrufnummern",
			user: "Benutzer", gateway: "Gateway", time: "Zeit", layout: "02.01.2006, 15:04",
			next:          "Ist die Grenze erreicht, enden diese Anrufe, und weitere werden bis Mitternacht abgelehnt. Vorher können Sie die Grenze anheben.",
			blocked:       "Diese Anrufe wurden beendet; weitere werden bis Mitternacht abgelehnt oder bis Sie die Grenze anheben. Alle anderen Anrufe und Notrufe sind weiter möglich.",
			adviceUser:    "Haben Sie das nicht erwartet, missbraucht vielleicht jemand das Telefon oder sein Passwort: Sehen Sie in den Verbindungsdaten nach, wohin telefoniert wurde, und ändern Sie das SIP-Passwort des Benutzers.",
			adviceGateway: "Haben Sie das nicht erwartet, missbraucht vielleicht jemand ein Telefon oder ein Passwort: Sehen Sie in den Verbindungsdaten nach, wer wohin telefoniert hat.",
		}
	}
	return tollWords{
		near: "{who}: {n} of {max} minutes {class} today", reached: "Calls blocked: {who}, {n} of {max} minutes {class} today",
		about:   "Of the {max} minutes {class} that are allowed, {n} were spoken today over the telephone system {host}.",
		foreign: "to other countries", premium: "to premium numbers",
		user: "User", gateway: "Gateway", time: "Time", layout: "2 January 2006, 15:04",
		next:          "When the limit is reached, these calls end, and further ones are refused until midnight. You can raise the limit before.",
		blocked:       "These calls have ended, and further ones are refused until midnight or until you raise the limit. All other calls and emergency calls go on.",
		adviceUser:    "If you did not expect this, somebody may be misusing the phone or its password: look in the call records who was called, and change the SIP password of the user.",
		adviceGateway: "If you did not expect this, somebody may be misusing a phone or a password: look in the call records who called whom.",
	}
}
