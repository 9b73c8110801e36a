package csvtable

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// Each cell as it is written, and what Replaced counts.
func TestCells(t *testing.T) {
	tests := []struct {
		name     string
		o        Options
		value    ContactRow // LastName and Home are written
		want     string
		replaced int
	}{
		{"plain", Options{}, ContactRow{LastName: "Müller", Home: "089 1"}, "Müller,089 1", 0},
		{"separator", Options{}, ContactRow{LastName: "a,b;c"}, `"a,b;c",`, 0},
		{"other separator", Options{Separator: Semicolon}, ContactRow{LastName: "a,b"}, "\"a,b\";", 0},
		{"formula in the part behind another separator", Options{}, ContactRow{LastName: "a;=1+1", Home: "1, -2"}, `"a;'=1+1","1,' -2"`, 0},
		{"apostrophe in the part behind another separator", Options{}, ContactRow{LastName: ";'@x;b"}, `";''@x;b",`, 0},
		{"quotation marks", Options{}, ContactRow{LastName: `"a" b`}, `"""a"" b",`, 0},
		{"spaces at the ends", Options{Separator: Tab}, ContactRow{LastName: " a", Home: "1 "}, "\" a\"\t\"1 \"", 0},
		{"byte order mark in the first cell", Options{}, ContactRow{LastName: "\ufeffa", Home: "1"}, "\"\ufeffa\",1", 0},
		{"nothing at all", Options{}, ContactRow{}, `"",`, 0},
		{"formula", Options{}, ContactRow{LastName: "=HYPERLINK(\"x\")", Home: "=1+1"}, `"'=HYPERLINK(""x"")",'=1+1`, 0},
		{"plus, minus, at", Options{Separator: Semicolon}, ContactRow{LastName: "@SUM(A1)", Home: "-1"}, "'@SUM(A1);'-1", 0},
		{"formula behind a space", Options{}, ContactRow{LastName: " +1"}, "' +1,", 0},
		{"full-width sign", Options{}, ContactRow{LastName: "\uff1d1"}, "'\uff1d1,", 0},
		{"telephone number", Options{}, ContactRow{LastName: "+49 89", Home: "+49 (89) 1234-56/7"}, "'+49 89,+49 (89) 1234-56/7", 0},
		{"formula like a telephone number", Options{}, ContactRow{Home: "+49|A1!B2"}, ",'+49|A1!B2", 0},
		{"only a plus", Options{}, ContactRow{Home: "+"}, ",'+", 0},
		{"own apostrophe before a formula", Options{}, ContactRow{LastName: "'=1", Home: "'+49"}, "''=1,''+49", 0},
		{"own apostrophe", Options{}, ContactRow{LastName: "'t Hooft"}, "'t Hooft,", 0},
		{"ISO-8859-1", Options{Encoding: Latin1}, ContactRow{LastName: "Müller €漢"}, "M\xfcller ??,", 2},
		{"control characters", Options{}, ContactRow{LastName: "a\r\nb\x00\u0085c", Home: "\t=1"}, "a  b  c,' =1", 5},
		{"no UTF-8", Options{}, ContactRow{LastName: "a\xffb\ufffd"}, "a?b\ufffd,", 1},
		{"becomes a formula when replaced", Options{}, ContactRow{LastName: "\x01=1"}, "' =1,", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var file bytes.Buffer
			w, err := Contacts().Write(&file, tt.o, []Column{{Name: "lastName"}, {Name: "home"}}, []ContactRow{tt.value})
			if got := file.String(); err != nil || got != tt.want+"\r\n" || w != (Written{1, tt.replaced}) {
				t.Errorf("got %q, %+v, %v; want %q, %d replaced", got, w, err, tt.want, tt.replaced)
			}
		})
	}
}

func TestListCells(t *testing.T) {
	u := UserRow{User: "a", Extension: "10", CLIPExternal: []string{"+4989", "+4930"}, PickupGroups: []string{"Sales, South", "2"}}
	var file bytes.Buffer
	columns := []Column{{Name: "clipExternal"}, {Name: "pickupGroups"}, {Name: "huntGroups"}, {Name: "pin", Title: "Secret"}}
	w, err := Users().Write(&file, Options{Header: true}, columns, []UserRow{u})
	want := "CLIP external,Call pick up group,Collective line,Secret\r\n'+4989|+4930,Sales? South|2,none,\r\n"
	if err != nil || file.String() != want || w.Replaced != 1 {
		t.Errorf("got %q, %+v, %v; want %q", file.String(), w, err, want)
	}
}

func TestListsAreRead(t *testing.T) {
	text := "User;Extension;PIN;CLIP internal;CLIP external;Call pick up group\n" +
		"a;10;1234;11,12;+4989|+4930;Sales South, 2\nb;11;1234;|;;None\n"
	p := readUsers(t, text, Options{Separator: Semicolon, Header: true})
	a, b := p.Rows[0].Value, p.Rows[1].Value
	if got := strings.Join(a.CLIPInternal, "/") + " " + strings.Join(a.CLIPExternal, "/") + " " + strings.Join(a.PickupGroups, "/"); got != "11/12 +4989/+4930 Sales South/2" {
		t.Errorf("got %q", got)
	}
	if b.CLIPInternal != nil || b.CLIPExternal != nil || b.PickupGroups != nil {
		t.Errorf("got %+v, want no entries", b)
	}
}

type brokenPipe struct{ room int }

var errPipe = errors.New("pipe is broken")

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.room -= len(p); b.room < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	rows := make([]ContactRow, 5000)
	if _, err := Contacts().Write(&brokenPipe{10_000}, Options{}, nil, rows); !errors.Is(err, errPipe) {
		t.Errorf("got %v, want %v", err, errPipe)
	}
	if _, err := Contacts().Write(&brokenPipe{0}, Options{}, nil, rows[:1]); !errors.Is(err, errPipe) {
		t.Errorf("at the end: got %v, want %v", err, errPipe)
	}
	var none bytes.Buffer
	var f *FileError
	if _, err := Contacts().Write(&none, Options{Encoding: "latin"}, nil, rows); !errors.As(err, &f) || none.Len() != 0 {
		t.Errorf("got %v and %d bytes, want a FileError", err, none.Len())
	}
	if _, err := Contacts().Write(&none, Options{}, []Column{{Name: "fax"}}, rows); err == nil || none.Len() != 0 {
		t.Errorf("got %v and %d bytes, want an error for fax", err, none.Len())
	}
}
