package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// manualUsers is the example of p23 of the manual, its first line joined.
const manualUsers = `User;Extension;First name;Last name;PIN;Voicemail box;E-mail;Language;CLIP internal;CLIP external;Hide from phonebook;Drop to operator;Operator extension;Call pick up group;Collective line
susi;14;Susan;Brown;12345;14;susan.brown@company.org;English;;111;no;no;1;444
ben;15;Ben;Smith;54321;15;ben.smith@company.org;English;;222;no;no;none;none
`

// report reads the answer of an import.
type report struct {
	Columns []ImportColumn
	Rows    []struct {
		Line         int
		Fields       []string
		Values       map[string]any
		OK, Imported bool
		Problems     []ImportProblem
	}
	Warnings                   []Sentence
	Separator                  string
	Total, Good, Bad, Imported int
	Truncated                  bool
}

// upload sends a file as the body.
func (c *client) upload(t testing.TB, status int, path, contentType, body string) report {
	t.Helper()
	res := c.do("POST", apiPrefix+path, body, "Content-Type", contentType)
	if res.StatusCode != status {
		t.Fatalf("POST %s: got %d, want %d: %.500s", path, res.StatusCode, status, res.text)
	}
	var r report
	if status == 200 {
		if err := json.Unmarshal([]byte(res.text), &r); err != nil {
			t.Fatalf("POST %s: %v in %.500s", path, err, res.text)
		}
	}
	return r
}

// problem returns what an answer says of a row, as "column: message".
func (r report) problem(row int) string {
	var all []string
	for _, p := range r.Rows[row].Problems {
		all = append(all, strings.TrimPrefix(p.Column+": "+p.Message, ": "))
	}
	return strings.Join(all, "; ")
}

// TestManualUserImport imports the manual's example (T1): its rows lack a
// field and are flagged, never guessed at; when told which, they are imported.
func TestManualUserImport(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	_, before := m.Current()
	for _, check := range []string{"", "?check=true", "?check=false"} {
		r := c.upload(t, 200, "/users/import"+check, "text/csv", manualUsers)
		if r.Total != 2 || r.Good != 0 || r.Bad != 2 || r.Imported != 0 || r.Separator != "semicolon" || len(r.Columns) != 15 {
			t.Errorf("%s: got %+v", check, r)
		}
		for i := range r.Rows {
			if got := r.problem(i); got != "14 of 15 fields" || r.Rows[i].OK {
				t.Errorf("row %d: got %q", i, got)
			}
		}
	}
	missing := "?missing=operatorExtension&separator=semicolon"
	r := c.upload(t, 200, "/users/import"+missing, "text/csv", manualUsers)
	if want := "pickupGroups: names a pickup group that does not exist: 1; huntGroups: names a hunt group that does not exist: 444"; r.problem(0) != want || r.Good != 1 {
		t.Errorf("unknown groups: got %q, %d good; want %q, 1", r.problem(0), r.Good, want)
	}
	r = c.upload(t, 200, "/users/import"+missing+"&createGroups=true", "text/csv", manualUsers)
	if r.Good != 2 || r.Imported != 0 || r.Rows[0].Values["extension"] != "14" || r.Rows[0].Values["pin"] != "***" {
		t.Errorf("check: got %+v", r)
	}
	if _, n := m.Current(); n != before {
		t.Fatalf("a check made revision %d after %d", n, before)
	}
	r = c.upload(t, 200, "/users/import"+missing+"&createGroups=true&check=false", "text/csv", manualUsers)
	if r.Imported != 2 || !r.Rows[0].Imported || !r.Rows[1].Imported {
		t.Fatalf("import: got %+v", r)
	}
	cfg, n := m.Current()
	if n != before+1 {
		t.Errorf("the import made %d revisions, want 1", n-before)
	}
	susi, ben := cfg.UserByName("susi"), cfg.UserByName("ben")
	if susi == nil || ben == nil {
		t.Fatal("users are missing")
	}
	if susi.Extension != "14" || susi.FirstName != "Susan" || susi.Language != "en" || susi.CLIPExternal[0] != "111" || susi.Boxes()[0] != "14" || !susi.MustChangePIN || susi.Admin {
		t.Errorf("susi is %+v", susi)
	}
	if ben.Extension != "15" || ben.LastName != "Smith" || ben.CLIPExternal[0] != "222" || len(ben.CLIPInternal) != 0 {
		t.Errorf("ben is %+v", ben)
	}
	if len(cfg.PickupGroups) != 1 || cfg.PickupGroups[0].Number != 1 || cfg.PickupGroups[0].Name != "Group 1" || fmt.Sprint(cfg.PickupGroups[0].Members) != fmt.Sprint([]string{susi.ID}) {
		t.Errorf("pickup groups are %+v", cfg.PickupGroups)
	}
	if len(cfg.HuntGroups) != 1 || cfg.HuntGroups[0].Extension != "444" || len(cfg.HuntGroups[0].Members) != 1 || cfg.HuntGroups[0].Members[0] != (pbx.HuntMember{User: susi.ID, Timeout: 5}) {
		t.Errorf("hunt groups are %+v", cfg.HuntGroups)
	}
	for _, u := range []*pbx.User{susi, ben} {
		if p, err := s.Store.Key().Open(pbx.SIPPasswordPurpose(u.ID), u.SIPPassword); err != nil || len(p) < 20 {
			t.Errorf("SIP password of %s: %d characters, error %v", u.Name, len(p), err)
		}
	}
	if l := (&client{t: t, s: s, addr: lanAddr}).login("susi", "12345"); !l.MustChangePIN {
		t.Error("a PIN out of a file need not be changed")
	}
	if m.audited("import-users") != 1 {
		t.Errorf("audited %d times, want 1", m.audited("import-users"))
	}
	// T3: the same again is refused, with a message.
	r = c.upload(t, 200, "/users/import"+missing+"&check=false", "text/csv", manualUsers)
	if r.Imported != 0 || !strings.Contains(r.problem(0), "user: susi is already in use") || !strings.Contains(r.problem(0), "14 is already the extension of susi") {
		t.Errorf("again: got %q", r.problem(0))
	}
}

const userHeader = "User,Extension,PIN,First name\n"

// TestUserImportRows checks that bad rows are refused and the others imported.
func TestUserImportRows(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	rows := []struct{ row, want string }{
		{"eva,210,4711,Eva", ""},
		{"eva,211,4711,Twice", "user: is the same as in line 2"},
		{"fred,101,4711,Taken", "extension: 101 is already the extension of demo101 (user)"},
		{"gina,212,0000,Zeros", "pin: must not be all zeros"},
		{"Hans,213,4711,Capital", "user: may contain only"},
		{"ida,110,4711,Emergency", "extension: hides the emergency number 110"},
		{"jan,214,4711,Jan", ""},
		{"admin,215,4711,Admin", "user: admin is already in use"},
		{",216,4711,", "user: is needed"},
		{"kim,217,4711,Kim,more", "5 of 4 fields"},
		{"leo,218,,Leo", "pin: is needed"},
	}
	text := userHeader
	for _, r := range rows {
		text += r.row + "\n"
	}
	r := c.upload(t, 200, "/users/import?check=false", "text/plain", text)
	if r.Imported != 2 || r.Good != 2 || r.Bad != 9 {
		t.Errorf("got %d imported, %d good, %d bad; want 2, 2, 9", r.Imported, r.Good, r.Bad)
	}
	if leo := r.Rows[len(rows)-1]; leo.Fields[2] != "" || leo.Values["pin"] != nil {
		t.Errorf("a PIN that is not there shows as %q, %v", leo.Fields[2], leo.Values["pin"])
	}
	for i, x := range rows {
		if got := r.problem(i); x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%s: got %q, want %q", x.row, got, x.want)
		}
		if r.Rows[i].Imported != (x.want == "") {
			t.Errorf("%s: imported is %t", x.row, r.Rows[i].Imported)
		}
	}
	cfg, _ := m.Current()
	if cfg.UserByName("eva") == nil || cfg.UserByName("jan") == nil || len(cfg.Users) != 6 {
		t.Errorf("%d users", len(cfg.Users))
	}
	if !cfg.UserByID("admin").Admin || cfg.UserByName("eva").Admin {
		t.Error("the import changed who is administrator")
	}
}

// TestUserImportLimit checks that the model's limit is named at each row that
// has no room.
func TestUserImportLimit(t *testing.T) {
	m := newMemory()
	m.model.MaxUsers = 5
	c := loggedIn(t, newServer(t, m, nil))
	r := c.upload(t, 200, "/users/import?check=false", "text/csv", userHeader+"u1,201,4711,\nu2,202,4711,\nu3,203,4711,\nu4,204,4711,\n")
	if r.Imported != 2 || !strings.Contains(r.problem(2), "a T640 has at most 5 users") || !strings.Contains(r.problem(3), "at most 5 users") {
		t.Errorf("got %d imported, %q, %q", r.Imported, r.problem(2), r.problem(3))
	}
}

// TestUserImportGroups checks groups by number, name and extension, and those
// that cannot be added.
func TestUserImportGroups(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.edit(t, func(cfg *pbx.Config) {
		cfg.PickupGroups = append(cfg.PickupGroups, pbx.PickupGroup{ID: "sales", PickupGroupSettings: pbx.PickupGroupSettings{Number: 7, Name: "Sales", Members: []string{"demo101"}}})
	})
	text := "User,Extension,PIN,Pickup group,Hunt group\n" +
		"u1,201,4711,7,\nu2,202,4711,sales|7,\nu3,203,4711,,101\nu4,204,4711,Newcomers,\nu5,205,4711,,Support\nu6,206,4711,,555\nu7,207,4711,,555\n"
	r := c.upload(t, 200, "/users/import?check=false&createGroups=true", "text/csv", text)
	cfg, _ := m.Current()
	if r.Imported != 5 {
		t.Errorf("%d imported, want 5: %+v", r.Imported, r.Rows)
	}
	if !strings.Contains(r.problem(2), "huntGroups: 101 is already the extension of demo101") || !strings.Contains(r.problem(4), "names a hunt group that does not exist: Support") {
		t.Errorf("got %q, %q", r.problem(2), r.problem(4))
	}
	id := func(name string) string { return cfg.UserByName(name).ID }
	if got, want := fmt.Sprint(cfg.PickupGroups[0].Members), fmt.Sprint([]string{"demo101", id("u1"), id("u2")}); got != want {
		t.Errorf("Sales has %s, want %s", got, want)
	}
	if len(cfg.PickupGroups) != 2 || cfg.PickupGroups[1].Name != "Newcomers" || cfg.PickupGroups[1].Number != 1 {
		t.Errorf("pickup groups are %+v", cfg.PickupGroups)
	}
	if len(cfg.HuntGroups) != 1 || len(cfg.HuntGroups[0].Members) != 2 {
		t.Errorf("hunt groups are %+v", cfg.HuntGroups)
	}
}

// TestUserImportNumberOfGroup checks that the row is to blame that takes the
// number of a group, and no other.
func TestUserImportNumberOfGroup(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.edit(t, func(cfg *pbx.Config) {
		cfg.HuntGroups = append(cfg.HuntGroups, pbx.HuntGroup{ID: "sales", HuntGroupSettings: pbx.HuntGroupSettings{
			Extension: "550", Title: "Sales", CallScheme: "linear", Members: []pbx.HuntMember{{User: "demo101", Timeout: 5}}}})
	})
	r := c.upload(t, 200, "/users/import?check=false", "text/csv", "User,Extension,PIN\nww,550,471199\nxx,551,471199\n")
	if r.Imported != 1 || !strings.Contains(r.problem(0)+r.problem(1), "550 is already the extension of Sales") {
		t.Errorf("%d imported: %q, %q", r.Imported, r.problem(0), r.problem(1))
	}
}

// TestUserRoundTrip exports users with groups, deletes them and imports the
// file with PINs filled in.
func TestUserRoundTrip(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	c.upload(t, 200, "/users/import?check=false&createGroups=true&missing=operatorExtension", "text/csv", manualUsers)
	before, _ := m.Current()
	for _, q := range []string{"", "?separator=semicolon&encoding=iso-8859-1", "?separator=tab&header=false"} {
		res := c.want(200, "GET", "/users/export"+q, "", nil)
		if strings.Contains(res.text, "argon2") || strings.Contains(res.text, "***") || !strings.Contains(res.Header.Get("Content-Disposition"), `"users.csv"`) {
			t.Errorf("%s: %v %s", q, res.Header, res.text)
		}
		text := strings.NewReplacer("Susan,Brown,,", "Susan,Brown,4711,", "Susan;Brown;;", "Susan;Brown;4711;", "Susan\tBrown\t\t", "Susan\tBrown\t4711\t").Replace(res.text)
		c.want(204, "DELETE", "/users/"+userNamed(m, "susi").ID, "", nil)
		r := c.upload(t, 200, "/users/import"+strings.Replace(q, "?", "?check=false&", 1)+map[bool]string{true: "?check=false"}[q == ""], "text/csv", text)
		if r.Imported != 1 {
			t.Fatalf("%s: %d imported of %s", q, r.Imported, text)
		}
		was, is := before.UserByName("susi"), userNamed(m, "susi")
		if a, b := fmt.Sprintf("%+v", was.UserSettings), fmt.Sprintf("%+v", is.UserSettings); a != b {
			t.Errorf("%s: got %s, want %s", q, b, a)
		}
		if cfg, _ := m.Current(); len(cfg.PickupGroups) != 1 || len(cfg.PickupGroups[0].Members) != 1 || len(cfg.HuntGroups[0].Members) != 1 {
			t.Errorf("%s: groups %+v %+v", q, cfg.PickupGroups, cfg.HuntGroups)
		}
	}
}

// Where phones stand comes and goes in a column of its own.
func TestLocationsInFiles(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	if text := c.want(200, "GET", "/users/export", "", nil).text; strings.Contains(text, "Location") {
		t.Errorf("no user has a location: %s", text)
	}
	const file = "User,Extension,PIN,Standort\nww,550,471199,Halle 3\n"
	if r := c.upload(t, 200, "/users/import?check=false", "text/csv", file); r.Imported != 1 || userNamed(m, "ww").Location != "Halle 3" {
		t.Fatalf("imported %+v", r)
	}
	text := c.want(200, "GET", "/users/export", "", nil).text
	if header, _, _ := strings.Cut(text, "\r\n"); !strings.HasSuffix(header, ",Location") || !strings.Contains(text, ",Halle 3\r\n") {
		t.Errorf("exported %s", text)
	}
	if text := c.want(200, "GET", "/users/export?header=false", "", nil).text; strings.Contains(text, "Halle 3") {
		t.Errorf("without a header: %s", text)
	}
}

func userNamed(m *memory, name string) *pbx.User {
	cfg, _ := m.Current()
	return cfg.UserByName(name)
}
