package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestReportIsBounded checks that an answer stays small whatever the file, and
// shows the bad rows before good ones.
func TestReportIsBounded(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	long := strings.Repeat("ä", 2000)
	var many, wide strings.Builder
	many.WriteString("Last name,Mobile\n")
	for i := range 3000 {
		fmt.Fprintf(&many, "N%d,1\n", i)
	}
	for i := range 700 {
		fmt.Fprintf(&many, "B%d,x\n", i)
	}
	wide.WriteString("Last name")
	for i := range 9 {
		fmt.Fprintf(&wide, ",%s", []string{"Work", "Mobile", "Home", "First name", "Company", "E-mail", "Work quick dial", "Mobile quick dial", "Home quick dial"}[i])
	}
	wide.WriteString("\n")
	for range 100 {
		wide.WriteString(strings.Repeat(long+",", 9) + long + "\n")
	}
	for name, file := range map[string]string{"many": many.String(), "wide": wide.String()} {
		res := c.do("POST", apiPrefix+"/contacts/import", file, "Content-Type", "text/csv")
		if res.StatusCode != 200 || len(res.text) > maxShownBytes+largeAnswer {
			t.Fatalf("%s: got %d, %d bytes: %.500s", name, res.StatusCode, len(res.text), res.text)
		}
		r := c.upload(t, 200, "/contacts/import", "text/csv", file)
		shown := 0
		for _, row := range r.Rows {
			if !row.OK {
				shown++
				if len(row.Values) > 0 {
					t.Fatalf("%s: values of a bad row: %v", name, row.Values)
				}
			}
			for _, f := range row.Fields {
				if n := len([]rune(f)); n > maxShownText+1 {
					t.Fatalf("%s: %d characters of a field", name, n)
				}
			}
		}
		switch {
		case name == "many" && (r.Good != 3000 || r.Bad != 700 || shown != maxShownRows || len(r.Rows) != maxShownRows || !r.Truncated):
			t.Errorf("many: %d good, %d bad, %d of %d shown are bad, truncated %t", r.Good, r.Bad, shown, len(r.Rows), r.Truncated)
		case name == "wide" && (r.Bad != 100 || shown == 0 || r.Truncated != (shown < 100)):
			t.Errorf("wide: %d bad, %d shown, truncated %t", r.Bad, shown, r.Truncated)
		}
	}
}

// TestReportTextsAreCut: what a message quotes of the file is cut, too.
func TestReportTextsAreCut(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	name := strings.Repeat("x", 4000)
	r := c.upload(t, 200, "/users/import", "text/csv", "User,Extension,PIN,Call pick up group\nsusi,14,12345,"+name+"\n")
	if p := r.problem(0); len(p) > 300 || !strings.Contains(p, "names a pickup group that does not exist: xxx") {
		t.Errorf("got %d bytes: %.300s", len(p), p)
	}
}

// TestRoomIsJudgedLast checks that rows which are refused for something else
// take no room from good ones.
func TestRoomIsJudgedLast(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	cfg, _ := m.Current()
	phones := 0
	for _, u := range cfg.Users {
		if u.Extension != "" {
			phones++
		}
	}
	s.Model.MaxUsers = phones + 2
	c := loggedIn(t, s)
	file := "User,Extension,PIN\nBad Name,300,12345\nbad,admin,12345\n" + cfg.Users[1].Name + ",301,12345\nsusi,302,12345\nben,303,12345\neva,304,12345\n"
	for _, check := range []string{"true", "false"} {
		r := c.upload(t, 200, "/users/import?check="+check, "text/csv", file)
		var ok []bool
		for _, row := range r.Rows {
			ok = append(ok, row.OK)
		}
		if !slices.Equal(ok, []bool{false, false, false, true, true, false}) || !strings.Contains(r.problem(5), "has no room") {
			t.Errorf("check=%s: got %v, last: %s", check, ok, r.problem(5))
		}
	}
	if cfg, _ := m.Current(); len(cfg.Users) != len(cfg.Users[:phones+1])+2 {
		t.Errorf("%d users after the import", len(cfg.Users))
	}
}

// TestGroupByNumberAndName: a new group that rows call both by its number and
// as the import names it is one.
func TestGroupByNumberAndName(t *testing.T) {
	for name, order := range map[string][2]string{"number first": {"9", "Group 9"}, "name first": {"Group 9", "9"}} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			c := loggedIn(t, newServer(t, m, nil))
			hunt := [2]string{strings.ReplaceAll(order[0], "9", "444"), strings.ReplaceAll(order[1], "9", "444")}
			file := fmt.Sprintf("User,Extension,PIN,Call pick up group,Collective line\nsusi,214,12345,%s,%s\nben,215,12345,%s,%s\n", order[0], hunt[0], order[1], hunt[1])
			r := c.upload(t, 200, "/users/import?check=false&createGroups=true", "text/csv", file)
			cfg, _ := m.Current()
			if r.Imported != 2 || len(cfg.PickupGroups) != 1 || len(cfg.HuntGroups) != 1 {
				t.Fatalf("%d imported (%s; %s), pickup groups %+v, hunt groups %+v", r.Imported, r.problem(0), r.problem(1), cfg.PickupGroups, cfg.HuntGroups)
			}
			if g := cfg.PickupGroups[0]; g.Number != 9 || g.Name != "Group 9" || len(g.Members) != 2 {
				t.Errorf("got %+v", g)
			}
			if g := cfg.HuntGroups[0]; g.Extension != "444" || g.Title != "Group 444" || len(g.Members) != 2 {
				t.Errorf("got %+v", g)
			}
		})
	}
}
