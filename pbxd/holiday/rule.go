package holiday

import (
	"errors"
	"time"

	"github.com/teambition/rrule-go"
)

var errRule = errors.New("rule repeats within a day, or by numbers that no calendar has")

// everyYear reports whether a rule means the date of its beginning in each year,
// without an end.
func everyYear(o *rrule.ROption, from time.Time) bool {
	only := func(list []int, value int) bool { return len(list) == 0 || len(list) == 1 && list[0] == value }
	return o.Freq == rrule.YEARLY && o.Interval <= 1 && o.Count == 0 && o.Until.IsZero() &&
		only(o.Bymonth, int(from.Month())) && only(o.Bymonthday, from.Day()) && (len(o.Bymonthday) == 0 || len(o.Bymonth) == 1) &&
		len(o.Bysetpos)+len(o.Byyearday)+len(o.Byweekno)+len(o.Byweekday)+len(o.Byeaster) == 0
}

// cycle is after how many years a calendar is the same again: 146,097 days, which
// are whole weeks.
const cycle = 400

// follow returns the days of a rule that are taken: those of which one falls
// between c.first and c.last, at most MaxDays and one. A rule that never holds,
// such as 30 February, is followed until the year 9999; it is moved near it by
// whole cycles, so that this does not take long.
func (c *collector) follow(o *rrule.ROption, from time.Time, days int) ([]time.Time, error) {
	const end = 9999
	shift := (end - c.last.Year()) / cycle * cycle
	if from.Year() > c.last.Year() {
		return nil, nil
	}
	moved := *o
	moved.Dtstart = from.AddDate(shift, 0, 0)
	if !o.Until.IsZero() {
		until := o.Until
		if until.Year() > c.last.Year() {
			until = c.last
		}
		moved.Until = until.AddDate(shift, 0, 0)
	} else {
		moved.Until = c.last.AddDate(shift, 0, 0)
	}
	rule, err := rrule.NewRRule(moved)
	if err != nil {
		return nil, err
	}
	var found []time.Time
	next := rule.Iterator()
	for len(found) <= MaxDays {
		at, ok := next()
		if !ok {
			break
		}
		at = at.AddDate(-shift, 0, 0)
		if !at.AddDate(0, 0, days-1).Before(c.first) {
			found = append(found, at)
		}
	}
	return found, nil
}
