package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// TestIntake checks what one sender and what all of a standing may hold.
func TestIntake(t *testing.T) {
	in := newIntake()
	eva, ben := in.share(sender{plainUser, "eva"}), in.share(sender{plainUser, "ben"})
	r := roomOf(plainUser)
	if eva.try(r.sender, 1) != nil || in.share(eva.from).try(1, 0) == nil || in.share(eva.from).try(0, 1) == nil {
		t.Error("one sender does not hold exactly its room")
	}
	if ben.try(r.sender, 1) != nil {
		t.Error("another sender has no room")
	}
	third := in.share(sender{plainUser, "carl"})
	if third.try(r.total-2*r.sender+1, 0) == nil || third.try(r.total-2*r.sender, 0) != nil {
		t.Error("all senders do not hold exactly their room")
	}
	if in.share(sender{administrator, "admin"}).try(r.sender, 1) != nil {
		t.Error("plain users hold the room of administrators")
	}
	if in.share(sender{uploader, "eva"}).try(r.sender, 1) != nil || in.share(sender{uploader, "ben"}).try(r.sender, 1) != nil {
		t.Error("files have no room of their own")
	}
	freed := in.share(eva.from).try(1, 0)
	eva.release()
	eva.release()
	select {
	case <-freed:
	default:
		t.Error("nobody hears of the room that came free")
	}
	if in.share(eva.from).try(r.sender, 1) != nil {
		t.Error("what was released is not free")
	}
	ben.release()
	third.release()
	if in.totals[plainUser] != r.sender || len(in.held) != 4 {
		t.Errorf("%d bytes of %d senders are held", in.totals[plainUser], len(in.held))
	}
}

// stall is a body that does not come until the test ends.
type stall struct{ until <-chan struct{} }

func (b stall) Read([]byte) (int, error) { <-b.until; return 0, io.ErrUnexpectedEOF }

// TestStalledLogins lets one address begin logins without end: it gets only so
// many, and others log in as before.
func TestStalledLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, newMemory(), nil)
		done := make(chan struct{})
		var wg sync.WaitGroup
		var refused atomic.Int32
		for range 300 {
			wg.Go(func() {
				r := httptest.NewRequest("POST", "https://galilei"+apiPrefix+"/login", stall{done})
				r.RemoteAddr = "192.168.0.66:1234"
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code == 503 && w.Header().Get("Retry-After") != "" {
					refused.Add(1)
				}
			})
		}
		time.Sleep(bodyWait + time.Second)
		if got, want := refused.Load(), int32(300-(64<<10)/maxLoginBody); got != want {
			t.Errorf("%d of 300 were refused, want %d", got, want)
		}
		(&client{t: t, s: s, addr: lanAddr}).login("admin", "0000")
		close(done)
		wg.Wait()
		if len(s.intake.held) != 0 {
			t.Errorf("%d senders still hold memory", len(s.intake.held))
		}
	})
}

// TestStalledUploads lets plain users begin uploads that do not come: the
// others' go on, those of the same user wait and are refused.
func TestStalledUploads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := office(t)
		m.edit(t, func(cfg *pbx.Config) { withModules(cfg, "eva", 300, "contacts-private", "contacts-private-csv") })
		done := make(chan struct{})
		eva := enter(t, s, "eva")
		boss := enter(t, s, pbx.AdminID)
		var wg sync.WaitGroup
		for _, c := range []*client{eva, boss, boss} {
			wg.Go(func() { s.ServeHTTP(httptest.NewRecorder(), c.importing(stall{done})) })
		}
		synctest.Wait()
		if res := boss.send(boss.importing(strings.NewReader("Last name\nMaier\n"))); res.StatusCode != 200 {
			t.Errorf("another import: got %d %s", res.StatusCode, res.text)
		}
		begun := time.Now()
		res := eva.send(eva.importing(strings.NewReader("Last name\nMaier\n")))
		if res.StatusCode != 503 || res.Header.Get("Retry-After") != "60" || time.Since(begun) != uploadWait {
			t.Errorf("a second import of one user: got %d after %v", res.StatusCode, time.Since(begun))
		}
		close(done)
		wg.Wait()
		if res := eva.send(eva.importing(strings.NewReader("Last name\nMaier\n"))); res.StatusCode != 200 {
			t.Errorf("after that: got %d %s", res.StatusCode, res.text)
		}
	})
}

// TestRightsAreAskedForAgain takes rights away while a body is on its way.
func TestRightsAreAskedForAgain(t *testing.T) {
	for name, take := range map[string]func(*memory, *Server, *client){
		"logged out": func(_ *memory, s *Server, c *client) { s.sessions.close(hashToken(c.token)) },
		"user gone": func(m *memory, _ *Server, _ *client) {
			m.edit(t, func(cfg *pbx.Config) {
				cfg.Users = slices.DeleteFunc(cfg.Users, func(u pbx.User) bool { return u.ID == "eva" })
				cfg.Forget("users", "eva")
			})
		},
		"no modules": func(m *memory, _ *Server, _ *client) { m.edit(t, withoutModules) },
		"nothing":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			m, s := office(t)
			m.edit(t, func(cfg *pbx.Config) { withModules(cfg, "eva", 300, "contact-list", "contact-csv") })
			eva := enter(t, s, "eva")
			for _, x := range []struct{ path, media, body string }{
				{"/contacts", "application/json", `{"lastName":"Maier"}`},
				{"/contacts/import?check=false", "text/csv", "Last name\nMaier\n"},
			} {
				body := &trickle{text: x.body, step: 4, seen: func() {
					if take != nil {
						take(m, s, eva)
					}
				}}
				r := httptest.NewRequest("POST", "https://galilei"+apiPrefix+x.path, body)
				r.RemoteAddr = eva.addr
				r.Header.Set("Authorization", "Bearer "+eva.token)
				r.Header.Set("Content-Type", x.media)
				res := eva.send(r)
				if refused := res.StatusCode == 401 || res.StatusCode == 403; refused != (take != nil) {
					t.Errorf("%s: got %d %s", x.path, res.StatusCode, res.text)
				}
			}
			if page, err := m.Contacts(t.Context(), pbx.ContactQuery{Limit: 10}); err != nil || take != nil && page.Total > 0 {
				t.Errorf("%d contacts, %v", page.Total, err)
			}
		})
	}
}

// withoutModules takes all modules from all GUI groups.
func withoutModules(cfg *pbx.Config) {
	for i := range cfg.PermissionGroups {
		cfg.PermissionGroups[i].Permissions = nil
	}
}

// TestStreamsOfAConnection opens many requests over one HTTP/2 connection: only
// so many are served at a time.
func TestStreamsOfAConnection(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	var most atomic.Int32
	var byConn sync.Map
	inner := s.handler
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count, _ := byConn.LoadOrStore(r.Context().Value(connKey{}), new(atomic.Int32))
		now := count.(*atomic.Int32)
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		inner.ServeHTTP(w, r)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l, nil) }()
	tr := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // a test of streams, not of certificates
	web := &http.Client{Transport: tr}
	url := fmt.Sprintf("https://%s%s", l.Addr(), apiPrefix)
	res, err := web.Get(url + "/openapi.json")
	if err != nil || res.ProtoMajor != 2 {
		t.Fatal(res, err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			body := io.MultiReader(bytes.NewReader([]byte(`{"user":`)), &onceDone{done: done, text: `"x","pin":"1"}`})
			res, err := web.Post(url+"/login", "application/json", body)
			if err == nil {
				res.Body.Close()
			}
		})
	}
	for end := time.Now().Add(5 * time.Second); most.Load() < maxStreamsOfConn && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // further ones would come now
	close(done)
	wg.Wait()
	if got := most.Load(); got != maxStreamsOfConn {
		t.Errorf("%d requests at a time, want %d", got, maxStreamsOfConn)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// onceDone is text that comes when done is closed.
type onceDone struct {
	done <-chan struct{}
	text string
}

func (b *onceDone) Read(p []byte) (int, error) {
	<-b.done
	if b.text == "" {
		return 0, io.EOF
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}
