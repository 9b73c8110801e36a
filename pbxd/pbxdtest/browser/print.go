package browser

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// paper is one sheet in a PDF.
var paper = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// Print prints the page on the paper that its style sheet names and returns how
// many sheets it takes. With GALILEI_SCREENSHOTS=1 it keeps them in
// out/screenshots.
func (p *Page) Print(name string) (sheets int) {
	p.t.Helper()
	yes := true
	var pdf []byte
	p.Run("print", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		res, err := cdp.Call(ctx, t, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: &yes})
		pdf = res.Data
		return err
	}))
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		p.t.Fatalf("printing gave %d bytes, which are no PDF", len(pdf))
	}
	if os.Getenv("GALILEI_SCREENSHOTS") != "" {
		path := filepath.Join(Root(p.t), "out", "screenshots", name+".pdf")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(path, pdf, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	return len(paper.FindAll(pdf, -1))
}
