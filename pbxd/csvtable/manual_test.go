package csvtable

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// manualUsers is the example of p23, its first line joined.
const manualUsers = `User;Extension;First name;Last name;PIN;Voicemail box;E-mail;Language;CLIP internal;CLIP external;Hide from phonebook;Drop to operator;Operator extension;Call pick up group;Collective line
susi;14;Susan;Brown;12345;14;susan.brown@company.org;English;;111;no;no;1;444
ben;15;Ben;Smith;54321;15;ben.smith@company.org;English;;222;no;no;none;none
`

func readUsers(t *testing.T, text string, o Options) *Parsed[UserRow] {
	t.Helper()
	p, err := Users().Read(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readContacts(t *testing.T, text string, o Options) *Parsed[ContactRow] {
	t.Helper()
	p, err := Contacts().Read(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// texts returns the problems of a row as "column: text".
func texts(problems []Problem) (all []string) {
	for _, p := range problems {
		all = append(all, strings.TrimPrefix(p.Column+": "+p.Text(), ": "))
	}
	return all
}

func TestManualUsersAreFlagged(t *testing.T) {
	for _, o := range []Options{{Separator: Semicolon, Header: true}, {Separator: Semicolon}} {
		text := manualUsers
		if !o.Header {
			_, text, _ = strings.Cut(text, "\n")
		}
		p := readUsers(t, text, o)
		if len(p.Rows) != 2 || p.Good != 0 || len(p.Columns) != 15 {
			t.Fatalf("header %t: got %d rows, %d good, %d columns; want 2, 0, 15", o.Header, len(p.Rows), p.Good, len(p.Columns))
		}
		for _, row := range p.Rows {
			if got, want := texts(row.Problems), []string{"14 of 15 fields"}; !slices.Equal(got, want) || row.OK {
				t.Errorf("line %d: got %q, OK %t; want %q", row.Line, got, row.OK, want)
			}
			if !reflect.ValueOf(row.Value).IsZero() {
				t.Errorf("line %d: fields were guessed at: %+v", row.Line, row.Value)
			}
			if len(row.Fields) != 14 || row.Fields[2] != "Susan" && row.Fields[2] != "Ben" || row.Fields[4] != "***" {
				t.Errorf("line %d: fields %q", row.Line, row.Fields)
			}
		}
	}
}

func TestManualUsersWithoutOperatorExtension(t *testing.T) {
	p := readUsers(t, manualUsers, Options{Separator: Semicolon, Header: true, Missing: "operatorExtension"})
	want := []UserRow{{
		User: "susi", Extension: "14", FirstName: "Susan", LastName: "Brown", PIN: "12345", VoicemailBoxes: []string{"14"},
		Email: "susan.brown@company.org", Language: "en", CLIPExternal: []string{"111"},
		PickupGroups: []string{"1"}, HuntGroups: []string{"444"},
	}, {
		User: "ben", Extension: "15", FirstName: "Ben", LastName: "Smith", PIN: "54321", VoicemailBoxes: []string{"15"},
		Email: "ben.smith@company.org", Language: "en", CLIPExternal: []string{"222"},
	}}
	if p.Good != 2 || len(p.Rows) != 2 {
		t.Fatalf("got %d good rows of %d, want 2 of 2", p.Good, len(p.Rows))
	}
	for i, row := range p.Rows {
		if !reflect.DeepEqual(row.Value, want[i]) || row.Value.PIN.Reveal() != want[i].PIN.Reveal() {
			t.Errorf("line %d: got %+v, want %+v", row.Line, row.Value, want[i])
		}
		if row.Line != i+2 || len(row.Fields) != 15 || row.Fields[12] != "" || row.Fields[4] != "***" {
			t.Errorf("row %d: line %d, fields %q", i, row.Line, row.Fields)
		}
	}
}

func TestManualContacts(t *testing.T) {
	peter := ContactRow{"Peter", "Brown", "Company", "123456789", "1", "01784567", "2", "083416786", "3", "peter.brown@org.com"}
	susan := ContactRow{FirstName: "Susan", LastName: "Black", Company: "Org", Office: "987654321", Mobile: "015679787878", Email: "susan.black@org.com"}
	susanShort := susan
	susanShort.Email = ""
	tests := []struct {
		name string
		text string
		o    Options
		want []ContactRow
	}{
		{"p34 example", `First name;Last name;Company;Office;Office quick dial;Mobile;Mobile quick dial;Personal;Personal quick dial;Email
Peter;Brown;Company;123456789;1;01784567;2;083416786;3;peter.brown@org.com
Susan;Black;Org;987654321;;015679787878;;;;susan.black@org.com
`, Options{Separator: Semicolon, Header: true}, []ContactRow{peter, susan}},
		{"p34 without header", `Peter;Brown;Company;123456789;1;01784567;2;083416786;3;peter.brown@org.com
Susan;Black;Org;987654321;;015679787878;;;;susan.black@org.com
`, Options{Separator: Semicolon}, []ContactRow{peter, susan}},
		{"p34 file format", "First name,Last name,Company,Office,Office-Quickdial,Mobile,Mobile-Quickdial,Home,Home-Quickdial,E-mail\n" +
			"Peter,Brown,Company,123456789,1,01784567,2,083416786,3,peter.brown@org.com", Options{Header: true}, []ContactRow{peter}},
		{"p33 export", "First name,Last name,Company,Work,Mobile,Home\nSusan,Black,Org,987654321,015679787878,\n", Options{Header: true}, []ContactRow{susanShort}},
		{"p33 export without header", "Susan,Black,Org,987654321,015679787878,\n", Options{}, []ContactRow{susanShort}},
		{"any order, a part of the columns", "E-MAIL\tlast_name\tWork.Quickdial\nx@y.org\tDoe\t7\n", Options{Separator: Tab, Header: true},
			[]ContactRow{{LastName: "Doe", OfficeQuickdial: "7", Email: "x@y.org"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := readContacts(t, tt.text, tt.o)
			if got := values(t, p); !slices.Equal(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if len(p.Warnings) != 0 {
				t.Errorf("got warnings %v", p.Warnings)
			}
		})
	}
}

// values returns the values of rows that must all be OK.
func values[T any](t *testing.T, p *Parsed[T]) (all []T) {
	t.Helper()
	for _, row := range p.Rows {
		if !row.OK {
			t.Errorf("line %d %q: %q", row.Line, row.Fields, texts(row.Problems))
		}
		all = append(all, row.Value)
	}
	return all
}

func TestManualHeadersAreWritten(t *testing.T) {
	var users, contacts, short bytes.Buffer
	u := []UserRow{{User: "susi", Extension: "14", FirstName: "Susan", PIN: "12345", VoicemailBoxes: []string{"14", "15"}, Language: "de",
		DropToOperator: true, OperatorExtension: "1", HuntGroups: []string{"444"}}}
	c := []ContactRow{{"Peter", "Brown", "Company", "+49 89/1234", "1", "01784567", "2", "083416786", "3", "peter.brown@org.com"}}
	if _, err := Users().Write(&users, Options{Separator: Semicolon, Header: true}, nil, u); err != nil {
		t.Fatal(err)
	}
	if _, err := Contacts().Write(&contacts, Options{Header: true}, nil, c); err != nil {
		t.Fatal(err)
	}
	if _, err := Contacts().Write(&short, Options{Header: true}, ContactColumnsShort(), c); err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(manualUsers, "\n")
	for _, tt := range []struct{ got, want string }{
		{users.String(), header + "\r\nsusi;14;Susan;;;14|15;;German;;;no;yes;1;none;444\r\n"},
		{contacts.String(), "First name,Last name,Company,Office,Office-Quickdial,Mobile,Mobile-Quickdial,Home,Home-Quickdial,E-mail\r\n" +
			"Peter,Brown,Company,+49 89/1234,1,01784567,2,083416786,3,peter.brown@org.com\r\n"},
		{short.String(), "First name,Last name,Company,Work,Mobile,Home\r\nPeter,Brown,Company,+49 89/1234,01784567,083416786\r\n"},
	} {
		if tt.got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", tt.got, tt.want)
		}
	}
}

// The JSON names and the number of columns are those of the domain: what is
// read goes there by name.
func TestRowsHaveTheNamesOfTheDomain(t *testing.T) {
	names := func(typ reflect.Type) (all []string) {
		for f := range typ.Fields() {
			all = append(all, f.Tag.Get("json"))
		}
		return all
	}
	for _, name := range names(reflect.TypeFor[ContactRow]()) {
		if !slices.Contains(names(reflect.TypeFor[pbx.ContactSettings]()), name) {
			t.Errorf("a contact has no %s", name)
		}
	}
	notSettings := []string{"pin", "pickupGroups", "huntGroups"} // kept elsewhere than in the settings of the user
	for _, name := range names(reflect.TypeFor[UserRow]()) {
		if !slices.Contains(names(reflect.TypeFor[pbx.UserSettings]()), name) && !slices.Contains(notSettings, name) {
			t.Errorf("a user has no %s", name)
		}
	}
	if u, c := len(Users().Columns()), len(Contacts().Columns()); u != 15 || c != 10 {
		t.Errorf("got %d and %d columns, want 15 and 10", u, c)
	}
}
