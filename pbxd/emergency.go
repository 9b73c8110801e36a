package pbxd

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

// Bounds of what is told of emergency calls.
const (
	maxEmergencies      = 64             // that wait to be told of, and that are remembered
	rememberEmergencies = 24 * time.Hour // and for how long
	maxUnknownMails     = 30             // in an hour, of phones that have not shown whose they are
)

// emergencies tells administrators of emergency calls: by mail, in the log, and by
// a warning of the page for a day.
type emergencies struct {
	config  func() *pbx.Config
	mail    mailQueue
	now     func() time.Time
	changed func() // there is another warning
	log     *slog.Logger
	wait    chan call.Emergency

	mu      sync.Mutex
	recent  []emergencyNote // the newest last
	unknown []time.Time     // of mails about phones that have not shown whose they are
}

// emergencyNote is one call as it is remembered.
type emergencyNote struct {
	at   time.Time
	text pbx.Message
}

func newEmergencies(config func() *pbx.Config, mail mailQueue, now func() time.Time, changed func(), log *slog.Logger) *emergencies {
	return &emergencies{config: config, mail: mail, now: now, changed: changed, log: log, wait: make(chan call.Emergency, maxEmergencies)}
}

// take takes an emergency call. It does not block.
func (e *emergencies) take(x call.Emergency) {
	select {
	case e.wait <- x:
	default:
		e.log.Error("emergency call not told of: too many wait", "call", x.Call, "number", x.Number, "phone", x.Phone, "address", x.Address, "gateway", x.Gateway)
	}
}

// run tells of emergency calls until ctx ends, and then of those that wait.
func (e *emergencies) run(ctx context.Context) {
	for {
		select {
		case x := <-e.wait:
			e.tell(context.WithoutCancel(ctx), x)
		case <-ctx.Done():
			for len(e.wait) > 0 {
				e.tell(context.WithoutCancel(ctx), <-e.wait)
			}
			return
		}
	}
}

func (e *emergencies) tell(ctx context.Context, x call.Emergency) {
	cfg := e.config()
	m := emergencyMail{x: x, cfg: cfg, user: cfg.UserByID(x.User), at: x.At}
	m.phone = m.user // whose place it is, whoever is logged in there
	if u := cfg.UserByExtension(x.Phone); u != nil {
		m.phone = u
	}
	m.likely, m.claims = cfg.UserByExtension(x.Likely), cfg.UserByExtension(x.Claims)
	if g := cfg.GatewayByID(x.Gateway); g != nil {
		m.gateway = g.Name
	}
	if zone, err := time.LoadLocation(cfg.Locale.TimeZone); err == nil {
		m.at = m.at.In(zone)
	}
	e.log.Warn("emergency call", "call", x.Call, "number", x.Number, "by", m.who(), "phone", x.Phone, "location", m.location(), "address", x.Address, "likely", x.Likely, "claims", x.Claims, "gateway", m.gateway)
	e.remember(m.warning())
	if x.User == "" && !e.unknownMay() {
		e.log.Warn("no mail about an emergency call: too many of phones that have not shown whose they are", "call", x.Call)
		return
	}
	queued, err := mailAdministrators(ctx, cfg, e.mail, m.write)
	if err != nil {
		e.log.Error("mail about an emergency call not written", "call", x.Call, "err", err)
	}
	if queued == 0 && err == nil {
		e.log.Warn("no mail about an emergency call: no administrator has an e-mail address, or e-mail is off", "call", x.Call)
	}
}

// unknownMay reports whether a further mail about an unknown phone may be written:
// who has no password must not fill the queue.
func (e *emergencies) unknownMay() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	e.unknown = slices.DeleteFunc(e.unknown, func(t time.Time) bool { return now.Sub(t) >= time.Hour || t.After(now) })
	if len(e.unknown) >= maxUnknownMails {
		return false
	}
	e.unknown = append(e.unknown, now)
	return true
}

func (e *emergencies) remember(m pbx.Message) {
	e.mu.Lock()
	if e.recent = append(e.recent, emergencyNote{e.now(), m}); len(e.recent) > maxEmergencies {
		e.recent = slices.Delete(e.recent, 0, 1)
	}
	e.mu.Unlock()
	e.changed()
}

// warnings are the emergency calls of the last day, the newest first.
func (e *emergencies) warnings() (list []pbx.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	for _, n := range slices.Backward(e.recent) {
		if now.Sub(n.at) < rememberEmergencies {
			list = append(list, n.text)
		}
	}
	return list
}

// emergencyMail is what is told of one call.
type emergencyMail struct {
	x              call.Emergency
	cfg            *pbx.Config
	at             time.Time // in the zone of the device
	gateway        string    // name; "" when none took the call
	user           *pbx.User // who calls; nil when that is not known
	phone          *pbx.User // whose phone it is; nil likewise
	likely, claims *pbx.User // of a phone that has not shown whose it is
}

func personOf(u *pbx.User) string {
	if u == nil {
		return ""
	}
	if u.Extension == "" {
		return u.DisplayName()
	}
	return u.DisplayName() + " (" + u.Extension + ")"
}

func (m *emergencyMail) who() string { return personOf(m.user) }

// location is where the phone stands, as far as that is known.
func (m *emergencyMail) location() string {
	for _, u := range []*pbx.User{m.phone, m.likely} {
		if u != nil && u.Location != "" {
			return u.Location
		}
	}
	return ""
}

// warning is the call in a sentence.
func (m *emergencyMail) warning() pbx.Message {
	at := m.at.Format("2006-01-02 15:04")
	switch {
	case m.user == nil && m.gateway == "":
		return pbx.Say("{time}: no gateway took the emergency call to {number} from the unknown phone at {address}", "time", at, "number", m.x.Number, "address", m.x.Address)
	case m.user == nil:
		return pbx.Say("{time}: emergency call to {number} from the unknown phone at {address}", "time", at, "number", m.x.Number, "address", m.x.Address)
	case m.gateway == "":
		return pbx.Say("{time}: no gateway took the emergency call to {number} by {name}", "time", at, "number", m.x.Number, "name", m.who())
	case m.location() != "":
		return pbx.Say("{time}: emergency call to {number} by {name}, {location}", "time", at, "number", m.x.Number, "name", m.who(), "location", m.location())
	}
	return pbx.Say("{time}: emergency call to {number} by {name}", "time", at, "number", m.x.Number, "name", m.who())
}

// write writes the mail.
func (m *emergencyMail) write(language string) (subject, text string) {
	w := emergencyWordsIn(language)
	who, where := m.who(), m.location()
	if who == "" {
		who = w.unknown
	}
	template := w.subject
	if m.gateway == "" {
		template = w.failed
	}
	subject = pbx.Say(template, "number", m.x.Number, "name", who).Text()
	if where != "" {
		subject += ", " + where
	} else {
		where = w.nowhere
	}
	gateway := m.gateway
	if gateway == "" {
		gateway = w.noGateway
	}
	at := m.at.Format(w.layout)
	if m.at.Year() < 2025 { // the clock was not set
		at = w.noTime
	}
	var b strings.Builder
	line := func(label, value string) {
		if value != "" {
			b.WriteString(label + ": " + value + "\n")
		}
	}
	b.WriteString(pbx.Say(w.about, "host", m.cfg.Network.Hostname).Text() + "\n\n")
	line(w.number, m.x.Number)
	line(w.time, at)
	line(w.caller, who)
	line(w.likely, personOf(m.likely))
	if m.claims != nil && m.claims != m.likely {
		line(w.claims, personOf(m.claims))
	}
	if m.phone != nil && m.phone != m.user {
		line(w.phoneOf, personOf(m.phone))
	}
	line(w.location, where)
	line(w.address, m.x.Address)
	line(w.gateway, gateway)
	advice := w.advice
	if m.gateway == "" {
		advice = w.help
	}
	b.WriteString("\n" + advice + "\n")
	return subject, b.String()
}

// emergencyWords are the words of the mail in one language.
type emergencyWords struct {
	subject, failed, about                                                    string
	number, time, caller, likely, claims, phoneOf, location, address, gateway string // labels
	unknown, nowhere, noGateway, noTime, advice, help, layout                 string
}

// emergencyWordsIn returns the words of a language, English for one that there is
// none of.
func emergencyWordsIn(language string) emergencyWords {
	if language == "de" {
		return emergencyWords{
			subject: "Notruf {number}: {name}", failed: "Notruf {number} kam nicht hinaus: {name}", about: "Von der Telefonanlage {host} aus wurde ein Notruf gewählt.",
			number: "Gewählte Nummer", time: "Zeit", caller: "Anrufer", likely: "Wahrscheinlich", claims: "Das Telefon nennt sich", phoneOf: "Telefon von",
			location: "Ort", address: "Adresse des Telefons", gateway: "Gateway",
			unknown: "unbekanntes Telefon", nowhere: "nicht bekannt. Tragen Sie ihn beim Benutzer ein.", noGateway: "keines hat den Anruf angenommen", noTime: "nicht bekannt, da die Uhr nicht gestellt ist",
			advice: "Sehen Sie nach, wer Hilfe braucht, und weisen Sie den Helfern den Weg.",
			help:   "Rufen Sie auf anderem Weg Hilfe, etwa mit einem Mobiltelefon, und sehen Sie dann nach den Gateways.",
			layout: "02.01.2006, 15:04:05",
		}
	}
	return emergencyWords{
		subject: "Emergency call to {number}: {name}", failed: "Emergency call to {number} did not get out: {name}", about: "An emergency number was dialled at the telephone system {host}.",
		number: "Number dialled", time: "Time", caller: "Caller", likely: "Probably", claims: "The phone calls itself", phoneOf: "Phone of",
		location: "Location", address: "Address of the phone", gateway: "Gateway",
		unknown: "unknown phone", nowhere: "not known. Enter it at the user.", noGateway: "none took the call", noTime: "not known, since the clock is not set",
		advice: "Look who needs help, and show the helpers the way.",
		help:   "Call for help by another way, such as a mobile phone, and look after the gateways then.",
		layout: "2 January 2006, 15:04:05",
	}
}
