package web

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// deadlines is a ResponseWriter that remembers its time limits.
type deadlines struct {
	http.ResponseWriter
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// TestSlowUpload checks that a file may take two minutes to come when it keeps
// coming, and that there is time left for the answer.
func TestSlowUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, newMemory(), nil)
		c := loggedIn(t, s)
		begun := time.Now()
		w := &deadlines{ResponseWriter: httptest.NewRecorder()}
		r := c.importing(&trickle{text: "Last name\n" + strings.Repeat("Maier\n", 12_000), step: 8 << 10, pause: 2 * time.Second, seen: func() {
			if left := time.Until(w.read); left > uploadPause || left < 0 {
				t.Errorf("the next piece has %v", left)
			}
		}})
		s.ServeHTTP(w, r)
		if took := time.Since(begun); took < 10*time.Second || w.ResponseWriter.(*httptest.ResponseRecorder).Code != 200 {
			t.Errorf("after %v: %+v", took, w.ResponseWriter)
		}
		if !w.write.After(w.read) {
			t.Errorf("the answer must be written by %v, the body may come until %v", w.write, w.read)
		}
	})
}

// trickle is a body that comes in steps, with a pause before each.
type trickle struct {
	text  string
	step  int
	pause time.Duration
	seen  func() // after each pause; may be nil
}

func (b *trickle) Read(p []byte) (int, error) {
	time.Sleep(b.pause)
	if b.seen != nil {
		b.seen()
	}
	if b.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), b.step)], b.text)
	b.text = b.text[n:]
	return n, nil
}

// importing returns the request of an import with that body.
func (c *client) importing(body io.Reader) *http.Request {
	r := httptest.NewRequest("POST", "https://galilei"+apiPrefix+"/private-contacts/import", body)
	r.RemoteAddr = c.addr
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "text/csv")
	return r
}

// TestUploadPlaces checks that only so many files are worked on at a time, that
// one who waits too long is told when to come again, and that administrators
// have places of their own.
func TestUploadPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{uploads: newUploadPlaces(maxUploads)}
		var leave []func()
		for range maxUploads {
			l, err := s.enterUpload(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		begun := time.Now()
		_, err := s.enterUpload(t.Context())
		if err == nil || time.Since(begun) != uploadWait {
			t.Errorf("one too many: error %v after %v", err, time.Since(begun))
		}
		boss := context.WithValue(t.Context(), callerKey{}, &caller{actor: pbx.User{ID: pbx.AdminID, Admin: true}})
		if l, err := s.enterUpload(boss); err != nil {
			t.Errorf("an administrator: %v", err)
		} else {
			l()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.enterUpload(ctx); err == nil {
			t.Error("a client that has left got a place")
		}
		time.AfterFunc(time.Second, leave[0])
		if l, err := s.enterUpload(t.Context()); err != nil {
			t.Errorf("a place that became free: %v", err)
		} else {
			l()
		}
	})
}

// TestImportByOthers checks that somebody with the module user-import, who is
// no administrator, imports users but gives nobody what they do not have.
func TestImportByOthers(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	m.edit(t, func(cfg *pbx.Config) { withModules(cfg, "clerk", 300, "user-import") })
	clerk := enter(t, s, "clerk")
	if r := clerk.upload(t, 200, "/users/import?check=false", "text/csv", userHeader+"eva,210,4711,Eva\n"); r.Imported != 1 {
		t.Errorf("got %+v", r)
	}
	clerk.want(403, "GET", "/users/export", "", nil)
	clerk.upload(t, 403, "/contacts/import", "text/csv", "Last name\nMaier\n")
	if cfg, _ := m.Current(); cfg.UserByName("eva") == nil || cfg.UserByName("eva").Admin {
		t.Error("eva is missing or an administrator")
	}
	if last := m.revisions[len(m.revisions)-1]; last.Author != "clerk" || last.Comment != "Users imported: 1" {
		t.Errorf("got %q by %s", last.Comment, last.Author)
	}
}
