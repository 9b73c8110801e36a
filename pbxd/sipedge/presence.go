package sipedge

import "fmt"

// presenceType is the document of RFC 3863 in which phones read presence.
const presenceType = "application/pidf+xml"

// presenceInfo writes whether an extension has a phone at all, and whether it is
// in a call, for those who watch its presence (RFC 3856). That is what tells a
// lamp that is dark since nobody calls from one whose phone is gone: a dialog
// document (RFC 4235) has no word for the latter, and what phones make of a
// guess differs, so that it says the same of both, no call.
func presenceInfo(entity string, registered bool, calls []dialogState) []byte {
	basic, person := "closed", ""
	if registered {
		basic = "open"
	}
	if registered && len(calls) > 0 {
		note := "Ringing"
		for _, c := range calls {
			if c.state == "confirmed" || c.direction == "initiator" {
				note = "On the phone"
			}
		}
		person = `<dm:person id="p1"><rpid:activities><rpid:on-the-phone/></rpid:activities><dm:note>` + note + `</dm:note></dm:person>`
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="%s">`+
		`<tuple id="t1"><status><basic>%s</basic></status></tuple>%s</presence>
`, escaped(entity), basic, person)
}
