package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// slowReader asks for path over a connection of its own and reads nothing.
func slowReader(t *testing.T, addr, token, path string) {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if tcp, ok := c.NetConn().(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(c, "GET %s%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", apiPrefix, path, addr, token)
}

// smallBuffers lets the kernel take little of what nobody reads.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetWriteBuffer(4<<10))
	}
	return c, err
}

// directoryOf fills the private directory of a user with large contacts.
func directoryOf(m *memory, owner string, n int) {
	list := make([]pbx.Contact, n)
	for i := range list {
		list[i] = pbx.Contact{ID: pbx.NewID(), ContactSettings: pbx.ContactSettings{FirstName: strings.Repeat("ä", 50), LastName: strings.Repeat("ö", 50), Company: strings.Repeat("ü", 100), Email: strings.Repeat("e", 200) + "@example.org"}}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contacts[owner] = list
}

// TestSlowReaders: whoever asks for large answers and reads none of them holds
// no more memory than their share, cannot get more, and takes none of it from
// administrators.
func TestSlowReaders(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	admin := loggedIn(t, s)
	srv := httptest.NewUnstartedServer(s)
	srv.EnableHTTP2 = false
	srv.Listener = smallBuffers{srv.Listener}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	addr := srv.Listener.Addr().String()
	m.edit(t, func(cfg *pbx.Config) { withModules(cfg, "ben", 303, "contacts-private", "contacts-private-csv") })
	ben := enter(t, s, "ben")
	directoryOf(m, "ben", 1000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 120 { // 80 MB and more if all were kept
		slowReader(t, addr, ben.token, "/private-contacts?limit=1000")
		if i%5 == 0 {
			slowReader(t, addr, ben.token, "/private-contacts/export")
		}
	}
	var refused *response
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if refused = ben.do("GET", apiPrefix+"/private-contacts/export", ""); refused.StatusCode == 503 {
			break
		}
	}
	if refused.StatusCode != 503 || refused.Header.Get("Retry-After") == "" || !strings.Contains(refused.text, "large answers") || refused.Header.Get("Content-Disposition") != "" {
		t.Errorf("beside the slow readers: got %d %.200s", refused.StatusCode, refused.text)
	}
	s.outgoing.mu.Lock()
	held, limit := s.outgoing.totals[plainUser], roomOf(plainUser).sender
	s.outgoing.mu.Unlock()
	if held > limit || held < limit/2 {
		t.Errorf("one user's answers count %d bytes; the limit is %d", held, limit)
	}
	for range 3 { // encoding/json pools what it encodes into
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 40<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	directoryOf(m, "", 1000)
	if n := len(admin.want(200, "GET", "/contacts?limit=1000", "", nil).text); n < largeAnswer {
		t.Fatalf("the answer of %d bytes is not large", n)
	}
	admin.want(200, "GET", "/contacts/export", "", nil)
	// What an import did is told, without its rows.
	if s.outgoing.share(sender{plainUser, "ben"}).try(limit-held, 0) != nil {
		t.Fatal("there is less room than was counted")
	}
	text := strings.Builder{}
	for i := range 1000 {
		fmt.Fprintf(&text, "%s%d\n", strings.Repeat("x", 40), i)
	}
	r := ben.upload(t, 200, "/private-contacts/import?check=true", "text/csv", "Last name\n"+text.String())
	if r.Total != 1000 || len(r.Rows) != 0 || !r.Truncated {
		t.Errorf("import: total %d, %d rows, truncated %t", r.Total, len(r.Rows), r.Truncated)
	}
}

// unreadable is a store that has contacts but cannot read a single one.
type unreadable struct{ Store }

func (unreadable) Contact(context.Context, string, string) (pbx.Contact, error) {
	return pbx.Contact{}, io.ErrUnexpectedEOF
}

// TestExportIsCutOff: an export whose contacts cannot be read to the end is no
// file, and one that loses some meanwhile is.
func TestExportIsCutOff(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	rows := s.contactRows(t.Context(), "", []string{"gone", "gone, too"})
	for range rows {
		t.Error("a contact that is not there has a row")
	}
	directoryOf(m, "", 3)
	c := loggedIn(t, s)
	s.Store = unreadable{s.Store}
	srv := httptest.NewTLSServer(s)
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+apiPrefix+"/contacts/export", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := srv.Client().Do(req)
	if err == nil {
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
	}
	if err == nil {
		t.Error("an export that broke off looks whole")
	}
}
