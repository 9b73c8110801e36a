package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/csvtable"
	"galilei/pbxd/pbx"
)

// ImportQuery says how the file of an import is written and what is to happen.
type ImportQuery struct {
	Check     bool   `query:"check" title:"Check only" doc:"true: nothing is changed, the answer shows what would be. false: the good rows are imported." default:"true"`
	Encoding  string `query:"encoding" title:"Encoding" doc:"Encoding of the file" enum:"utf-8,iso-8859-1" default:"utf-8"`
	Separator string `query:"separator" title:"Separator" doc:"What stands between two columns; auto: found in the first line" enum:"auto,comma,semicolon,tab" default:"auto"`
	Header    bool   `query:"header" title:"Header" doc:"The first line names the columns" default:"true"`
	Missing   string `query:"missing" title:"Missing column" doc:"Name of the column that rows with one field less lack, as in columns of the answer" maxLength:"40"`
}

// ImportReport answers an import: what was read, and what became of each row.
type ImportReport struct {
	Separator string         `json:"separator" title:"Separator" doc:"Separator of the file" enum:"comma,semicolon,tab"`
	Columns   []ImportColumn `json:"columns" title:"Columns" doc:"Columns of the file, in its order" maxItems:"64"`
	Warnings  []Sentence     `json:"warnings" title:"Warnings" doc:"What may be wrong with the file" maxItems:"10"`
	Rows      []ImportRow    `json:"rows" title:"Rows" doc:"Rows of the file, in its order: at most 500, those that cannot be imported first, then those with something to know. The numbers below count all." maxItems:"500"`
	Total     int            `json:"total" title:"Total" doc:"Rows of the file" minimum:"0" maximum:"20000"`
	Good      int            `json:"good" title:"Good" doc:"Rows that can be imported, or were" minimum:"0" maximum:"20000"`
	Bad       int            `json:"bad" title:"Bad" doc:"Rows that cannot be imported" minimum:"0" maximum:"20000"`
	Imported  int            `json:"imported" title:"Imported" doc:"Rows that were imported" minimum:"0" maximum:"20000"`
	Truncated bool           `json:"truncated" title:"Truncated" doc:"There are more rows than are shown"`
}

// ImportColumn is one column of the file.
type ImportColumn struct {
	Name  string `json:"name" title:"Name" doc:"JSON name of the parameter; empty for a column that is passed over" maxLength:"40"`
	Title string `json:"title" title:"Title" doc:"Name in the header of the file, its beginning if it is long" maxLength:"101"`
}

// ImportRow is one row of the file and its verdict.
type ImportRow struct {
	Line     int             `json:"line" title:"Line" doc:"Where the row begins in the file" minimum:"1" maximum:"10000000"`
	Fields   []string        `json:"fields" title:"Fields" doc:"Texts of the row, the beginnings of long ones; PINs show as ***" maxItems:"64"`
	Values   importValues    `json:"values" title:"Values" doc:"What was read, by JSON name; nothing of a row that cannot be imported"`
	OK       bool            `json:"ok" title:"Good" doc:"The row can be imported, or was"`
	Imported bool            `json:"imported" title:"Imported" doc:"The row was imported"`
	Problems []ImportProblem `json:"problems" title:"Problems" doc:"What is wrong with the row; with a good row, what to know about it" maxItems:"20"`
}

// ImportProblem is one thing that is wrong with a row.
type ImportProblem struct {
	Column string `json:"column" title:"Column" doc:"JSON name of the column, which the message follows; empty when the row as a whole is meant" maxLength:"40"`
	Sentence
}

// importValues are the values of a row by their JSON names, as JSON.
type importValues []byte

// MarshalJSON returns v.
func (v importValues) MarshalJSON() ([]byte, error) { return v, nil }

// Schema says that there is an object.
func (importValues) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// importFile is a file that was read, and what is done with its rows.
type importFile[T any] struct {
	*csvtable.Parsed[T]
	separator string
	check     bool
	done      bool // the good rows were imported
}

// readImport reads an uploaded table. The caller leaves the place among the
// uploads when the answer is made.
func readImport[T any](table *csvtable.Table[T], u *upload, q *ImportQuery) (*importFile[T], error) {
	text, err := u.bytes(csvtable.MaxBytes)
	if err != nil {
		return nil, err
	}
	name := q.Separator
	if name == "auto" {
		name = separatorOf(text)
	}
	separator, _ := csvtable.SeparatorNamed(name) // an enumeration, checked before
	parsed, err := table.Read(bytes.NewReader(text), csvtable.Options{Encoding: csvtable.Encoding(q.Encoding), Separator: separator, Header: q.Header, Missing: q.Missing})
	if err != nil {
		return nil, fileProblem(err)
	}
	return &importFile[T]{Parsed: parsed, separator: name, check: q.Check}, nil
}

// fileProblem names what is wrong with a file as a whole.
func fileProblem(err error) error {
	wrong, ok := errors.AsType[*csvtable.FileError](err)
	if !ok {
		return fmt.Errorf("read table: %w", err)
	}
	p := refuseWith(http.StatusUnprocessableEntity, wrong.Message)
	p.Errors = []ProblemDetail{detailOf("body", wrong.Message)}
	return p
}

// separatorOf returns the separator that stands most often in the first line
// with text, outside of quotation marks; comma when there is none.
func separatorOf(text []byte) string {
	counts := map[byte]int{}
	quoted, seen := false, false
	for _, b := range text {
		switch {
		case b == '"':
			quoted, seen = !quoted, true
		case quoted:
		case b == '\n' || b == '\r':
			if seen {
				return mostOften(counts)
			}
		default:
			counts[b]++
			seen = true
		}
	}
	return mostOften(counts)
}

func mostOften(counts map[byte]int) string {
	name, most := "comma", counts[',']
	if n := counts[';']; n > most {
		name, most = "semicolon", n
	}
	if counts['\t'] > most {
		name = "tab"
	}
	return name
}

// warn adds what is worth knowing of a row that is imported all the same.
func warn[T any](row *csvtable.Row[T], column string, m pbx.Message) {
	row.Problems = append(row.Problems, csvtable.Problem{Column: column, Message: m})
}

// contactImport is the request of an import into a directory.
type contactImport struct {
	ImportQuery
	File upload
}

func (s *Server) registerContactImport(d directory) {
	registerUpload(s, d.moving(operation{id: "import-" + d.names, method: http.MethodPost, path: d.path + "/import",
		summary: "Import contacts from CSV", description: "First with check=true, which changes nothing and shows the verdict on each row; then with check=false, " +
			"which adds the good rows in their order. Identical contacts are added. A quick dial that is taken is left out.",
		errors: []int{http.StatusConflict}}), []string{typeCSV, typeText, typeBinary},
		func(ctx context.Context, in *contactImport) (*answer[ImportReport], error) {
			leave, err := s.enterUpload(ctx)
			if err != nil {
				return nil, err
			}
			defer leave()
			f, err := readImport(csvtable.Contacts(), &in.File, &in.ImportQuery)
			if err != nil {
				return nil, err
			}
			if err := s.importContacts(ctx, d, f); err != nil {
				return nil, err
			}
			return f.report()
		})
}

// importContacts judges the rows against the directory and, unless it is a
// check, adds the good ones.
func (s *Server) importContacts(ctx context.Context, d directory, f *importFile[csvtable.ContactRow]) error {
	s.directories.Lock()
	defer s.directories.Unlock()
	taken, count, err := s.quickdials(ctx, d.owner(ctx), "")
	if err != nil {
		return err
	}
	var list []pbx.Contact
	for i := range f.Rows {
		row := &f.Rows[i]
		if !row.OK {
			continue
		}
		c := pbx.Contact{ID: pbx.NewID(), ContactSettings: row.Value.Settings()}
		if wrong, ok := errors.AsType[*pbx.ValidationError](pbx.ValidateContact(&c.ContactSettings)); ok {
			for _, field := range wrong.Fields {
				row.Refuse(field.Path, field.Rule)
			}
			continue
		}
		if count+len(list) >= d.limit {
			row.Refuse("", pbx.Say("has no room: the directory holds {max} contacts", "max", d.limit))
			continue
		}
		for _, q := range quickdialsOf(&c.ContactSettings) {
			name, is := taken[*q.number]
			switch {
			case *q.number == "":
			case is:
				warn(row, q.field, pbx.Say("{number} already dials {name} and is left out", "number", *q.number, "name", name))
				*q.number = ""
			default:
				taken[*q.number] = nameOfContact(&c.ContactSettings)
			}
		}
		list = append(list, c)
	}
	if f.check || len(list) == 0 {
		return nil
	}
	if err := s.still(ctx); err != nil {
		return err
	}
	if err := s.Store.AddContacts(ctx, d.owner(ctx), list); err != nil {
		return fullDirectory(fmt.Errorf("import %d contacts: %w", len(list), err), d)
	}
	f.done = true
	s.record(ctx, "import-"+d.names, fmt.Sprint(len(list)))
	return nil
}
