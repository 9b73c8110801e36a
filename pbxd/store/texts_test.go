package store

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestTexts(t *testing.T) {
	c := &clock{at: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s := openAt(t, dir, c)
	ctx := t.Context()
	first := pbx.Text{Number: "101", Name: "Anna Demo", Body: "Lunch?"}
	ids, err := s.AddTexts(ctx, []string{"demo102", "demo103"}, first)
	if err != nil || len(ids) != 2 {
		t.Fatalf("numbers %v, %v", ids, err)
	}
	if err := s.TextDelivered(ctx, ids[1]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // they outlive a restart
		t.Fatal(err)
	}
	s = openAt(t, dir, c)
	want := first
	want.ID, want.Time = ids[0], c.at
	if got, err := s.Texts(ctx, "demo102"); err != nil || !reflect.DeepEqual(got, []pbx.Text{want}) {
		t.Errorf("messages %+v, %v; want %+v", got, err, want)
	}
	if got, err := s.Texts(ctx, "demo103"); err != nil || len(got) != 1 || !got[0].Delivered {
		t.Errorf("delivered message %+v, %v", got, err)
	}
	for range pbx.MaxTextsKept + 5 { // as many as one sender likes push out no message of another
		if _, err := s.AddTexts(ctx, []string{"demo103"}, pbx.Text{Number: "102", Body: "Flood"}); err != nil {
			t.Fatal(err)
		}
	}
	flooded, err := s.Texts(ctx, "demo103")
	if err != nil || len(flooded) != pbx.MaxTextsKept || flooded[len(flooded)-1].Body != first.Body {
		t.Fatalf("a flood leaves %d messages, the oldest %+v, %v", len(flooded), flooded[len(flooded)-1], err)
	}
	for _, m := range flooded[:len(flooded)-1] {
		if err := s.DeleteText(ctx, "demo103", m.ID); err != nil {
			t.Fatal(err)
		}
	}
	for range pbx.MaxTextsKept + 5 {
		if _, err := s.AddTexts(ctx, []string{"demo102"}, pbx.Text{Body: strings.Repeat("ü", pbx.MaxText+10)}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Texts(ctx, "demo102")
	if err != nil || len(got) != pbx.MaxTextsKept || len([]rune(got[0].Body)) != pbx.MaxText || got[0].ID <= got[1].ID {
		t.Errorf("%d messages, %v", len(got), err)
	}
	if err := s.DeleteText(ctx, "demo103", got[0].ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete another's message: %v", err)
	}
	if err := s.DeleteText(ctx, "demo102", got[0].ID); err != nil {
		t.Error(err)
	}
	c.at = c.at.AddDate(0, 0, 29)
	s.tidy(ctx)
	if got, err := s.Texts(ctx, "demo103"); err != nil || len(got) != 1 {
		t.Errorf("after 29 days %d messages, %v", len(got), err)
	}
	c.at = c.at.AddDate(0, 0, 2)
	s.tidy(ctx)
	if got, err := s.Texts(ctx, "demo103"); err != nil || len(got) != 0 {
		t.Errorf("after 31 days %d messages, %v", len(got), err)
	}
	if _, err := s.AddTexts(ctx, []string{"gone"}, first); err != nil {
		t.Fatal(err)
	}
	late := first
	for c.at = c.at.Add(time.Hour); ; c.at = c.at.Add(20 * 24 * time.Hour) { // a restore of the user brings them back
		s.tidy(ctx)
		got, err := s.Texts(ctx, "gone")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		late.Time = c.at
		if _, err := s.AddTexts(ctx, []string{"gone"}, late); err != nil { // young ones, that go with the user
			t.Fatal(err)
		}
	}
	if late.Time.IsZero() {
		t.Error("messages of a user who is deleted go at once")
	}
}

func TestDesks(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	ctx := t.Context()
	at := time.UnixMilli(1_800_000_000_000).UTC()
	is := func(want ...string) {
		t.Helper()
		list, err := s.Desks(ctx)
		got := []string{}
		for _, d := range list {
			got = append(got, d.Phone+" "+d.User)
			if !d.Since.Equal(at) {
				t.Errorf("since %v", d.Since)
			}
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	logIn := func(phone, user string) {
		t.Helper()
		if err := s.LogIn(ctx, pbx.Desk{Phone: phone, User: user, Since: at}); err != nil {
			t.Fatal(err)
		}
	}
	logIn("demo101", "demo102")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir)
	is("demo101 demo102")
	logIn("demo103", "demo102") // leaves the other phone
	is("demo103 demo102")
	logIn("demo103", "demo101") // takes the place
	is("demo103 demo101")
	if err := s.LogOut(ctx, "demo101"); err != nil {
		t.Fatal(err)
	}
	is()
	logIn("demo103", "demo101")
	if err := s.LogOut(ctx, "demo103"); err != nil { // the phone's own user comes back
		t.Fatal(err)
	}
	is()
}

func TestReminderDone(t *testing.T) {
	s := openIn(t, t.TempDir())
	if due, err := s.ReminderDone(t.Context(), "demo101"); err != nil || !due.IsZero() {
		t.Errorf("never: %v, %v", due, err)
	}
	for _, at := range []time.Time{time.UnixMilli(1_800_000_000_000), time.UnixMilli(1_800_086_400_000)} {
		if err := s.SetReminderDone(t.Context(), "demo101", at); err != nil {
			t.Fatal(err)
		}
		if due, err := s.ReminderDone(t.Context(), "demo101"); err != nil || !due.Equal(at) {
			t.Errorf("got %v, %v; want %v", due, err, at)
		}
	}
}

func TestQuickDial(t *testing.T) {
	s := openIn(t, t.TempDir())
	contact := func(id, name string, set func(*pbx.ContactSettings)) pbx.Contact {
		c := pbx.Contact{ID: id, ContactSettings: pbx.ContactSettings{LastName: name}}
		set(&c.ContactSettings)
		return c
	}
	addContacts(t, s, "", []pbx.Contact{
		contact("a", "Mill", func(c *pbx.ContactSettings) { c.Office, c.OfficeQuickdial = "+49 (89) 12-34/5", "12" }),
		contact("b", "Bakery", func(c *pbx.ContactSettings) { c.Mobile, c.MobileQuickdial = "0170 1", "13" }),
		contact("c", "Later", func(c *pbx.ContactSettings) { c.Home, c.HomeQuickdial = "7", "13" }),
		contact("e", "Office", func(c *pbx.ContactSettings) { c.Office, c.OfficeQuickdial = "+49 (0)30 1234", "15" }),
		contact("d", "Without a number", func(c *pbx.ContactSettings) { c.HomeQuickdial = "14" }),
	})
	addContacts(t, s, "demo101", []pbx.Contact{contact("p", "Mother", func(c *pbx.ContactSettings) { c.Home, c.HomeQuickdial = "030 9", "12" })})
	for _, x := range []struct {
		user, quickdial string
		want            *pbx.QuickDial
	}{
		{"demo101", "12", &pbx.QuickDial{Number: "0309", Name: "Mother", Private: true}},
		{"demo102", "12", &pbx.QuickDial{Number: "+498912345", Name: "Mill"}},
		{"demo101", "13", &pbx.QuickDial{Number: "01701", Name: "Bakery"}},
		{"demo101", "15", &pbx.QuickDial{Number: "+49301234", Name: "Office"}},
		{"demo101", "14", nil}, {"demo101", "1", nil}, {"demo101", "", nil},
	} {
		got, err := s.QuickDial(t.Context(), x.user, x.quickdial)
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s of %s: %+v, %v; want %+v", x.quickdial, x.user, got, err, x.want)
		}
	}
	var plan string
	rows, err := s.db.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN SELECT seq FROM contact WHERE home_quickdial = '12' AND home_quickdial <> '' AND owner = ''")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		if err := rows.Scan(&id, &parent, &unused, &plan); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(plan, "contact_home_quickdial") {
		t.Errorf("plan %q", plan)
	}
}
