package browser

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed find.js
var findScript string

// found is a control of the page that can be used now.
type found struct {
	Why      string  // why there is none
	Nth      int     // of its kind in the document
	Tag      string  // select, input
	Type     string  // of an input
	Disabled bool    // it cannot be used
	On       bool    // a tick or a switch
	Value    string  // what it holds
	X, Y     float64 // where a mouse hits it, in CSS pixels
}

// In looks at a part only: a row of a table by the text of one of its cells, or a
// group, sheet or section by its title.
func (p *Page) In(name string) *Page { return &Page{tab: p.tab, scope: name} }

// find waits for a control by the name that people read. It must be visible, at
// rest, and not covered or behind a dialog.
func (p *Page) find(kind, name string, disabled bool) found {
	p.t.Helper()
	var f, before found
	p.wait(fmt.Sprintf("find the %s %q", kind, name), func(ctx context.Context) (err error) {
		before = f
		f, err = chromedp.Run(ctx, chromedp.Evaluate[found](script(findScript, kind, name, p.scope)))
		switch {
		case err != nil:
			return err
		case f.Why != "":
			return errors.New(f.Why)
		case f.Disabled && !disabled:
			return errors.New("it is disabled")
		case f.X != before.X || f.Y != before.Y:
			return errors.New("it moves")
		}
		return nil
	})
	return f
}

func (p *Page) clickAt(what string, f found) {
	p.t.Helper()
	p.Run(what, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, f.X, f.Y), chromedp.MouseClickXY(f.X, f.Y))
}

// Press clicks the button, link, tab or found item with that name; a name that
// ends with … stands for all that begin so.
func (p *Page) Press(name string) {
	p.t.Helper()
	p.clickAt("press "+name, p.find("button", name, false))
}

// Can tells whether there is a button, link or tab with that name that can be
// pressed now.
func (p *Page) Can(name string) bool {
	p.t.Helper()
	f := Eval[found](p, script(findScript, "button", name, p.scope))
	return f.Why == "" && !f.Disabled
}

// Fill replaces what is in the field with that label.
func (p *Page) Fill(label, text string) {
	p.t.Helper()
	// A screen that is shown anew at this moment takes the focus away.
	for range 3 {
		p.clickAt("go to the field "+label, p.find("field", label, false))
		if Eval[bool](p, "Boolean(document.activeElement?.select)") {
			break
		}
	}
	p.eval("document.activeElement.select()")
	if text == "" {
		p.Keys("\b")
		return
	}
	p.Run("type into "+label, command(input.InsertText, input.InsertTextParams{Text: text}))
}

// Value is what the field with that label holds.
func (p *Page) Value(label string) string {
	p.t.Helper()
	return p.find("field", label, true).Value
}

// Holds waits until the field with that label holds a value.
func (p *Page) Holds(label, value string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("wait until %s holds %q", label, value), func(ctx context.Context) error {
		f, err := chromedp.Run(ctx, chromedp.Evaluate[found](script(findScript, "field", label, p.scope)))
		if err == nil && (f.Why != "" || f.Value != value) {
			err = fmt.Errorf("it holds %q %s", f.Value, f.Why)
		}
		return err
	})
}

// Select takes the option of a list by its text.
func (p *Page) Select(label, option string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("select %q in %s", option, label), func(ctx context.Context) error {
		f, err := chromedp.Run(ctx, chromedp.Evaluate[found](script(findScript, "field", label, p.scope)))
		if err == nil && (f.Why != "" || f.Disabled || f.Tag != "select") {
			err = fmt.Errorf("no list: %s %s", f.Tag, f.Why)
		}
		if err != nil {
			return err
		}
		// The list that opens is the system's; only its effect is to be had.
		why, err := chromedp.Run(ctx, chromedp.Evaluate[string](script(`(nth, option) => {
			const e = [...document.querySelectorAll('input:not([type=radio], [type=file]), select, textarea, output')][nth];
			const o = [...e.options].find((x) => x.text.trim() === option);
			if (!o) return 'it has ' + [...e.options].map((x) => x.text).join(' | ');
			e.focus();
			if (e.value !== o.value) {
				e.value = o.value;
				e.dispatchEvent(new Event('input', {bubbles: true}));
				e.dispatchEvent(new Event('change', {bubbles: true}));
			}
			return '';
		}`, f.Nth, option)))
		if err == nil && why != "" {
			err = errors.New(why)
		}
		return err
	})
}

// Tick clicks a tick, a switch or a choice unless it is on or off already.
func (p *Page) Tick(name string, on bool) {
	p.t.Helper()
	if f := p.find("choice", name, false); f.On != on {
		p.clickAt("tick "+name, f)
	}
	p.wait(fmt.Sprintf("wait until %s is %t", name, on), func(ctx context.Context) error {
		f, err := chromedp.Run(ctx, chromedp.Evaluate[found](script(findScript, "choice", name, p.scope)))
		if err == nil && (f.Why != "" || f.On != on) {
			err = fmt.Errorf("it is not: %s", f.Why)
		}
		return err
	})
}

// Ticked tells whether a tick, a switch or a choice is on.
func (p *Page) Ticked(name string) bool {
	p.t.Helper()
	return p.find("choice", name, true).On
}

// Keys types on the keyboard, wherever the focus is. Modifiers hold for all of
// it; "\t" is the tabulator, "\r" Enter, "\b" Backspace, kb has others.
func (p *Page) Keys(keys string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	p.Run(fmt.Sprintf("type %q", keys), chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// Choose gives a file to the field or button with that label.
func (p *Page) Choose(label string, files ...string) {
	p.t.Helper()
	f := p.find("file", label, false)
	p.Run("choose "+strings.Join(files, ", "), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		e, err := chromedp.Evaluate[*runtime.RemoteObject](fmt.Sprintf("document.querySelectorAll('input[type=file]')[%d]", f.Nth))(ctx, t)
		if err != nil {
			return fmt.Errorf("the input of the file: %w", err)
		}
		_, err = cdp.Call(ctx, t, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, ObjectID: e.ObjectID})
		return err
	}))
}

// Drag takes what a CSS selector finds with the mouse and drops it over what
// another finds, beyond its middle or, with before, this side of it.
func (p *Page) Drag(from, to string, before bool) {
	p.t.Helper()
	middle := func(selector string) (x, y, height float64) {
		at := Eval[[]float64](p, script(`(selector) => {
			const e = document.querySelector(selector);
			e.scrollIntoView({block: 'nearest', behavior: 'instant'});
			const b = e.getBoundingClientRect();
			return [b.x + b.width / 2, b.y + b.height / 2, b.height];
		}`, selector))
		return at[0], at[1], at[2]
	}
	middle(from)
	x2, y2, height := middle(to)
	x1, y1, _ := middle(from)
	if y2 += height / 4; before {
		y2 -= height / 2
	}
	p.Run("drag "+from+" to "+to, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x1, y1),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x1, y1, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x1, (y1+y2)/2, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x2, y2, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, x2, y2, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}
