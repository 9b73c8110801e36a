package csvtable

import (
	"fmt"

	"galilei/pbxd/pbx"
)

// Parsed is a file that was read.
type Parsed[T any] struct {
	Columns  []Column      `json:"columns"`  // in the order of the file
	Rows     []Row[T]      `json:"rows"`     // in the order of the file
	Good     int           `json:"good"`     // number of rows that are OK
	Warnings []pbx.Message `json:"warnings"` // what may be wrong with the file
}

// Row is one row of a file, with its verdict.
type Row[T any] struct {
	Line int `json:"line"` // where it begins in the file, from 1

	// Fields are the texts of the row: one for each of Parsed.Columns, or as
	// many as there were, at most MaxColumns, when their number is wrong. What
	// is or may be a PIN is "***".
	Fields []string `json:"fields"`

	// Value is what could be read; the zero value when the number of fields is
	// wrong. That of a row which is not OK is not to be shown: a PIN may stand in
	// any column.
	Value    T         `json:"value"`
	Problems []Problem `json:"problems"`
	OK       bool      `json:"ok"` // there is no problem
}

// Refuse adds a problem that the reader of the row found.
func (r *Row[T]) Refuse(column string, m pbx.Message) {
	r.Problems = append(r.Problems, Problem{column, m})
	r.OK = false
}

// Problem is why a row cannot be imported. Its message is one of the row
// templates of this package unless it was added by Refuse.
type Problem struct {
	// Column is the JSON name of the column, the title of one that is passed
	// over, or "" when the row as a whole is meant.
	Column string `json:"column"`
	pbx.Message
}

// FileError is why a file cannot be read at all.
type FileError struct {
	Line int // where, from 1; 0 when no line is to blame
	pbx.Message
}

func (e *FileError) Error() string {
	return fmt.Sprintf("read CSV: %s", e.Text())
}
