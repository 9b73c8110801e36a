package sipedge

import (
	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// schemeServed reports whether the scheme of the Request-URI is served. SIPS
// promises TLS all the way (RFC 5630 section 3): without TLS it cannot be kept,
// and a new call must not be promised it, since the other phone may have none.
func schemeServed(tx *transaction.Server, req *sip.Request) bool {
	switch req.Recipient.Scheme {
	case "sip":
		return true
	case "sips":
		tag, _ := req.To().Params.Get("tag")
		return tx.Flow().Network == "tls" && (req.Method != sip.INVITE || tag != "")
	}
	return false
}

// notAllowed refuses a method that is not served.
func (e *Edge) notAllowed(req *sip.Request) *sip.Response {
	switch req.Method {
	case sip.PUBLISH:
		return e.response(req, 405, "Method Not Allowed")
	default:
		return e.response(req, 501, "Not Implemented")
	}
}

// nobody stands for users that do not exist, so that the work is the same. It
// has an ID, since all have one.
func nobody(key pbx.DeviceKey) (u pbx.User) {
	u.ID = pbx.NewID()
	u.SIPPassword = key.Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
	return u
}
