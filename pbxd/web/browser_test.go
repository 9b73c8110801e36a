package web

import (
	"context"
	"net"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// visit is a person at the page of a device whose wizard is done.
type visit struct {
	*browser.Page
	m    *memory
	s    *Server
	base string
}

func serveLoopback(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "https://" + l.Addr().String()
}

func newVisit(t *testing.T, chromium *browser.Chromium) *visit {
	t.Helper()
	m := newMemory()
	_, err := m.Commit(t.Context(), "system", pbx.Say("Wizard done"), func(cfg *pbx.Config) error {
		cfg.Setup.WizardDone = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{Page: chromium.Page(t), m: m, s: newServer(t, m, nil)}
	v.base = serveLoopback(t, v.s)
	return v
}

func (v *visit) logIn(user, pin string) {
	v.Fill("User name", user)
	v.Fill("PIN", pin)
	v.Press("Log in")
}

// opened logs the administrator in at an address of the page. The client is
// another administrator.
func (v *visit) opened(t *testing.T, path string) *client {
	t.Helper()
	c := loggedIn(t, v.s)
	v.Open(v.base + path)
	v.logIn("admin", adminPIN)
	return c
}

// TestPage does what the page's own data makes hard to bring about in a whole
// PBX: faults, calls that ring for as long as the test wants, sixty users.
func TestPage(t *testing.T) {
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	for name, does := range map[string]func(*testing.T, *visit){
		"live": pageLive, "user": pageUser, "problem": pageProblem, "rights": pageRights,
		"escape": pageEscape, "back": pageBack, "password": pagePassword, "settings": pageSettings,
		"list": pageList, "hunt group": pageHuntGroup, "GUI": pageGUI, "search": pageSearch,
		"routes": pageRoutes, "outbound": pageOutbound, "calendar": pageCalendar, "night": pageNight, "try outside": pageTryOutside, "week": pageWeek, "days": pageDays,
		"gateway": pageGateway, "emergency": pageEmergency, "gateway group": pageGatewayGroup, "transport": pageTransport, "SIP status": pageSIPStatus,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the waiting of one is the work of another
			does(t, newVisit(t, chromium))
		})
	}
}
