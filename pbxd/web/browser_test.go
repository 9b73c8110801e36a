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

// newBrowser opens a browser for a device whose wizard is done.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	m := newMemory()
	_, err := m.Commit(t.Context(), "system", pbx.Typed("Wizard done"), func(cfg *pbx.Config) error {
		cfg.Setup.WizardDone = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return browse(t, m)
}

// browse opens a browser for a device.
func browse(t *testing.T, m *memory) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not there")
	}
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

// click clicks in the middle of the first element of a selector, once nothing
// covers it.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.hit(selector, fmt.Sprintf("document.querySelector(%q)", selector))
}

// hit clicks the element that find gives. The page may draw it anew at any
// moment, so it is looked up and its place is asked for in one step.
func (b *browser) hit(what, find string) {
	b.t.Helper()
	place := fmt.Sprintf(`(() => {
		const e = %s;
		if (!e?.checkVisibility()) return null;
		e.scrollIntoView({block: 'center', behavior: 'instant'});
		const r = e.getBoundingClientRect();
		const [x, y] = [r.x + r.width / 2, r.y + r.height / 2];
		const top = document.elementFromPoint(x, y);
		return top && (e.contains(top) || top.contains(e)) && !e.disabled ? [x, y] : null;
	})()`, find)
	b.run("click "+what, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for ctx.Err() == nil {
			at, err := chromedp.Evaluate[[]float64](place)(ctx, t)
			if err == nil && len(at) == 2 {
				return chromedp.Do(ctx, chromedp.MouseClickXY(at[0], at[1]))
			}
			time.Sleep(30 * time.Millisecond)
		}
		return ctx.Err()
	}))
}

// keys types into the first element of a selector.
func (b *browser) keys(selector, text string) {
	b.t.Helper()
	b.until("there is "+selector, fmt.Sprintf("document.querySelector(%q)?.checkVisibility()", selector))
	b.eval(fmt.Sprintf("document.querySelector(%q).focus()", selector))
	b.run("type into "+selector, chromedp.KeyEvent(text))
}

// button clicks the visible button or link with that text.
func (b *browser) button(text string) {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll('button, a')].filter((e) => e.checkVisibility() && e.innerText.trim() === %q).at(-1)", text)
	b.hit("the button "+text, find)
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
	b.run("type into "+label, chromedp.KeyEvent(text))
}

// toggle flips the switch with a label.
func (b *browser) toggle(label string) {
	b.t.Helper()
	b.click(b.field(label))
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
