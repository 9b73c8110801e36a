package pbx

import "strings"

// User is one login and, when Extension is set, one extension.
type User struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	UserSettings
	Calls         UserCalls `json:"callSettings,omitzero" title:"Call settings" doc:"Call forwarding and what else the user sets for the own calls"`
	Image         string    `json:"image,omitempty" title:"Image" doc:"Picture that is shown when the user calls" maxLength:"64" pattern:"^[0-9a-f]{64}$" patternDescription:"the hash of a picture"`
	Admin         bool      `json:"admin,omitempty" title:"Administrator" doc:"May administer the device; member of the group Admins"`
	PIN           PINHash   `json:"pinHash,omitempty"`
	MustChangePIN bool      `json:"mustChangePin,omitempty"`
	SIPPassword   Sealed    `json:"sipPasswordSealed,omitempty"`
}

// UserSettings are the parameters of a user that an administrator edits.
type UserSettings struct {
	Name      string `json:"user" title:"User" doc:"Login name: 2 to 50 lowercase letters, digits, '-' or '_'. It must be unique." minLength:"2" maxLength:"50" pattern:"^[a-z0-9_-]+$" patternDescription:"lowercase letters, digits, '-' and '_'"`
	Extension string `json:"extension" title:"Extension" doc:"Internal number of the phone: 2 to 10 digits. It must be unique. It is also the phone's SIP user name." minLength:"2" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits" claims:"user"`
	FirstName string `json:"firstName" title:"First name" doc:"First name" maxLength:"50"`
	LastName  string `json:"lastName" title:"Last name" doc:"Last name" maxLength:"50"`
	Email     string `json:"email" title:"E-mail" doc:"Address for voice messages, faxes and messages of the device" maxLength:"254" format:"email"`
	Language  string `json:"language" title:"Language" doc:"Language of this page, of announcements and of the phone. Empty: that of the device." enum:",en,de"`
	Mobile    string `json:"mobile" title:"Mobile" doc:"Mobile number, shown in the internal directory" maxLength:"32" pattern:"^\\+?[0-9*#]+$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	Home      string `json:"home" title:"Home" doc:"Private number, shown in the internal directory" maxLength:"32" pattern:"^\\+?[0-9*#]+$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	Location  string `json:"location" title:"Location" doc:"Where the phone stands: building, floor, room. Administrators are told it when an emergency number is called from there." maxLength:"100"`

	VoicemailBoxes    []string `json:"voicemailBoxes" title:"Voicemail box" doc:"Numbers of the voicemail boxes that the user hears. Empty: the own extension." maxItems:"20" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits"`
	CLIPInternal      []string `json:"clipInternal" title:"CLIP internal" doc:"Extensions that the user may show on internal calls" maxItems:"100" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits"`
	CLIPExternal      []string `json:"clipExternal" title:"CLIP external" doc:"Numbers that the user may show on outgoing calls. It must be possible to call them." maxItems:"100" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	HideFromPhonebook bool     `json:"hideFromPhonebook" title:"Hide from phonebook" doc:"The user does not appear in the internal directory"`
	DropToOperator    bool     `json:"dropToOperator" title:"Drop to operator" doc:"Calls that are not answered go to the operator extension"`
	OperatorExtension string   `json:"operatorExtension" title:"Operator extension" doc:"Number that unanswered calls go to" maxLength:"32" pattern:"^[0-9]+$" patternDescription:"digits"`
	ProvisioningGroup string   `json:"provisioningGroup" title:"Provisioning group" doc:"Settings that the user's phones are given" maxLength:"26" ref:"provisioningGroups"`
}

// DisplayName returns the name that is shown on phones: "First Last", or the
// login name when neither is set.
func (u *UserSettings) DisplayName() string {
	n := strings.TrimSpace(u.FirstName + " " + u.LastName)
	if n == "" {
		return u.Name
	}
	return n
}

// Boxes returns the numbers of the user's voicemail boxes (F061).
func (u *UserSettings) Boxes() []string {
	if len(u.VoicemailBoxes) == 0 && u.Extension != "" {
		return []string{u.Extension}
	}
	return u.VoicemailBoxes
}
