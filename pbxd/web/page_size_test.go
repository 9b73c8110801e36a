package web

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galilei/webroot"
)

// fixedImport is an import that a module cannot do without; laterImport one that
// it asks for when it needs it.
var (
	fixedImport = regexp.MustCompile(`(?m)^import (?:[^'";]+ from )?'([^']+)';`)
	laterImport = regexp.MustCompile(`\bimport\('([^']+)'\)`)
	ownStyles   = regexp.MustCompile(`(?m)^await styles\('([a-z]+)'\);`)
	screenFile  = regexp.MustCompile(`\bfile: '([a-z]+)'`)
	linked      = regexp.MustCompile(`(?:href|src)="(/[^"]+)"`)
)

// modules are the page's scripts, by path.
type modules map[string]string

// fetched adds to set what a browser fetches for a module: the module itself,
// its style sheets, what it imports, and with later what it may ask for.
func (m modules) fetched(t *testing.T, set map[string]bool, name string, later bool) {
	t.Helper()
	if set[name] {
		return
	}
	text, ok := m[name]
	if !ok {
		t.Fatalf("there is no module %s", name)
	}
	set[name] = true
	for _, sheet := range ownStyles.FindAllStringSubmatch(text, -1) {
		set["/css/"+sheet[1]+".css"] = true
	}
	found := fixedImport.FindAllStringSubmatch(text, -1)
	if later {
		found = append(found, laterImport.FindAllStringSubmatch(text, -1)...)
	}
	for _, i := range found {
		m.fetched(t, set, path.Join(path.Dir(name), i[1]), later)
	}
}

// TestPageSize bounds what the page weighs before compression, translations
// aside: what a visit fetches that logs in, sees the own home and then one
// screen with all that this screen may ask for, and all files together.
func TestPageSize(t *testing.T) {
	const visit, total = 160 << 10, 420_000 // bytes
	page, err := newAssets(webroot.Files())
	if err != nil {
		t.Fatal(err)
	}
	scripts, plain, sent := modules{}, 0, 0
	err = fs.WalkDir(webroot.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Dir(name) == "i18n" {
			return err
		}
		f := page.files["/"+name]
		if f == nil {
			return fmt.Errorf("%s is not served", name)
		}
		plain += len(f.plain)
		if small := f.gzipped(); small != nil {
			sent += len(small)
		} else {
			sent += len(f.plain)
		}
		if path.Ext(name) == ".js" {
			scripts["/"+name] = string(f.plain)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if plain > total {
		t.Errorf("the page has %d bytes; at most %d are allowed", plain, total)
	}

	// The core: the document, what it links to, and the scripts of the frame.
	core := map[string]bool{"/index.html": true}
	begin := map[string]bool{}
	scripts.fetched(t, begin, "/js/app.js", false)
	for _, l := range linked.FindAllStringSubmatch(string(page.files["/index.html"].plain), -1) {
		core[l[1]] = true
		if path.Ext(l[1]) == ".js" && !begin[l[1]] {
			t.Errorf("index.html loads %s before it is needed", l[1])
		}
	}
	for name := range begin {
		if !core[name] {
			t.Errorf("index.html does not announce %s", name)
		}
	}
	scripts.fetched(t, core, "/js/login.js", false)
	scripts.fetched(t, core, "/js/screens/home.js", false)
	weight := func(set map[string]bool) int {
		n := 0
		for name := range set {
			if page.files[name] == nil {
				t.Fatalf("there is no file %s", name)
			}
			n += len(page.files[name].plain)
		}
		return n
	}
	t.Logf("%-14s %7d bytes, %d as sent", "all", plain, sent)
	t.Logf("%-14s %7d bytes", "login and home", weight(core))

	screens := map[string]bool{}
	for _, s := range screenFile.FindAllStringSubmatch(scripts["/js/menu.js"], -1) {
		screens["/js/screens/"+s[1]+".js"] = true
	}
	for name := range scripts {
		if strings.HasPrefix(name, "/js/screens/") && !screens[name] && !core[name] {
			helps := slices.ContainsFunc(slices.Collect(maps.Keys(screens)), func(s string) bool {
				set := map[string]bool{}
				scripts.fetched(t, set, s, true)
				return set[name]
			})
			if !helps {
				t.Errorf("nothing shows %s", name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(screens)) {
		set := maps.Clone(core)
		scripts.fetched(t, set, name, true)
		n := weight(set)
		t.Logf("%-14s %7d bytes", strings.TrimSuffix(path.Base(name), ".js"), n)
		if n > visit {
			t.Errorf("a visit of %s fetches %d bytes; at most %d are allowed", name, n, visit)
		}
	}
	if len(screens) < 15 {
		t.Errorf("only %d screens were found", len(screens))
	}
}
