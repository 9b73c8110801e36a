package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"

	"galilei/pbxd/pbx"
)

// maxContactsAsked is the largest page; a limit of 0 asks for all.
const maxContactsAsked = 1000

// Contacts returns a part of a directory as q asks for it, sorted by last name
// and then first name when q names no column. Conditions hold together. Names
// are compared by their letters without case and marks, numbers by their
// digits. The error is fs.ErrInvalid when there is no such column.
func (s *Store) Contacts(ctx context.Context, q pbx.ContactQuery) (pbx.ContactPage, error) {
	page := pbx.ContactPage{Contacts: []pbx.Contact{}}
	order, ok := contactOrder(q.Sort, q.Down)
	if !ok {
		return page, fmt.Errorf("store: contacts sorted by %q: %w", q.Sort, fs.ErrInvalid)
	}
	where, args := contactsWhere(q)
	// One view of the database for the number and the page.
	tx, err := s.db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return page, fmt.Errorf("store: read contacts: %w", s.db.reading(err))
	}
	defer tx.Rollback() // nothing was written
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM contact WHERE "+where, args...).Scan(&page.Total); err != nil {
		return page, fmt.Errorf("store: count contacts: %w", s.db.reading(err))
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+contactColumns+" FROM contact WHERE "+where+" ORDER BY "+order+" LIMIT ? OFFSET ?",
		append(args, contactLimit(q.Limit), max(q.Offset, 0))...)
	if err != nil {
		return page, fmt.Errorf("store: read contacts: %w", s.db.reading(err))
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scanContact(rows)
		if err != nil {
			return page, fmt.Errorf("store: read contacts: %w", s.db.reading(err))
		}
		page.Contacts = append(page.Contacts, c)
	}
	if err := rows.Err(); err != nil {
		return page, fmt.Errorf("store: read contacts: %w", s.db.reading(err))
	}
	return page, nil
}

func contactLimit(limit int) int {
	switch {
	case limit == 0:
		return pbx.MaxGlobalContacts // no directory holds more
	case limit < 0 || limit > maxContactsAsked:
		return maxContactsAsked
	}
	return limit
}

// contactsWhere returns the condition of q. Each prefix is looked up in the
// indexes first: left to itself SQLite walks over the directory in the order of
// the answer and tests every contact.
func contactsWhere(q pbx.ContactQuery) (where string, args []any) {
	var conditions []string
	and := func(prefix string, columns ...string) {
		if prefix == "" {
			return
		}
		var found []string
		for _, c := range columns {
			found = append(found, fmt.Sprintf("SELECT seq FROM contact WHERE owner = ? AND %s >= ? AND %s < ?", c, c))
			args = append(args, q.Owner, prefix, beyond(prefix))
		}
		conditions = append(conditions, "seq IN ("+strings.Join(found, " UNION ALL ")+")")
	}
	and(sortKey(q.Name), "last_key", "first_key")
	and(sortKey(q.Letter), "last_key", "first_key")
	and(digits(q.Number), "office_key", "mobile_key", "home_key")
	if len(conditions) == 0 {
		return "owner = ?", []any{q.Owner}
	}
	return strings.Join(conditions, " AND "), args
}

// contactOrder returns the order of a column by its JSON name. Contacts that
// are equal in it stand in the order in which they were added.
func contactOrder(column string, down bool) (order string, ok bool) {
	columns := map[string][]string{
		"":                {"last_key", "first_key"},
		"lastName":        {"last_key", "first_key"},
		"firstName":       {"first_key", "last_key"},
		"company":         {"company_key", "last_key", "first_key"},
		"email":           {"email_key"},
		"office":          {"office_key"},
		"mobile":          {"mobile_key"},
		"home":            {"home_key"},
		"officeQuickdial": {"length(office_quickdial)", "office_quickdial"}, // 9 before 10
		"mobileQuickdial": {"length(mobile_quickdial)", "mobile_quickdial"},
		"homeQuickdial":   {"length(home_quickdial)", "home_quickdial"},
	}
	by, ok := columns[column]
	direction := ""
	if down {
		direction = " DESC"
	}
	for _, c := range by {
		order += c + direction + ", "
	}
	return order + "seq" + direction, ok
}
