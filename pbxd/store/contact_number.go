package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
)

// mostNamed bounds how many contacts are compared with one caller.
const mostNamed = 2000

// NamesOf returns what contacts are called that have one of some numbers, however
// they are written, by the owner of the directory, "" for the global one. It is
// the contact that was entered first when a directory has several. Owners without
// such a contact are left out.
func (s *Store) NamesOf(ctx context.Context, n pbx.Numbering, numbers, owners []string) (map[string]string, error) {
	names := map[string]string{}
	var spelled []string
	for _, number := range numbers {
		spelled = append(spelled, n.Spellings(number)...)
	}
	if len(spelled) == 0 || len(owners) == 0 {
		return names, nil
	}
	query, args := namesQuery(spelled, owners)
	rows, err := s.db.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: read contacts by number: %w", s.db.reading(err))
	}
	defer rows.Close()
	entered := map[string]int64{}
	for rows.Next() {
		var owner, first, last, company, number string
		var seq int64
		if err := rows.Scan(&owner, &seq, &first, &last, &company, &number); err != nil {
			return nil, fmt.Errorf("store: read contacts by number: %w", s.db.reading(err))
		}
		if before, ok := entered[owner]; ok && before < seq || !slices.ContainsFunc(numbers, func(x string) bool { return n.Same(x, number) }) {
			continue
		}
		entered[owner], names[owner] = seq, contactName(first, last, company)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read contacts by number: %w", s.db.reading(err))
	}
	return names, nil
}

// namesQuery looks each spelling up in the index of each kind of number.
func namesQuery(spelled, owners []string) (query string, args []any) {
	marks := func(list []string) string { return strings.TrimSuffix(strings.Repeat("?,", len(list)), ",") }
	var parts []string
	for _, kind := range []string{"office", "mobile", "home"} {
		parts = append(parts, fmt.Sprintf("SELECT owner, seq, first_name, last_name, company, %s FROM contact WHERE owner IN (%s) AND %s_key IN (%s)", kind, marks(owners), kind, marks(spelled)))
		for _, list := range [][]string{owners, spelled} {
			for _, v := range list {
				args = append(args, v)
			}
		}
	}
	return strings.Join(parts, " UNION ALL ") + fmt.Sprintf(" LIMIT %d", mostNamed), args
}

// contactName is what people call a contact.
func contactName(first, last, company string) string {
	if name := strings.TrimSpace(first + " " + last); name != "" {
		return name
	}
	return company
}
