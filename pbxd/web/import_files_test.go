package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/csvtable"
	"galilei/pbxd/pbx"
)

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
	go func() {
		defer close(done) // also when it fails
		done <- c.upload(t, 200, "/users/import?check=false", "text/csv", text)
	}()
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
			x := &client{t: t, s: s, addr: lanAddr}
			x.login("admin", adminPIN)
			waits = append(waits, time.Since(begun))
			x.want(204, "POST", "/logout", "", nil) // too many sessions would end the one that imports
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
