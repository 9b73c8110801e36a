package pattern

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// What the manual teaches (pages 79, 80), and what PCRE has beyond.
func TestFind(t *testing.T) {
	tests := []struct {
		pattern, number string
		groups          string // joined by |, "-" for no match
	}{
		{"^(.*)", "0891234", "0891234|0891234"},
		{"^(.*)", "", "|"},
		{`^\d\d\d\d(\d)`, "12345", "12345|5"},
		{`^\d\d\d\d(\d)`, "1234", "-"},
		{"(((0049|0)89)3450)", "0049893450", "0049893450|0049893450|004989|0049"},
		{"(((0049|0)89)3450)", "0893450", "0893450|0893450|089|0"},
		{"(?:(?:0049|0)89)?3450", "3450", "3450"},
		{"0049|0", "0891", "0"},
		{"[0-9][a-z]", "3a", "3a"},
		{"[0-9][a-z]", "3A", "-"},
		{"^[1-9][0-9]{1,4}$", "123456", "-"},
		{"^[1-9][0-9]{1,4}$", "12345", "12345"},
		{`\D`, "123*", "*"},
		{`^\+49`, "+4989", "+49"},
		{"^01[5-7]", "0171", "017"},
		{`\d`, "\u0663", "-"}, // an Arabic-Indic three is no digit of a number
		{`^(?!0900)0`, "0900123", "-"},
		{`^(?!0900)0`, "089123", "0"},
		{`^(\d)\1`, "1123", "11|1"},
		{`^(\d)\1`, "1213", "-"},
		{`(?<=00)49`, "0049", "49"},
		{`(?=\d)\d`, "\u0663", "-"},
		{`(a)?(?=b)b`, "b", "b|"},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
			continue
		}
		m, ok := p.Find(tt.number)
		got := strings.Join(m.Groups, "|")
		if !ok {
			got = "-"
		} else if tt.number[m.Start:m.End] != m.Groups[0] || len(m.Groups) != p.Groups()+1 {
			t.Errorf("%q in %q: %d to %d is not %q, %d groups of %d", tt.pattern, tt.number, m.Start, m.End, m.Groups[0], len(m.Groups), p.Groups())
		}
		if got != tt.groups {
			t.Errorf("%q in %q found %q, want %q", tt.pattern, tt.number, got, tt.groups)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for source, want := range map[string]error{
		"(":                      ErrMalformed,
		"?:(0)":                  ErrMalformed, // as page 80 prints it
		"*":                      ErrMalformed,
		"(?P<a>0)":               ErrNamed,
		"(?<a>0)(?!1)":           ErrNamed,
		"(?'a'0)":                ErrNamed,
		strings.Repeat("0", 201): ErrLong,
		`(?<!`:                   ErrMalformed,
		`[[:foo:]]`:              ErrMalformed,
		`(\1`:                    ErrMalformed,
		strings.Repeat("(", 2e2): ErrMalformed,
		`(?!` + `(?<b>1)` + `)`:  ErrNamed,
		`\\(?<c>1)`:              ErrNamed,
	} {
		if _, err := Compile(source); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", source, err, want)
		}
	}
	if _, err := Compile(`\(?<0`); err != nil {
		t.Errorf("an escaped bracket: %v", err)
	}
}

// The worked examples of page 56 and 60 (F186), T16 among them.
func TestRewrite(t *testing.T) {
	tests := []struct{ search, replace, number, want string }{
		{"^(.*)", "00498912345678", "101", "00498912345678"},
		{`^\d\d\d\d(\d)`, "052512088$1", "12345", "0525120885"},
		{"^(.*)", "", "101", ""},
		{"^(.*)", "10", "101", "10"},
		{"^(.*)", "$1", "101", "101"},
		{`498912345678(\d)`, "10$1", "4989123456781", "101"}, // page 57 prints 498912345678101, against page 60
		{`00498912345670(\d)`, "10$1", "004989123456702", "102"},
		{`^(\d*)`, "0$1", "08912345", "008912345"},
		{`^\+`, "00", "+4989", "004989"},
		{`^0`, "", "100", "100"}, // stays as it is
		{`5`, "6", "155", "165"}, // the first match only
		{`(\d)(\d)`, "$2$1", "12", "21"},
		{`(\d)`, "$10", "7", "70"}, // no group 10: group 1 and a 0
		{`(\d)`, "${1}0", "7", "70"},
		{`(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)`, "$10", "1234567890", "0"},
		{`1`, "$0$0", "21", "211"},
		{`1`, "$$", "21", "2$"},
		{`^(\d)(?=2)`, "$1$1", "12", "112"},
	}
	for _, tt := range tests {
		p, err := Compile(tt.search)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewRewrite(p, tt.replace)
		if err != nil {
			t.Errorf("%q: %v", tt.replace, err)
			continue
		}
		if got, _, _ := r.Apply(tt.number); got != tt.want {
			t.Errorf("s/%s/%s/ of %q is %q, want %q", tt.search, tt.replace, tt.number, got, tt.want)
		}
	}
	p, _ := Compile("(1)")
	for replacement, want := range map[string]error{
		"$2": ErrGroup, "$": ErrReference, "$x": ErrReference, "${1": ErrReference, "${}": ErrReference, "${1x}": ErrReference, "${12}": ErrGroup,
		strings.Repeat("1", 101): ErrLongReplacement,
	} {
		if _, err := NewRewrite(p, replacement); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", replacement, err, want)
		}
	}
}

// A pattern that backtracks without end finds nothing, in bounded time.
func TestRunawayPattern(t *testing.T) {
	p, err := Compile(`^(?!x)(\d+)+(\d+)+(\d+)+$`)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if m, ok := p.Find(strings.Repeat("1", MaxNumber-1) + "x"); ok {
		t.Errorf("found %v", m)
	}
	t.Logf("given up after %v", time.Since(began))
	if _, ok := p.Find(strings.Repeat("1", MaxNumber+1)); ok {
		t.Error("a number that is too long matched")
	}
}

func FuzzRewrite(f *testing.F) {
	for _, s := range [][3]string{{"^(.*)", "0$1", "101"}, {`(?!0)(\d)\1`, "$1", "112"}, {"(", "$", ""}, {"(?<=a)|b", "${0}", "ab\xff"}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, search, replace, number string) {
		p, err := Compile(search)
		if err != nil {
			return
		}
		r, err := NewRewrite(p, replace)
		if err != nil {
			return
		}
		out, m, ok := r.Apply(number)
		if !ok && out != number {
			t.Errorf("no match, but %q became %q", number, out)
		}
		if ok && len(out) > len(number)+(len(replace)+1)*(len(m.Groups[0])+1)+len(replace)*len(number) {
			t.Errorf("%q became %d characters", number, len(out))
		}
	})
}
