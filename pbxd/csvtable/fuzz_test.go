package csvtable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// optionsOf makes the options that a fuzzer's number stands for.
func optionsOf(n uint8, missing string) Options {
	return Options{
		Encoding: []Encoding{UTF8, Latin1}[n&1], Separator: []Separator{Comma, Semicolon, Tab, Comma}[n>>1&3],
		Header: n&8 != 0, IgnoreUnknown: n&16 != 0, Missing: missing,
	}
}

func seeds(f *testing.F) {
	f.Add([]byte(manualUsers), uint8(2|8), "operatorExtension")
	f.Add([]byte("First name,Last name,Company,Work,Mobile,Home\nSusan,Black,Org,987654321,015679787878,\n"), uint8(8), "")
	f.Add([]byte("Peter;Brown;\"Company \"\"A\"\"\";123456789;1;01784567;2;083416786;3;peter.brown@org.com\r\n"), uint8(2), "")
	f.Add([]byte("\xef\xbb\xbfLast name\tWork\r'=1\t+49\r"), uint8(4|8), "")
	f.Add([]byte("M\xfcller,\x80,,,,\n\"\n\",x"), uint8(1), "mobile")
	f.Add([]byte("User,Extension,PIN\na,10,\"12\"34\n,,\n"), uint8(8|16), "")
}

// checkRead reads file and checks what holds for every file. It returns nil
// for one that cannot be read.
func checkRead[T any](t *testing.T, table *Table[T], file []byte, o Options) *Parsed[T] {
	p, err := table.Read(bytes.NewReader(file), o)
	var f *FileError
	if err != nil {
		if !errors.As(err, &f) || f.Text() == "" || strings.ContainsAny(f.Template, "\r\n") {
			t.Fatalf("%v is no FileError", err)
		}
		return nil
	}
	if _, err := json.Marshal(p); err != nil {
		t.Fatal(err)
	}
	if len(p.Rows) > MaxRows {
		t.Fatalf("%d rows", len(p.Rows))
	}
	line, good := 0, 0
	for _, row := range p.Rows {
		if row.Line <= line {
			t.Fatalf("line %d after line %d", row.Line, line)
		}
		line = row.Line
		if row.OK != (len(row.Problems) == 0) || row.OK && len(row.Fields) != len(p.Columns) {
			t.Fatalf("OK %t with %d problems, %d fields, %d columns", row.OK, len(row.Problems), len(row.Fields), len(p.Columns))
		}
		if row.OK {
			good++
		}
		for i, field := range row.Fields {
			if len(field) > MaxField || i >= MaxColumns || !utf8.ValidString(field) {
				t.Fatalf("field %d has %d bytes or is not UTF-8", i, len(field))
			}
			if len(row.Fields) == len(p.Columns) && p.Columns[i].Name == "pin" && field != "" && field != "***" {
				t.Fatalf("the PIN shows: %q", field)
			}
		}
	}
	if good != p.Good {
		t.Fatalf("%d rows are good, it says %d", good, p.Good)
	}
	return p
}

// again checks that the good rows, written and read, are the same.
func again[T any](t *testing.T, table *Table[T], p *Parsed[T], o Options, known func(*T) bool) {
	var rows []T
	size := 0
	for _, row := range p.Rows {
		if row.OK && known(&row.Value) {
			rows = append(rows, row.Value)
		}
		for _, f := range row.Fields {
			size = max(size, len(f))
		}
	}
	if len(rows) == 0 || size > MaxField/2 { // an apostrophe before a formula can exceed MaxField
		return
	}
	var file bytes.Buffer
	o.Encoding, o.Missing = UTF8, ""
	if w, err := table.Write(&file, o, nil, rows); err != nil || w.Replaced != 0 {
		t.Fatalf("%+v, %v", w, err)
	}
	q, err := table.Read(bytes.NewReader(file.Bytes()), o)
	if err != nil || len(q.Rows) != len(rows) {
		t.Fatalf("%v in %q", err, file.Bytes())
	}
	for i, row := range q.Rows {
		if !reflect.DeepEqual(row.Value, rows[i]) {
			t.Fatalf("row %d: got %q, want %q", i, fmt.Sprintf("%+v", row.Value), fmt.Sprintf("%+v", rows[i]))
		}
	}
}

func FuzzReadContacts(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte, options uint8, missing string) {
		o := optionsOf(options, missing)
		if p := checkRead(t, Contacts(), file, o); p != nil {
			again(t, Contacts(), p, o, func(*ContactRow) bool { return true })
		}
	})
}

func FuzzReadUsers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte, options uint8, missing string) {
		o := optionsOf(options, missing)
		if p := checkRead(t, Users(), file, o); p != nil {
			again(t, Users(), p, o, func(u *UserRow) bool { u.PIN = ""; return true })
		}
	})
}
