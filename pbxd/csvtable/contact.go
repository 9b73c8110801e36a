package csvtable

import "galilei/pbxd/pbx"

// ContactRow is one contact of a directory (F104). Its rules are those of
// pbx.ValidateContact.
type ContactRow struct {
	FirstName       string `json:"firstName" csv:"First name|Vorname"`
	LastName        string `json:"lastName" csv:"Last name|Surname|Nachname"`
	Company         string `json:"company" csv:"Company|Firma"`
	Office          string `json:"office" csv:"Office|Work" kind:"number"`
	OfficeQuickdial string `json:"officeQuickdial" csv:"Office-Quickdial|Work-Quickdial" kind:"number"`
	Mobile          string `json:"mobile" csv:"Mobile|Mobil" kind:"number"`
	MobileQuickdial string `json:"mobileQuickdial" csv:"Mobile-Quickdial" kind:"number"`
	Home            string `json:"home" csv:"Home|Personal|Private|Privat" kind:"number"`
	HomeQuickdial   string `json:"homeQuickdial" csv:"Home-Quickdial|Personal-Quickdial|Private-Quickdial" kind:"number"`
	Email           string `json:"email" csv:"E-mail|E-mail address|Mail"`
}

// Contacts returns the table of contacts. Without a header it takes rows of
// ten fields (p34) and of six (p33). It knows the three headers of the manual:
// those two, and that of the example on p34 with Personal for Home (T2).
func Contacts() *Table[ContactRow] {
	t := newTable[ContactRow]([]string{"firstName", "lastName", "company", "office", "officeQuickdial", "mobile", "mobileQuickdial",
		"home", "homeQuickdial", "email"})
	t.layouts = append(t.layouts, ContactColumnsShort())
	return t
}

// ContactColumnsShort returns the six columns of the manual's export (p33):
// First name,Last name,Company,Work,Mobile,Home.
func ContactColumnsShort() []Column {
	return []Column{
		{"firstName", "First name"}, {"lastName", "Last name"}, {"company", "Company"},
		{"office", "Work"}, {"mobile", "Mobile"}, {"home", "Home"},
	}
}

// ContactRowOf returns the row of a contact.
func ContactRowOf(s pbx.ContactSettings) ContactRow {
	return ContactRow{
		FirstName: s.FirstName, LastName: s.LastName, Company: s.Company,
		Office: s.Office, OfficeQuickdial: s.OfficeQuickdial,
		Mobile: s.Mobile, MobileQuickdial: s.MobileQuickdial,
		Home: s.Home, HomeQuickdial: s.HomeQuickdial, Email: s.Email,
	}
}

// Settings returns the contact that the row describes.
func (r ContactRow) Settings() pbx.ContactSettings {
	return pbx.ContactSettings{
		FirstName: r.FirstName, LastName: r.LastName, Company: r.Company,
		Office: r.Office, OfficeQuickdial: r.OfficeQuickdial,
		Mobile: r.Mobile, MobileQuickdial: r.MobileQuickdial,
		Home: r.Home, HomeQuickdial: r.HomeQuickdial, Email: r.Email,
	}
}
