package web

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"galilei/pbxd/pbx"
)

// kept is what memory keeps beside the configuration.
type kept struct {
	contacts   map[string][]pbx.Contact // by owner, in the order in which they came
	pictures   map[string][]byte
	drafts     map[string]pbx.Draft
	mails      []pbx.MailJob
	journal    []pbx.JournalEntry
	records    []pbx.CallRecord
	recordsErr error                              // at the end of an export
	calls      int64                              // that were entered in journals
	texts      map[string][]pbx.Text              // by user
	retried    int                                // times that Configured was called
	pending    *atomic.Pointer[pbx.PendingChange] // asked for within commits, too
	before     *pbx.Config                        // to which the pending change reverts
}

func newKept() kept {
	return kept{contacts: map[string][]pbx.Contact{}, pictures: map[string][]byte{}, drafts: map[string]pbx.Draft{}, texts: map[string][]pbx.Text{}, pending: &atomic.Pointer[pbx.PendingChange]{}}
}

func (m *memory) Contacts(_ context.Context, q pbx.ContactQuery) (pbx.ContactPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	begins := func(s, prefix string) bool { return strings.HasPrefix(strings.ToLower(s), strings.ToLower(prefix)) }
	digits := func(s string) string {
		return strings.NewReplacer(" ", "", "+", "", "/", "", "-", "", "(", "", ")", "").Replace(s)
	}
	list := []pbx.Contact{}
	for _, c := range m.contacts[q.Owner] {
		named := begins(c.FirstName, q.Name) || begins(c.LastName, q.Name)
		numbered := q.Number == "" || begins(digits(c.Office), digits(q.Number)) || begins(digits(c.Mobile), digits(q.Number)) || begins(digits(c.Home), digits(q.Number))
		if named && numbered && (q.Letter == "" || begins(c.FirstName, q.Letter) || begins(c.LastName, q.Letter)) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b pbx.Contact) int {
		order := cmp.Compare(sortKey(&a, q.Sort), sortKey(&b, q.Sort))
		if q.Down {
			return -order
		}
		return order
	})
	page := pbx.ContactPage{Total: len(list)}
	list = list[min(q.Offset, len(list)):]
	if q.Limit > 0 {
		list = list[:min(q.Limit, len(list))]
	}
	page.Contacts = list
	return page, nil
}

func sortKey(c *pbx.Contact, column string) string {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[pbx.Contact]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == column && !f.Anonymous {
			return strings.ToLower(reflect.ValueOf(c).Elem().FieldByIndex(f.Index).String())
		}
	}
	return strings.ToLower(c.LastName + "\x00" + c.FirstName)
}

// contact returns where a contact is, with m locked.
func (m *memory) contact(owner, id string) (int, error) {
	i := slices.IndexFunc(m.contacts[owner], func(c pbx.Contact) bool { return c.ID == id })
	if i < 0 {
		return i, fmt.Errorf("contact %s: %w", id, fs.ErrNotExist)
	}
	return i, nil
}

func (m *memory) Contact(_ context.Context, owner, id string) (pbx.Contact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.contact(owner, id)
	if err != nil {
		return pbx.Contact{}, err
	}
	return m.contacts[owner][i], nil
}

func (m *memory) AddContacts(_ context.Context, owner string, list []pbx.Contact) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	most := pbx.MaxGlobalContacts
	if owner != "" {
		most = pbx.MaxPrivateContacts
	}
	if len(m.contacts[owner])+len(list) > most {
		return fmt.Errorf("add %d contacts: %w", len(list), pbx.ErrTooMany)
	}
	m.contacts[owner] = append(m.contacts[owner], list...)
	return nil
}

func (m *memory) ChangeContact(_ context.Context, owner, id string, change func(*pbx.Contact) error) (pbx.Contact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.contact(owner, id)
	if err != nil {
		return pbx.Contact{}, err
	}
	c := m.contacts[owner][i]
	if err := change(&c); err != nil {
		return pbx.Contact{}, err
	}
	m.contacts[owner][i] = c
	return c, nil
}

func (m *memory) DeleteContact(_ context.Context, owner, id string, check func(pbx.Contact) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.contact(owner, id)
	if err != nil {
		return err
	}
	if err := check(m.contacts[owner][i]); err != nil {
		return err
	}
	m.contacts[owner] = slices.Delete(m.contacts[owner], i, i+1)
	return nil
}

func (m *memory) DeleteContacts(_ context.Context, owner string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.contacts[owner])
	delete(m.contacts, owner)
	return n, nil
}

func (m *memory) PutPicture(_ context.Context, _, hash string, jpeg []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pictures[hash] = jpeg
	return nil
}

func (m *memory) Picture(_ context.Context, hash string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.pictures[hash]
	if !ok {
		return nil, fmt.Errorf("picture %s: %w", hash, fs.ErrNotExist)
	}
	return p, nil
}

func (m *memory) PictureOwners(_ context.Context, hash string) (owners []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for owner, list := range m.contacts {
		if slices.ContainsFunc(list, func(c pbx.Contact) bool { return c.Image == hash }) {
			owners = append(owners, owner)
		}
	}
	return owners, nil
}

func (m *memory) Drafts(context.Context) ([]pbx.Draft, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []pbx.Draft{}
	for _, d := range m.drafts {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b pbx.Draft) int { return cmp.Compare(a.Path, b.Path) })
	return list, nil
}

func (m *memory) SetDraft(_ context.Context, d pbx.Draft) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drafts[d.Path] = d
	m.send(pbx.Fact{Kind: pbx.FactDrafts, Drafts: len(m.drafts)})
	return nil
}

func (m *memory) DeleteDraft(_ context.Context, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.drafts[path]; !ok {
		return fmt.Errorf("draft of %s: %w", path, fs.ErrNotExist)
	}
	delete(m.drafts, path)
	return nil
}

func (m *memory) DeleteDrafts(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.drafts)
	return nil
}

func (m *memory) CommitTentative(ctx context.Context, author string, comment pbx.Message, section string, window time.Duration, change func(*pbx.Config) error) (pbx.PendingChange, error) {
	if m.Pending() != nil {
		return pbx.PendingChange{}, fmt.Errorf("commit: %w", pbx.ErrPending)
	}
	before, _ := m.Current()
	n, err := m.Commit(ctx, author, comment, change)
	if err != nil {
		return pbx.PendingChange{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	p := pbx.PendingChange{ID: pbx.NewID(), Section: section, Revision: n, Author: author, Comment: comment.Text(), Message: comment, Begun: now, Deadline: now.Add(window)}
	m.pending.Store(&p)
	m.before = before
	return p, nil
}

func (m *memory) Pending() *pbx.PendingChange {
	p := m.pending.Load()
	if p == nil {
		return nil
	}
	change := *p
	return &change
}

func (m *memory) Confirm(_ context.Context, _, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.pending.Load(); p == nil || p.ID != id {
		return fmt.Errorf("pending change %s: %w", id, fs.ErrNotExist)
	}
	m.pending.Store(nil)
	return nil
}

// RevertPending puts back the whole configuration; the real store only what
// the change altered.
func (m *memory) RevertPending(ctx context.Context, author, id string) error {
	if err := m.Confirm(ctx, author, id); err != nil {
		return err
	}
	m.mu.Lock()
	before := m.before
	m.mu.Unlock()
	_, err := m.Commit(ctx, author, pbx.Say("reverted"), func(cfg *pbx.Config) error {
		*cfg = *before.Clone()
		return nil
	})
	return err
}

func (m *memory) MailJobs(context.Context) ([]pbx.MailJob, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails), nil
}

func (m *memory) RetryMail(_ context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.mails, func(j pbx.MailJob) bool { return j.ID == id })
	if i < 0 {
		return fmt.Errorf("mail %d: %w", id, fs.ErrNotExist)
	}
	m.mails[i].State, m.mails[i].Attempts = "waiting", 0
	return nil
}

func (m *memory) DeleteMail(_ context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.mails, func(j pbx.MailJob) bool { return j.ID == id })
	if i < 0 {
		return fmt.Errorf("mail %d: %w", id, fs.ErrNotExist)
	}
	m.mails = slices.Delete(m.mails, i, i+1)
	return nil
}

// Enqueue and Configured make memory a Mail, too.
func (m *memory) Enqueue(_ context.Context, job pbx.MailJob) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	job.ID, job.State = int64(len(m.mails)+1), "waiting"
	m.mails = append(m.mails, job)
	return job.ID, nil
}

func (m *memory) Configured() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retried++
}

func (m *memory) QuickDial(_ context.Context, user, quickdial string) (*pbx.QuickDial, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, owner := range []string{user, ""} {
		for i := range m.contacts[owner] {
			c := &m.contacts[owner][i].ContactSettings
			if c.OfficeQuickdial == quickdial && c.Office != "" {
				return &pbx.QuickDial{Number: c.Office, Name: nameOfContact(c), Private: owner != ""}, nil
			}
		}
	}
	return nil, nil
}

func (m *memory) Texts(_ context.Context, user string) ([]pbx.Text, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.texts[user]), nil
}

func (m *memory) DeleteText(_ context.Context, user string, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.texts[user], func(t pbx.Text) bool { return t.ID == id })
	if i < 0 {
		return fmt.Errorf("message %d: %w", id, fs.ErrNotExist)
	}
	m.texts[user] = slices.Delete(m.texts[user], i, i+1)
	return nil
}

// SendText keeps a message for everybody but who is called Clara.
func (m *memory) SendText(_ context.Context, from *pbx.User, to []string, body string) (n int, refused []string, err error) {
	if strings.HasPrefix(body, "one too many") {
		return 0, nil, fmt.Errorf("keep a message: %w", ErrTextRate)
	}
	cfg, _ := m.Current()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range to {
		if u := cfg.UserByID(id); u.FirstName == "Clara" {
			refused = append(refused, id)
			continue
		}
		n++
		m.texts[id] = append([]pbx.Text{{ID: int64(len(m.texts[id]) + 1), Number: from.Extension, Name: from.DisplayName(), Body: body}}, m.texts[id]...)
	}
	return n, refused, nil
}
