package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

// TestAssetsVersion wants the tag of the document to change with each file of
// the page, added, changed or renamed, and with nothing else.
func TestAssetsVersion(t *testing.T) {
	tag := func(files fstest.MapFS) string {
		t.Helper()
		a, err := newAssets(files)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
		if w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Fatalf("HEAD / answers %d with %d bytes", w.Code, w.Body.Len())
		}
		return w.Header().Get("ETag")
	}
	files := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "js/app.js": {Data: []byte("go();")}, "js/menu.js": {Data: []byte("menu();")}}
	seen := map[string]string{tag(files): "the page"}
	if again := tag(files); seen[again] == "" {
		t.Errorf("the same page has another tag: %s", again)
	}
	for what, change := range map[string]func(fstest.MapFS){
		"a changed file": func(m fstest.MapFS) { m["js/menu.js"] = &fstest.MapFile{Data: []byte("menu(1);")} },
		"a new file":     func(m fstest.MapFS) { m["js/new.js"] = &fstest.MapFile{Data: []byte("menu();")} },
		"a missing file": func(m fstest.MapFS) { delete(m, "js/menu.js") },
		"a renamed file": func(m fstest.MapFS) { m["js/list.js"] = m["js/menu.js"]; delete(m, "js/menu.js") },
	} {
		other := maps.Clone(files)
		change(other)
		got := tag(other)
		if was := seen[got]; was != "" {
			t.Errorf("%s has the tag of %s", what, was)
		}
		seen[got] = what
	}
}
