package page_test

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"testing"

	"galilei/pbxd/pbxdtest/browser"
	"galilei/webroot"
)

// english are the texts of the page that read otherwise in German.
type english struct {
	texts    map[string]bool
	patterns []*regexp.Regexp // texts with values in them
}

func newEnglish(t *testing.T) *english {
	t.Helper()
	catalogue := func(language string) (words map[string]any) {
		text, err := fs.ReadFile(webroot.Files(), "i18n/"+language+".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &words); err != nil {
			t.Fatalf("catalogue %s: %v", language, err)
		}
		return words
	}
	en, de := catalogue("en"), catalogue("de")
	pairs := map[string]string{}
	for key, text := range en {
		if text, ok := text.(string); ok {
			pairs[text], _ = de[key].(string)
		}
	}
	api, _ := de["api"].(map[string]any)
	for text, german := range api {
		pairs[text], _ = german.(string)
	}
	if len(api) < 200 || len(pairs) < 500 {
		t.Fatalf("the catalogues hold %d and %d texts only", len(api), len(pairs))
	}
	german := map[string]bool{}
	for _, text := range pairs {
		german[text] = true
	}
	e := &english{texts: map[string]bool{}}
	value, letters := regexp.MustCompile(`\\\{\w+\\\}`), regexp.MustCompile(`[A-Za-z]{4}`)
	for text, translated := range pairs {
		if text == translated || german[text] {
			continue
		}
		pattern := value.ReplaceAllString(regexp.QuoteMeta(text), `.*`)
		if pattern == regexp.QuoteMeta(text) {
			e.texts[text] = true
		} else if letters.MatchString(value.ReplaceAllString(regexp.QuoteMeta(text), "")) {
			e.patterns = append(e.patterns, regexp.MustCompile("^"+pattern+"$"))
		}
	}
	return e
}

// check fails the test for each English text on the page of a German. The
// comments of revisions are left out: they stay as they were written.
func (e *english) check(p *browser.Page, t *testing.T, where string) {
	t.Helper()
	for _, text := range browser.Eval[[]string](p, `(() => {
		const said = new Set();
		const clean = (s) => s.replace(/\s+/g, ' ').trim();
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
		for (let n = walk.nextNode(); n; n = walk.nextNode()) {
			if (n.nodeType === Node.TEXT_NODE) {
				if (n.parentElement.checkVisibility() && !n.parentElement.closest('.comment')) said.add(clean(n.data));
			} else for (const a of ['aria-label', 'title', 'placeholder', 'alt']) if (n.hasAttribute(a)) said.add(clean(n.getAttribute(a)));
		}
		said.add(clean(document.title));
		said.delete('');
		return [...said];
	})()`) {
		if e.texts[text] || slices.ContainsFunc(e.patterns, func(r *regexp.Regexp) bool { return r.MatchString(text) }) {
			t.Errorf("%s: a German reads %q", where, text)
		}
	}
}
