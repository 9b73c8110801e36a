package holiday

import (
	"slices"
	"strings"
	"time"

	ical "github.com/emersion/go-ical"

	"galilei/pbxd/pbx"
)

// day is a day as a time at which no zone changes its clock: midnight in UTC.
func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// collector gathers the days of events.
type collector struct {
	Result
	zone        *time.Location
	first, last time.Time // days that are taken
	rules       int       // that were followed
	seen        map[[2]string]bool
	moved       map[string]map[time.Time]bool // days of a series, by its UID, that have an event of their own
}

// tooMany says that the file has more days than a calendar.
func tooMany() error {
	return refused(nil, pbx.Say("The file has more than {max} days. Leave out what is no holiday.", "max", MaxDays))
}

func (c *collector) collect(events []ical.Event) error {
	for i := range events {
		if id := events[i].Props.Get(ical.PropRecurrenceID); id != nil {
			uid := uidOf(&events[i])
			if at, err := c.dayOf(id); err == nil && uid != "" {
				if c.moved[uid] == nil {
					c.moved[uid] = map[time.Time]bool{}
				}
				c.moved[uid][at] = true
			}
		}
	}
	for i := range events {
		e := &events[i]
		if p := e.Props.Get(ical.PropStatus); p != nil && strings.EqualFold(strings.TrimSpace(p.Value), string(ical.EventCancelled)) {
			continue
		}
		if err := c.event(e); err != nil {
			return err
		}
	}
	return nil
}

func uidOf(e *ical.Event) string {
	if p := e.Props.Get(ical.PropUID); p != nil {
		return p.Value
	}
	return ""
}

// event adds the days of one event.
func (c *collector) event(e *ical.Event) error {
	from, days, ok := c.span(e)
	if !ok {
		c.Skipped++
		return nil
	}
	title := titleOf(e)
	rule, without := e.Props.Get(ical.PropRecurrenceRule), c.daysIn(e.Props[ical.PropExceptionDates])
	with := c.daysIn(e.Props[ical.PropRecurrenceDates])
	if e.Props.Get(ical.PropRecurrenceID) != nil {
		return c.add(title, from, days) // stands for one day of a series
	}
	moved := c.moved[uidOf(e)]
	if rule == nil || !from.AddDate(0, 0, days-1).Before(c.first) { // that a series began long ago is no news
		with = append(with, from)
	}
	if rule != nil {
		start := e.Props.Get(ical.PropDateTimeStart)
		begin, err := c.timeOf(start)
		if err != nil {
			return err // span has read it
		}
		there := day(begin.Year(), begin.Month(), begin.Day()) // where the rule was written it may be another day of the week
		option, err := c.ruleOf(rule.Value, there, start)
		if err != nil {
			c.Skipped++
			return nil
		}
		if len(e.Props[ical.PropRecurrenceDates])+len(without)+len(moved) == 0 && from.Year() <= c.first.Year() && days < 365 && everyYear(option, there) {
			return c.addYearly(title, from, days)
		}
		if c.rules++; c.rules > maxRules {
			return refused(nil, pbx.Say("The file has more than {max} events that repeat otherwise than on a date of every year. Leave out what is no holiday.", "max", maxRules))
		}
		found, err := c.follow(option, there, days+1)
		if err != nil {
			c.Skipped++
			return nil
		}
		for _, at := range found {
			with = append(with, at.Add(from.Sub(there)))
		}
	}
	slices.SortFunc(with, time.Time.Compare)
	for _, at := range slices.Compact(with) {
		if moved[at] || slices.Contains(without, at) {
			continue
		}
		if err := c.add(title, at, days); err != nil {
			return err
		}
	}
	return nil
}

// span returns the first day of an event and how many there are. An end is the
// first moment after it (RFC 5545 section 3.6.1); without one an event takes the
// day on which it begins.
func (c *collector) span(e *ical.Event) (from time.Time, days int, ok bool) {
	start := e.Props.Get(ical.PropDateTimeStart)
	if start == nil {
		return from, 0, false
	}
	begin, err := c.timeOf(start)
	if err != nil {
		return from, 0, false
	}
	from = c.date(begin)
	end := begin
	if p := e.Props.Get(ical.PropDateTimeEnd); p != nil {
		if end, err = c.timeOf(p); err != nil {
			return from, 0, false
		}
	} else if p := e.Props.Get(ical.PropDuration); p != nil {
		d, err := p.Duration()
		if err != nil || d < 0 {
			return from, 0, false
		}
		end = begin.AddDate(0, 0, int(d/(24*time.Hour))).Add(d % (24 * time.Hour)) // a day is not always 24 h
		if c.midnight(begin) && d%(24*time.Hour) == 0 {
			b := begin.In(c.zone)
			end = pbx.Midnight(b.Year(), b.Month(), b.Day()+int(d/(24*time.Hour)), c.zone)
		}
	}
	if !c.midnight(begin) || !c.midnight(end) {
		c.Partial++
	}
	last := from
	if end.After(begin) {
		last = c.date(end.Add(-time.Nanosecond))
	}
	days = int(last.Sub(from)/(24*time.Hour)) + 1
	return from, days, days >= 1 && days <= 366*Years && validYear(from) && validYear(last)
}

// midnight reports whether a moment is the beginning of a day.
func (c *collector) midnight(t time.Time) bool {
	t = t.In(c.zone)
	return t.Equal(pbx.Midnight(t.Year(), t.Month(), t.Day(), c.zone))
}

// validYear reports whether a day may be that of a holiday: rules that began long
// before would take long to follow.
func validYear(t time.Time) bool { return t.Year() >= 1900 && t.Year() < 2200 }

// date is the day of a moment in the zone.
func (c *collector) date(t time.Time) time.Time {
	t = t.In(c.zone)
	return day(t.Year(), t.Month(), t.Day())
}

// timeOf reads a date or a time. One in a zone that nobody knows, as some
// programs name them, is taken as it is written.
func (c *collector) timeOf(p *ical.Prop) (time.Time, error) {
	if before, after, is := strings.Cut(p.Value, "T240000"); is && (after == "" || after == "Z") { // as some programs name the end of a day
		begin := ical.Prop{Name: p.Name, Params: p.Params, Value: before + "T000000" + after}
		t, err := c.timeOf(&begin)
		return t.AddDate(0, 0, 1), err
	}
	if !strings.Contains(p.Value, "T") { // a day, also where the clock skips its midnight
		bare := ical.Prop{Name: p.Name, Params: ical.Params{ical.ParamValue: {string(ical.ValueDate)}}, Value: p.Value}
		t, err := bare.DateTime(time.UTC)
		return pbx.Midnight(t.Year(), t.Month(), t.Day(), c.zone), err
	}
	t, err := p.DateTime(c.zone)
	if err != nil && p.Params.Get(ical.PropTimezoneID) != "" {
		bare := ical.Prop{Name: p.Name, Params: ical.Params{}, Value: p.Value}
		return bare.DateTime(c.zone)
	}
	return t, err
}

func (c *collector) dayOf(p *ical.Prop) (time.Time, error) {
	t, err := c.timeOf(p)
	return c.date(t), err
}

// daysIn returns the days of lists of dates or times (RDATE, EXDATE). Of a
// period its beginning counts. What cannot be read is passed over.
func (c *collector) daysIn(props []ical.Prop) (days []time.Time) {
	for _, p := range props {
		for value := range strings.SplitSeq(p.Value, ",") {
			begin, _, period := strings.Cut(strings.TrimSpace(value), "/")
			one := ical.Prop{Name: p.Name, Params: p.Params, Value: begin}
			if period {
				one.Params = ical.Params{}
				if id := p.Params.Get(ical.PropTimezoneID); id != "" {
					one.Params.Set(ical.PropTimezoneID, id)
				}
			}
			if at, err := c.dayOf(&one); err == nil && validYear(at) && len(days) < 10*MaxDays {
				days = append(days, at)
			}
		}
	}
	return days
}

// addYearly adds a date of every year.
func (c *collector) addYearly(title string, from time.Time, days int) error {
	const monthDay = "01-02"
	h := pbx.Holiday{Title: title, From: from.Format(monthDay)}
	if days > 1 {
		h.To = from.AddDate(0, 0, days-1).Format(monthDay)
	}
	return c.keep(h)
}

// add adds days of one year, if they are among those that are taken.
func (c *collector) add(title string, from time.Time, days int) error {
	last := from.AddDate(0, 0, days-1)
	switch {
	case last.Before(c.first):
		c.Past++
		return nil
	case from.After(c.last):
		c.Later++
		return nil
	}
	h := pbx.Holiday{Title: title, From: from.Format(time.DateOnly)}
	if days > 1 {
		h.To = last.Format(time.DateOnly)
	}
	return c.keep(h)
}

func (c *collector) keep(h pbx.Holiday) error {
	key := [2]string{h.From, h.To}
	if c.seen[key] {
		return nil
	}
	if len(c.Days) == MaxDays {
		return tooMany()
	}
	c.seen[key] = true
	c.Days = append(c.Days, h)
	return nil
}
