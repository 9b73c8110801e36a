// Package browser drives Debian's chromium as a person does: it finds buttons
// and fields by the names that people read, clicks and types, and waits until
// the page shows what it should. It is for tests only.
package browser

import (
	"context"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Chromium is one running browser that many pages share. The zero value is
// ready: the program starts with the first page.
type Chromium struct {
	once sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

// start runs the program. Certificates are not checked, since a device's own is
// known to no browser.
func (c *Chromium) start(program string) {
	ctx, stopProgram := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.IgnoreCertErrors, chromedp.WindowSize(1280, 860),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en"))
	c.ctx, c.stop = chromedp.NewContext(ctx)
	stopTab := c.stop
	c.stop = func() {
		stopTab()
		stopProgram()
	}
	c.err = chromedp.Do(c.ctx) // the program lives as long as the context of its first steps
}

// Close ends the program if it was started.
func (c *Chromium) Close() {
	if c.stop != nil {
		c.stop()
	}
}

// Page opens an empty page in a browser context of its own: it shares no
// cookie, no cache and no connection with others. It closes with the test. The
// test is skipped when there is no chromium.
func (c *Chromium) Page(t testing.TB) *Page {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	if c.once.Do(func() { c.start(program) }); c.err != nil {
		t.Fatalf("start chromium: %v", c.err)
	}
	tab := &tab{t: t, Step: stepTime, downloads: t.TempDir(), loading: map[network.RequestID]string{}}
	ctx, stop := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.note))
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a page: %v", err)
	}
	tab.ctx = ctx
	own := chromedp.FromContext(ctx).BrowserContextID
	yes := true
	p := &Page{tab: tab}
	p.Run("prepare the page", chromedp.EmulateViewport(1280, 860),
		command(network.Enable, network.EnableParams{}),
		command(page.Enable, page.EnableParams{}),
		command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: noticesScript}),
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
		command(browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: own, DownloadPath: tab.downloads, EventsEnabled: &yes,
		}))
	return p
}

// stepTime is how long one step may take before the test fails. The machine may
// be busy with other tests.
const stepTime = 40 * time.Second

// command makes a step of one command of the DevTools protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}
