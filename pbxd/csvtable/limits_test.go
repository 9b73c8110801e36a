package csvtable

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestLimitsAreInclusive(t *testing.T) {
	full := strings.Repeat("Doe,1\n", MaxRows)
	p := readContacts(t, "Last name,Work\n"+full, Options{Header: true})
	if p.Good != MaxRows {
		t.Errorf("got %d good rows, want %d", p.Good, MaxRows)
	}
	large := strings.Repeat(" ", MaxBytes-len("Last name\nDoe")) + "Last name\nDoe"
	if p := readContacts(t, large, Options{Header: true}); p.Good != 1 {
		t.Errorf("got %d good rows of a file of %d bytes, want 1", p.Good, len(large))
	}
	wide := strings.Repeat("x,", MaxColumns-1) + "Last name\n" + strings.Repeat(",", MaxColumns-1) + "Doe"
	if p := readContacts(t, wide, Options{Header: true, IgnoreUnknown: true}); p.Good != 1 || p.Rows[0].Value.LastName != "Doe" {
		t.Errorf("got %+v", p.Rows)
	}
}

// hostile returns files of nearly MaxBytes that make the most work.
func hostile() map[string]string {
	fillUp := func(head, row string, n int) string {
		return head + strings.Repeat(row, min(n, (MaxBytes-len(head))/len(row)))
	}
	head := "User,Extension,PIN,Language,Hide from phonebook,Drop to operator,First name\n"
	return map[string]string{
		"everything wrong":       fillUp(head, ",,x,x,x,x,\x01\n", MaxRows),
		"long rows wrong":        fillUp(head, ",,x,x,x,x,"+strings.Repeat("\x01", 240)+"\n", MaxRows),
		"too many fields":        fillUp(head, strings.Repeat("1,", 120)+"\n", MaxRows),
		"one row of separators":  fillUp(head+"x", ",", MaxBytes),
		"one field":              fillUp(head, "x", MaxBytes),
		"pairs of quotes":        fillUp(head+"x,\"", "\"\"", MaxBytes-2) + "\"",
		"quotes after quotes":    fillUp(head, "\"\"x,", MaxBytes),
		"empty lines":            fillUp(head, "\r", MaxBytes),
		"lists too long":         fillUp("User,Extension,PIN,CLIP internal\n", "u,1,2,\""+strings.Repeat("1,", 120)+"\"\n", MaxRows),
		"longest lists":          fillUp("User,Extension,PIN,CLIP internal\n", "u,1,2,\""+strings.Repeat("1,", 100)+"\"\n", MaxRows),
		"the same user again":    fillUp("User,Extension,PIN\n", "u,1,1234\n", MaxRows),
		"one column, short rows": fillUp("Extension,PIN,User\n", "1\n", MaxRows),
	}
}

// What a file of the greatest size leaves in memory, as long as it is shown,
// stays bounded.
func TestMemoryIsBounded(t *testing.T) {
	const limit = 64 << 20
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			if len(text) > MaxBytes {
				t.Fatalf("%d bytes", len(text))
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			p, err := Users().Read(strings.NewReader(text), Options{Header: true})
			runtime.GC()
			runtime.ReadMemStats(&after)
			if err == nil && p.Good > 1 {
				t.Errorf("%d rows are good", p.Good)
			}
			held, used := int64(after.HeapAlloc)-int64(before.HeapAlloc), after.TotalAlloc-before.TotalAlloc
			t.Logf("%d bytes: holds %d KiB, allocated %d KiB: %v", len(text), held>>10, used>>10, err)
			if held > limit || used > 3*limit {
				t.Errorf("holds %d bytes after allocating %d; at most %d and %d are wanted", held, used, int64(limit), int64(3*limit))
			}
			runtime.KeepAlive(p)
		})
	}
}

// manyContacts returns n contacts as an office has them.
func manyContacts(n int) []ContactRow {
	all := make([]ContactRow, n)
	for i := range all {
		all[i] = ContactRow{
			FirstName: "Jörg", LastName: fmt.Sprintf("Müller-Lüdenscheidt %d", i), Company: "Bau, Steine & Erden \"Süd\" GmbH",
			Office: fmt.Sprintf("+49 89 %07d", i), OfficeQuickdial: fmt.Sprint(i), Mobile: fmt.Sprintf("+49 171 %07d", i),
			Home: fmt.Sprintf("+49 8123 %05d", i), Email: fmt.Sprintf("joerg.mueller%d@company.example", i),
		}
	}
	return all
}

func BenchmarkReadContacts(b *testing.B) {
	for _, o := range []Options{{Encoding: UTF8, Separator: Comma, Header: true}, {Encoding: Latin1, Separator: Semicolon}} {
		b.Run(o.String(), func(b *testing.B) {
			var file bytes.Buffer
			if _, err := Contacts().Write(&file, o, nil, manyContacts(10_000)); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(file.Len()))
			b.ReportAllocs()
			for b.Loop() {
				p, err := Contacts().Read(bytes.NewReader(file.Bytes()), o)
				if err != nil || p.Good != 10_000 {
					b.Fatalf("%+v, %v", p, err)
				}
			}
		})
	}
}

func BenchmarkWriteContacts(b *testing.B) {
	rows := manyContacts(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Contacts().Write(io.Discard, Options{Header: true}, nil, rows); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadHostile(b *testing.B) {
	for name, text := range hostile() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p, err := Users().Read(strings.NewReader(text), Options{Header: true}); err == nil && p.Good > 1 {
					b.Fatalf("%d rows are good", p.Good)
				}
			}
		})
	}
}

func TestEntriesOfAList(t *testing.T) {
	for n, want := range map[int]string{MaxEntries: "", MaxEntries + 1: "clipInternal: has more than 100 entries"} {
		p := readUsers(t, "User,Extension,PIN,CLIP internal\njane,14,1234,"+strings.Repeat("1|", n)+"\n", Options{Header: true})
		if got := strings.Join(texts(p.Rows[0].Problems), ", "); got != want || want == "" && len(p.Rows[0].Value.CLIPInternal) != n {
			t.Errorf("%d entries: got %q and %d, want %q", n, got, len(p.Rows[0].Value.CLIPInternal), want)
		}
	}
}
