package pbxdtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"
)

// send sends a body that is a file and returns the answer.
func (a *Admin) send(method, path, contentType string, body []byte, status int) []byte {
	a.t.Helper()
	req, err := http.NewRequest(method, a.base+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if method != http.MethodGet {
		req.Header.Set("If-Match", "*")
	}
	a.http.Timeout = time.Minute // large files on a busy machine
	res, err := a.http.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		a.t.Fatalf("%s %s: got %d, want %d: %.400s, error %v", method, path, res.StatusCode, status, text, err)
	}
	return text
}

func unmarshal(t testing.TB, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%v in %.400s", err, text)
	}
}

// manyContacts is a file of n contacts with all ten columns.
func manyContacts(n int) []byte {
	var b bytes.Buffer
	b.WriteString("First name,Last name,Company,Office,Office-Quickdial,Mobile,Mobile-Quickdial,Home,Home-Quickdial,E-mail\r\n")
	for i := range n {
		fmt.Fprintf(&b, "Jürgen %d,Müller-%d,\"Bäckerei, \"\"Nord\"\" %d\",+49 89 %d,%d,0170 %d,,,,a%d@example.org\r\n", i, n-i, i%50, i, i, i, i)
	}
	return b.Bytes()
}

// TestTenThousandContacts imports, exports, deletes and imports again 10,000
// contacts over TLS and the real store; what was exported is what comes back.
func TestTenThousandContacts(t *testing.T) {
	t.Parallel()
	const n = 10_000
	a := Start(t, Options{}).Login()
	var report struct{ Imported, Bad int }
	file := manyContacts(n)
	begun := time.Now()
	a.send("POST", "/api/v1/contacts/import", "text/csv", file, 200)
	checked := time.Since(begun)
	begun = time.Now()
	unmarshal(t, a.send("POST", "/api/v1/contacts/import?check=false", "text/csv", file, 200), &report)
	imported := time.Since(begun)
	if report.Imported != n || report.Bad != 0 {
		t.Fatalf("got %+v, want %d imported", report, n)
	}
	begun = time.Now()
	first := a.send("GET", "/api/v1/contacts/export", "", nil, 200)
	exported := time.Since(begun)
	a.send("DELETE", "/api/v1/contacts?all=true", "", nil, 200)
	unmarshal(t, a.send("POST", "/api/v1/contacts/import?check=false", "text/csv", first, 200), &report)
	if report.Imported != n {
		t.Fatalf("again: got %+v, want %d imported", report, n)
	}
	second := a.send("GET", "/api/v1/contacts/export", "", nil, 200)
	if lines(first) != lines(second) || lines(first) != lines(file) {
		t.Errorf("the contacts are not the same after export and import")
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	t.Logf("%d contacts in %d KB: check %v, import %v, export %v; heap %d MB of %d MB from the system", n, len(file)>>10, checked, imported, exported, memory.HeapAlloc>>20, memory.Sys>>20)
	var page []struct{ LastName string }
	a.Do("GET", "/api/v1/contacts?name=m%C3%BCller-9999&limit=5", nil, 200, &page)
	if len(page) != 1 || page[0].LastName != "Müller-9999" {
		t.Errorf("got %+v", page)
	}
}

func lines(file []byte) string {
	list := strings.Split(strings.TrimSpace(string(file)), "\r\n")
	sort.Strings(list)
	return strings.Join(list, "\n")
}

// TestPictureIsKept uploads a picture and finds it after a restart.
func TestPictureIsKept(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a := s.Login()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 640, 480))); err != nil {
		t.Fatal(err)
	}
	var set struct{ Image string }
	unmarshal(t, a.send("PUT", "/api/v1/users/demo101/image", "image/png", b.Bytes(), 200), &set)
	var contact struct{ ID string }
	a.Do("POST", "/api/v1/contacts", map[string]string{"lastName": "Maier"}, 201, &contact)
	a.send("PUT", "/api/v1/contacts/"+contact.ID+"/image", "image/png", b.Bytes(), 200)
	before := a.send("GET", "/api/v1/pictures/"+set.Image, "", nil, 200)
	s.Stop()
	a = Start(t, Options{Dir: s.Dir}).As("admin", "4711")
	if after := a.send("GET", "/api/v1/pictures/"+set.Image, "", nil, 200); !bytes.Equal(before, after) || len(after) == 0 {
		t.Errorf("%d bytes before, %d after the restart", len(before), len(after))
	}
}

// TestDraftsAreKept enters a system setting, restarts and commits it.
func TestDraftsAreKept(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a := s.Login()
	a.Do("PUT", "/api/v1/system-settings/drafts/sip.ringTime", map[string]int{"value": 90}, 200, nil)
	s.Stop()
	a = Start(t, Options{Dir: s.Dir}).As("admin", "4711")
	var shown struct{ Drafts int }
	if a.Do("GET", "/api/v1/system-settings", nil, 200, &shown); shown.Drafts != 1 {
		t.Fatalf("%d drafts after the restart, want 1", shown.Drafts)
	}
	a.Do("DELETE", "/api/v1/system-settings/drafts/sip.maxExpires", nil, 200, nil) // of a parameter without one
	a.Do("POST", "/api/v1/system-settings/commit", map[string]string{}, 200, &shown)
	var sip struct{ RingTime int }
	if a.Do("GET", "/api/v1/sip-settings", nil, 200, &sip); sip.RingTime != 90 || shown.Drafts != 0 {
		t.Errorf("got ring time %d, %d drafts", sip.RingTime, shown.Drafts)
	}
}
