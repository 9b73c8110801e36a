package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Page is what one person sees and does. A Page made by In looks at a part.
type Page struct {
	*tab
	scope string
}

type tab struct {
	t         testing.TB
	ctx       context.Context
	downloads string

	// Step is how long one step may take before the test fails.
	Step time.Duration

	mu       sync.Mutex
	troubles []string
	loading  map[network.RequestID]string // but for the stream of live events
	quiet    time.Time                    // since when nothing loads

	downloading []string // the address of the last download, and its states since
}

// note collects what must not happen in a page: exceptions, errors on the
// console, loads that fail and answers that blame the server. Refusals (4xx) are
// part of the conversation.
func (p *tab) note(ev any) {
	url := p.follow(ev)
	var text string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		text = ev.ExceptionDetails.Text
		if x := ev.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError {
			text = "console.error called"
		}
	case *log.EventEntryAdded:
		if e := ev.Entry; e.Level == log.EntryLevelError && !strings.Contains(e.Text, "status of 4") {
			text = e.Text + " " + e.URL
		}
	case *network.EventResponseReceived:
		if ev.Response.Status >= 500 {
			text = fmt.Sprintf("%d from %s", ev.Response.Status, ev.Response.URL)
		}
		p.answered(ev.Response.URL)
	case *network.EventLoadingFailed:
		if !ev.Canceled && ev.ErrorText != "net::ERR_ABORTED" {
			text = "loading failed: " + ev.ErrorText + " " + url
		}
	case *browser.EventDownloadWillBegin:
		p.mu.Lock()
		p.downloading = append(p.downloading, ev.URL)
		p.mu.Unlock()
	case *browser.EventDownloadProgress:
		p.mu.Lock()
		p.downloading = append(p.downloading, string(ev.State))
		p.mu.Unlock()
	case *page.EventJavascriptDialogOpening:
		text = "the browser asks: " + ev.Message
	}
	if text == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, text)
}

// answered takes back that a URL failed with ERR_FAILED: Chromium begins no
// stream on a connection that was sent GOAWAY since it was chosen
// (SpdySession::TryCreateStream), and the page has asked again.
func (p *tab) answered(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = slices.DeleteFunc(p.troubles, func(x string) bool { return strings.HasSuffix(x, "net::ERR_FAILED "+url) })
}

// follow keeps what is being loaded, and returns the URL of what has failed.
func (p *tab) follow(ev any) (failed string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.loading)
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if ev.Type != network.ResourceTypeEventSource && !strings.HasSuffix(ev.Request.URL, "/events") {
			p.loading[ev.RequestID] = ev.Request.URL
		}
	case *network.EventResponseReceived: // whoever does not read the body gets no end of it
		delete(p.loading, ev.RequestID)
	case *network.EventLoadingFailed:
		failed = p.loading[ev.RequestID]
		delete(p.loading, ev.RequestID)
	case *page.EventFrameNavigated:
		clear(p.loading) // what the document before was loading
	}
	if before > 0 && len(p.loading) == 0 {
		p.quiet = time.Now()
	}
	return failed
}

// Idle waits until the page has loaded what it asked for and has not asked again
// for a moment.
func (p *Page) Idle() {
	p.t.Helper()
	const moment = 150 * time.Millisecond
	p.wait("wait until nothing loads", func(context.Context) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.loading) > 0 || time.Since(p.quiet) < moment {
			return fmt.Errorf("requests are under way: %q", slices.Collect(maps.Values(p.loading)))
		}
		return nil
	})
}

// NoTroubles fails the test for what the page met that it should not, and
// forgets it.
func (p *Page) NoTroubles() {
	p.t.Helper()
	for _, x := range p.Forgive() {
		p.t.Errorf("the page met: %s", x)
	}
}

// Forgive forgets what the page has met so far, and returns it.
func (p *Page) Forgive() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.troubles
	p.troubles = nil
	return before
}

// Under makes t the test that the page fails, until t ends: that of a part of
// what a person does.
func (p *Page) Under(t testing.TB) {
	before := p.t
	p.t = t
	t.Cleanup(func() { p.t = before })
}

// T is the test that the page fails.
func (p *Page) T() testing.TB { return p.t }

// Run does steps of chromedp; the test ends when they do not come to pass in
// time.
func (p *Page) Run(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, p.Step)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fail(what, err)
	}
}

// fail ends the test and says what the page showed.
func (p *Page) fail(what string, err error) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, 5*time.Second)
	defer stop()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	picture := filepath.Join(Root(p.t), "out", "screenshots", "failed-"+strings.NewReplacer("/", "-", " ", "-").Replace(p.t.Name())+".png")
	if png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil && os.MkdirAll(filepath.Dir(picture), 0o755) == nil {
		_ = os.WriteFile(picture, png, 0o644) // a help for people, no more
	}
	p.t.Fatalf("%s: %v\npage: %s\ntroubles: %q", what, err, text, p.Forgive())
}

// Open goes to an address as if it were typed.
func (p *Page) Open(url string) {
	p.t.Helper()
	p.Run("open "+url, chromedp.Navigate(url))
}

// Reload loads the page anew.
func (p *Page) Reload() {
	p.t.Helper()
	p.Run("reload", chromedp.Reload())
}

// Back goes one step back in the browser's history, within the same document.
func (p *Page) Back() {
	p.t.Helper()
	p.eval("history.back()")
}

// eval runs a script for its effect.
func (p *Page) eval(script string) {
	p.t.Helper()
	p.Run("run "+script, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool]("("+script+", true)")(ctx, t)
		return err
	}))
}

// Eval returns what an expression is in the page.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, p.Step)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.fail("evaluate "+expression, err)
	}
	return v
}

// Until waits for a condition in the page.
func (p *Page) Until(what, condition string) {
	p.t.Helper()
	p.wait("wait until "+what, func(ctx context.Context) error {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if err == nil && !ok {
			err = errNotYet
		}
		return err
	})
}

var errNotYet = errors.New("not yet")

// wait tries until try succeeds. chromedp's own polling compiles text in the
// page, which the page's policy forbids.
func (p *Page) wait(what string, try func(context.Context) error) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, p.Step)
	defer stop()
	var why error // of the last try that came to its end
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || why == nil {
			why = err
		}
		select {
		case <-ctx.Done():
			p.fail(what, why)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// script is a call of a JavaScript function with arguments from Go.
func script(function string, args ...any) string {
	text, err := json.Marshal(args)
	if err != nil {
		panic(fmt.Sprintf("arguments of a script: %v", err)) // only texts and numbers are passed
	}
	return "(" + function + ")(..." + string(text) + ")"
}

// Root is the folder of the module, where out is.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = up
	}
}
