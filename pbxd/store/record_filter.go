package store

import (
	"slices"
	"strings"
	"unicode"

	"galilei/pbxd/pbx"
)

// condition is a part of a WHERE clause with its parameters.
type condition struct {
	text string
	args []any
}

// and joins conditions; none at all is true.
func and(list ...condition) condition { return joined(" AND ", "1", list) }

// or joins conditions; none at all is false.
func or(list ...condition) condition { return joined(" OR ", "0", list) }

func joined(by, none string, list []condition) (c condition) {
	var texts []string
	for _, x := range list {
		if x.text != "" {
			texts, c.args = append(texts, "("+x.text+")"), append(c.args, x.args...)
		}
	}
	if c.text = strings.Join(texts, by); c.text == "" {
		c.text = none
	}
	return c
}

// recordFilter is what a query asks for, in terms of the index cdr_list.
type recordFilter struct {
	since, until int64       // ms; began in [since, until)
	sums         []condition // what the sums of a day know, too
	rest         []condition // what only the records know
	few          []lookup    // ways to what may be few records
}

// lookup leads to records of which some may match, and no others do: those of
// each range.
type lookup []indexRange

// indexRange is the records that an index finds by a condition.
type indexRange struct {
	index string
	condition
}

// ids is a query for the IDs that a range holds.
func (r indexRange) ids() string {
	return "SELECT id FROM cdr INDEXED BY " + r.index + " WHERE " + r.text
}

// endOfTime is beyond all times, in ms.
const endOfTime = 1 << 60

func filterOf(n pbx.Numbering, q pbx.RecordQuery) recordFilter {
	f := recordFilter{until: endOfTime}
	if !q.Since.IsZero() {
		f.since = max(q.Since.UnixMilli(), 0)
	}
	if !q.Until.IsZero() {
		f.until = max(q.Until.UnixMilli(), 0)
	}
	if q.Direction != "" {
		f.sums = append(f.sums, condition{"direction = ?", []any{string(q.Direction)}})
	}
	if q.Result != "" {
		f.sums = append(f.sums, condition{"result = ?", []any{string(q.Result)}})
	}
	if q.Gateway != "" {
		f.sums = append(f.sums, condition{"gateway_in = ? OR gateway_out = ?", []any{q.Gateway, q.Gateway}})
	}
	duration := "talk"
	if q.WithRing {
		duration = "ring + talk"
	}
	if q.MinSeconds > 0 {
		f.rest = append(f.rest, condition{duration + " >= ?", []any{q.MinSeconds}})
	}
	if q.MaxSeconds > 0 {
		f.rest = append(f.rest, condition{duration + " <= ?", []any{q.MaxSeconds}})
	}
	if q.User != "" {
		f.rest = append(f.rest, condition{"caller_user = ? OR target_user = ?", []any{q.User, q.User}})
		f.few = append(f.few, lookup{
			{"cdr_caller_user", condition{"caller_user = ? AND caller_user <> ''", []any{q.User}}},
			{"cdr_target_user", condition{"target_user = ? AND target_user <> ''", []any{q.User}}},
		})
	}
	f.party(n, "caller", q.Caller)
	f.party(n, "target", q.Target)
	return f
}

// party adds what is asked of a number or name.
func (f *recordFilter) party(n pbx.Numbering, side, asked string) {
	if strings.TrimSpace(asked) == "" {
		return
	}
	if strings.ContainsFunc(asked, unicode.IsLetter) {
		for word := range strings.FieldsSeq(strings.NewReplacer("*", " ", "?", " ").Replace(asked)) {
			f.rest = append(f.rest, condition{"instr(" + side + "_name_key, ?) > 0", []any{" " + sortKey(word)}})
		}
		return
	}
	var conditions []condition
	var way lookup
	for _, p := range numberPatterns(n, asked) {
		conditions = append(conditions, p.condition(side+"_key"))
		way = append(way, indexRange{"cdr_" + side, p.bounds(side + "_key")})
	}
	f.rest = append(f.rest, or(conditions...))
	// A pattern that begins with a wildcard leads everywhere.
	if !slices.ContainsFunc(way, func(r indexRange) bool { return r.text == "" }) {
		f.few = append(f.few, way)
	}
}

// conditions is all that is asked but for the time.
func (f *recordFilter) conditions() condition {
	return and(append(slices.Clone(f.sums), f.rest...)...)
}

// summed reports whether the sums of the days know all that is asked.
func (f *recordFilter) summed() bool { return len(f.rest) == 0 }
