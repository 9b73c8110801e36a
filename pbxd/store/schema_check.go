package store

import (
	"context"
	"fmt"
)

// tables are those of the newest schema.
func tables() []string {
	return []string{
		"revision", "registration", "audit", "secret", "heartbeat", // of version 1
		"contact", "orphan", "picture", "draft", "mail", "pending", // of version 2
		"clock",                    // of version 4
		"desk", "text", "reminder", // of version 5
		"journal",                   // of version 6
		"cdr", "cdr_leg", "cdr_day", // of version 7
	}
}

// complete finds a database that lacks a table.
func (d *database) complete(ctx context.Context) error {
	for _, name := range tables() {
		var n int
		if err := d.writer.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", name).Scan(&n); err != nil {
			return fmt.Errorf("look for table %s: %w", name, explained(err))
		}
		if n == 0 {
			return fmt.Errorf("table %s is missing: %w", name, ErrDamaged)
		}
	}
	return nil
}
