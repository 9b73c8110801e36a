package pbx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Window is when a rule of routing holds (F188, F195). Each empty field holds
// always; what is given must hold together. A window over midnight belongs to
// the day on which it starts: Monday to Friday from 20:00 to 06:00 holds on
// Saturday at 02:00, and not on Monday at 02:00 (T10).
type Window struct {
	DateFrom string   `json:"dateFrom" title:"Date from" doc:"First day, as 2026-12-24, or as 12-24 in every year. Empty: no first day." maxLength:"10" pattern:"^(([0-9]{4}-)?[0-9]{2}-[0-9]{2})?$" patternDescription:"a date as 2026-12-24 or 12-24"`
	DateTo   string   `json:"dateTo" title:"Date to" doc:"Last day, written as the first one. Empty: that day only, or without a first day the whole year." maxLength:"10" pattern:"^(([0-9]{4}-)?[0-9]{2}-[0-9]{2})?$" patternDescription:"a date as 2026-12-24 or 12-24"`
	Weekdays []string `json:"weekdays" title:"Weekdays" doc:"Days of the week; none: every day" maxItems:"7" enum:"mon,tue,wed,thu,fri,sat,sun"`
	TimeFrom string   `json:"timeFrom" title:"Time from" doc:"Time of day, as 20:00. Empty: the whole day." maxLength:"5" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9])?$" patternDescription:"a time as 20:00"`
	TimeTo   string   `json:"timeTo" title:"Time to" doc:"Time of day at which it ends; before the first one, on the next day" maxLength:"5" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)?$" patternDescription:"a time as 06:00"`
	Holidays string   `json:"holidays" title:"Holidays" doc:"Whether it holds on the days of a holiday calendar: on all days, on those alone, or on all others" enum:"any,only,never" default:"any"`
	Calendar string   `json:"calendar" title:"Calendar" doc:"The holiday calendar" maxLength:"26" ref:"calendars"`
}

// Weekdays are the names of the days in a Window, Sunday first as time.Weekday
// counts.
func weekdayNames() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// Always reports whether the window has no limit.
func (w *Window) Always() bool {
	return w.DateFrom == "" && w.DateTo == "" && len(w.Weekdays) == 0 && w.TimeFrom == "" && w.TimeTo == "" && !w.ByHolidays()
}

// ByHolidays reports whether the window looks at its calendar: one that was chosen
// stays when holidays do not matter any more.
func (w *Window) ByHolidays() bool { return w.Holidays == "only" || w.Holidays == "never" }

// Holds reports whether the window holds at a time, which is that of the device's
// own zone. holiday says whether a day is one of the window's calendar; nil, none
// is. A window whose time cannot be read holds never.
func (w *Window) Holds(t time.Time, holiday func(day time.Time) bool) bool {
	from, to, ok := w.minutes()
	if !ok {
		return false
	}
	now := t.Hour()*60 + t.Minute()
	today := time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location()) // noon: no change of the clock skips it
	if from < to {
		return now >= from && now < to && w.starts(today, holiday)
	}
	return now >= from && w.starts(today, holiday) || now < to && w.starts(today.AddDate(0, 0, -1), holiday)
}

// minutes are the times of day, in minutes since midnight; without both, the
// whole day. Equal times are a whole day from then on.
func (w *Window) minutes() (from, to int, ok bool) {
	from, to = 0, 24*60
	if w.TimeFrom != "" {
		if from, ok = minuteOf(w.TimeFrom); !ok {
			return 0, 0, false
		}
	}
	if w.TimeTo != "" {
		if to, ok = minuteOf(w.TimeTo); !ok {
			return 0, 0, false
		}
	}
	return from, to, true
}

func minuteOf(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, errH := strconv.ParseUint(s[:2], 10, 8)
	m, errM := strconv.ParseUint(s[3:], 10, 8)
	return int(h*60 + m), errH == nil && errM == nil && m < 60 && h*60+m <= 24*60
}

// starts reports whether the window may start on a day.
func (w *Window) starts(day time.Time, holiday func(time.Time) bool) bool {
	if len(w.Weekdays) > 0 && !slices.Contains(w.Weekdays, weekdayNames()[day.Weekday()]) {
		return false
	}
	if w.ByHolidays() {
		if is := holiday != nil && holiday(day); is != (w.Holidays == "only") {
			return false
		}
	}
	return DaySpan{From: w.DateFrom, To: w.DateTo}.Holds(day)
}

// DaySpan is some days, as 2026-12-24, or as 12-24 in every year: from the first
// to the last one, which is the first when it is empty. Without a first one it
// is all days up to the last.
type DaySpan struct{ From, To string }

// Holds reports whether a day is in the span. A yearly span may go over the new
// year: 12-24 to 01-06.
func (s DaySpan) Holds(day time.Time) bool {
	from, to := s.From, s.To
	if to == "" {
		to = from
	}
	in := func(limit string) string { return day.Format(time.DateOnly)[max(0, 10-len(limit)):] } // with the year where the limit has it
	switch {
	case from == "":
		return to == "" || in(to) <= to
	case len(from) == len(to) && from > to && len(from) == 5:
		return in(from) >= from || in(to) <= to
	}
	return in(from) >= from && in(to) <= to
}

// validDay reports whether text is a day that there is.
func validDay(s string) bool {
	if len(s) == 5 {
		s = "2024-" + s // a leap year: 02-29 is in some years
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// check tells what is wrong with a window; path is where it is.
func (w *Window) check(path string) (errs []FieldError) {
	for _, d := range []struct{ name, value string }{{"dateFrom", w.DateFrom}, {"dateTo", w.DateTo}} {
		if d.value != "" && !validDay(d.value) {
			errs = append(errs, refused(path+d.name, "is no day that there is"))
		}
	}
	switch {
	case w.DateFrom != "" && w.DateTo != "" && len(w.DateFrom) != len(w.DateTo):
		errs = append(errs, refused(path+"dateTo", "must have a year when the first day has one, and none otherwise"))
	case len(w.DateFrom) == 10 && w.DateTo != "" && w.DateTo < w.DateFrom:
		errs = append(errs, refused(path+"dateTo", "is before the first day"))
	}
	if (w.TimeFrom == "") != (w.TimeTo == "") {
		name := "timeTo"
		if w.TimeFrom == "" {
			name = "timeFrom"
		}
		errs = append(errs, refused(path+name, "is needed: a time of day has a beginning and an end"))
	}
	for i, day := range w.Weekdays {
		if slices.Contains(w.Weekdays[:i], day) {
			errs = append(errs, refused(fmt.Sprintf("%sweekdays[%d]", path, i), "is in the list twice"))
		}
	}
	if w.ByHolidays() && w.Calendar == "" {
		errs = append(errs, refused(path+"calendar", "is needed: it says which days are holidays"))
	}
	return errs
}

// String tells when the window holds, for traces: mon tue 20:00-06:00.
func (w *Window) String() string {
	var parts []string
	if w.DateFrom != "" || w.DateTo != "" {
		parts = append(parts, strings.Trim(w.DateFrom+".."+w.DateTo, "."))
	}
	parts = append(parts, w.Weekdays...)
	if w.TimeFrom != "" {
		parts = append(parts, w.TimeFrom+"-"+w.TimeTo)
	}
	switch w.Holidays {
	case "only":
		parts = append(parts, "holidays")
	case "never":
		parts = append(parts, "no holidays")
	}
	return strings.Join(parts, " ")
}
