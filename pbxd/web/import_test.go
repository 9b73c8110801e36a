package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/csvtable"
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
	}
	text := userHeader
	for _, r := range rows {
		text += r.row + "\n"
	}
	r := c.upload(t, 200, "/users/import?check=false", "text/plain", text)
	if r.Imported != 2 || r.Good != 2 || r.Bad != 8 {
		t.Errorf("got %d imported, %d good, %d bad; want 2, 2, 8", r.Imported, r.Good, r.Bad)
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

func userNamed(m *memory, name string) *pbx.User {
	cfg, _ := m.Current()
	return cfg.UserByName(name)
}

// TestImportKeepsLoginsAlive measures how long a login waits while 77 users,
// all that a T640 has room for, are imported. Hashing their PINs takes seconds.
func TestImportKeepsLoginsAlive(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	text := userHeader
	for i := range 77 {
		text += fmt.Sprintf("u%d,%d,4711,\n", i, 200+i)
	}
	done := make(chan report)
	go func() { done <- c.upload(t, 200, "/users/import?check=false", "text/csv", text) }()
	var waits []time.Duration
	for {
		select {
		case r := <-done:
			if r.Imported != 77 || len(waits) < 3 {
				t.Errorf("%d imported, want 77; %d logins meanwhile", r.Imported, len(waits))
			}
			total := time.Duration(0)
			for _, w := range waits {
				total += w
			}
			t.Logf("%d logins while importing, %v each", len(waits), total/time.Duration(max(len(waits), 1)))
			return
		default:
			begun := time.Now()
			(&client{t: t, s: s, addr: lanAddr}).login("admin", adminPIN)
			waits = append(waits, time.Since(begun))
		}
	}
}

// TestImportFiles checks what is said about files as such.
func TestImportFiles(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	for _, tc := range []struct {
		path, contentType, body string
		status                  int
		words                   string
	}{
		{"/users/import", "text/csv", "", 422, "The file is empty."},
		{"/users/import", "text/csv", "First name\nEva\n", 422, "has no column User"},
		{"/contacts/import", "text/csv", "First name,Colour\nEva,red\n", 422, "The column Colour is not known"},
		{"/contacts/import", "text/csv", "Last name\nM\xfcller\n", 422, "is not UTF-8"},
		{"/contacts/import?separator=comma", "text/csv", "First name;Last name\nEva;Maier\n", 422, "Choose semicolon"},
		{"/contacts/import?separator=pipe", "text/csv", "Last name\nx\n", 422, ""},
		{"/contacts/import?encoding=utf-7", "text/csv", "Last name\nx\n", 422, ""},
		{"/contacts/import", "application/json", "{}", 415, "text/csv"},
		{"/contacts/import", "application/x-www-form-urlencoded", "a=b", 415, "text/csv"},
		{"/contacts/import", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n", 422, "has no file"},
		{"/contacts/import", "multipart/form-data; boundary=x", "no form at all", 422, "has no file"},
		{"/contacts/import", "multipart/form-data", "x", 400, "did not arrive whole"},
		{"/contacts/import", "text/csv", "Last name\n" + strings.Repeat("x\n", csvtable.MaxBytes/2), 422, "larger than 5 MB"},
		{"/contacts/import", "text/csv", "Last name\n" + strings.Repeat("x\n", csvtable.MaxBytes), 413, "larger than"},
	} {
		res := c.do("POST", apiPrefix+tc.path, tc.body, "Content-Type", tc.contentType)
		if res.StatusCode != tc.status || !strings.Contains(res.text, tc.words) {
			t.Errorf("%s %s %.40q: got %d %.300s; want %d, %q", tc.path, tc.contentType, tc.body, res.StatusCode, res.text, tc.status, tc.words)
		}
	}
	if len(m.contacts[""]) != 0 {
		t.Errorf("%d contacts were added", len(m.contacts[""]))
	}
	// A form with one file, as a browser sends it.
	form := func(files int) (contentType, body string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		if err := w.WriteField("comment", "hello"); err != nil {
			t.Fatal(err)
		}
		for i := range files {
			part, err := w.CreateFormFile("file", fmt.Sprintf("prv_pb_%d.csv", i))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(part, "Last name\nMaier\n")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return w.FormDataContentType(), b.String()
	}
	contentType, body := form(1)
	if r := c.upload(t, 200, "/contacts/import?check=false", contentType, body); r.Imported != 1 {
		t.Errorf("form: got %+v", r)
	}
	contentType, body = form(2)
	c.upload(t, 422, "/contacts/import?check=false", contentType, body)
}

// TestUploadFromAnotherSite checks that types which a plain form of another
// site can send are no way round the protection of cookies.
func TestUploadFromAnotherSite(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	for _, tc := range []struct {
		name   string
		header []string
		status int
	}{
		{"own page", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"own page, older browser", []string{"Origin", "https://galilei"}, 200},
		{"other site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"other origin", []string{"Origin", "https://evil.example"}, 403},
		{"neither header", nil, 403},
	} {
		for _, contentType := range []string{"text/plain", "multipart/form-data; boundary=x"} {
			body := "Last name\nMaier\n"
			if strings.HasPrefix(contentType, "multipart") {
				body = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + body + "\r\n--x--\r\n"
			}
			plain := &client{t: t, s: s, addr: lanAddr}
			header := append([]string{"Content-Type", contentType, "Cookie", cookieName + "=" + c.token}, tc.header...)
			if res := plain.do("POST", apiPrefix+"/contacts/import", body, header...); res.StatusCode != tc.status {
				t.Errorf("%s, %s: got %d, want %d: %s", tc.name, contentType, res.StatusCode, tc.status, res.text)
			}
		}
	}
}

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
	if r.Total != 15_000 || r.Bad != 15 || bad != 15 || r.Imported != 14_985 || !r.Truncated || len(r.Rows) != maxImportRows {
		t.Errorf("got total %d, bad %d, shown bad %d, imported %d, truncated %t, %d rows", r.Total, r.Bad, bad, r.Imported, r.Truncated, len(r.Rows))
	}
}

// FuzzImport sends anything as a file of users and of contacts.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{manualUsers, userHeader + "eva,210,4711,Eva\n", "", "\xff\xfe", `"`, "a,b\r\n", "User,Extension,PIN,Pickup group,Hunt group\nu,20,4711,1|2,30|30\n"} {
		f.Add(seed, "separator=auto&createGroups=true&check=false")
		f.Add(seed, "header=false&missing=pin&encoding=iso-8859-1")
	}
	m := newMemory()
	s := newServer(f, m, nil)
	admin := loggedIn(f, s)
	base, _ := m.Current()
	f.Fuzz(func(t *testing.T, text, query string) {
		m.reset(base)
		c := &client{t: t, s: s, addr: lanAddr, token: admin.token}
		for _, path := range []string{"/users/import?", "/contacts/import?"} {
			q, err := url.ParseQuery(query)
			if err != nil {
				return
			}
			res := c.do("POST", apiPrefix+path+q.Encode(), text, "Content-Type", "text/csv")
			if res.StatusCode >= 500 || !json.Valid([]byte(res.text)) {
				t.Fatalf("%s %q %q: got %d %s", path, query, text, res.StatusCode, res.text)
			}
			if strings.Contains(res.text, "argon2id") {
				t.Fatalf("%s %q: the answer holds a hash", path, text)
			}
		}
		cfg, _ := m.Current()
		if err := pbx.Validate(cfg, m.model); err != nil {
			t.Fatal(err)
		}
	})
}
