package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"galilei/pbxd/pbx"
)

// QuickDial returns the number that a quick dial stands for: of the private
// contacts of a user before the global ones, of the one that was entered first
// when several have it. It is nil when no contact has it.
func (s *Store) QuickDial(ctx context.Context, user, quickdial string) (*pbx.QuickDial, error) {
	if quickdial == "" {
		return nil, nil
	}
	var parts []string
	var args []any
	for _, owner := range []string{user, ""} {
		for _, kind := range []string{"office", "mobile", "home"} {
			parts = append(parts, fmt.Sprintf("SELECT owner, seq, first_name, last_name, company, %s AS number FROM contact WHERE %s_quickdial = ? AND %s_quickdial <> '' AND owner = ?", kind, kind, kind))
			args = append(args, quickdial, owner)
		}
	}
	var owner, first, last, company, number string
	var seq int64
	err := s.db.readers.QueryRowContext(ctx, "SELECT * FROM ("+strings.Join(parts, " UNION ALL ")+") WHERE number <> '' ORDER BY owner = '', seq LIMIT 1", args...).
		Scan(&owner, &seq, &first, &last, &company, &number)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: read quick dial %s: %w", quickdial, s.db.reading(err))
	}
	return &pbx.QuickDial{Number: pbx.Dialable(number), Name: contactName(first, last, company), Private: owner != ""}, nil
}
