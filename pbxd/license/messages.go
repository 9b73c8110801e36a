package license

import "galilei/pbxd/pbx"

// Sentences for people. The page looks up its translation by the template.
const (
	templateNotLicense = "The file is not a licence. Upload the file that you received, unchanged."
	templateSignature  = "The signature of the licence is wrong: the file was changed, or it is from another vendor. Ask for it again."
	templateModel      = "The licence is for a {licensed}; this device is a {device}. Ask for a licence for this device."
	templateSerial     = "The licence is for the device {licensed}; this is {device}. Ask for a licence for this device."
	templateExpired    = "The licence expired on {expires}. Upload a new one to add or change users."
	templateMissing    = "Users can be added and changed once a licence is uploaded. To get one, give the vendor the code {code}."
	templateNoVendor   = "This device takes no licence: all its users are available without one."
	templateUsers      = "The licence is for {max} users; this would make {users}. Delete users or upload a larger licence."
)

// Messages returns every template of this package, for the check that each
// one is translated.
func Messages() []string {
	return []string{templateNotLicense, templateSignature, templateModel, templateSerial, templateExpired, templateMissing, templateNoVendor, templateUsers}
}

// text returns the English sentence of an error.
func text(e interface {
	Template() string
	Args() map[string]any
}) string {
	return pbx.Message{Template: e.Template(), Args: e.Args()}.Text()
}

// NotLicenseError says that a file is not a licence.
type NotLicenseError struct{ Cause error }

// Template returns the English sentence; it has no places.
func (NotLicenseError) Template() string { return templateNotLicense }

// Args returns nothing.
func (NotLicenseError) Args() map[string]any { return map[string]any{} }

func (e NotLicenseError) Error() string { return text(e) + " (" + e.Cause.Error() + ")" }
func (e NotLicenseError) Unwrap() error { return e.Cause }

// SignatureError says that the vendor's key did not sign what the file says.
type SignatureError struct{}

// Template returns the English sentence; it has no places.
func (SignatureError) Template() string { return templateSignature }

// Args returns nothing.
func (SignatureError) Args() map[string]any { return map[string]any{} }

func (e SignatureError) Error() string { return text(e) }

// ModelError says that a licence is for another model.
type ModelError struct{ Licensed, Device string }

// Template returns the English sentence with its places for Args.
func (ModelError) Template() string { return templateModel }

// Args returns licensed and device, two models.
func (e ModelError) Args() map[string]any {
	return map[string]any{"licensed": e.Licensed, "device": e.Device}
}

func (e ModelError) Error() string { return text(e) }

// SerialError says that a licence is for another device of this model.
type SerialError struct{ Licensed, Device string }

// Template returns the English sentence with its places for Args.
func (SerialError) Template() string { return templateSerial }

// Args returns licensed and device, two serial numbers.
func (e SerialError) Args() map[string]any {
	return map[string]any{"licensed": e.Licensed, "device": e.Device}
}

func (e SerialError) Error() string { return text(e) }

// ExpiredError says that the last licensed day has passed.
type ExpiredError struct {
	Expires string // 2006-01-02, UTC
}

// Template returns the English sentence with its places for Args.
func (ExpiredError) Template() string { return templateExpired }

// Args returns expires, a date.
func (e ExpiredError) Args() map[string]any { return map[string]any{"expires": e.Expires} }

func (e ExpiredError) Error() string { return text(e) }

// MissingError says that the device needs a licence and has none.
type MissingError struct{ Code string }

// Template returns the English sentence with its places for Args.
func (MissingError) Template() string { return templateMissing }

// Args returns code.
func (e MissingError) Args() map[string]any { return map[string]any{"code": e.Code} }

func (e MissingError) Error() string { return text(e) }

// NoVendorError says that the board names no vendor whose licences it takes.
type NoVendorError struct{}

// Template returns the English sentence; it has no places.
func (NoVendorError) Template() string { return templateNoVendor }

// Args returns nothing.
func (NoVendorError) Args() map[string]any { return map[string]any{} }

func (e NoVendorError) Error() string { return text(e) }

// UsersError says that a licence is for fewer users.
type UsersError struct{ Users, Max int }

// Template returns the English sentence with its places for Args.
func (UsersError) Template() string { return templateUsers }

// Args returns users and max.
func (e UsersError) Args() map[string]any { return map[string]any{"users": e.Users, "max": e.Max} }

func (e UsersError) Error() string { return text(e) }
