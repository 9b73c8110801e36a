package page_test

import (
	"bytes"
	"testing"

	"galilei/pbxd/pbxdtest/browser"
)

// holdOne keeps back the next answer about a single user until release is
// called; passed tells that a later one came meanwhile.
const holdOne = `(() => {
	const ask = window.fetch;
	window.fetch = async (path, options) => {
		const answer = await ask(path, options);
		if (options?.method !== 'GET' || !/\/users\/\w+$/.test(path)) return answer;
		if (window.release) window.passed = true;
		else await new Promise((go) => { window.release = go; });
		return answer;
	};
	return true;
})()`

// TestPeopleLate lets an older answer about a user come after the picture was
// taken: what is done then still knows the newer state.
func TestPeopleLate(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Open("https://" + s.Web.String() + "/users/" + idOf(a, "anna"))
	p.Heading("anna, Anna Cartman, 201")
	p.Idle()
	browser.Eval[bool](p, holdOne)
	a.Do("POST", "/api/v1/pickup-groups", map[string]any{"number": 7, "name": "Others"}, 201, nil)
	p.Until("the page looks at the user again", "!!window.release")
	p.Choose("Choose picture", picture(t))
	p.Sees("Choose another picture")
	p.Until("a later answer passes", "window.passed")
	p.Idle()
	browser.Eval[bool](p, "(window.release(), true)")
	p.Idle()
	p.Press("Delete")
	p.Press("Delete")
	p.Sees("anna, Anna Cartman, 201 is deleted")
	p.NoTroubles()
}

// TestPeoplePictures chooses files that are no pictures: the sheet says what is
// wrong with the newest one only.
func TestPeoplePictures(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Home")
	p.Press("Give yourself one")
	p.Heading("admin")
	p.Until("the extension can be typed", "document.activeElement.closest('g-field')?.dataset.name === 'extension'")
	const said = "[...document.querySelectorAll('.picture-field [role=alert]')].map((e) => e.innerText).filter(Boolean)"
	large := written(t, "large.png", bytes.Repeat([]byte("x"), 6<<20))
	for _, file := range []string{written(t, "broken.png", []byte("no picture")), large, written(t, "other.gif", []byte("none")), large} {
		p.Choose("Choose picture", file)
		p.Until("one trouble is told", said+".length === 1")
		p.Idle()
	}
	if got := browser.Eval[[]string](p, said); len(got) != 1 || got[0] != "The picture has 6 MB; at most 5 are allowed. Choose a smaller one." {
		t.Errorf("the sheet says %q", got)
	}
	p.Choose("Choose picture", picture(t))
	p.Until("nothing is wrong any more", said+".length === 0 && !!document.querySelector('dialog img')")
	p.Forgive() // the refusals
	p.NoTroubles()
}
