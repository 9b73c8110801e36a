package csvtable

import "galilei/pbxd/pbx"

// Limits of a file that is read.
const (
	MaxBytes   = 5 << 20 // of the file
	MaxRows    = 20_000  // without the header
	MaxColumns = 64
	MaxField   = 4096 // bytes of one field as UTF-8
	MaxEntries = 100  // of a list in one field
)

// Encoding is how characters are written in the file.
type Encoding string

// The encodings of F073 and F108.
const (
	UTF8   Encoding = "utf-8"
	Latin1 Encoding = "iso-8859-1"
)

// Separator stands between two fields.
type Separator byte

// The separators of F073 and F110.
const (
	Comma     Separator = ','
	Semicolon Separator = ';'
	Tab       Separator = '\t'
)

// SeparatorNamed returns the separator called "comma", "semicolon" or "tab".
func SeparatorNamed(name string) (Separator, bool) {
	switch name {
	case "comma":
		return Comma, true
	case "semicolon":
		return Semicolon, true
	case "tab":
		return Tab, true
	}
	return 0, false
}

// Options say what a file looks like. The zero value means UTF-8 with commas
// and no header.
type Options struct {
	Encoding  Encoding  // "" means UTF8
	Separator Separator // 0 means Comma
	Header    bool      // the first line names the columns

	// Missing is the JSON name of one column that the rows of the file lack
	// although the header or the layout has it. Rows with exactly one field
	// less are then read with that column empty. Reading only.
	Missing string

	// IgnoreUnknown passes over columns whose name is not known instead of
	// refusing the file. Reading only.
	IgnoreUnknown bool
}

// complete returns o with its defaults, or a *FileError for a value that is
// not one of the constants.
func (o Options) complete() (Options, error) {
	if o.Encoding == "" {
		o.Encoding = UTF8
	}
	if o.Separator == 0 {
		o.Separator = Comma
	}
	switch o.Separator {
	case Comma, Semicolon, Tab:
	default:
		return o, &FileError{Message: pbx.Say(MsgBadSeparator)}
	}
	if o.Encoding != UTF8 && o.Encoding != Latin1 {
		return o, &FileError{Message: pbx.Say(MsgBadEncoding)}
	}
	return o, nil
}
