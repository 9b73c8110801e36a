package qemutest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbxdtest/peer"
)

// stepTime bounds one step in the browser.
const stepTime = time.Minute

// browser drives Debian's chromium.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string // exceptions and refused loads that the page met
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	b := &browser{t: t}
	// The certificate is the device's own, which no browser knows.
	ctx, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.IgnoreCertErrors, chromedp.WindowSize(1280, 860), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("lang", "en"))
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithListener(b.note))
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 2*awaitTime)
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

// run does steps; the test ends when one does not come to pass in time.
func (b *browser) run(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, stepTime)
	defer stop()
	err := chromedp.Do(ctx, steps...)
	if err == nil {
		return
	}
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	picture := filepath.Join("..", "..", "out", "screenshots", "qemutest-failed.png")
	if png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); err == nil && os.MkdirAll(filepath.Dir(picture), 0o755) == nil {
		_ = os.WriteFile(picture, png, 0o644) // a help for people, no more
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t.Fatalf("%s: %v\npage: %s\ntroubles: %q", what, err, text, b.troubles)
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
			time.Sleep(50 * time.Millisecond)
		}
	}))
}

// shows waits for a visible element whose text contains words.
func (b *browser) shows(selector, words string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%s shows %q", selector, words),
		fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.checkVisibility() && e.innerText.includes(%q))", selector, words))
}

// text returns the text of an element.
func (b *browser) text(selector string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).textContent", selector)))
	if err != nil {
		b.t.Fatalf("text of %s: %v", selector, err)
	}
	return text
}

// press clicks the visible button or link with that text, as a mouse does.
func (b *browser) press(text string) {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll('button, a')].filter((e) => e.checkVisibility() && e.innerText.trim() === %q).at(-1)", text)
	b.until("there is a button "+text, find)
	b.do(find + ".scrollIntoView({block: 'center'})")
	b.do(find + ".setAttribute('data-test', 'target')")
	b.run("press "+text, chromedp.Click(chromedp.CSS("[data-test=target]")))
	b.do("document.querySelector('[data-test=target]')?.removeAttribute('data-test')")
}

func (b *browser) do(script string) {
	b.t.Helper()
	b.run("run "+script, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool]("("+script+", true)")(ctx, t)
		return err
	}))
}

// fill types a text into the field with a label.
func (b *browser) fill(label, text string) {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll('label')].findLast((l) => l.checkVisibility() && l.innerText.trim() === %q)", label)
	b.until("there is a field "+label, find)
	id, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](find+".htmlFor"))
	if err != nil {
		b.t.Fatalf("field %s: %v", label, err)
	}
	b.do(fmt.Sprintf("document.getElementById(%q).select()", id))
	b.run("type into "+label, chromedp.SendKeys(chromedp.CSS("#"+id), text))
}

// TestBrowser sets a new device up by its page: the PIN, a user, and with the
// password that the page shows the user's phone.
func TestBrowser(t *testing.T) {
	peer.NeedBaresip(t)
	m := boot(t, newDisk(t, releaseImage(t)))
	b := newBrowser(t)
	b.run("open", chromedp.Navigate("https://"+webAddress+"/"))
	b.fill("User name", "admin")
	b.fill("PIN", factoryPIN)
	b.press("Log in")
	b.shows("h1", "Choose your PIN")
	b.fill("New PIN", adminPIN)
	b.fill("Repeat the new PIN", adminPIN)
	b.press("Change PIN")
	b.shows("h1", "Installation wizard")
	b.press("Finish here")
	b.until("the menu", "!!document.querySelector('nav.menu a[href=\"/users\"]')")
	b.press("Users")
	b.shows("td", "demo103")

	b.press("Add user")
	b.fill("First name", "Eva")
	b.fill("Last name", "Maier")
	b.fill("User", "eva")
	b.fill("Extension", "201")
	b.press("Add user")
	b.shows(".sheet h2", "eva, Eva Maier, 201")
	b.run("reveal the SIP password", chromedp.Click(chromedp.CSS(".reveal")))
	b.until("the password shows", "/^[a-zA-Z0-9]{20}$/.test(document.querySelector('.secret').textContent)")
	password := b.text(".secret")

	b.run("close the sheet", chromedp.Click(chromedp.CSS(".sheet header button")))
	b.until("the sheet is closed", "!document.querySelector('.sheet')")

	// The page is not loaded again from here on.
	b.press("General information")
	b.shows("td", "Nobody is calling.")
	one := startPhone(t, peer.BaresipOptions{User: "101", Password: m.passwords["101"], Tone: 880})
	eva := startPhone(t, peer.BaresipOptions{User: "201", Password: password, Tone: 440})
	b.shows("td", "201")
	const short = 3 * time.Second
	connect(t, eva, one, "101")
	b.shows("td", "Talking")
	talkUntilHeard(t, short, eva, one)
	hangUp(t, eva, one)
	b.shows("td", "Nobody is calling.")
	hears(t, eva, "201", 880, short)
	hears(t, one, "101", 440, short)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range b.troubles {
		t.Errorf("the page met: %s", x)
	}
}
