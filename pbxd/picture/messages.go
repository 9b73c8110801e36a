package picture

import "galilei/pbxd/pbx"

// Sentences for people. The page looks up its translation by the template.
const (
	templateTooLarge    = "The file is larger than {limit} MB. Choose a smaller picture."
	templateFormat      = "The file is not a PNG, GIF, TIFF or JPEG picture. Choose another file."
	templateDimensions  = "The picture has {width} x {height} pixels. Pictures of this kind may have {side} pixels a side and {megapixels} megapixels at most. Make it smaller and try again."
	templateDamaged     = "The {format} picture is damaged and cannot be read. Save it again and try once more."
	templateUnsupported = "This kind of {format} picture cannot be read. Save it as JPEG or PNG and try again."
	templateTime        = "The picture took longer than {seconds} s to read. Save it again as a plain JPEG and try once more."
)

// Messages returns every template of this package, for the check that each
// one is translated.
func Messages() []string {
	return []string{templateTooLarge, templateFormat, templateDimensions, templateDamaged, templateUnsupported, templateTime}
}

// TooLargeError says that the file has more than MaxUpload bytes.
type TooLargeError struct{}

// Template returns the English sentence with its places for Args.
func (TooLargeError) Template() string { return templateTooLarge }

// Args returns limit, in MB.
func (TooLargeError) Args() map[string]any { return map[string]any{"limit": MaxUpload / 1_000_000} }

func (e TooLargeError) Error() string { return text(e) }

// FormatError says that the content is none of the four formats, whatever the
// file is called.
type FormatError struct{}

// Template returns the English sentence; it has no places.
func (FormatError) Template() string { return templateFormat }

// Args returns nothing.
func (FormatError) Args() map[string]any { return map[string]any{} }

func (e FormatError) Error() string { return text(e) }

// DimensionsError says that the picture has no pixels, or more than are
// decoded.
type DimensionsError struct {
	Width, Height int     // pixels, as the file's header says
	Megapixels    float64 // limit for this kind of file, with one decimal
}

// Template returns the English sentence with its places for Args.
func (DimensionsError) Template() string { return templateDimensions }

// Args returns width, height and side in pixels, and megapixels.
func (e DimensionsError) Args() map[string]any {
	return map[string]any{"width": e.Width, "height": e.Height, "side": MaxSide, "megapixels": e.Megapixels}
}

func (e DimensionsError) Error() string { return text(e) }

// DamagedError says that a file begins like a picture and does not go on like
// one.
type DamagedError struct {
	Format string // "PNG", "GIF", "TIFF" or "JPEG"
	Cause  error
}

// Template returns the English sentence with its places for Args.
func (DamagedError) Template() string { return templateDamaged }

// Args returns format.
func (e DamagedError) Args() map[string]any { return map[string]any{"format": e.Format} }

func (e DamagedError) Error() string {
	return text(e) + " (" + e.Cause.Error() + ")"
}

func (e DamagedError) Unwrap() error { return e.Cause }

// UnsupportedError says that a picture uses a variant of its format that
// cannot be decoded.
type UnsupportedError struct {
	Format string // "PNG", "GIF", "TIFF" or "JPEG"
	Cause  error
}

// Template returns the English sentence with its places for Args.
func (UnsupportedError) Template() string { return templateUnsupported }

// Args returns format.
func (e UnsupportedError) Args() map[string]any { return map[string]any{"format": e.Format} }

func (e UnsupportedError) Error() string {
	return text(e) + " (" + e.Cause.Error() + ")"
}

func (e UnsupportedError) Unwrap() error { return e.Cause }

// TimeError says that decoding did not end within MaxTime.
type TimeError struct{}

// Template returns the English sentence with its places for Args.
func (TimeError) Template() string { return templateTime }

// Args returns seconds.
func (TimeError) Args() map[string]any { return map[string]any{"seconds": int(MaxTime.Seconds())} }

func (e TimeError) Error() string { return text(e) }

// text returns the English sentence of an error.
func text(e interface {
	Template() string
	Args() map[string]any
}) string {
	return pbx.Message{Template: e.Template(), Args: e.Args()}.Text()
}
