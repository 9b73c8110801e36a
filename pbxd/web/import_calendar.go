package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"galilei/pbxd/holiday"
	"galilei/pbxd/pbx"
)

// CalendarImport answers an import of an iCalendar file: the days that it has.
type CalendarImport struct {
	Days     []CalendarImportDay `json:"days" title:"Days" doc:"Days of the file: first those of every year, then by date" maxItems:"1000"`
	Fresh    int                 `json:"fresh" title:"New" doc:"Days that the calendar does not have, or did not" minimum:"0" maximum:"1000"`
	Known    int                 `json:"known" title:"Known" doc:"Days that the calendar has already; they stay as they are" minimum:"0" maximum:"1000"`
	Imported int                 `json:"imported" title:"Imported" doc:"Days that were imported" minimum:"0" maximum:"1000"`
	Warnings []Sentence          `json:"warnings" title:"Warnings" doc:"What to know about the file" maxItems:"10"`
}

// CalendarImportDay is one entry that the file has for the calendar.
type CalendarImportDay struct {
	pbx.Holiday
	Known bool `json:"known" title:"Known" doc:"The calendar has these days already"`
}

type calendarImport struct {
	EntryPath
	IfMatch
	Check bool `query:"check" title:"Check only" doc:"true: nothing is changed, the answer shows what would be. false: the new days are imported." default:"true"`
	File  upload
}

// maxCalendarDays is the most that a calendar holds, see pbx.CalendarSettings.
const maxCalendarDays = 1000

func (s *Server) registerCalendarImport(x *collection[pbx.Calendar, pbx.CalendarSettings, pbx.Calendar]) {
	registerUpload(s, operation{id: "import-calendar", method: http.MethodPost, path: "/calendars/{id}/import", tag: x.tag, module: x.module, maxBody: holiday.MaxBytes,
		summary: "Import holidays from an iCalendar file", description: "First with check=true, which changes nothing and shows the days of the file; then with check=false, which adds the new ones in one revision. " +
			"Dates of every year become such entries; what repeats otherwise becomes single days of this year and the nine years after it.",
		audits: []string{"import-calendar"}, errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired}},
		[]string{"text/calendar", typeText, typeBinary}, func(ctx context.Context, in *calendarImport) (*tagged[CalendarImport], error) {
			leave, err := s.enterUpload(ctx)
			if err != nil {
				return nil, err
			}
			defer leave()
			return s.importCalendar(ctx, x, in)
		})
}

func (s *Server) importCalendar(ctx context.Context, x *collection[pbx.Calendar, pbx.CalendarSettings, pbx.Calendar], in *calendarImport) (*tagged[CalendarImport], error) {
	cfg, _ := s.Store.Current()
	i := x.index(cfg, in.ID)
	if i < 0 {
		return nil, x.missing()
	}
	if err := in.check(etag(x.state(cfg, &cfg.Calendars[i]))); err != nil {
		return nil, err
	}
	text, err := in.File.bytes(holiday.MaxBytes)
	if err != nil {
		return nil, err
	}
	read, err := holiday.Read(text, zoneOf(cfg), s.Now())
	if wrong, ok := errors.AsType[*holiday.FileError](err); ok {
		p := refuseWith(http.StatusUnprocessableEntity, wrong.Message)
		p.Errors = []ProblemDetail{detailOf("body", wrong.Message)}
		return nil, p
	}
	if err != nil {
		return nil, fmt.Errorf("read calendar: %w", err)
	}
	out := &tagged[CalendarImport]{etag(x.state(cfg, &cfg.Calendars[i])), judged(read, cfg.Calendars[i].Days)}
	if room := maxCalendarDays - len(cfg.Calendars[i].Days); out.Body.Fresh > room {
		return nil, refuse(http.StatusUnprocessableEntity, "The file has {count} new days, and the calendar has room for {room}. Delete days that are over.", "count", out.Body.Fresh, "room", room)
	}
	if in.Check || out.Body.Fresh == 0 {
		return out, nil
	}
	name := cfg.Calendars[i].Name
	_, err = s.commit(ctx, pbx.Say("Holidays imported into {name}: {count}", "name", name, "count", out.Body.Fresh), func(cfg *pbx.Config) error {
		i := x.index(cfg, in.ID)
		if i < 0 {
			return x.missing()
		}
		calendar := &cfg.Calendars[i]
		if err := in.check(etag(x.state(cfg, calendar))); err != nil {
			return err
		}
		out.Body = judged(read, calendar.Days) // with * it may be another state
		for _, d := range out.Body.Days {
			if !d.Known {
				calendar.Days = append(calendar.Days, d.Holiday)
			}
		}
		normalise(cfg)
		out.ETag = etag(x.state(cfg, &cfg.Calendars[i]))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("import %d holidays: %w", out.Body.Fresh, err)
	}
	out.Body.Imported = out.Body.Fresh
	s.record(ctx, "import-calendar", name+": "+strconv.Itoa(out.Body.Imported))
	return out, nil
}

// judged is what a file is to a calendar with those days.
func judged(read *holiday.Result, days []pbx.Holiday) CalendarImport {
	r := CalendarImport{Days: []CalendarImportDay{}, Warnings: []Sentence{}}
	for _, d := range read.Days {
		known := slices.ContainsFunc(days, func(had pbx.Holiday) bool { return had.From == d.From && sameEnd(had, d) })
		r.Days = append(r.Days, CalendarImportDay{d, known})
		if known {
			r.Known++
		}
	}
	r.Fresh = len(r.Days) - r.Known
	var about []pbx.Message
	if read.Past > 0 {
		about = append(about, pbx.Say("Events of past years that are left out: {count}.", "count", read.Past))
	}
	if read.Later > 0 {
		about = append(about, pbx.Say("Events more than nine years ahead that are left out: {count}.", "count", read.Later))
	}
	if read.Partial > 0 {
		about = append(about, pbx.Say("Events with a time of day, which count as whole days: {count}.", "count", read.Partial))
	}
	if read.Skipped > 0 {
		about = append(about, pbx.Say("Events that are left out because their time cannot be read: {count}.", "count", read.Skipped))
	}
	if len(read.Days) == 0 {
		about = append(about, pbx.Say("The file has no day for the calendar."))
	}
	r.Warnings = sentences(about)
	return r
}

// sameEnd reports whether two entries that begin together end together: that
// day alone may be written as no last day.
func sameEnd(a, b pbx.Holiday) bool {
	last := func(h pbx.Holiday) string {
		if h.To == "" {
			return h.From
		}
		return h.To
	}
	return last(a) == last(b)
}

// zoneOf is the device's own zone.
func zoneOf(cfg *pbx.Config) *time.Location {
	zone, err := time.LoadLocation(cfg.Locale.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}
