package csvtable

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestForms(t *testing.T) {
	latin1Header := Options{Encoding: Latin1, Header: true}
	header := Options{Header: true}
	doe := []ContactRow{{FirstName: "Jane", LastName: "Doe"}}
	tests := []struct {
		name, text string
		o          Options
		want       []ContactRow
		lines      []int
	}{
		{"byte order mark", "\ufeffFirst name,Last name\nJane,Doe\n", header, doe, []int{2}},
		{"CR LF", "First name,Last name\r\nJane,Doe\r\n", header, doe, []int{2}},
		{"CR", "First name,Last name\rJane,Doe\r", header, doe, []int{2}},
		{"no end of the last line", "First name,Last name\nJane,Doe", header, doe, []int{2}},
		{"empty lines and lines of separators", "\n\r\nFirst name,Last name\n\n,\n , \nJane,Doe\n\n", header, doe, []int{7}},
		{"spaces around fields", " First name , Last name \n  Jane  , Doe\n", header, doe, []int{2}},
		{"spaces around quotation marks", "First name,Last name\n \"Jane\" , \"Doe\"  \n", header, doe, []int{2}},
		{"spaces in quotation marks", "First name,Last name\n\" Jane \",Doe\n", header, []ContactRow{{FirstName: " Jane ", LastName: "Doe"}}, []int{2}},
		{"separator in quotation marks", "Last name;Company\nDoe;\"a;b\"\n", Options{Separator: Semicolon, Header: true}, []ContactRow{{LastName: "Doe", Company: "a;b"}}, []int{2}},
		{"quotation marks in quotation marks", `Last name,Company` + "\n" + `Doe,"""Zum Ochsen"" GmbH"`, header, []ContactRow{{LastName: "Doe", Company: `"Zum Ochsen" GmbH`}}, []int{2}},
		{"quotation marks inside", "Last name,Company\nDoe,Gasthof \"Zum Ochsen\"\n", header, []ContactRow{{LastName: "Doe", Company: `Gasthof "Zum Ochsen"`}}, []int{2}},
		{"quoted header", "\"First name\",\"Last name\"\nJane,Doe\n", header, doe, []int{2}},
		{"quoted and empty", "First name,Last name\n\"\",Doe\n", header, []ContactRow{{LastName: "Doe"}}, []int{2}},
		{"ISO-8859-1", "Last name,Company\nM\xfcller,Stra\xdfe\n", latin1Header, []ContactRow{{LastName: "Müller", Company: "Straße"}}, []int{2}},
		{"Windows-1252 called ISO-8859-1", "Last name,Company\nO\x92Brien,5 \x80 \x84Laden\x93\n", latin1Header, []ContactRow{{LastName: "O’Brien", Company: "5 € „Laden“"}}, []int{2}},
		{"header by JSON names", "lastName,officeQuickdial\nDoe,7\n", header, []ContactRow{{LastName: "Doe", OfficeQuickdial: "7"}}, []int{2}},
		{"unknown column passed over", "Last name,Fax,,First name\nDoe,1,2,Jane\n", Options{Header: true, IgnoreUnknown: true}, doe, []int{2}},
		{"apostrophe before a formula", "First name,Last name,Home\n'=Jane,''-Doe,'+49 1\n", header, []ContactRow{{FirstName: "=Jane", LastName: "'-Doe", Home: "+49 1"}}, []int{2}},
		{"apostrophe of a name", "First name,Last name\nd'Arc,'t Hooft\n", header, []ContactRow{{FirstName: "d'Arc", LastName: "'t Hooft"}}, []int{2}},
		{"header only", "First name,Last name\n", header, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := readContacts(t, tt.text, tt.o)
			if got := values(t, p); !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			var lines []int
			for _, row := range p.Rows {
				lines = append(lines, row.Line)
			}
			if !slices.Equal(lines, tt.lines) || p.Good != len(tt.want) {
				t.Errorf("got lines %d, %d good; want lines %d, all good", lines, p.Good, tt.lines)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	header := Options{Header: true}
	long := strings.Repeat("x", MaxField)
	tests := []struct {
		name, text string
		o          Options
		want       string
		line       int
	}{
		{"empty", "", header, "The file is empty.", 0},
		{"only a mark", "\ufeff\r\n", header, "The file is empty.", 0},
		{"encoding", "a,b", Options{Encoding: "utf-16"}, "The encoding must be utf-8 or iso-8859-1.", 0},
		{"separator", "a,b", Options{Separator: '|'}, "The separator must be comma, semicolon or tab.", 0},
		{"ISO read as UTF-8", "Last name\r\nDoe\r\nM\xfcller\r\n", header, "Line 3, byte 2: 0xFC is not UTF-8. Choose ISO-8859-1, or save the file as UTF-8.", 3},
		{"cut character", "Last name\rM\xc3", header, "Line 2, byte 2: 0xC3 is not UTF-8. Choose ISO-8859-1, or save the file as UTF-8.", 2},
		{"UTF-8 mark in ISO", "\ufeffLast name\nDoe\n", Options{Encoding: Latin1, Header: true}, "The file is UTF-8. Choose UTF-8.", 0},
		{"UTF-16 without a mark", "L\x00a\x00s\x00t\x00\n\x00", header, "The file is UTF-16. Save it as UTF-8.", 0},
		{"UTF-16, the other way", "\x00L\x00\xe4\x00s\x00t\x20\xac\x00\n", header, "The file is UTF-16. Save it as UTF-8.", 0},
		{"UTF-16 as ISO-8859-1", "L\x00a\x00s\x00t\x00\n\x00", Options{Encoding: Latin1, Header: true}, "The file is UTF-16. Save it as UTF-8.", 0},
		{"UTF-16", "\xff\xfeL\x00a\x00", header, "The file is UTF-16. Save it as UTF-8.", 0},
		{"quote never closed", "Last name,Company\nDoe,x\n\"Roe,y\nPoe,z\n", header, "The quotation mark that opens in line 3 is never closed. Close it or remove it.", 3},
		{"quote at the end", "Last name,Company\nDoe,\"", header, "The quotation mark that opens in line 2 is never closed. Close it or remove it.", 2},
		{"quote closed too late", "Last name,Company\nDoe,\"x\n" + long + "\n\"Poe\",z\n", header, "The quotation mark that opens in line 2 is not closed within 4096 bytes. Close it or remove it.", 2},
		{"semicolons with comma chosen", manualUsers, header, "The columns are separated by semicolons. Choose semicolon as the separator.", 1},
		{"commas with tab chosen", "Jane,Doe", Options{Separator: Tab}, "The columns are separated by commas. Choose comma as the separator.", 1},
		{"tabs with semicolon chosen", "Jane\tDoe", Options{Separator: Semicolon}, "The columns are separated by tabs. Choose tab as the separator.", 1},
		{"unknown column", "\nLast name,Fax\nDoe,1\n", header, "The column Fax is not known. Rename it or remove it.", 2},
		{"unnamed column", "Last name,\nDoe,1\n", header, "Column 2 has no name in the header. Name it or remove it.", 1},
		{"column twice", "Last name,Work,Office\nDoe,1,2\n", header, "The columns Work and Office are the same. Remove one.", 1},
		{"65 columns", strings.Repeat("x,", 64) + "x", header, "The header has 65 columns; at most 64 are allowed. Remove the others.", 1},
		{"missing column not there", "Last name,Work\nDoe\n", Options{Header: true, Missing: "home"}, "The file has no column Home that its rows could lack. Choose another.", 0},
		{"missing column not known", "Last name,Work\nDoe\n", Options{Header: true, Missing: "fax"}, "The file has no column fax that its rows could lack. Choose another.", 0},
		{"too many rows", strings.Repeat("a,b\n", MaxRows+1), Options{}, "The file has more than 20000 rows. Split it.", MaxRows + 1},
		{"too many rows after the header", "Last name,Work\n" + strings.Repeat("a,b\n", MaxRows+1), header, "The file has more than 20000 rows. Split it.", MaxRows + 2},
		{"too large", strings.Repeat("\n", MaxBytes+1), header, "The file is larger than 5 MB. Split it.", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Contacts().Read(strings.NewReader(tt.text), tt.o)
			var f *FileError
			if !errors.As(err, &f) || f.Text() != tt.want || f.Line != tt.line {
				t.Fatalf("got %v in line %+v, want %q in line %d", err, f, tt.want, tt.line)
			}
			if err.Error() != "read CSV: "+tt.want {
				t.Errorf("got error %q", err)
			}
			if !slices.Contains(Messages(), f.Template) {
				t.Errorf("%q is not among the messages", f.Template)
			}
		})
	}
	for _, name := range []string{"User", "Extension", "PIN"} {
		text := strings.Replace("User,Extension,PIN,Language\n", name+",", "", 1)
		_, err := Users().Read(strings.NewReader(text), header)
		if want := "read CSV: The file has no column " + name + ". Add it."; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Users().Read(iotest.ErrReader(io.ErrUnexpectedEOF), header); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want the error of the reader", err)
	}
}

func TestRowProblems(t *testing.T) {
	const header = "User,Extension,PIN,Language,Hide from phonebook,First name\n"
	long := strings.Repeat("ä", MaxField/2)
	tests := []struct {
		name, row string
		want      []string
	}{
		{"good", "jane,14,1234,German,yes,Jane", nil},
		{"all spellings of no and none", "jane,14,1234,,nein,", nil},
		{"mandatory", ",,,,,Jane", []string{"user: is needed", "extension: is needed", "pin: is needed"}},
		{"short PIN", "jane,14,12,,,", []string{"pin: must have 3 to 10 digits"}},
		{"PIN 0000 (T9)", "jane,14,0000,,,", []string{"pin: must not be all zeros"}},
		{"language", "jane,14,1234,Klingon,,", []string{"language: must be English or German"}},
		{"switch", "jane,14,1234,,maybe,", []string{"hideFromPhonebook: must be yes or no"}},
		{"one field less", "jane,14,1234,en,no", []string{"5 of 6 fields"}},
		{"one field more", "jane,14,1234,en,no,Jane,", []string{"7 of 6 fields"}},
		{"more than 64 fields", "jane" + strings.Repeat(",", 99), []string{"100 of 6 fields"}},
		{"line break", "jane,14,1234,en,no,\"Ja\nne\"", []string{"firstName: contains a line break or another control character"}},
		{"NUL", "jane,14,1234,en,no,Ja\x00ne", []string{"firstName: contains a line break or another control character"}},
		{"tab", "jane,14,1234,en,no,Ja\tne", []string{"firstName: contains a line break or another control character"}},
		{"text turned around", "jane,14,1234,en,no,Ja\u202ene", []string{"firstName: contains a line break or another control character"}},
		{"text after the quotation mark", "jane,14,1234,en,no,\"Ja\"ne", []string{"firstName: has text after its closing quotation mark"}},
		{"4096 bytes", "jane,14,1234,en,no," + long, nil},
		{"4097 bytes", "jane,14,1234,en,no,x" + long, []string{"firstName: is longer than 4096 bytes"}},
		{"4098 bytes in quotation marks", "jane,14,1234,en,no,\"x\"\"" + long + "\"", []string{"firstName: is longer than 4096 bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := readUsers(t, header+tt.row+"\nnext,15,5678,,,\n", Options{Header: true})
			if len(p.Rows) != 2 || !p.Rows[1].OK || p.Rows[1].Value.User != "next" {
				t.Fatalf("the next row was not read: %+v", p.Rows)
			}
			row := p.Rows[0]
			if got := texts(row.Problems); !slices.Equal(got, tt.want) || row.OK != (tt.want == nil) {
				t.Errorf("got %q, OK %t; want %q", got, row.OK, tt.want)
			}
			for i, f := range row.Fields {
				if len(f) > MaxField || i >= MaxColumns || !utf8.ValidString(f) {
					t.Errorf("field %d of %d has %d bytes or ends within a character", i, len(row.Fields), len(f))
				}
			}
			for _, pr := range row.Problems {
				if !slices.Contains(Messages(), pr.Template) {
					t.Errorf("%q is not among the messages", pr.Template)
				}
			}
		})
	}
}

func TestLongFieldInISO(t *testing.T) {
	text := "Last name,Company\n" + strings.Repeat("\xe4", MaxField/2) + ",a\n" + strings.Repeat("\xe4", MaxField/2+1) + ",b\n"
	p := readContacts(t, text, Options{Encoding: Latin1, Header: true})
	if got := texts(p.Rows[1].Problems); !p.Rows[0].OK || !slices.Equal(got, []string{"lastName: is longer than 4096 bytes"}) {
		t.Errorf("got OK %t and %q", p.Rows[0].OK, got)
	}
}

// A quotation mark that is closed by that of a later row must show: the rows
// between are not lost unseen.
func TestQuoteClosedByAnotherRow(t *testing.T) {
	p := readContacts(t, "Last name,Company\nDoe,\"x\nRoe,y\nPoe,\"z\"\nLow,w\n", Options{Header: true})
	want := []string{"2: company: has text after its closing quotation mark", "5: "}
	var got []string
	for _, row := range p.Rows {
		got = append(got, fmt.Sprintf("%d: %s", row.Line, strings.Join(texts(row.Problems), ", ")))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A flaw is told of the right column when one before it, the same or one
// behind it is missing, and also of a column that is passed over.
func TestColumnOfAFlaw(t *testing.T) {
	const header = "First name,Company,Fax,Last name\n"
	tests := []struct{ missing, row, want string }{
		{"", "Jane,x,1,\"D\"oe", "lastName: has text after its closing quotation mark"},
		{"firstName", "x,1,\"D\"oe", "lastName: has text after its closing quotation mark"},
		{"company", "Jane,1,\"D\"oe", "lastName: has text after its closing quotation mark"},
		{"company", "\"J\"ane,1,Doe", "firstName: has text after its closing quotation mark"},
		{"lastName", "Jane,\"x\"y,1", "company: has text after its closing quotation mark"},
		{"firstName", "\"x\"y,1,Doe", "company: has text after its closing quotation mark"},
		{"", "Jane,x,\"1\"2,Doe", "Fax: has text after its closing quotation mark"},
		{"", "Jane,x,\"1\n\n2\",Doe", ""}, // nobody reads the line break
	}
	for _, tt := range tests {
		p := readContacts(t, header+tt.row+"\n", Options{Header: true, IgnoreUnknown: true, Missing: tt.missing})
		if got := strings.Join(texts(p.Rows[0].Problems), ", "); len(p.Rows) != 1 || got != tt.want {
			t.Errorf("%q without %q: got %q, want %q", tt.row, tt.missing, got, tt.want)
		}
	}
}

func TestDuplicatesInTheFile(t *testing.T) {
	text := "User,Extension,PIN\njane,14,1234\njane,15,1234\njohn,14,1234\njack,16,bad\njack,16,1234\njim,,1234\njoe,,1234\n"
	p := readUsers(t, text, Options{Header: true})
	want := []string{"", "user: is the same as in line 2", "extension: is the same as in line 2", "pin: must have 3 to 10 digits", "",
		"extension: is needed", "extension: is needed"}
	for i, row := range p.Rows {
		if got := strings.Join(texts(row.Problems), ", "); got != want[i] {
			t.Errorf("line %d: got %q, want %q", row.Line, got, want[i])
		}
	}
	if p.Good != 2 {
		t.Errorf("got %d good rows, want 2", p.Good)
	}
	same := readContacts(t, "Last name,Work\nDoe,1\nDoe,1\n", Options{Header: true})
	if same.Good != 2 {
		t.Errorf("got %d good contacts, want 2: identical ones are added (F110)", same.Good)
	}
}

func TestWithoutHeader(t *testing.T) {
	ten, six := "a,b,c,1,,2,,3,,x@y.z\n", "a,b,c,1,2,3\n"
	tests := []struct {
		name, text, missing string
		columns             int
		want                []string
	}{
		{"ten", ten + ten, "", 10, []string{"", ""}},
		{"six", six, "", 6, []string{""}},
		{"most rows have ten", six + ten + ten, "", 10, []string{"6 of 10 fields", "", ""}},
		{"most rows have six", ten + six + six, "", 6, []string{"10 of 6 fields", "", ""}},
		{"as many of each", six + ten, "", 10, []string{"6 of 10 fields", ""}},
		{"neither", "a,b,c\n", "", 10, []string{"3 of 10 fields"}},
		{"five, one named", "a,b,1,2,3\n" + six, "company", 6, []string{"", ""}},
		{"nine, one named", "a,b,c,1,,2,,3,\n", "email", 10, []string{""}},
		{"two less than ten", "a,b,c,1,,2,,3\n" + ten, "email", 10, []string{"8 of 10 fields", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := readContacts(t, tt.text, Options{Missing: tt.missing})
			var got []string
			for _, row := range p.Rows {
				got = append(got, strings.Join(texts(row.Problems), ", "))
				if row.OK && (row.Value.Office != "1" || row.Value.Mobile != "2" || row.Value.Home != "3" || len(row.Fields) != tt.columns) {
					t.Errorf("line %d: got %+v from %q", row.Line, row.Value, row.Fields)
				}
			}
			if !slices.Equal(got, tt.want) || len(p.Columns) != tt.columns {
				t.Errorf("got %q, %d columns; want %q, %d", got, len(p.Columns), tt.want, tt.columns)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name, text string
		o          Options
		want       string
	}{
		{"header not ticked", "First name,Last name,Company,Work,Mobile,Home\na,b,c,1,2,3\n", Options{}, MsgMaybeHeader},
		{"UTF-8 called ISO", "Last name,Work\nMüller,1\n", Options{Encoding: Latin1, Header: true}, MsgMaybeUTF8},
		{"ISO", "Last name,Work\nM\xfcller,1\n", Options{Encoding: Latin1, Header: true}, ""},
		{"ASCII", "Last name,Work\nMiller,1\n", Options{Encoding: Latin1, Header: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, m := range readContacts(t, tt.text, tt.o).Warnings {
				got += m.Template
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
