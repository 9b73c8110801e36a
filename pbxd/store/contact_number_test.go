package store

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// Contacts are found by their number however it is written, in the directories
// that are asked for, by index.
func TestNamesOf(t *testing.T) {
	s := openIn(t, t.TempDir())
	country, _ := pbx.CountryByCode("DE")
	n := country.Numbering("89")
	contact := func(id string, c pbx.ContactSettings) pbx.Contact {
		return pbx.Contact{ID: id, ContactSettings: c}
	}
	addContacts(t, s, "", []pbx.Contact{
		contact("a", pbx.ContactSettings{FirstName: "Eva", LastName: "Mill", Office: "+49 (0)89 22 33-44"}),
		contact("b", pbx.ContactSettings{Company: "Later Ltd", Home: "223344"}),
		contact("c", pbx.ContactSettings{LastName: "Vienna", Mobile: "+43 (0)1 5331234"}),
		contact("d", pbx.ContactSettings{LastName: "Abroad", Mobile: "89 223344"}), // none of Munich
	})
	addContacts(t, s, "demo101", []pbx.Contact{contact("p", pbx.ContactSettings{FirstName: "Mum", Home: "089/22 33 44"})})
	addContacts(t, s, "demo102", []pbx.Contact{contact("p", pbx.ContactSettings{FirstName: "Client", Office: "0049 89 223344"})})
	for _, x := range []struct {
		numbers, owners string
		want            map[string]string
	}{
		{"+4989223344", ",demo101,demo103", map[string]string{"": "Eva Mill", "demo101": "Mum"}},
		{"089223344", ",demo102", map[string]string{"": "Eva Mill", "demo102": "Client"}},
		{"223344", "demo102", map[string]string{"demo102": "Client"}},
		{"0089223344 089223344", "", map[string]string{"": "Eva Mill"}}, // as it is shown, and as it came
		{"+4315331234", "", map[string]string{"": "Vienna"}},
		{"+4989223345", ",demo101", nil}, {"112", ",demo101", nil}, {" ", ",demo101", nil},
	} {
		got, err := s.NamesOf(t.Context(), n, strings.Split(x.numbers, " "), strings.Split(x.owners, ","))
		if err != nil || !maps.Equal(got, x.want) {
			t.Errorf("%s in %q: %q, %v; want %q", x.numbers, x.owners, got, err, x.want)
		}
	}
	query, args := namesQuery(n.Spellings("+4989223344"), []string{"", "demo101"})
	rows, err := s.db.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	plan := ""
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan += step + "\n"
	}
	for _, kind := range []string{"office", "mobile", "home"} {
		if want := fmt.Sprintf("SEARCH contact USING INDEX contact_%s (owner=? AND %s_key=?)", kind, kind); !strings.Contains(plan, want) {
			t.Errorf("no %q in %s", want, plan)
		}
	}
}

// Names are read while something is being written.
func TestNamesOfWhileWriting(t *testing.T) {
	s := openIn(t, t.TempDir())
	addContacts(t, s, "", []pbx.Contact{{ID: "a", ContactSettings: pbx.ContactSettings{LastName: "Mill", Office: "+4989223344"}}})
	err := s.db.write(t.Context(), durable, func(tx writeTx) error {
		if _, err := tx.ExecContext(t.Context(), "DELETE FROM contact"); err != nil {
			return err
		}
		got, err := s.NamesOf(t.Context(), pbx.Numbering{}, []string{"+4989223344"}, []string{""})
		if err == nil && got[""] != "Mill" {
			err = fmt.Errorf("got %q", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
