package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// Mail sends mail, sooner or later.
type Mail interface {
	// Enqueue takes a mail to be sent and returns its number.
	Enqueue(ctx context.Context, job pbx.MailJob) (int64, error)
	// Configured says that the settings have changed: what waits is tried anew.
	Configured()
}

// noticeWords are the words of a mail about changed data in one language.
type noticeWords struct {
	subject, greeting, changed, advice, time string // time is the layout of a date
	mustChange                               string
}

// noticeIn returns the words of a language, English for one that there is none
// of.
func noticeIn(language string) noticeWords {
	if language == "de" {
		return noticeWords{
			subject:    "Ihre Daten in der Telefonanlage wurden geändert",
			greeting:   "Guten Tag {name},",
			changed:    "{author} hat am {time} Ihre Daten in der Telefonanlage {host} geändert:",
			advice:     "Wenn Sie das nicht erwartet haben, fragen Sie bitte Ihren Administrator.",
			mustChange: "Bei der nächsten Anmeldung legen Sie eine neue PIN fest.",
			time:       "02.01.2006, 15:04",
		}
	}
	return noticeWords{
		subject:    "Your data in the telephone system was changed",
		greeting:   "Hello {name},",
		changed:    "{author} changed your data in the telephone system {host} on {time}:",
		advice:     "If you did not expect this, please ask your administrator.",
		mustChange: "You will choose a new PIN at your next login.",
		time:       "2 January 2006, 15:04",
	}
}

// tellUsers writes a mail to each user with an address whose data somebody
// else has changed (F216). A mail that cannot be written hinders no change.
func (s *Server) tellUsers(ctx context.Context, c *caller, before, after *pbx.Config) {
	if s.Mail == nil || !after.Mail.Enabled || before == nil || after == nil {
		return
	}
	for i := range before.Users {
		was := &before.Users[i]
		is := after.UserByID(was.ID)
		if is == nil || is.ID == c.actor.ID && !c.as() || sameUser(was, is) {
			continue
		}
		job, ok := s.notice(c, after, was, is)
		if !ok {
			continue
		}
		if _, err := s.Mail.Enqueue(ctx, job); err != nil {
			s.Log.Warn("mail about changed data not written", "user", is.Name, "err", err)
		}
	}
}

// notice writes the mail about the change of one user. It goes to the address
// of before, so that nobody changes an address unseen.
func (s *Server) notice(c *caller, cfg *pbx.Config, was, is *pbx.User) (pbx.MailJob, bool) {
	to := was.Email
	if to == "" {
		to = is.Email
	}
	titles := changedTitles(was, is)
	if to == "" || len(titles) == 0 {
		return pbx.MailJob{}, false
	}
	language := languageOf(cfg, is)
	words := noticeIn(language)
	now := s.Now()
	if zone, err := time.LoadLocation(cfg.Locale.TimeZone); err == nil {
		now = now.In(zone)
	}
	fill := func(template string) string {
		return pbx.Say(template, "name", is.DisplayName(), "author", c.author(), "host", cfg.Network.Hostname, "time", now.Format(words.time)).Text()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n", fill(words.greeting), fill(words.changed))
	for _, title := range titles {
		if t := s.titles[language][title]; t != "" {
			title = t
		}
		fmt.Fprintf(&b, "- %s\n", title)
	}
	if is.MustChangePIN && was.PIN != is.PIN {
		fmt.Fprintf(&b, "\n%s\n", words.mustChange)
	}
	fmt.Fprintf(&b, "\n%s\n", words.advice)
	return pbx.MailJob{To: to, Subject: words.subject, Text: b.String(), Kind: pbx.MailKindSystem, Created: s.Now()}, true
}

// languageOf returns the language that a user reads.
func languageOf(cfg *pbx.Config, u *pbx.User) string {
	if u.Language != "" {
		return u.Language
	}
	return cfg.Locale.Language
}

// changedTitles returns the titles of the parameters of a user that differ.
// Secrets are named, their values are not.
func changedTitles(was, is *pbx.User) (titles []string) {
	a, b := reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem()
	for _, f := range reflect.VisibleFields(a.Type()) {
		if f.Anonymous || f.Name == "MustChangePIN" || reflect.DeepEqual(a.FieldByIndex(f.Index).Interface(), b.FieldByIndex(f.Index).Interface()) {
			continue
		}
		switch title := f.Tag.Get("title"); {
		case f.Name == "PIN":
			titles = append(titles, "PIN")
		case f.Name == "SIPPassword":
			titles = append(titles, "SIP password")
		case title != "":
			titles = append(titles, title)
		}
	}
	return titles
}

// parameterTitles reads what each language calls the parameters, from the
// catalogues of the page.
func parameterTitles(files fs.FS) map[string]map[string]string {
	titles := map[string]map[string]string{}
	for _, language := range []string{"de"} {
		var catalogue struct {
			API map[string]string `json:"api"`
		}
		text, err := fs.ReadFile(files, "i18n/"+language+".json")
		if err == nil && json.Unmarshal(text, &catalogue) == nil {
			titles[language] = catalogue.API
		}
	}
	return titles
}
