package csvtable

import (
	"bytes"
	"unicode/utf8"

	"galilei/pbxd/pbx"
)

// scanner cuts a file into records. Separators, quotation marks and line ends
// are ASCII, so it works on the bytes of either encoding.
type scanner struct {
	data   []byte
	pos    int
	line   int // in which pos lies, from 1
	sep    byte
	latin1 bool

	text []byte   // of the record at hand, as UTF-8, its fields joined
	ends []int    // of the kept fields in text
	slab []string // backs the fields of many records
	flaw *flaw
}

// record is one row of the file.
type record struct {
	line   int
	fields []string // at most MaxColumns, of at most MaxField bytes
	count  int      // fields that there were
	flaw   *flaw    // the first thing wrong with the form of a field, or nil
}

type flaw struct {
	field int // from 0
	pbx.Message
}

func newScanner(data []byte, o Options) *scanner {
	return &scanner{data: data, line: 1, sep: byte(o.Separator), latin1: o.Encoding == Latin1}
}

// next returns the next record that is not empty, or false at the end. An
// error is a *FileError.
func (s *scanner) next() (rec record, more bool, err error) {
	for s.pos < len(s.data) {
		empty := false
		if rec, empty, err = s.record(); err != nil {
			return record{}, false, err
		}
		if !empty {
			return rec, true, nil
		}
	}
	return record{}, false, nil
}

// record reads up to the end of a line. empty means that it had nothing but
// spaces and separators.
func (s *scanner) record() (rec record, empty bool, err error) {
	rec.line, empty = s.line, true
	s.text, s.ends, s.flaw = s.text[:0], s.ends[:0], nil
	for {
		start := len(s.text)
		quoted, err := s.field(rec.count)
		if err != nil {
			return record{}, false, err
		}
		rec.count++
		empty = empty && !quoted && len(s.text) == start
		if rec.count <= MaxColumns {
			s.ends = append(s.ends, len(s.text))
		} else {
			s.text = s.text[:start]
		}
		if s.pos == len(s.data) || s.data[s.pos] != s.sep {
			break
		}
		s.pos++
	}
	s.endLine()
	if !empty {
		rec.fields, rec.flaw = s.cut(), s.flaw
	}
	return rec, empty, nil
}

// cut returns the fields of the record at hand as parts of one string.
func (s *scanner) cut() []string {
	if len(s.slab) < len(s.ends) {
		s.slab = make([]string, 1024)
	}
	fields := s.slab[:len(s.ends):len(s.ends)]
	s.slab = s.slab[len(s.ends):]
	text, start := string(s.text), 0
	for i, end := range s.ends {
		fields[i], start = text[start:end], end
	}
	return fields
}

// endLine passes over CR LF, LF or CR.
func (s *scanner) endLine() {
	if s.pos == len(s.data) {
		return
	}
	if s.data[s.pos] == '\r' && s.pos+1 < len(s.data) && s.data[s.pos+1] == '\n' {
		s.pos++
	}
	s.pos++
	s.line++
}

// field appends the field at pos, the nth, to text and stops at the separator
// or line end behind it.
func (s *scanner) field(n int) (quoted bool, err error) {
	for s.pos < len(s.data) && s.data[s.pos] == ' ' {
		s.pos++
	}
	if s.pos < len(s.data) && s.data[s.pos] == '"' {
		return true, s.quoted(n)
	}
	s.take(n, len(s.text), bytes.TrimRight(s.upToEnd(), " "))
	return false, nil
}

// upToEnd passes over what lies before the next separator or line end.
func (s *scanner) upToEnd() []byte {
	start := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		if c := s.data[s.pos]; c == s.sep || c == '\n' || c == '\r' {
			break
		}
	}
	return s.data[start:s.pos]
}

// quoted appends the field whose opening quotation mark is at pos.
func (s *scanner) quoted(n int) error {
	start, opened := len(s.text), s.line
	for {
		s.pos++ // the opening mark, or the second of a pair
		i := bytes.IndexByte(s.data[s.pos:], '"')
		if i < 0 {
			return &FileError{opened, pbx.Say(MsgOpenQuote, "line", opened)}
		}
		part := s.data[s.pos : s.pos+i]
		s.line += lineEnds(part)
		s.pos += i + 1
		if fits := s.take(n, start, part); !fits && s.line > opened {
			return &FileError{opened, pbx.Say(MsgLongQuote, "line", opened, "limit", MaxField)}
		}
		if s.pos == len(s.data) || s.data[s.pos] != '"' {
			break
		}
		s.take(n, start, s.data[s.pos:s.pos+1])
	}
	if rest := bytes.TrimRight(s.upToEnd(), " "); len(rest) > 0 {
		s.take(n, start, rest)
		s.blame(n, MsgAfterQuote)
	}
	return nil
}

// take appends b to the nth field, which began at start of text, and reports
// whether it found room. What goes beyond MaxField is dropped and blamed.
func (s *scanner) take(n, start int, b []byte) (fits bool) {
	room := start + MaxField - len(s.text)
	if !s.latin1 {
		fits = len(b) <= room
		if !fits {
			b = b[:runeStart(b, room)]
			s.blame(n, MsgLongField, "limit", MaxField)
		}
		s.text = append(s.text, b...)
		return fits
	}
	for _, c := range b {
		r := fromLatin1(c)
		if room -= utf8.RuneLen(r); room < 0 {
			s.blame(n, MsgLongField, "limit", MaxField)
			return false
		}
		s.text = utf8.AppendRune(s.text, r)
	}
	return true
}

// runeStart returns the largest index up to i at which a character of b begins.
func runeStart(b []byte, i int) int {
	for i > 0 && !utf8.RuneStart(b[i]) {
		i--
	}
	return i
}

// blame notes the first flaw of the record.
func (s *scanner) blame(n int, template string, pairs ...any) {
	if s.flaw == nil {
		s.flaw = &flaw{n, pbx.Say(template, pairs...)}
	}
}
