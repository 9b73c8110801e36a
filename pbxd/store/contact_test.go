package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// someContact returns the contact of that number; names repeat.
func someContact(n int) pbx.Contact {
	first := []string{"Änne", "Björn", "Chloé", "Dörte", "Émile", "Frauke", "Günther", "Hanna", "Ivan", "Jörg"}
	last := []string{"Müller", "Schmidt", "Öztürk", "Groß", "Weiß", "de la Cruz", "Ångström", "Łukasz", "Nguyễn", "Zwölf"}
	return pbx.Contact{ID: fmt.Sprintf("c%d", n), ContactSettings: pbx.ContactSettings{
		FirstName: first[n%10] + fmt.Sprint(n%97), LastName: last[n/10%10] + fmt.Sprint(n%89), Email: fmt.Sprintf("c%d@example.org", n),
		Company: "Company " + fmt.Sprint(n%50), Office: fmt.Sprintf("+49 (30) %07d", n), OfficeQuickdial: fmt.Sprint(n % 1000),
		Mobile: fmt.Sprintf("0170 / %d", n), Home: fmt.Sprintf("030-%d", n*7),
	}}
}

func manyContacts(n int) []pbx.Contact {
	list := make([]pbx.Contact, n)
	for i := range list {
		list[i] = someContact(i)
	}
	return list
}

// named returns contacts from "First Last" texts; '/' stands for none.
func named(names ...string) (list []pbx.Contact) {
	for i, n := range names {
		first, last, _ := strings.Cut(n, " ")
		list = append(list, pbx.Contact{ID: fmt.Sprintf("n%d", i), ContactSettings: pbx.ContactSettings{
			FirstName: strings.Trim(first, "/"), LastName: strings.Trim(last, "/")}})
	}
	return list
}

func addContacts(t testing.TB, s *Store, owner string, list []pbx.Contact) {
	t.Helper()
	if err := s.AddContacts(t.Context(), owner, list); err != nil {
		t.Fatal(err)
	}
}

func TestContactLife(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{Model: model()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	full := pbx.Contact{ID: "a", Image: strings.Repeat("ab", 32), ContactSettings: pbx.ContactSettings{
		FirstName: "Änne", LastName: "Groß", Email: "a@example.org", Company: "Firma", Office: "+49 30 1", OfficeQuickdial: "1",
		Mobile: "0170", MobileQuickdial: "2", Home: "030", HomeQuickdial: "3"}}
	addContacts(t, s, "", []pbx.Contact{full})
	addContacts(t, s, "u1", []pbx.Contact{{ID: "a"}}) // the same ID in another directory
	if got, err := s.Contact(ctx, "", "a"); err != nil || got != full {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Contact(ctx, "u2", "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another's contact: %v", err)
	}
	changed, err := s.ChangeContact(ctx, "", "a", func(c *pbx.Contact) error {
		if *c != full {
			t.Errorf("change was given %+v", c)
		}
		c.ID, c.LastName, c.Office = "other", "Klein", "(99)"
		return nil
	})
	want := full
	want.LastName, want.Office = "Klein", "(99)"
	if err != nil || changed != want {
		t.Errorf("%+v, %v", changed, err)
	}
	for _, q := range []pbx.ContactQuery{{Name: "kle"}, {Number: "99"}} { // the keys have followed
		if p, err := s.Contacts(ctx, q); err != nil || p.Total != 1 || p.Contacts[0] != want {
			t.Errorf("%+v: %+v, %v", q, p, err)
		}
	}
	own := errors.New("stale")
	if _, err := s.ChangeContact(ctx, "", "a", func(c *pbx.Contact) error { c.LastName = "X"; return own }); err != own {
		t.Errorf("error of change: %v", err)
	}
	if err := s.DeleteContact(ctx, "", "a", func(c pbx.Contact) error { return own }); err != own {
		t.Errorf("error of check: %v", err)
	}
	if s.db.lastWriteFailed() {
		t.Error("a refusal counts as a failure of the disk")
	}
	if _, err := s.ChangeContact(ctx, "", "b", func(*pbx.Contact) error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("change of none: %v", err)
	}
	if err := s.DeleteContact(ctx, "", "b", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete of none: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir)
	if got, err := s.Contact(ctx, "", "a"); err != nil || got != want {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
	if err := s.DeleteContact(ctx, "", "a", nil); err != nil {
		t.Error(err)
	}
	if n, err := s.DeleteContacts(ctx, ""); err != nil || n != 0 {
		t.Errorf("%d deleted, %v", n, err)
	}
	if n, err := s.DeleteContacts(ctx, "u1"); err != nil || n != 1 {
		t.Errorf("%d deleted, %v", n, err)
	}
}

func TestAddContactsIsAllOrNone(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	count := func(owner string) int {
		p, err := s.Contacts(ctx, pbx.ContactQuery{Owner: owner, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	addContacts(t, s, "u1", nil)
	addContacts(t, s, "u1", manyContacts(3))
	for name, list := range map[string][]pbx.Contact{
		"an ID that is there": {{ID: "x"}, {ID: "c1"}},
		"no ID":               {{ID: "x"}, {}},
	} {
		if err := s.AddContacts(ctx, "u1", list); err == nil || count("u1") != 3 {
			t.Errorf("%s: %v, %d contacts", name, err, count("u1"))
		}
	}
	if err := s.AddContacts(ctx, "u2", manyContacts(pbx.MaxPrivateContacts)); err != nil {
		t.Fatal(err)
	}
	if err := s.AddContacts(ctx, "u2", []pbx.Contact{{ID: "x"}}); !errors.Is(err, pbx.ErrTooMany) || count("u2") != pbx.MaxPrivateContacts {
		t.Errorf("one private contact too many: %v", err)
	}
	if err := s.AddContacts(ctx, "", manyContacts(pbx.MaxGlobalContacts+1)); !errors.Is(err, pbx.ErrTooMany) || count("") != 0 {
		t.Errorf("one global contact too many: %v", err)
	}
	if err := s.AddContacts(ctx, "", manyContacts(pbx.MaxGlobalContacts)); err != nil || count("") != pbx.MaxGlobalContacts {
		t.Errorf("as many as allowed: %v", err)
	}
}

func BenchmarkAddContacts(b *testing.B) {
	s, err := Open(b.Context(), b.TempDir(), Options{Model: model()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	list := manyContacts(10_000)
	for b.Loop() {
		if err := s.AddContacts(b.Context(), "", list); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if _, err := s.DeleteContacts(b.Context(), ""); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
