package store

import (
	"context"
	"fmt"
	"time"

	"galilei/pbxd/pbx"
)

// SpokenSince sums up from the call records what was spoken from a time on to
// foreign and premium numbers, by the user on whose behalf and by gateway, in calls
// that ended until another time. A call that began before counts from then on only. What NoteRecord took less than 200 ms
// ago may be missing.
func (s *Store) SpokenSince(ctx context.Context, since, until time.Time) ([]pbx.Spoken, error) {
	from := since.UnixMilli()
	rows, err := s.db.readers.QueryContext(ctx, `SELECT payer, gateway, toll, sum(ended - max(answered, ?1)) FROM cdr_leg INDEXED BY cdr_leg_toll
		WHERE toll IN ('foreign', 'premium') AND ended > ?1 AND ended <= ?2 AND answered > 0 GROUP BY payer, gateway, toll`, from, until.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("store: sum up calls since %v: %w", since, s.db.reading(err))
	}
	defer rows.Close()
	var list []pbx.Spoken
	for rows.Next() {
		var x pbx.Spoken
		var ms int64
		if err := rows.Scan(&x.User, &x.Gateway, &x.Class, &ms); err != nil {
			return nil, fmt.Errorf("store: sum up calls since %v: %w", since, s.db.reading(err))
		}
		x.Talk = time.Duration(max(ms, 0)) * time.Millisecond
		list = append(list, x)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: sum up calls since %v: %w", since, s.db.reading(err))
	}
	return list, nil
}
