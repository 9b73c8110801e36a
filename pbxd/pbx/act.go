package pbx

// ActKind is how long an entry of the audit log is worth keeping: each kind has
// room of its own, so that what a user may do all day does not push out what
// others must be able to look up.
type ActKind int

const (
	ActDecisive ActKind = iota // changes of rights, PINs and settings, looks at secrets, and all that is not named elsewhere
	ActLogin                   // logins and their ends
	ActFailure                 // what anybody can cause without a PIN
	ActOwn                     // contacts, pictures and own data
)

// ActsOf returns the actions of the audit log that are of a kind. Of
// ActDecisive there is no list: it has all the others.
func ActsOf(k ActKind) []string {
	switch k {
	case ActLogin:
		return []string{"login", "logout", "impersonate-end", "phone-login", "phone-logout"}
	case ActFailure:
		return []string{"login-failed", "change-pin-failed", "phone-login-failed"}
	case ActOwn:
		list := []string{"change-profile", "change-own-calls", "send-text", "delete-own-text", "set-own-image", "delete-own-image", "delete-own-call", "delete-own-calls"}
		for _, one := range []string{"contact", "private-contact"} {
			list = append(list, "add-"+one, "change-"+one, "delete-"+one, "set-"+one+"-image", "delete-"+one+"-image",
				"delete-all-"+one+"s", "import-"+one+"s", "export-"+one+"s")
		}
		return list
	}
	return nil
}

// OwnChange begins the comments of revisions in which users change what is
// their own. So many of them are kept that they push no others out.
const OwnChange = "Own "

// PicturesOfUsers is the owner of pictures that users show, where others have
// the ID of a user for a private directory and "" for the global one.
const PicturesOfUsers = "*"
