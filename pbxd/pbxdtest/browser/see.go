package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// textScript returns the visible text of the page or of a part of it: what the
// innermost dialog shows when one is open, and what lies above it.
const textScript = `(scope) => {
	const clean = (s) => (s ?? '').replace(/\s+/g, ' ').trim();
	if (!scope) return clean(document.body.innerText);
	const part = (e) => e.matches('tr') ? [...e.cells].flatMap((c) => [c, ...c.querySelectorAll('a, strong')].map((x) => clean(x.innerText)))
		: [e.hasAttribute('aria-labelledby') ? clean(document.getElementById(e.getAttribute('aria-labelledby'))?.innerText)
		: e.getAttribute('aria-label') ?? clean(e.querySelector('legend, h1, h2, h3, h4')?.innerText)];
	const parts = [...document.querySelectorAll('dialog, fieldset, section, article, nav, form, [role=group], [role=region], tr, details, li')].filter((e) => e.checkVisibility());
	return clean(parts.findLast((e) => part(e).includes(scope))?.innerText);
}`

// noticesScript keeps the notices (role status or alert) that came since the
// last act of the person: they go by themselves, and a busy machine may look
// too late.
const noticesScript = `(() => {
	const told = window.noticesTold = [];
	for (const act of ['pointerdown', 'keydown']) addEventListener(act, () => { told.length = 0; }, true);
	new MutationObserver((changes) => {
		for (const n of changes.flatMap((c) => [...c.addedNodes])) {
			const box = n.nodeType === Node.ELEMENT_NODE ? n : n.parentElement;
			if (box?.closest('[role=status], [role=alert]')) told.push(box.innerText);
		}
	}).observe(document, {childList: true, subtree: true});
})()`

// toldScript returns the visible text and the notices.
const toldScript = `(text) => [text, ...window.noticesTold ?? []].join('\n').replace(/\s+/g, ' ')`

// Text is the visible text, with single blanks between words.
func (p *Page) Text() string {
	p.t.Helper()
	return Eval[string](p, script(textScript, p.scope))
}

// Sees waits until words can be read, or have been told in a notice since the
// last act.
func (p *Page) Sees(words string) {
	p.t.Helper()
	p.read(words, true)
}

// SeesNot waits until words can no longer be read.
func (p *Page) SeesNot(words string) {
	p.t.Helper()
	p.read(words, false)
}

func (p *Page) read(words string, there bool) {
	p.t.Helper()
	p.wait(fmt.Sprintf("wait until %q can be read in %q: %t", words, p.scope, there), func(ctx context.Context) error {
		look := script(textScript, p.scope)
		if there && p.scope == "" {
			look = "(" + toldScript + ")(" + look + ")"
		}
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](look))
		if err == nil && strings.Contains(text, words) != there {
			err = errNotYet
		}
		return err
	})
}

// Heading waits until the page or the open sheet has that title.
func (p *Page) Heading(title string) {
	p.t.Helper()
	p.Until("the title is "+title, fmt.Sprintf("[...document.querySelectorAll('h1, h2')].some((e) => e.checkVisibility() && e.innerText.trim() === %q)", title))
}

// Look sets the window in CSS pixels and the colour scheme, "light" or "dark".
func (p *Page) Look(width, height int64, scheme string) {
	p.t.Helper()
	p.Run("resize", chromedp.EmulateViewport(width, height), command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}))
}

// Language makes the browser ask for a language first, as its owner's settings do.
func (p *Page) Language(tag string) {
	p.t.Helper()
	p.Run("ask for "+tag, command(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: tag}),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			agent, err := chromedp.Evaluate[string]("navigator.userAgent")(ctx, t)
			if err != nil {
				return err
			}
			_, err = cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: tag})
			return err
		}))
}

// Fits fails the test when the page, a dialog or a list scrolls or is cut off
// sideways, and names what is too wide.
func (p *Page) Fits(where string) {
	p.t.Helper()
	wide := Eval[string](p, `(() => {
		for (const frame of [document.documentElement, ...document.querySelectorAll('dialog[open], .table-frame')]) {
			const over = frame.scrollWidth - frame.clientWidth;
			if (over <= 0) continue;
			const edge = frame.getBoundingClientRect().left + frame.clientWidth;
			const out = [...frame.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > edge + 0.5).slice(-3);
			return over + ' px: ' + out.map((e) => e.outerHTML.slice(0, 160)).join(' … ');
		}
		return '';
	})()`)
	if wide != "" {
		p.t.Errorf("%s is too wide by %s", where, wide)
	}
}

// Shoot keeps a picture in out/screenshots for people to look at. It waits until
// nothing moves.
func (p *Page) Shoot(name string) {
	p.t.Helper()
	p.Until("nothing moves", "document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().iterations === Infinity) && [...document.images].every((i) => i.complete)")
	path := filepath.Join(Root(p.t), "out", "screenshots", name+".png")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(p.ctx, p.Step)
	defer stop()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, png, 0o644)
	}
	if err != nil {
		p.t.Errorf("picture %s: %v", name, err)
	}
}
