// Package csvtable reads and writes tables of people as CSV text (F073 to
// F075, F108 to F110). It knows two tables, Users and Contacts, and holds no
// state: what is read is returned with a verdict on each row, and nothing is
// imported here.
//
// # The file
//
// CSV after RFC 4180 with what spreadsheets make of it: comma, semicolon or
// tab between fields, lines that end in LF, CR LF or CR, a byte order mark,
// spaces around a field. A field in quotation marks is taken as it stands. A
// quotation mark inside a field that does not begin with one is an ordinary
// character. Empty lines and lines of nothing but separators are passed over.
//
// UTF-8 must be valid. What is called ISO-8859-1 is read as Windows-1252,
// which differs only where ISO-8859-1 has control characters: programs for
// Windows save that under this name. It is written as ISO-8859-1.
//
// # Columns
//
// With a header, columns are found by name, in any order; case, spaces, '-',
// '_' and '.' do not count. Without one the number of fields says which layout
// it is. A row with another number of fields than its file is never guessed at
// (T1). The administrator may name one column that the rows lack.
//
// # Lists in a field
//
// Several numbers in one field are separated by '|' or by a comma, and written
// with '|', which no file has as its separator. Spaces belong to the entry.
//
// # Formulas
//
// A spreadsheet computes a cell that begins with = + - @. Such a value is
// written with an apostrophe before it, save a telephone number like +49 89 1,
// and an apostrophe before such a value is dropped when it is read. Values
// that begin with an apostrophe of their own get a second one, so that what
// was written is read again exactly.
//
// # Secrets
//
// A PIN is never written and is shown as *** among the fields that were read.
package csvtable
