package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync"
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
	mustChange, device                       string
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
			device:     "Die Telefonanlage",
			mustChange: "Bei der nächsten Anmeldung legen Sie eine neue PIN fest.",
			time:       "02.01.2006, 15:04",
		}
	}
	return noticeWords{
		subject:    "Your data in the telephone system was changed",
		greeting:   "Hello {name},",
		changed:    "{author} changed your data in the telephone system {host} on {time}:",
		advice:     "If you did not expect this, please ask your administrator.",
		device:     "The telephone system",
		mustChange: "You will choose a new PIN at your next login.",
		time:       "2 January 2006, 15:04",
	}
}

// changed is a change of the configuration of which users are to be told.
type changed struct {
	before, after *pbx.Config
	author        string
}

// notices are the changes whose mails are not written yet.
type notices struct {
	mu   sync.Mutex
	list []changed
	more chan struct{} // holds an element when there are some
}

// systemAuthor is who makes the revisions that nobody asked for.
const systemAuthor = "system"

// maxNotices bounds the configurations that are held until mails are written,
// which takes milliseconds.
const maxNotices = 64

func newNotices() *notices { return &notices{more: make(chan struct{}, 1)} }

// add takes a change, together with one before it by the same author. It
// returns false when too many wait.
func (n *notices) add(c changed) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last := len(n.list) - 1; last >= 0 && n.list[last].author == c.author {
		n.list[last].after = c.after
		return true
	}
	if len(n.list) >= maxNotices {
		return false
	}
	n.list = append(n.list, c)
	select {
	case n.more <- struct{}{}:
	default: // it is known already
	}
	return true
}

func (n *notices) take() []changed {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.list
	n.list = nil
	return list
}

// noticed remembers that users are to be told of a revision. It is called
// within the commit, so the mails are written later.
func (s *Server) noticed(before, after *pbx.Config, author string) {
	if s.Mail == nil || !after.Mail.Enabled || before == nil {
		return
	}
	if !s.notices.add(changed{before, after, author}) {
		s.Log.Warn("no mail about changed data: too many changes at once", "waiting", maxNotices, "author", author)
	}
}

// writeNotices writes mails as changes come, until ctx ends, and then those
// that are left.
func (s *Server) writeNotices(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-s.notices.more:
		case <-ctx.Done():
		}
		s.tellUsers(context.WithoutCancel(ctx))
	}
}

// tellUsers writes a mail to each user with an address whose data somebody
// else has changed (F216), by whatever made the revision: a form, an import,
// the restore of an older one. A mail that cannot be written hinders no change.
func (s *Server) tellUsers(ctx context.Context) {
	for _, x := range s.notices.take() {
		known := usersByID(x.after)
		was, is := groupsOfUsers(x.before), groupsOfUsers(x.after)
		for i := range x.before.Users {
			before := &x.before.Users[i]
			after := known[before.ID]
			if after == nil || x.author == before.Name {
				continue
			}
			titles := changedTitles(before, after, was[before.ID], is[before.ID])
			job, ok := s.notice(x, before, after, titles)
			if !ok {
				continue
			}
			if _, err := s.Mail.Enqueue(ctx, job); err != nil {
				s.Log.Warn("mail about changed data not written", "user", after.Name, "err", err)
			}
		}
	}
}

// notice writes the mail about the change of one user. It goes to the address
// of before, so that nobody changes an address unseen.
func (s *Server) notice(x changed, was, is *pbx.User, titles []string) (pbx.MailJob, bool) {
	to := was.Email
	if to == "" {
		to = is.Email
	}
	if to == "" || len(titles) == 0 {
		return pbx.MailJob{}, false
	}
	language := languageOf(x.after, is)
	words := noticeIn(language)
	now := s.Now()
	if zone, err := time.LoadLocation(x.after.Locale.TimeZone); err == nil {
		now = now.In(zone)
	}
	author := x.author
	if author == systemAuthor {
		author = words.device
	}
	fill := func(template string) string {
		return pbx.Say(template, "name", is.DisplayName(), "author", author, "host", x.after.Network.Hostname, "time", now.Format(words.time)).Text()
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

// Said says a message in a language, in English where there are no words for it.
func (s *Server) Said(language string, m pbx.Message) string { return m.In(s.titles[language]) }

// languageOf returns the language that a user reads.
func languageOf(cfg *pbx.Config, u *pbx.User) string {
	if u.Language != "" {
		return u.Language
	}
	return cfg.Locale.Language
}

// userGroups are the groups that name a user, by the title of their kind.
type userGroups map[string][]string

// groupsOfUsers returns the groups of each user, by ID.
func groupsOfUsers(cfg *pbx.Config) map[string]userGroups {
	all := map[string]userGroups{}
	put := func(user, title, group string) {
		if all[user] == nil {
			all[user] = userGroups{}
		}
		all[user][title] = append(all[user][title], group)
	}
	for i := range cfg.PickupGroups {
		for _, user := range cfg.PickupGroups[i].Members {
			put(user, "Pickup groups", cfg.PickupGroups[i].ID)
		}
	}
	for i := range cfg.PermissionGroups {
		if g := &cfg.PermissionGroups[i]; isUserGroup(g) {
			for _, user := range g.Members {
				put(user, "User groups", g.ID)
			}
		}
	}
	for i := range cfg.HuntGroups {
		for _, m := range cfg.HuntGroups[i].Members {
			put(m.User, "Hunt groups", cfg.HuntGroups[i].ID)
		}
	}
	return all
}

// changedTitles returns the titles of the parameters of a user that differ, and
// of the kinds of groups. Secrets are named, their values are not.
func changedTitles(was, is *pbx.User, in, now userGroups) (titles []string) {
	a, b := reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem()
	if !sameUser(was, is) {
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
	}
	for _, kind := range []string{"Pickup groups", "User groups", "Hunt groups"} {
		if !slices.Equal(in[kind], now[kind]) {
			titles = append(titles, kind)
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
