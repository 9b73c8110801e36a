package csvtable

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// forms returns every encoding with every separator, with and without header.
func forms() (all []Options) {
	for _, e := range []Encoding{UTF8, Latin1} {
		for _, s := range []Separator{Comma, Semicolon, Tab} {
			for _, h := range []bool{true, false} {
				all = append(all, Options{Encoding: e, Separator: s, Header: h})
			}
		}
	}
	return all
}

func (o Options) String() string {
	return fmt.Sprintf("%s %q header %t", o.Encoding, byte(o.Separator), o.Header)
}

// texter makes random texts that dwell on what CSV and spreadsheets treat
// specially.
type texter struct {
	*rand.Rand
	alphabet []string
}

func newTexter(seed uint64, e Encoding) texter {
	alphabet := []string{"a", "Z", "7", " ", "'", "\"", "\"\"", ",", ";", "|", "=", "+", "-", "@", "0", "none", "no", "ä", "ß", "é", "\u00a0", "ÿ", "¿", "***", "First name", "+49 89"}
	if e == UTF8 {
		alphabet = append(alphabet, "Ω", "漢", "\U0001f600", "\ufeff", "\ufffd", "\uff1d", "€", "\u2028")
	}
	return texter{rand.New(rand.NewPCG(seed, 3)), alphabet}
}

func (r texter) text() string {
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(r.alphabet[r.IntN(len(r.alphabet))])
	}
	return b.String()
}

// list returns entries as a configuration may have them: never empty, without
// the characters that divide, no spaces around.
func (r texter) list() (all []string) {
	for range r.IntN(4) {
		e := strings.TrimSpace(strings.NewReplacer(",", "", "|", "", "none", "").Replace(r.text()))
		if e != "" {
			all = append(all, e)
		}
	}
	return all
}

func (r texter) contact() (c ContactRow) {
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		v.Field(i).SetString(r.text())
	}
	return c
}

func (r texter) user(n int) UserRow {
	return UserRow{
		User: fmt.Sprint("u", n), Extension: fmt.Sprint(1000 + n), FirstName: r.text(), LastName: r.text(), PIN: "12345",
		VoicemailBoxes: r.list(), Email: r.text(), Language: []string{"", "en", "de"}[r.IntN(3)],
		CLIPInternal: r.list(), CLIPExternal: r.list(), HideFromPhonebook: r.IntN(2) == 0, DropToOperator: r.IntN(2) == 0,
		OperatorExtension: r.text(), PickupGroups: r.list(), HuntGroups: r.list(),
	}
}

// What is exported and imported again is the same (T2), whatever people are
// called.
func TestContactsRoundTrip(t *testing.T) {
	for _, o := range forms() {
		t.Run(o.String(), func(t *testing.T) {
			seed := rand.Uint64()
			r := newTexter(seed, o.Encoding)
			contacts := make([]ContactRow, 3000)
			for i := range contacts {
				contacts[i] = r.contact()
			}
			contacts[17] = ContactRow{} // not even a row of nothing is lost
			var file bytes.Buffer
			w, err := Contacts().Write(&file, o, nil, contacts)
			if err != nil || w.Rows != len(contacts) || w.Replaced != 0 {
				t.Fatalf("seed %d: %+v, %v", seed, w, err)
			}
			p, err := Contacts().Read(&file, o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			same(t, seed, values(t, p), contacts)
		})
	}
}

func TestShortContactsRoundTrip(t *testing.T) {
	for _, o := range forms() {
		seed := rand.Uint64()
		r := newTexter(seed, o.Encoding)
		contacts := make([]ContactRow, 500)
		for i := range contacts {
			c := r.contact()
			contacts[i] = ContactRow{FirstName: c.FirstName, LastName: c.LastName, Company: c.Company, Office: c.Office, Mobile: c.Mobile, Home: c.Home}
		}
		var file bytes.Buffer
		if _, err := Contacts().Write(&file, o, ContactColumnsShort(), contacts); err != nil {
			t.Fatal(err)
		}
		p, err := Contacts().Read(&file, o)
		if err != nil {
			t.Fatalf("%v, seed %d: %v", o, seed, err)
		}
		same(t, seed, values(t, p), contacts)
	}
}

// A user list comes back but for the PINs, which are not written: each row
// then says so and nothing else.
func TestUsersRoundTrip(t *testing.T) {
	for _, o := range forms() {
		t.Run(o.String(), func(t *testing.T) {
			seed := rand.Uint64()
			r := newTexter(seed, o.Encoding)
			users := make([]UserRow, 1000)
			for i := range users {
				users[i] = r.user(i)
			}
			var file bytes.Buffer
			if w, err := Users().Write(&file, o, nil, users); err != nil || w.Replaced != 0 {
				t.Fatalf("seed %d: %+v, %v", seed, w, err)
			}
			if bytes.Contains(file.Bytes(), []byte("12345")) {
				t.Error("a PIN was written")
			}
			p, err := Users().Read(&file, o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			var got []UserRow
			for i, row := range p.Rows {
				if problems := texts(row.Problems); !slices.Equal(problems, []string{"pin: is needed"}) {
					t.Errorf("line %d: got %q", row.Line, problems)
				}
				got, users[i].PIN = append(got, row.Value), ""
			}
			same(t, seed, got, users)
		})
	}
}

func same[T any](t *testing.T, seed uint64, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("seed %d: got %d rows, want %d", seed, len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("seed %d, row %d:\ngot  %+q\nwant %+q", seed, i, fmt.Sprint(got[i]), fmt.Sprint(want[i]))
		}
	}
}

// Rows and settings of the domain turn into each other without loss.
func TestRowsAndSettings(t *testing.T) {
	var c pbx.ContactSettings
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		v.Field(i).SetString(v.Type().Field(i).Name)
	}
	if got := ContactRowOf(c).Settings(); got != c {
		t.Errorf("got %+v, want %+v", got, c)
	}
	u := pbx.UserSettings{
		Name: "a", Extension: "b", FirstName: "c", LastName: "d", Email: "e", Language: "de", VoicemailBoxes: []string{"f"},
		CLIPInternal: []string{"g"}, CLIPExternal: []string{"h"}, HideFromPhonebook: true, DropToOperator: true, OperatorExtension: "i", Location: "j",
	}
	row := UserRowOf(u, []string{"1"}, []string{"2"})
	if got := row.Settings(); !reflect.DeepEqual(got, u) {
		t.Errorf("got %+v, want %+v", got, u)
	}
	row.PIN = "1234"
	if v := reflect.ValueOf(row); slices.ContainsFunc(reflect.VisibleFields(v.Type()), func(f reflect.StructField) bool { return v.FieldByIndex(f.Index).IsZero() }) {
		t.Errorf("a field of the row was not set: %+v", row)
	}
	if s := (UserRow{}).Settings(); s.VoicemailBoxes == nil || s.CLIPInternal == nil || s.CLIPExternal == nil {
		t.Errorf("a list is nil: %+v", s)
	}
}
