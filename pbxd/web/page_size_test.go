package web

import (
	"io/fs"
	"path"
	"testing"

	"galilei/webroot"
)

// TestPageSize bounds what the page weighs, translations aside: as it is in the
// firmware and as browsers get it.
func TestPageSize(t *testing.T) {
	const mostPlain, mostSent = 256 << 10, 96 << 10 // bytes
	page, err := newAssets(webroot.Files())
	if err != nil {
		t.Fatal(err)
	}
	plain, sent := 0, 0
	err = fs.WalkDir(webroot.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Dir(name) == "i18n" {
			return err
		}
		f := page.files["/"+name]
		if f == nil {
			t.Errorf("%s is not served", name)
			return nil
		}
		plain += len(f.plain)
		if f.gzipped != nil {
			sent += len(f.gzipped)
		} else {
			sent += len(f.plain)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d as sent", plain, sent)
	if plain > mostPlain || sent > mostSent {
		t.Errorf("the page has %d bytes, %d as sent; at most %d and %d are allowed", plain, sent, mostPlain, mostSent)
	}
}
