package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Axe is axe-core, which looks for what keeps people from using a page.
type Axe struct{ source string }

// NewAxe reads axe-core from out/axe, where scripts/axe puts it. It returns nil,
// which checks nothing, when it is not there.
func NewAxe(t testing.TB) *Axe {
	t.Helper()
	path := filepath.Join("out", "axe", "axe.min.js")
	text, err := os.ReadFile(filepath.Join(Root(t), path))
	if err != nil {
		return nil
	}
	return &Axe{source: string(text)}
}

// violation is one rule that a page breaks.
type violation struct {
	ID     string
	Impact string
	Help   string
	Nodes  []string
}

// Check fails the test for every serious or critical finding on what the page
// shows now. rules are those to check, none means all.
func (a *Axe) Check(p *Page, where string, rules ...string) {
	p.t.Helper()
	if a == nil {
		return
	}
	p.Until("nothing moves", "document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().iterations === Infinity)")
	if !Eval[bool](p, "Boolean(window.axe)") {
		p.Run("load axe-core", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := chromedp.Evaluate[chromedp.Void](a.source)(ctx, t)
			return err
		}))
	}
	list := Eval[[]violation](p, script(`async (rules) => {
		const options = {resultTypes: ['violations'], elementRef: false};
		if (rules.length) options.runOnly = {type: 'rule', values: rules};
		const {violations} = await axe.run(document, options);
		return violations.map(({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map((n) => n.target.join(' ') + ' ' + n.html.slice(0, 200) + ': ' + n.failureSummary)}));
	}`, append([]string{}, rules...)))
	for _, v := range list {
		if v.Impact == "serious" || v.Impact == "critical" {
			p.t.Errorf("%s: axe: %s: %s (%s)\n%s", where, v.Impact, v.Help, v.ID, indent(v.Nodes))
		}
	}
}

func indent(lines []string) string {
	const most = 5
	more := ""
	if len(lines) > most {
		more = fmt.Sprintf("\n    and %d more", len(lines)-most)
		lines = lines[:most]
	}
	for i, l := range lines {
		lines[i] = "    " + strings.ReplaceAll(l, "\n", " ")
	}
	return strings.Join(lines, "\n") + more
}
