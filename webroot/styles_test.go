package webroot

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// A style sheet of a screen stays when the screen is left, so no two may begin a
// selector with the same class.
func TestStylesOfScreensDoNotMeet(t *testing.T) {
	sheets, err := fs.Glob(Files(), "css/*.css")
	if err != nil || len(sheets) < 5 {
		t.Fatalf("style sheets %q: %v", sheets, err)
	}
	comment, block, first := regexp.MustCompile(`(?s)/\*.*?\*/`), regexp.MustCompile(`([^{};]+)\{`), regexp.MustCompile(`^[.#][\w-]+`)
	in := map[string]string{}
	for _, sheet := range sheets {
		text, err := fs.ReadFile(Files(), sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(comment.ReplaceAllString(string(text), ""), -1) {
			for selector := range strings.SplitSeq(m[1], ",") {
				class := first.FindString(strings.TrimSpace(selector))
				if other, ok := in[class]; ok && class != "" && other != sheet {
					t.Errorf("%s and %s both style %s", other, sheet, class)
				}
				in[class] = sheet
			}
		}
	}
}
