package web

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestManualContactImport imports the manual's example (p34) and exports it
// with its six columns (p33).
func TestManualContactImport(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	text := `First name;Last name;Company;Office;Office quick dial;Mobile;Mobile quick dial;Personal;Personal quick dial;Email
Peter;Brown;Company;123456789;1;01784567;2;083416786;3;peter.brown@org.com
Susan;Black;Org;987654321;;015679787878;;;;susan.black@org.com
`
	if r := c.upload(t, 200, "/contacts/import", "text/csv", text); r.Good != 2 || r.Imported != 0 || len(m.contacts[""]) != 0 {
		t.Fatalf("check: got %+v", r)
	}
	if r := c.upload(t, 200, "/contacts/import?check=false", "text/csv", text); r.Imported != 2 {
		t.Fatalf("import: got %+v", r)
	}
	res := c.want(200, "GET", "/contacts/export?columns=6", "", nil)
	if want := "First name,Last name,Company,Work,Mobile,Home\r\nPeter,Brown,Company,123456789,01784567,083416786\r\nSusan,Black,Org,987654321,015679787878,\r\n"; sorted(res.text) != sorted(want) {
		t.Errorf("got %q, want %q", res.text, want)
	}
	if got := res.Header.Get("Content-Disposition"); got != `attachment; filename="prv_pb_admin.csv"` {
		t.Errorf("got %s", got)
	}
	if got := res.Header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("got %s", got)
	}
	// Identical entries are added (F110); their quick dials stay with the first.
	r := c.upload(t, 200, "/contacts/import?check=false", "text/csv", text)
	if r.Imported != 2 || len(m.contacts[""]) != 4 || !strings.Contains(r.problem(0), "officeQuickdial: 1 already dials Peter Brown and is left out") {
		t.Errorf("again: got %+v, %d contacts", r, len(m.contacts[""]))
	}
	if m.contacts[""][2].OfficeQuickdial != "" || m.contacts[""][2].Email != "peter.brown@org.com" {
		t.Errorf("got %+v", m.contacts[""][2])
	}
	if r := c.upload(t, 200, "/contacts/import?check=false", "text/csv", "Last name,Mobile\nGood,1\nBad,call me\n,2\n"); r.Imported != 1 || r.Bad != 2 ||
		!strings.Contains(r.problem(1), "mobile: may contain only") || !strings.Contains(r.problem(2), "lastName: is needed") {
		t.Errorf("bad rows: got %+v", r)
	}
	for action, want := range map[string]int{"import-contacts": 3, "export-contacts": 1} {
		if n := m.audited(action); n != want {
			t.Errorf("%s audited %d times, want %d", action, n, want)
		}
	}
}

func sorted(text string) string {
	lines := strings.Split(text, "\r\n")
	for i := range lines {
		for j := i + 1; j < len(lines); j++ {
			if lines[j] < lines[i] {
				lines[i], lines[j] = lines[j], lines[i]
			}
		}
	}
	return strings.Join(lines, "\n")
}

// TestContactIdentity is the property that an export of ten columns, imported
// into an empty directory, gives the same contacts, over the API, in every
// separator, with and without header, in both encodings.
func TestContactIdentity(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, seed))
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	letters := []rune(`abcXYZ äöüßéÅ,;"'|=+-@.0`)
	word := func(most int) string {
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		if pbx.Bare(b.String()) == "" {
			return "" // nothing else is allowed to look like nothing
		}
		return b.String()
	}
	number := func() string {
		return []string{"", "110", "+49 89 1234-5", "(089) 12/34", "*21#", "+1"}[r.IntN(6)]
	}
	for round := range 60 {
		var list []pbx.Contact
		for i := range 1 + r.IntN(40) {
			x := pbx.ContactSettings{FirstName: word(20), LastName: "L" + word(10), Company: word(30), Office: number(), Mobile: number(), Home: number()}
			if r.IntN(2) == 0 {
				x.OfficeQuickdial, x.Email = fmt.Sprint(round*100+i), fmt.Sprintf("a%d@example.org", i)
			}
			if err := pbx.ValidateContact(&x); err != nil {
				t.Fatal(err)
			}
			list = append(list, pbx.Contact{ID: pbx.NewID(), ContactSettings: x})
		}
		m.contacts["admin"] = list
		q := url.Values{"separator": {[]string{"comma", "semicolon", "tab"}[r.IntN(3)]}, "encoding": {[]string{"utf-8", "iso-8859-1"}[r.IntN(2)]}, "header": {fmt.Sprint(r.IntN(2) == 0)}}
		res := c.want(200, "GET", "/private-contacts/export?"+q.Encode(), "", nil)
		want := map[pbx.ContactSettings]int{}
		for _, x := range list {
			want[x.ContactSettings]++
		}
		delete(m.contacts, "admin")
		q.Set("check", "false")
		if rep := c.upload(t, 200, "/private-contacts/import?"+q.Encode(), "application/octet-stream", res.text); rep.Imported != len(list) {
			t.Fatalf("seed %d, round %d, %v: %d imported of %d: %q", seed, round, q, rep.Imported, len(list), res.text)
		}
		for _, x := range m.contacts["admin"] {
			want[x.ContactSettings]--
			if want[x.ContactSettings] < 0 {
				t.Fatalf("seed %d, round %d, %v: %+v was not there: %q", seed, round, q, x.ContactSettings, res.text)
			}
		}
	}
}

// TestLargeImport checks that an answer shows every bad row of a large file.
func TestLargeImport(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	text := strings.Builder{}
	text.WriteString("Last name,Mobile\n")
	for i := range 15_000 {
		if i%1000 == 999 {
			fmt.Fprintf(&text, "N%d,x\n", i)
		} else {
			fmt.Fprintf(&text, "N%d,1\n", i)
		}
	}
	r := c.upload(t, 200, "/contacts/import?check=false", "text/csv", text.String())
	bad := 0
	for i, row := range r.Rows {
		if !row.OK {
			bad++
		}
		if i > 0 && row.Line <= r.Rows[i-1].Line {
			t.Fatalf("line %d after line %d", row.Line, r.Rows[i-1].Line)
		}
	}
	if r.Total != 15_000 || r.Bad != 15 || bad != 15 || r.Imported != 14_985 || !r.Truncated || len(r.Rows) != maxShownRows {
		t.Errorf("got total %d, bad %d, shown bad %d, imported %d, truncated %t, %d rows", r.Total, r.Bad, bad, r.Imported, r.Truncated, len(r.Rows))
	}
}
