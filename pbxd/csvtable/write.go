package csvtable

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Written says what became of an export.
type Written struct {
	Rows int

	// Replaced counts the characters that the file cannot hold: '?' stands for
	// one outside ISO-8859-1 and for a '|' or ',' inside an entry of a list, a
	// space for a control character.
	Replaced int
}

// Write writes rows with the given columns, or with those of Columns when
// columns is nil. Lines end in CR LF (RFC 4180 section 2). The options of
// reading do not count. What Read reads from the file are the same values,
// but for PINs, for what Written.Replaced counts, and for fields longer than
// MaxField.
func (t *Table[T]) Write(w io.Writer, o Options, columns []Column, rows []T) (Written, error) {
	return t.WriteSeq(w, o, columns, func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	})
}

// WriteSeq is Write for rows that come one at a time, none of which is kept.
// An error among them ends the file and is returned.
func (t *Table[T]) WriteSeq(w io.Writer, o Options, columns []Column, rows iter.Seq2[T, error]) (Written, error) {
	o, err := o.complete()
	if err != nil {
		return Written{}, fmt.Errorf("write CSV: %w", err)
	}
	if columns == nil {
		columns = t.layouts[0]
	}
	out := &lineWriter{Writer: bufio.NewWriter(w), o: o}
	defined := make([]*column, len(columns))
	cells := make([]string, len(columns))
	for i, c := range columns {
		if defined[i] = t.named(c.Name); defined[i] == nil {
			return Written{}, fmt.Errorf("write CSV: column %d: no column has the name %q", i+1, c.Name)
		}
		if c.Title == "" {
			c.Title = defined[i].Title
		}
		cells[i] = out.clean(c.Title)
	}
	if o.Header {
		out.line(cells)
	}
	n := 0
	for row, err := range rows {
		if err != nil {
			return Written{n, out.replaced}, fmt.Errorf("write CSV: after %d rows: %w", n, err)
		}
		v := reflect.ValueOf(&row).Elem()
		for j, c := range defined {
			text, lost := c.text(v.Field(c.field))
			out.replaced += lost
			cells[j] = c.guard(out.clean(text))
		}
		if err := out.line(cells); err != nil {
			return Written{n, out.replaced}, fmt.Errorf("write CSV: row %d: %w", n+1, err)
		}
		n++
	}
	if err := out.Flush(); err != nil {
		return Written{n, out.replaced}, fmt.Errorf("write CSV: %d rows: %w", n, err)
	}
	return Written{n, out.replaced}, nil
}

// lineWriter writes lines of cells.
type lineWriter struct {
	*bufio.Writer
	o        Options
	replaced int
	buf      []byte
}

// clean returns text with what the file cannot hold replaced and counted.
func (l *lineWriter) clean(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return isControl(r) || l.outside(r) }) {
		return text
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		switch {
		case isControl(r):
			b.WriteByte(' ')
		case l.outside(r) || r == utf8.RuneError && n == 1: // the latter is a byte that is no UTF-8
			b.WriteByte('?')
		default:
			b.WriteRune(r)
			continue
		}
		l.replaced++
	}
	return b.String()
}

// outside reports whether the encoding of the file lacks r.
func (l *lineWriter) outside(r rune) bool {
	return l.o.Encoding == Latin1 && r > 0xff
}

// line writes cells and the end of the line. Errors stay until Flush.
func (l *lineWriter) line(cells []string) error {
	l.buf = l.buf[:0]
	empty := strings.Join(cells, "") == ""
	for i, cell := range cells {
		if i > 0 {
			l.buf = append(l.buf, byte(l.o.Separator))
		}
		if l.mustQuote(cell) || empty && i == 0 { // a line of separators would be passed over
			l.buf = append(l.buf, '"')
			l.buf = append(l.buf, strings.ReplaceAll(cell, `"`, `""`)...)
			l.buf = append(l.buf, '"')
		} else {
			l.buf = append(l.buf, cell...)
		}
	}
	l.buf = append(l.buf, "\r\n"...)
	if l.o.Encoding == Latin1 {
		l.buf = latin1(l.buf)
	}
	_, err := l.Writer.Write(l.buf)
	return err
}

// mustQuote reports whether cell would be read as something else without
// quotation marks, also by a reader that looks for the separator or takes
// another one. U+FEFF at the beginning of a file would be its byte order mark.
func (l *lineWriter) mustQuote(cell string) bool {
	return strings.HasPrefix(cell, " ") || strings.HasSuffix(cell, " ") || strings.HasPrefix(cell, "\ufeff") ||
		strings.ContainsAny(cell, "\"\r\n"+dividers)
}

// latin1 turns UTF-8 whose characters are all below U+0100 into ISO-8859-1, in
// place.
func latin1(text []byte) []byte {
	out := text[:0]
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		out, text = append(out, byte(r)), text[n:]
	}
	return out
}
