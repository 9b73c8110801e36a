package sipedge

import (
	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// schemeServed reports whether the scheme of the Request-URI is served. SIPS
// asks for TLS as far as us, and beyond for what we see fit (RFC 3261 section
// 26.2.2). RFC 5630 section 3.1.3 would have every other phone reached by TLS,
// too; phones that write SIPS by default could then call nobody else.
func schemeServed(tx *transaction.Server, req *sip.Request) bool {
	switch req.Recipient.Scheme {
	case "sip":
		return true
	case "sips":
		return tx.Flow().Network == "tls"
	}
	return false
}

// contactServed reports whether a Contact that came over a flow can be the target
// of a dialog.
func contactServed(c *sip.ContactHeader, f transport.Flow) bool {
	return c != nil && (c.Address.Scheme == "sip" || c.Address.Scheme == "sips" && f.Network == "tls")
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
