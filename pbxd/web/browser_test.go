package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbx"
)

// browser drives Debian's chromium against a Server on the loopback address.
type browser struct {
	t    *testing.T
	ctx  context.Context
	m    *memory
	s    *Server
	base string

	mu       sync.Mutex
	troubles []string // exceptions and refused loads that the page met
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

func newBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not there")
	}
	m := newMemory()
	b := &browser{t: t, m: m, s: newServer(t, m, nil)}
	b.base = serveLoopback(t, b.s)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.IgnoreCertErrors, chromedp.WindowSize(1280, 860), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("lang", "en"))
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithListener(b.note))
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(stop)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first steps
		t.Fatalf("start chromium: %v", err)
	}
	return b
}

// note collects what must not happen in the page.
func (b *browser) note(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, ev.ExceptionDetails.Text+" "+fmt.Sprint(ev.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if e := ev.Entry; e.Level == log.EntryLevelError && !strings.Contains(e.Text, "status of 4") {
			b.troubles = append(b.troubles, e.Text+" "+e.URL)
		}
	}
}

// run does steps and fails the test when one does not come to pass in time.
func (b *browser) run(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 20*time.Second)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
		b.mu.Lock()
		defer b.mu.Unlock()
		b.shoot("failed")
		b.t.Fatalf("%s: %v\npage: %s\ntroubles: %q", what, err, text, b.troubles)
	}
}

// until waits for a condition in the page.
func (b *browser) until(what, condition string) {
	b.t.Helper()
	// chromedp.Poll compiles text in the page, which the page's policy forbids.
	b.run("wait until "+what, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for {
			if ok, err := chromedp.Evaluate[bool]("Boolean("+condition+")")(ctx, t); ok {
				return nil
			} else if ctx.Err() != nil {
				return errors.Join(ctx.Err(), err)
			}
			time.Sleep(30 * time.Millisecond)
		}
	}))
}

// text waits for an element whose text contains words.
func (b *browser) text(selector, words string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%s shows %q", selector, words),
		fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.checkVisibility() && e.innerText.includes(%q))", selector, words))
}

func (b *browser) gone(selector string) {
	b.t.Helper()
	b.until(selector+" is gone", fmt.Sprintf("!document.querySelector(%q)", selector))
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.run("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// button clicks the visible button or link with that text.
func (b *browser) button(text string) {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll('button, a')].filter((e) => e.checkVisibility() && e.innerText.trim() === %q).at(-1)", text)
	b.until("there is a button "+text, find)
	b.eval(find + ".scrollIntoView({block: 'center'})")
	b.eval(find + ".setAttribute('data-test', 'target')")
	b.click("[data-test=target]")
	b.eval("document.querySelector('[data-test=target]')?.removeAttribute('data-test')")
}

func (b *browser) eval(script string) {
	b.t.Helper()
	b.run("run "+script, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool]("("+script+", true)")(ctx, t)
		return err
	}))
}

// field returns the selector of the input with a label.
func (b *browser) field(label string) string {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll('label')].findLast((l) => l.checkVisibility() && l.innerText.trim() === %q)", label)
	b.until("there is a field "+label, find)
	id, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](find+".htmlFor"))
	if err != nil {
		b.t.Fatal(err)
	}
	return "#" + id
}

// fill replaces the text of the field with a label by typing.
func (b *browser) fill(label, text string) {
	b.t.Helper()
	sel := b.field(label)
	b.eval(fmt.Sprintf("document.querySelector(%q).select()", sel))
	b.run("type into "+label, chromedp.SendKeys(chromedp.CSS(sel), text))
}

func (b *browser) logIn(user, pin string) {
	b.t.Helper()
	b.fill("User name", user)
	b.fill("PIN", pin)
	b.button("Log in")
}

// shoot keeps a picture in out/screenshots for people to look at.
func (b *browser) shoot(name string) {
	b.t.Helper()
	dir := filepath.Join("..", "..", "out", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(250 * time.Millisecond) // transitions of up to 150 ms
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Errorf("picture %s: %v", name, err)
	}
}

// look sets the window and the colour scheme.
func (b *browser) look(width, height int64, scheme string) {
	b.t.Helper()
	b.run("resize", chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// fits fails when the page or the sheet scrolls sideways.
func (b *browser) fits(where string) {
	b.t.Helper()
	over, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](
		"Math.max(...[document.documentElement, ...document.querySelectorAll('dialog')].map((e) => e.scrollWidth - e.clientWidth))"))
	if err != nil || over > 0 {
		b.t.Errorf("%s: %d px too wide (%v)", where, over, err)
	}
}

func (b *browser) noTroubles() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range b.troubles {
		b.t.Errorf("the page met: %s", x)
	}
	b.troubles = nil
}

func registration(ext, agent, source string) pbx.Fact {
	return pbx.Fact{Kind: pbx.FactRegistration, Extension: ext, Registrations: []pbx.Registration{{
		Extension: ext, Contact: "sip:" + ext + "@" + source, Transport: "udp", Source: source, UserAgent: agent,
		Since: time.Now().Add(-time.Hour), Expires: time.Now().Add(time.Hour)}}}
}

// TestPage walks through the page as an administrator on the first day does.
func TestPage(t *testing.T) {
	b := newBrowser(t)
	b.look(1280, 860, "light")
	b.run("open", chromedp.Navigate(b.base+"/"))

	b.text("h1", "Log in")
	b.shoot("login")
	b.logIn("admin", "9999")
	b.text("[role=alert]", "User name or PIN is wrong")
	b.logIn("admin", "0000")
	b.text("h1", "Choose your PIN")
	b.fill("New PIN", "482913")
	b.fill("Repeat the new PIN", "482914")
	b.button("Change PIN")
	b.text(".error", "do not match")
	b.shoot("pin")
	b.fill("Repeat the new PIN", adminPIN)
	b.button("Change PIN")
	b.text("h1", "Users")
	b.text("td", "demo103")
	b.text(".pill", "All good")

	// A phone registers: the dot turns without a reload.
	b.until("demo101 is not registered", "!document.querySelector('tr[data-id=demo101] .dot.on')")
	b.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	b.until("demo101 is registered", "document.querySelector('tr[data-id=demo101] .dot.on')")

	// A wrong value is told at its field, by the page and by the server.
	b.button("Add user")
	b.fill("First name", "Eva")
	b.fill("Last name", "Maier")
	b.fill("User", "eva")
	b.fill("Extension", "1")
	b.button("Add user")
	b.text("g-field .error", "2 to 10 digits")
	b.fill("Extension", "101")
	b.button("Add user")
	b.text("g-field .error", "101 is already the extension of demo101")
	b.shoot("new-user-refused")
	b.fill("Extension", "210")
	b.fill("PIN", "314159")
	b.button("Add user")
	b.text(".sheet h2", "eva, Eva Maier, 210")
	if cfg, _ := b.m.Current(); cfg.UserByExtension("210") == nil {
		t.Fatal("the user is not in the configuration")
	}

	// The password shows on request, and that is recorded.
	b.text(".phone-setup code", "127.0.0.1")
	b.click(".reveal")
	b.until("the password shows", "/^[a-zA-Z0-9]{20}$/.test(document.querySelector('.secret').textContent)")
	if n := b.m.audited("reveal-sip-password"); n != 1 {
		t.Errorf("reveal audited %d times, want 1", n)
	}
	b.shoot("user-light")

	// A change shows the save bar; Ctrl+S saves.
	b.fill("Last name", "Huber")
	b.text(".save-bar", "1 change")
	b.eval("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 's', ctrlKey: true, bubbles: true}))")
	b.text(".sheet h2", "eva, Eva Huber, 210")
	b.gone(".save-bar.shown")

	// Deletion names its object.
	b.button("Delete user")
	b.text("dialog.ask h2", "Delete eva, Eva Huber, 210?")
	b.shoot("delete")
	b.button("Delete eva")
	b.gone(".sheet")
	b.until("eva is gone", "![...document.querySelectorAll('td a')].some((a) => a.innerText === 'eva')")

	// Back from the history.
	b.button("History")
	b.text(".revision", "User eva deleted")
	b.eval("document.querySelectorAll('.revision summary')[1].click()")
	b.text(".diff", "Huber")
	b.shoot("history")
	b.button(fmt.Sprintf("Restore revision %d", len(b.m.revisions)-1))
	b.button("Restore")
	b.until("eva is back", "true")
	b.text(".revision .comment", "restored")
	if cfg, _ := b.m.Current(); cfg.UserByExtension("210") == nil {
		t.Error("restore did not bring the user back")
	}
	b.noTroubles()
}

// TestPageLive shows calls as they come and go, and says when the device is
// gone or the session over.
func TestPageLive(t *testing.T) {
	b := newBrowser(t)
	c := loggedIn(t, b.s)
	b.look(1280, 860, "light")
	b.run("open", chromedp.Navigate(b.base+"/status"))
	b.logIn("admin", adminPIN)
	b.text("h1", "General information")
	b.text("td", "Nobody is calling.")
	now := time.Now()
	call := pbx.CallStatus{ID: "c1", From: "101", FromName: "Anna Demo", To: "102", State: pbx.CallRinging, Started: now}
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &call})
	b.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	b.m.tell(registration("102", "Yealink SIP-T46S", "192.168.0.22:5060"))
	b.text("td", "Ringing")
	up := call
	up.State, up.Answered = pbx.CallUp, now
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &up})
	b.text("td", "Talking")
	b.shoot("status-light")
	ended := up
	ended.State = pbx.CallEnded
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &ended})
	b.text("td", "Nobody is calling.")
	b.noTroubles()

	b.button("System settings")
	b.fill("Last RTP port", "20001")
	b.button("Save")
	b.text("g-field .error", "no room: a call needs four ports")
	b.fill("Last RTP port", "20099")
	b.button("Save")
	b.text(".toast", "Settings are saved")
	if cfg, _ := b.m.Current(); cfg.Media.RTPPortMax != 20099 {
		t.Errorf("last RTP port: got %d, want 20099", cfg.Media.RTPPortMax)
	}
	b.shoot("settings")

	// Changes that are not saved are not lost without a question.
	b.fill("Ring time", "45")
	b.button("Audit log")
	b.text("dialog.ask h2", "Discard your changes?")
	b.button("Cancel")
	b.gone("dialog.ask")
	b.text("h1", "System settings")
	b.button("Cancel")
	b.gone(".save-bar.shown")
	b.button("Audit log")
	b.text(".audit", "logged in")
	b.shoot("audit")
	b.run("open what is not there", chromedp.Navigate(b.base+"/nothing"))
	b.text("h1", "Not found")

	// The session ends with the PIN: the page asks to log in again.
	c.want(204, "PUT", "/profile/pin", `{"old":"`+adminPIN+`","new":"271828"}`, nil)
	b.text(".notice", "Your session has ended")
	b.logIn("admin", "271828")
	b.text("h1", "Not found")

	// The server stops: the banner says so.
	b.s.stopOnce.Do(func() { close(b.s.stopping) })
	b.text(".banner", "connection to the device is lost")
	b.shoot("lost")
}

// TestPageUser shows an ordinary user the own phone and nothing else.
func TestPageUser(t *testing.T) {
	b := newBrowser(t)
	b.m.tell(registration("102", "Yealink SIP-T46S", "192.168.0.22:5060"))
	b.run("open", chromedp.Navigate(b.base+"/users"))
	b.logIn("demo102", "0000")
	b.fill("New PIN", "5555")
	b.fill("Repeat the new PIN", "5555")
	b.button("Change PIN")
	b.text("h1", "Not found") // the list of users is not for users
	b.button("To the start")
	b.text("h1", "My phone")
	b.text(".phones", "Yealink")
	b.shoot("profile")
	b.noTroubles()
}

// TestPageNarrow looks at every screen at 360 px and in both colour schemes.
func TestPageNarrow(t *testing.T) {
	b := newBrowser(t)
	loggedIn(t, b.s)
	b.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &pbx.CallStatus{ID: "c1", From: "101", FromName: "Anna Demo", To: "102", State: pbx.CallUp, Started: time.Now(), Answered: time.Now()}})
	b.look(360, 740, "light")
	b.run("open", chromedp.Navigate(b.base+"/"))
	b.text("h1", "Log in")
	b.fits("login")
	b.logIn("admin", adminPIN)
	b.text("td", "demo103")
	for _, x := range []struct{ path, selector, words string }{
		{"/users", "td", "demo103"}, {"/users/demo101", ".sheet", "Phone set-up"}, {"/users/new", ".sheet", "New user"}, {"/settings", "g-form", "First RTP port"},
		{"/history", ".revision", "changed"}, {"/audit", ".audit", "logged in"}, {"/status", "td", "Snom"}, {"/profile", ".card", "admin"},
	} {
		for _, view := range []struct {
			name   string
			width  int64
			scheme string
		}{{"wide-dark", 1280, "dark"}, {"wide-light", 1280, "light"}, {"360", 360, "light"}} {
			b.look(view.width, 740, view.scheme)
			if view.name == "wide-dark" {
				b.run("open "+x.path, chromedp.Navigate(b.base+x.path))
			}
			b.text(x.selector, x.words)
			b.fits(x.path + " " + view.name)
			b.shoot("screen" + strings.ReplaceAll(x.path, "/", "-") + "-" + view.name)
		}
	}
	b.run("open", chromedp.Navigate(b.base+"/users"))
	b.click(".drawer-button")
	b.text("nav.menu", "Audit log")
	b.shoot("drawer-360")
	b.noTroubles()
}
