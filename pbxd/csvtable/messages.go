package csvtable

// What is wrong with a file as a whole. These are sentences.
const (
	MsgBadEncoding    = "The encoding must be utf-8 or iso-8859-1."
	MsgBadSeparator   = "The separator must be comma, semicolon or tab."
	MsgEmpty          = "The file is empty."
	MsgTooLarge       = "The file is larger than {limit} MB. Split it."
	MsgTooManyRows    = "The file has more than {limit} rows. Split it."
	MsgTooManyColumns = "The header has {columns} columns; at most {limit} are allowed. Remove the others."
	MsgNotUTF8        = "Line {line}, byte {byte}: {value} is not UTF-8. Choose ISO-8859-1, or save the file as UTF-8."
	MsgIsUTF8         = "The file is UTF-8. Choose UTF-8."
	MsgUTF16          = "The file is UTF-16. Save it as UTF-8."
	MsgOpenQuote      = "The quotation mark that opens in line {line} is never closed. Close it or remove it."
	MsgLongQuote      = "The quotation mark that opens in line {line} is not closed within {limit} bytes. Close it or remove it."
	MsgTryComma       = "The columns are separated by commas. Choose comma as the separator."
	MsgTrySemicolon   = "The columns are separated by semicolons. Choose semicolon as the separator."
	MsgTryTab         = "The columns are separated by tabs. Choose tab as the separator."
	MsgUnknownColumn  = "The column {column} is not known. Rename it or remove it."
	MsgUnknownNth     = "The name of column {position} is not known. Rename the column or remove it."
	MsgUnnamedColumn  = "Column {position} has no name in the header. Name it or remove it."
	MsgColumnTwice    = "The columns {first} and {second} are the same. Remove one."
	MsgLacksColumn    = "The file has no column {column}. Add it."
	MsgNotMissing     = "The file has no column {column} that its rows could lack. Choose another."
)

// What may be wrong with a file that was read. These are sentences.
const (
	MsgMaybeUTF8   = "The file looks like UTF-8. Choose UTF-8 if letters look wrong."
	MsgMaybeHeader = "The first line looks like a header. If it is one, say so."
)

// What is wrong with a row or with one of its fields. These follow the name of
// the column, if there is one.
const (
	MsgFieldCount = "{fields} of {expected} fields"
	MsgLongField  = "is longer than {limit} bytes"
	MsgAfterQuote = "has text after its closing quotation mark"
	MsgControl    = "contains a line break or another control character"
	MsgNeeded     = "is needed"
	MsgSwitch     = "must be yes or no"
	MsgLanguage   = "must be English or German"
	MsgEntries    = "has more than {limit} entries"
	MsgDuplicate  = "is the same as in line {line}"
	MsgPINDigits  = "must have 3 to 10 digits" // as pbx.CheckPIN says it
	MsgPINZeros   = "must not be all zeros"    // as pbx.CheckPIN says it
)

// Messages returns every template that this package says, so that a test can
// ask each catalogue of the page for it.
func Messages() []string {
	return []string{
		MsgBadEncoding, MsgBadSeparator, MsgEmpty, MsgTooLarge, MsgTooManyRows, MsgTooManyColumns, MsgNotUTF8,
		MsgIsUTF8, MsgUTF16, MsgOpenQuote, MsgLongQuote, MsgTryComma, MsgTrySemicolon, MsgTryTab,
		MsgUnknownColumn, MsgUnknownNth, MsgUnnamedColumn, MsgColumnTwice, MsgLacksColumn, MsgNotMissing,
		MsgMaybeUTF8, MsgMaybeHeader,
		MsgFieldCount, MsgLongField, MsgAfterQuote, MsgControl, MsgNeeded, MsgSwitch, MsgLanguage, MsgEntries, MsgDuplicate,
		MsgPINDigits, MsgPINZeros,
	}
}
