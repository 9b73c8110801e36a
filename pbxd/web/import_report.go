package web

import (
	"encoding/json"
	"maps"
	"strings"

	"galilei/pbxd/csvtable"
	"galilei/pbxd/pbx"
)

// Limits of what an answer to an import shows. It counts all rows.
const (
	maxShownRows     = 500
	maxShownProblems = 20        // of a row
	maxShownText     = 100       // characters of a text
	maxShownBytes    = 512 << 10 // of all rows together
)

// report returns the answer. Nothing in it holds the memory of the file.
func (f *importFile[T]) report() (*answer[ImportReport], error) {
	r := ImportReport{Separator: f.separator, Columns: []ImportColumn{}, Warnings: sentences(f.Warnings), Rows: []ImportRow{}, Total: len(f.Rows)}
	for _, c := range f.Columns {
		r.Columns = append(r.Columns, ImportColumn{c.Name, shortened(c.Title)})
	}
	for i := range f.Rows {
		if f.Rows[i].OK {
			r.Good++
		}
	}
	r.Bad = r.Total - r.Good
	if f.done {
		r.Imported = r.Good
	}
	shown, err := f.shown()
	if err != nil {
		return nil, err
	}
	for i := range f.Rows {
		if row := shown[i]; row != nil {
			r.Rows = append(r.Rows, *row)
		}
	}
	r.Truncated = len(r.Rows) < r.Total
	return &answer[ImportReport]{r}, nil
}

// shown returns the rows that the answer shows, by their place in the file:
// the bad ones first, then those with something to say, then the others, until
// there is no more room.
func (f *importFile[T]) shown() (map[int]*ImportRow, error) {
	chosen := map[int]*ImportRow{}
	bytes := 0
	for _, wanted := range []func(*csvtable.Row[T]) bool{
		func(row *csvtable.Row[T]) bool { return !row.OK },
		func(row *csvtable.Row[T]) bool { return row.OK && len(row.Problems) > 0 },
		func(row *csvtable.Row[T]) bool { return row.OK && len(row.Problems) == 0 },
	} {
		for i := range f.Rows {
			if len(chosen) == maxShownRows {
				return chosen, nil
			}
			if !wanted(&f.Rows[i]) {
				continue
			}
			row, err := f.row(&f.Rows[i])
			if err != nil {
				return nil, err
			}
			text, err := json.Marshal(row) // as large as in the answer
			if err != nil {
				return nil, err
			}
			if bytes += len(text); bytes > maxShownBytes {
				return chosen, nil
			}
			chosen[i] = row
		}
	}
	return chosen, nil
}

func (f *importFile[T]) row(row *csvtable.Row[T]) (*ImportRow, error) {
	shown := &ImportRow{Line: row.Line, Fields: []string{}, Values: importValues("{}"), OK: row.OK, Imported: f.done && row.OK, Problems: []ImportProblem{}}
	for _, text := range row.Fields {
		shown.Fields = append(shown.Fields, shortened(text))
	}
	for _, p := range row.Problems[:min(len(row.Problems), maxShownProblems)] {
		shown.Problems = append(shown.Problems, ImportProblem{shortened(p.Column), sentence(shortMessage(p.Message))})
	}
	if row.OK {
		values, err := json.Marshal(row.Value) // secrets write themselves as ***
		if err != nil {
			return nil, err
		}
		shown.Values = values
	}
	return shown, nil
}

// shortened returns the beginning of a text in memory of its own.
func shortened(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxShownText {
			return text[:i] + "\u2026"
		}
	}
	return strings.Clone(text)
}

// shortMessage returns m with its texts shortened.
func shortMessage(m pbx.Message) pbx.Message {
	m.Args = maps.Clone(m.Args)
	for name, value := range m.Args {
		if text, ok := value.(string); ok {
			m.Args[name] = shortened(text)
		}
	}
	return m
}

// briefly is the report without its rows.
func (r ImportReport) briefly() any {
	r.Rows, r.Truncated = []ImportRow{}, r.Total > 0
	return r
}
