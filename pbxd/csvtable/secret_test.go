package csvtable

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Whatever is wrong with a row, what the page is sent does not show its PIN.
func TestPINIsNeverShown(t *testing.T) {
	const pin = "98765432"
	header := strings.Split("User;Extension;First name;Last name;PIN;Voicemail box;E-mail", ";")
	good := []string{"susi", "14", "Susan", "Brown", pin, "14", "susan@company.org"}
	shown := func(t *testing.T, what, file string, o Options) {
		t.Helper()
		p, err := Users().Read(strings.NewReader(file), o)
		text := fmt.Sprintf("%v %+v", err, err)
		if err == nil {
			for i := range p.Rows {
				if !p.Rows[i].OK {
					p.Rows[i].Value = UserRow{} // is not shown
				}
			}
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b) + fmt.Sprintf("%v %+v", p, p.Rows)
		}
		if strings.Contains(text, pin) {
			t.Errorf("%s: %s", what, text)
		}
	}
	file := func(rows ...[]string) string {
		var b strings.Builder
		for _, r := range rows {
			b.WriteString(strings.Join(r, ";") + "\n")
		}
		return b.String()
	}
	o := Options{Separator: Semicolon, Header: true}
	shown(t, "good row", file(header, good), o)
	shown(t, "letters around it", file(header, slices.Replace(slices.Clone(good), 4, 5, "x"+pin)), o)
	shown(t, "header said, none there", file(good), o)
	shown(t, "no header said", file(header, good), Options{Separator: Semicolon})
	for _, s := range []Separator{Comma, Tab} {
		shown(t, "wrong separator", file(header, good), Options{Separator: s, Header: true})
		shown(t, "wrong separator, no header", file(good, good), Options{Separator: s})
	}
	for i := range good { // the right number, but the PIN stands elsewhere
		row := slices.Delete(slices.Clone(good), 4, 5)
		shown(t, fmt.Sprintf("PIN in column %d", i), file(header, slices.Insert(slices.Clone(row), i, pin)), o)
		shown(t, fmt.Sprintf("PIN in column %d, none in its own", i), file(header, append(slices.Insert(slices.Clone(row[:5]), min(i, 5), pin), "")), o)
	}
	shown(t, "rows in quotation marks", file(header, []string{`"susi`, "14", "Susan", "Brown", pin, "14", "x"}, []string{"eva", "15", "Eva", "Maier", pin, "15", `y"`}), o)
	shown(t, "wrong separator within marks", "User;Extension;First name;PIN\n\"xx9;312;a;"+pin+"\nxx8;313;b;"+pin+"\n", Options{Separator: Semicolon, Header: true})
	shown(t, "separator unknown here", strings.ReplaceAll(file(good), ";", "#"), o)
	shown(t, "separator unknown here, header", strings.ReplaceAll(file(good), ";", "#"), Options{})
	for i := range good {
		for n := 1; i+n <= len(good); n++ { // n fields lack before, at or behind the PIN
			shown(t, fmt.Sprintf("fields %d to %d lack", i, i+n-1), file(header, slices.Delete(slices.Clone(good), i, i+n)), o)
		}
		more := slices.Clone(good)
		for n := 1; n <= 3; n++ {
			more = slices.Insert(more, i, "1")
			shown(t, fmt.Sprintf("%d more at %d", n, i), file(header, more), o)
		}
	}
}
