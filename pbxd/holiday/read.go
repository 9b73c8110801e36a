package holiday

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	ical "github.com/emersion/go-ical"

	"galilei/pbxd/pbx"
)

// Limits of a file.
const (
	MaxBytes = 1 << 20 // bytes of the file
	MaxDays  = 1000    // entries that are read of it
	Years    = 10      // that repeating events are followed, this year included
	maxRules = 100     // events that repeat otherwise than on a date of every year

	maxDepth  = 5       // components in each other; RFC 5545 has three
	maxBefore = 1000    // bytes of a line before its value
	maxLine   = 1 << 17 // bytes of a line, unfolded: descriptions may be long
	maxTitle  = 100     // characters of the name of a day, see pbx.Holiday
)

// FileError is why a file cannot be read at all.
type FileError struct {
	pbx.Message
	Err error // of the parser; nil when there is none
}

func (e *FileError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("read iCalendar file: %s: %v", e.Text(), e.Err)
	}
	return "read iCalendar file: " + e.Text()
}

// Unwrap returns the error of the parser.
func (e *FileError) Unwrap() error { return e.Err }

func refused(err error, why pbx.Message) error { return &FileError{why, err} }

// Result is what a file holds.
type Result struct {
	Days    []pbx.Holiday // sorted: those of every year first, then by day; no two of the same days
	Past    int           // days before this year, which are left out
	Later   int           // days after the last of Years, which are left out
	Skipped int           // events whose time cannot be read
	Partial int           // events with a time of day, which count as whole days
}

// Read reads a file of at most MaxBytes bytes. Times are taken as the days that
// they are in zone; now says which year is this one. Errors are *FileError.
func Read(text []byte, zone *time.Location, now time.Time) (*Result, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	switch {
	case len(text) > MaxBytes:
		return nil, refused(nil, pbx.Say("The file is larger than 1 MB."))
	case len(bytes.TrimSpace(text)) == 0:
		return nil, refused(nil, pbx.Say("The file is empty."))
	case !utf8.Valid(text):
		return nil, refused(nil, pbx.Say("The file is no iCalendar file: it is not UTF-8."))
	}
	text = unfold(text)
	if err := checkLines(text); err != nil {
		return nil, refused(err, notCalendar())
	}
	events, err := decode(text)
	if err != nil {
		return nil, refused(err, notCalendar())
	}
	year := now.In(zone).Year()
	c := collector{zone: zone, first: day(year, 1, 1), last: day(year+Years-1, 12, 31), seen: map[[2]string]bool{}, moved: map[string]map[time.Time]bool{}}
	if err := c.collect(events); err != nil {
		return nil, err
	}
	slices.SortStableFunc(c.Days, func(a, b pbx.Holiday) int {
		return cmp.Or(cmp.Compare(len(a.From), len(b.From)), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return &c.Result, nil
}

func notCalendar() pbx.Message {
	return pbx.Say("The file is no iCalendar file. Such files end in .ics and begin with BEGIN:VCALENDAR.")
}

// errLines says that lines are longer, or components deeper, than in any
// calendar.
var errLines = errors.New("line too long or components too deep")

// unfold joins lines that were folded (RFC 5545 section 3.1).
func unfold(text []byte) []byte {
	for _, fold := range []string{"\r\n ", "\r\n\t", "\n ", "\n\t"} {
		text = bytes.ReplaceAll(text, []byte(fold), nil)
	}
	return text
}

// checkLines refuses what would cost the parser more than its length: it works
// by the square of what stands before a value, and by the depth of components.
func checkLines(text []byte) error {
	depth := 0
	for line := range bytes.Lines(text) {
		before, quoted := 0, false
		for before < len(line) && (quoted || line[before] != ':') {
			quoted = quoted != (line[before] == '"')
			before++
		}
		switch name, _, _ := strings.Cut(strings.ToUpper(string(line[:min(before, maxBefore)])), ";"); name {
		case "BEGIN":
			depth++
		case "END":
			depth--
		}
		if before > maxBefore || len(line) > maxLine || depth > maxDepth {
			return errLines
		}
	}
	return nil
}

// decode returns the events of all calendars of a file. The parser panics on
// some lines that are none of a calendar; that costs the file alone.
func decode(text []byte) (events []ical.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			events, err = nil, fmt.Errorf("decode %d bytes: %v", len(text), p)
		}
	}()
	d := ical.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		calendar, err := d.Decode()
		if errors.Is(err, io.EOF) && n > 0 {
			return events, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decode calendar %d: %w", n+1, err)
		}
		events = append(events, calendar.Events()...)
	}
}

// titleOf returns the name of an event as one short line.
func titleOf(e *ical.Event) string {
	text, err := e.Props.Text(ical.PropSummary)
	if err != nil {
		return ""
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > maxTitle {
		text = strings.TrimSpace(string(r[:maxTitle]))
	}
	return text
}
