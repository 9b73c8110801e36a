package store

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

func TestContactsSorted(t *testing.T) {
	s := openIn(t, t.TempDir())
	names := func(q pbx.ContactQuery) (list []string) {
		p, err := s.Contacts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Contacts {
			list = append(list, strings.TrimSpace(c.FirstName+" "+c.LastName))
		}
		return list
	}
	addContacts(t, s, "", named("Zoe Zander", "anna müller", "Anna Muller", "Ärne Mueller", "Bea Özdemir", "Bea Oz", "/ Gross", "Ida Groß", "Ole Grosz", "Ute /", "Ångela Ædel", "Pia de-Vries", "Pia deVries"))
	want := []string{"Ute", "Ångela Ædel", "Pia de-Vries", "Pia deVries", "Gross", "Ida Groß", "Ole Grosz", "Ärne Mueller", "anna müller", "Anna Muller", "Bea Oz", "Bea Özdemir", "Zoe Zander"}
	if got := names(pbx.ContactQuery{}); !reflect.DeepEqual(got, want) {
		t.Errorf("by last name\n %q, want\n %q", got, want)
	}
	down := names(pbx.ContactQuery{Sort: "lastName", Down: true})
	for i := range want {
		if down[len(down)-1-i] != want[i] {
			t.Errorf("descending: %q", down)
			break
		}
	}
	first := names(pbx.ContactQuery{Sort: "firstName"})
	if wantFirst := []string{"Gross", "Ångela Ædel", "anna müller", "Anna Muller", "Ärne Mueller", "Bea Oz", "Bea Özdemir", "Ida Groß", "Ole Grosz", "Pia de-Vries", "Pia deVries", "Ute", "Zoe Zander"}; !reflect.DeepEqual(first, wantFirst) {
		t.Errorf("by first name\n %q, want\n %q", first, wantFirst)
	}
	for column, set := range map[string]func(*pbx.Contact, string){
		"company":         func(c *pbx.Contact, v string) { c.Company = v },
		"email":           func(c *pbx.Contact, v string) { c.Email = v },
		"office":          func(c *pbx.Contact, v string) { c.Office = v },
		"mobile":          func(c *pbx.Contact, v string) { c.Mobile = v },
		"home":            func(c *pbx.Contact, v string) { c.Home = v },
		"officeQuickdial": func(c *pbx.Contact, v string) { c.OfficeQuickdial = v },
		"mobileQuickdial": func(c *pbx.Contact, v string) { c.MobileQuickdial = v },
		"homeQuickdial":   func(c *pbx.Contact, v string) { c.HomeQuickdial = v },
	} {
		list := named("A A", "B B", "C C")
		values := []string{"3", "1", "2"}
		if strings.HasSuffix(column, "Quickdial") {
			values = []string{"10", "7", "8"}
		}
		for i := range list {
			set(&list[i], values[i])
		}
		owner := "of" + column
		addContacts(t, s, owner, list)
		if got := names(pbx.ContactQuery{Owner: owner, Sort: column}); !reflect.DeepEqual(got, []string{"B B", "C C", "A A"}) {
			t.Errorf("by %s: %q", column, got)
		}
		if got := names(pbx.ContactQuery{Owner: owner, Sort: column, Down: true}); !reflect.DeepEqual(got, []string{"A A", "C C", "B B"}) {
			t.Errorf("by %s, descending: %q", column, got)
		}
	}
	for _, column := range []string{"seq", "last_name; DROP TABLE contact", "LastName"} {
		if _, err := s.Contacts(t.Context(), pbx.ContactQuery{Sort: column}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("sorted by %q: %v", column, err)
		}
	}
}

// What the database answers is what a plain walk over all contacts gives.
func TestContactsFound(t *testing.T) {
	s := openIn(t, t.TempDir())
	all := manyContacts(3000)
	addContacts(t, s, "", all)
	addContacts(t, s, "u1", manyContacts(100))
	matches := func(c pbx.Contact, q pbx.ContactQuery) bool {
		name := func(prefix string) bool {
			return strings.HasPrefix(sortKey(c.FirstName), sortKey(prefix)) || strings.HasPrefix(sortKey(c.LastName), sortKey(prefix))
		}
		number := strings.HasPrefix(digits(c.Office), digits(q.Number)) || strings.HasPrefix(digits(c.Mobile), digits(q.Number)) || strings.HasPrefix(digits(c.Home), digits(q.Number))
		return name(q.Name) && name(q.Letter) && number
	}
	random := rand.New(rand.NewPCG(1, 2))
	queries := []pbx.ContactQuery{{}, {Name: "MULLER1"}, {Name: "ö"}, {Letter: "O"}, {Letter: "W", Name: "weiss"}, {Number: "+49 (30) 000"}, {Number: "0170/1"}, {Number: "+"}, {Name: "%"}, {Name: "' OR 1=1"}, {Name: "\xff"}, {Name: " "}}
	for range 60 {
		c := all[random.IntN(len(all))]
		q := pbx.ContactQuery{Offset: random.IntN(20), Limit: 1 + random.IntN(50), Down: random.IntN(2) == 0}
		if random.IntN(2) == 0 {
			q.Name = string([]rune(c.LastName)[:1+random.IntN(3)])
		}
		if random.IntN(2) == 0 {
			q.Number = c.Office[:random.IntN(len(c.Office))]
		}
		if random.IntN(3) == 0 {
			q.Letter = string([]rune(c.FirstName)[:1])
		}
		queries = append(queries, q)
	}
	for _, q := range queries {
		want := 0
		for _, c := range all {
			if matches(c, q) {
				want++
			}
		}
		p, err := s.Contacts(t.Context(), q)
		if err != nil || p.Total != want {
			t.Errorf("%+v: %d found, want %d; %v", q, p.Total, want, err)
		}
		size := max(want-q.Offset, 0)
		if q.Limit > 0 {
			size = min(size, q.Limit)
		}
		if len(p.Contacts) != size {
			t.Errorf("%+v: page of %d, want %d", q, len(p.Contacts), size)
		}
		for _, c := range p.Contacts {
			if !matches(c, q) {
				t.Errorf("%+v: %+v does not match", q, c)
			}
		}
	}
}

// Searches and the usual orders must not walk over a whole directory.
func TestContactQueriesUseIndexes(t *testing.T) {
	s := openIn(t, t.TempDir())
	plan := func(q pbx.ContactQuery) (steps string) {
		where, args := contactsWhere(q)
		order, _ := contactOrder(q.Sort, q.Down)
		rows, err := s.db.readers.Query("EXPLAIN QUERY PLAN SELECT "+contactColumns+" FROM contact WHERE "+where+" ORDER BY "+order, args...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var a, b, c int
			var detail string
			if err := rows.Scan(&a, &b, &c, &detail); err != nil {
				t.Fatal(err)
			}
			steps += detail + "\n"
		}
		return steps
	}
	for _, column := range []string{"lastName", "firstName", "company", "email", "office", "mobile", "home"} {
		for _, down := range []bool{false, true} {
			if p := plan(pbx.ContactQuery{Sort: column, Down: down}); strings.Contains(p, "TEMP B-TREE") || !strings.Contains(p, "USING INDEX contact_") {
				t.Errorf("order by %s is sorted on the fly:\n%s", column, p)
			}
		}
	}
	for prefix, q := range map[string]pbx.ContactQuery{"last_key>": {Name: "m"}, "first_key>": {Letter: "m"}, "home_key>": {Number: "030"}} {
		p := plan(q)
		if !strings.Contains(p, prefix) || !strings.Contains(p, "USING INTEGER PRIMARY KEY") {
			t.Errorf("%+v walks over the directory:\n%s", q, p)
		}
	}
}

// FuzzSortKey checks what searching relies on: the key of the beginning of a
// text is the beginning of its key, and keys compare as text.
func FuzzSortKey(f *testing.F) {
	for _, s := range []string{"", "Müller", "Groß", "Ǆ", "ﬃ", "İstanbul", "각", "  a b ", "\xff\xfe", "a\u0308\u0323", "𝔘nicode", "ẞ", "ϓ"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		key := sortKey(s)
		if len(key) > maxKeyRunes*18*4 || strings.ToValidUTF8(key, "") != key {
			t.Errorf("key of %d bytes from %d, valid %v", len(key), len(s), strings.ToValidUTF8(key, "") == key)
		}
		runes := []rune(s)
		if n < 0 || n > len(runes) {
			return
		}
		if prefix := sortKey(string(runes[:n])); !strings.HasPrefix(key, prefix) {
			t.Errorf("key of %q is %q; that of %q is %q", s, key, string(runes[:n]), prefix)
		} else if key >= beyond(prefix) {
			t.Errorf("%q is beyond its own beginning %q", key, prefix)
		}
	})
}

func BenchmarkContacts(b *testing.B) {
	s, err := Open(b.Context(), b.TempDir(), Options{Model: model()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	addContacts(b, s, "", manyContacts(pbx.MaxGlobalContacts))
	for name, q := range map[string]pbx.ContactQuery{
		"first page":       {Limit: 50},
		"last page":        {Offset: pbx.MaxGlobalContacts - 50, Limit: 50},
		"letter":           {Letter: "m", Limit: 50},
		"name":             {Name: "müller1", Limit: 50},
		"number":           {Number: "+49 30 000123", Limit: 50},
		"sort by quick":    {Sort: "officeQuickdial", Limit: 50},
		"name and number":  {Name: "m", Number: "+4930", Limit: 50},
		"all of directory": {},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Contacts(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
