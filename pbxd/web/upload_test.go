package web

import (
	"context"
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

// TestSlowUpload checks that a file may take two minutes to come, and that
// there is time left for the answer.
func TestSlowUpload(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	token := loggedIn(t, s).token
	r := httptest.NewRequest("POST", "https://galilei"+apiPrefix+"/contacts/import", strings.NewReader("Last name\nMaier\n"))
	r.RemoteAddr = lanAddr
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "text/csv")
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	begun := time.Now()
	s.ServeHTTP(w, r)
	if got := w.read.Sub(begun); got < uploadTime || got > uploadTime+time.Minute {
		t.Errorf("the body has %v, want %v", got, uploadTime)
	}
	if got := w.write.Sub(w.read); got < uploadWork-time.Second {
		t.Errorf("the answer has %v, want %v", got, uploadWork)
	}
}

// TestUploadPlaces checks that only so many files are in memory at a time, and
// that one who waits too long is told when to come again.
func TestUploadPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{uploads: make(chan struct{}, maxUploads)}
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
