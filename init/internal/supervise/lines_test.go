package supervise

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadLines(t *testing.T) {
	long := strings.Repeat("a", 3*maxLine)
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"lines", "a\nb\n", []string{"a", "b"}},
		{"last without end", "a\nb", []string{"a", "b"}},
		{"empty lines count", "a\n\nb\n", []string{"a", "", "b"}},
		{"carriage return", "a\r\n", []string{"a"}},
		{"terminal sequence", "\x1b[2Jgone\x07\n", []string{"?[2Jgone?"}},
		{"not UTF-8", "x\xff\xfey\n", []string{"x?y"}},
		{"long line is cut, the next is whole", long + "\nnext\n", []string{long[:maxLine], "next"}},
	} {
		var got []string
		if err := readLines(strings.NewReader(tt.in), func(l string) { got = append(got, l) }); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzReadLines(f *testing.F) {
	f.Add("a\nb")
	f.Add(strings.Repeat("\xff", 5000) + "\n")
	f.Fuzz(func(t *testing.T, in string) {
		err := readLines(strings.NewReader(in), func(l string) {
			if len(l) > 3*maxLine || !utf8.ValidString(l) || strings.ContainsAny(l, "\n\x1b\x00") {
				t.Errorf("line %q of %d bytes", l, len(l))
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestRingKeepsTheLastLines(t *testing.T) {
	var r lineRing
	for i := range keptLines + 37 {
		r.add(fmt.Sprint(i))
	}
	got := r.all()
	if len(got) != keptLines || got[0] != "37" || got[keptLines-1] != fmt.Sprint(keptLines+36) {
		t.Errorf("got %d lines from %s to %s, want %d from 37 to %d", len(got), got[0], got[len(got)-1], keptLines, keptLines+36)
	}
}
