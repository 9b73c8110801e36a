package pbx

import "reflect"

// Contact is one entry of the global or of a private directory (F104).
// Contacts are kept beside the configuration, not in it.
type Contact struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" maxLength:"26"`
	ContactSettings
	Image string `json:"image,omitempty" title:"Image" doc:"Picture that is shown when the contact calls" maxLength:"64"`
}

// ContactSettings are the parameters of a contact.
type ContactSettings struct {
	FirstName       string `json:"firstName" title:"First name" doc:"First name" maxLength:"50"`
	LastName        string `json:"lastName" title:"Last name" doc:"Last name" maxLength:"50"`
	Email           string `json:"email" title:"E-mail" doc:"E-mail address" maxLength:"254" format:"email"`
	Company         string `json:"company" title:"Company" doc:"Company or organisation" maxLength:"100"`
	Office          string `json:"office" title:"Office" doc:"Number at work" maxLength:"32" pattern:"^\\+?[0-9*# ()/-]+$" patternDescription:"digits, spaces and the signs + * # ( ) / -"`
	OfficeQuickdial string `json:"officeQuickdial" title:"Office quick dial" doc:"Short number that dials the number at work" maxLength:"6" pattern:"^[0-9]+$" patternDescription:"digits"`
	Mobile          string `json:"mobile" title:"Mobile" doc:"Mobile number" maxLength:"32" pattern:"^\\+?[0-9*# ()/-]+$" patternDescription:"digits, spaces and the signs + * # ( ) / -"`
	MobileQuickdial string `json:"mobileQuickdial" title:"Mobile quick dial" doc:"Short number that dials the mobile number" maxLength:"6" pattern:"^[0-9]+$" patternDescription:"digits"`
	Home            string `json:"home" title:"Home" doc:"Private number" maxLength:"32" pattern:"^\\+?[0-9*# ()/-]+$" patternDescription:"digits, spaces and the signs + * # ( ) / -"`
	HomeQuickdial   string `json:"homeQuickdial" title:"Home quick dial" doc:"Short number that dials the private number" maxLength:"6" pattern:"^[0-9]+$" patternDescription:"digits"`
}

// Limits of the directories.
const (
	MaxGlobalContacts  = 20_000
	MaxPrivateContacts = 1_000 // of one user
)

// ValidateContact checks one contact against the rules of its parameters. It
// returns nil or a *ValidationError whose paths are those of the contact.
func ValidateContact(c *ContactSettings) error {
	errs := checkTags("", reflect.ValueOf(c).Elem())
	if Bare(c.FirstName+c.LastName+c.Company) == "" {
		errs = append(errs, refused("lastName", "is needed: give a first name, a last name or a company"))
	}
	if len(errs) == 0 {
		return nil
	}
	return &ValidationError{errs}
}

// ContactQuery asks for a part of a directory.
type ContactQuery struct {
	Owner  string // ID of the user whose private directory it is; "" for the global one
	Name   string // beginning of first or last name, without regard to case (F105)
	Number string // beginning of the office, mobile or private number; spaces and signs do not count
	Letter string // first letter of first or last name (F043)
	Sort   string // JSON name of the column
	Down   bool   // descending
	Offset int
	Limit  int // 1 to 1000; 0 for all
}

// ContactPage is a part of a directory.
type ContactPage struct {
	Total    int // that match
	Contacts []Contact
}
