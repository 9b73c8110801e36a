package holiday

import (
	"errors"
	"strings"
	"time"

	ical "github.com/emersion/go-ical"
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

// ruleOf reads a rule of repetition for days: within a day nothing repeats. Its
// end is a day, or a moment (RFC 5545 section 3.3.10), which may be before the
// time of day at which the event begins.
func (c *collector) ruleOf(text string, from time.Time, start *ical.Prop) (*rrule.ROption, error) {
	o, err := rrule.StrToROption(text)
	if err != nil {
		return nil, err
	}
	if o.Freq > rrule.DAILY || o.Interval < 0 || o.Interval > 1000 || o.Count < 0 {
		return nil, errRule
	}
	o.Byhour, o.Byminute, o.Bysecond = nil, nil, nil
	o.Dtstart = from
	if !o.Until.IsZero() {
		until := o.Until
		if strings.Contains(start.Value, "T") && untilMoment(text) { // some write a moment after days, too
			begin, err := c.timeOf(start)
			if err != nil {
				return nil, err
			}
			until = until.In(begin.Location())
			if clockOf(until) < clockOf(begin) {
				until = until.AddDate(0, 0, -1)
			}
		}
		o.Until = day(until.Year(), until.Month(), until.Day())
	}
	return o, nil
}

// untilMoment reports whether a rule ends at a moment, which is in UTC.
func untilMoment(rule string) bool {
	_, until, _ := strings.Cut(strings.ToUpper(rule), "UNTIL=")
	until, _, _ = strings.Cut(until, ";")
	return strings.HasSuffix(strings.TrimSpace(until), "Z")
}

// clockOf is the time of day.
func clockOf(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
}
