package csvtable

import "galilei/pbxd/pbx"

// UserRow is one row of the user list (F074). Which values the system accepts
// beyond what is said here is for pbx.Validate to say.
type UserRow struct {
	User              string     `json:"user" csv:"User|User name|Login|Benutzer|Benutzername" required:"true" unique:"true"`
	Extension         string     `json:"extension" csv:"Extension|Durchwahl|Nebenstelle" kind:"number" required:"true" unique:"true"`
	FirstName         string     `json:"firstName" csv:"First name|Vorname"`
	LastName          string     `json:"lastName" csv:"Last name|Surname|Nachname"`
	PIN               pbx.Secret `json:"pin" csv:"PIN" required:"true"`                                                      // by the rules of pbx.CheckPIN; always empty when written
	VoicemailBoxes    []string   `json:"voicemailBoxes" csv:"Voicemail box|Voicemail|Mailbox"`                               // empty: the own extension
	Email             string     `json:"email" csv:"E-mail|E-mail address|Mail"`                                             // "Email" is the same name
	Language          string     `json:"language" csv:"Language|Sprache" kind:"language"`                                    // "en", "de" or ""
	CLIPInternal      []string   `json:"clipInternal" csv:"CLIP internal|CLIP intern"`                                       // numbers
	CLIPExternal      []string   `json:"clipExternal" csv:"CLIP external|CLIP extern"`                                       // numbers
	HideFromPhonebook bool       `json:"hideFromPhonebook" csv:"Hide from phonebook"`                                        // yes or no; empty is no
	DropToOperator    bool       `json:"dropToOperator" csv:"Drop to operator"`                                              // yes or no; empty is no
	OperatorExtension string     `json:"operatorExtension" csv:"Operator extension" kind:"number"`                           // number that unanswered calls go to
	PickupGroups      []string   `json:"pickupGroups" csv:"Call pick up group|Call pickup group|Pickup group" kind:"groups"` // numbers or names
	HuntGroups        []string   `json:"huntGroups" csv:"Collective line|Hunt group" kind:"groups"`                          // extensions or names
	Location          string     `json:"location" csv:"Location|Place|Standort"`                                             // where the phone stands
}

// Users returns the table of users: 15 columns (T1), of which User, Extension
// and PIN must be there and filled (T4). A file whose header names it may have the
// location, too.
func Users() *Table[UserRow] {
	return newTable[UserRow]([]string{"user", "extension", "firstName", "lastName", "pin", "voicemailBoxes", "email", "language",
		"clipInternal", "clipExternal", "hideFromPhonebook", "dropToOperator", "operatorExtension", "pickupGroups", "huntGroups"})
}

// UserColumnsWithLocation returns the columns of the list and the location, for a
// file with a header.
func UserColumnsWithLocation() []Column {
	t := Users()
	return append(t.Columns(), t.named("location").Column)
}

// UserRowOf returns the row of a user who is in the given groups, without PIN.
func UserRowOf(s pbx.UserSettings, pickupGroups, huntGroups []string) UserRow {
	return UserRow{
		User: s.Name, Extension: s.Extension, FirstName: s.FirstName, LastName: s.LastName,
		VoicemailBoxes: s.VoicemailBoxes, Email: s.Email, Language: s.Language,
		CLIPInternal: s.CLIPInternal, CLIPExternal: s.CLIPExternal,
		HideFromPhonebook: s.HideFromPhonebook, DropToOperator: s.DropToOperator, OperatorExtension: s.OperatorExtension,
		PickupGroups: pickupGroups, HuntGroups: huntGroups, Location: s.Location,
	}
}

// Settings returns the parameters of the user that the row describes; those
// that the file does not have are empty. PIN and groups are kept elsewhere.
func (r UserRow) Settings() pbx.UserSettings {
	list := func(l []string) []string { return append([]string{}, l...) } // lists of the configuration are never nil
	return pbx.UserSettings{
		Name: r.User, Extension: r.Extension, FirstName: r.FirstName, LastName: r.LastName,
		VoicemailBoxes: list(r.VoicemailBoxes), Email: r.Email, Language: r.Language,
		CLIPInternal: list(r.CLIPInternal), CLIPExternal: list(r.CLIPExternal),
		HideFromPhonebook: r.HideFromPhonebook, DropToOperator: r.DropToOperator, OperatorExtension: r.OperatorExtension,
		Location: r.Location,
	}
}
