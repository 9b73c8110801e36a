package csvtable

import (
	"io"
	"reflect"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
)

// Read reads a file of at most MaxBytes and MaxRows and judges each of its
// rows. An error is a *FileError, save when r fails. Nothing of the file stays
// referenced but the rows.
func (t *Table[T]) Read(r io.Reader, o Options) (*Parsed[T], error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	data, err := load(r, o.Encoding)
	if err != nil {
		return nil, err
	}
	records, err := scan(data, o)
	if err != nil {
		return nil, err
	}
	if err := rightSeparator(records[0], o.Separator); err != nil {
		return nil, err
	}
	p := &Parsed[T]{Rows: []Row[T]{}, Warnings: []pbx.Message{}}
	if o.Encoding == Latin1 && looksLikeUTF8(data) {
		p.Warnings = append(p.Warnings, pbx.Say(MsgMaybeUTF8))
	}
	if o.Header {
		if p.Columns, err = t.match(records[0], o.IgnoreUnknown); err != nil {
			return nil, err
		}
		records = records[1:]
	} else {
		if _, err := t.match(records[0], false); err == nil {
			p.Warnings = append(p.Warnings, pbx.Say(MsgMaybeHeader))
		}
		p.Columns = t.layoutOf(records, o.Missing)
	}
	missing := -1
	if o.Missing != "" {
		missing = slices.IndexFunc(p.Columns, func(c Column) bool { return c.Name == o.Missing })
		if missing < 0 {
			return nil, &FileError{Message: pbx.Say(MsgNotMissing, "column", t.titleOf(o.Missing))}
		}
	}
	t.judge(p, records, missing)
	return p, nil
}

// scan returns the records of a file, at least one.
func scan(data []byte, o Options) (records []record, err error) {
	limit := MaxRows
	if o.Header {
		limit++
	}
	s := newScanner(data, o)
	for {
		rec, more, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case !more && len(records) == 0:
			return nil, &FileError{Message: pbx.Say(MsgEmpty)}
		case !more:
			return records, nil
		case len(records) == limit:
			return nil, &FileError{rec.line, pbx.Say(MsgTooManyRows, "limit", MaxRows)}
		}
		records = append(records, rec)
	}
}

// rightSeparator refuses a file whose first line is one field that holds
// another separator: every row would be refused, for a reason that misleads.
func rightSeparator(first record, chosen Separator) error {
	if first.count > 1 {
		return nil
	}
	most, template := 0, ""
	for _, s := range []struct {
		Separator
		template string
	}{{Comma, MsgTryComma}, {Semicolon, MsgTrySemicolon}, {Tab, MsgTryTab}} {
		if n := strings.Count(first.fields[0], string(rune(s.Separator))); s.Separator != chosen && n > most {
			most, template = n, s.template
		}
	}
	if most == 0 {
		return nil
	}
	return &FileError{first.line, pbx.Say(template)}
}

// layoutOf returns the layout that most of the rows have, or the first one.
func (t *Table[T]) layoutOf(records []record, missing string) []Column {
	best, most := 0, 0
	for i, layout := range t.layouts {
		lacks := missing != "" && slices.ContainsFunc(layout, func(c Column) bool { return c.Name == missing })
		n := 0
		for _, rec := range records {
			if rec.count == len(layout) || lacks && rec.count == len(layout)-1 {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return slices.Clone(t.layouts[best])
}

// titleOf returns the title of the column with that JSON name.
func (t *Table[T]) titleOf(name string) string {
	if c := t.named(name); c != nil {
		return c.Title
	}
	return shorten(name)
}

// judge turns records into rows. missing is the index of the column that rows
// may lack, or -1.
func (t *Table[T]) judge(p *Parsed[T], records []record, missing int) {
	columns := make([]*column, len(p.Columns)) // nil where the file's is passed over
	seen := make([]map[string]int, len(p.Columns))
	for i, c := range p.Columns {
		if columns[i] = t.named(c.Name); columns[i] != nil && columns[i].unique {
			seen[i] = map[string]int{} // text => line of the row that may have it
		}
	}
	p.Rows = make([]Row[T], len(records))
	for i, rec := range records {
		row := &p.Rows[i]
		*row = Row[T]{Line: rec.line, Fields: rec.fields, Problems: []Problem{}, OK: true}
		if rec.count == len(columns)-1 && missing >= 0 {
			row.Fields = slices.Insert(rec.fields, missing, "") // a new array: rec.fields has no room
			rec.count++
			if rec.flaw != nil && rec.flaw.field >= missing {
				rec.flaw.field++
			}
		}
		if rec.count != len(columns) {
			row.Refuse("", pbx.Say(MsgFieldCount, "fields", rec.count, "expected", len(columns)))
			if t.secret {
				row.hideSecrets(columns, false)
			}
			continue
		}
		if f := rec.flaw; f != nil && columns[f.field] == nil { // a mark that closes too late must show there, too
			row.Refuse(p.Columns[f.field].Title, f.Message)
		}
		t.fill(row, columns, rec.flaw)
		for j, c := range columns {
			if seen[j] == nil || row.Fields[j] == "" {
				continue
			}
			if line, twice := seen[j][row.Fields[j]]; twice {
				row.Refuse(c.Name, pbx.Say(MsgDuplicate, "line", line))
			}
		}
		if t.secret {
			row.hideSecrets(columns, true)
		}
		if !row.OK {
			continue
		}
		p.Good++
		for j := range columns {
			if seen[j] != nil {
				seen[j][row.Fields[j]] = row.Line
			}
		}
	}
}

// fill sets the value of a row from its fields.
func (t *Table[T]) fill(row *Row[T], columns []*column, f *flaw) {
	v := reflect.ValueOf(&row.Value).Elem()
	for i, c := range columns {
		if c == nil {
			continue
		}
		text := unguard(row.Fields[i])
		if t.secret {
			text = strings.Clone(text) // the fields of a row share memory: a name must not keep the PIN alive
		}
		if c.unique {
			row.Fields[i] = text // what is compared
		}
		m := pbx.Message{}
		switch {
		case f != nil && f.field == i:
			m = f.Message
		case strings.ContainsFunc(text, isControl):
			m = pbx.Say(MsgControl)
		case text == "" && c.required:
			m = pbx.Say(MsgNeeded)
		default:
			m = c.set(v.Field(c.field), text)
		}
		if !m.IsZero() {
			row.Refuse(c.Name, m)
		}
	}
}

// hideSecrets replaces what is a PIN by ***, and in a row that seems to have its
// fields in other columns, too, whatever might be one. sound reports that the
// row has as many fields as there are columns.
func (r *Row[T]) hideSecrets(columns []*column, sound bool) {
	for i, c := range columns {
		if c == nil || c.kind != kindSecret || !sound {
			continue
		}
		sound = isPIN(r.Fields[i])
		if r.Fields[i] != "" {
			r.Fields[i] = hidden
		}
	}
	if sound {
		return
	}
	for i, text := range r.Fields {
		if mayHoldPIN(text) {
			r.Fields[i] = hidden
		}
	}
}

const minPIN, maxPIN = 3, 10 // digits; see pbx.CheckPIN

func isPIN(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) >= minPIN && len(text) <= maxPIN && strings.Trim(text, "0123456789") == ""
}

// mayHoldPIN reports whether text has as many digits as a PIN at least, with
// whatever between them.
func mayHoldPIN(text string) bool {
	n := 0
	for _, r := range text {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n >= minPIN
}

const hidden = "***"
