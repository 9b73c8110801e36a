package sipedge

import (
	"fmt"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
)

// callerShown is the From of a call to a phone. A caller who hides the number
// is anonymous (RFC 3323 section 4.1.1.3), save for the name that a hunt group
// puts before it.
func callerShown(p call.Party, host string) sip.FromHeader {
	if p.Number != "" {
		return sip.FromHeader{DisplayName: quoted(p.Name), Address: sip.Uri{Scheme: "sip", User: p.Number, Host: host}}
	}
	name := p.Name
	if name == "" {
		name = "Anonymous"
	}
	return sip.FromHeader{DisplayName: quoted(name), Address: sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}}
}

// toldOf returns the header fields that tell a phone how to ring and who has
// sent the call on.
func toldOf(d call.Dial, host string) (list []sip.Header) {
	add := func(name, value string) { list = append(list, sip.NewHeader(name, value)) }
	if d.Caller.Number == "" {
		add("Privacy", "id") // RFC 3325 section 9.3
	}
	switch {
	case d.AutoAnswer:
		add("Answer-Mode", "Auto") // RFC 5373 section 4.1; the others are what phones had before it
		add("Call-Info", fmt.Sprintf("<sip:%s>;answer-after=0", host))
		add("Alert-Info", fmt.Sprintf("<http://%s>;info=alert-autoanswer", host))
	case d.DoorStation:
		add("Alert-Info", fmt.Sprintf("<http://%s>;info=alert-door", host)) // RFC 3261 section 20.4; the phone is set to the tone for this word
	}
	for i := len(d.Diversions) - 1; i >= 0; i-- { // the last one first (RFC 5806 section 4)
		x := d.Diversions[i]
		add("Diversion", fmt.Sprintf("\"%s\" <sip:%s@%s>;reason=%s;counter=1", quoted(x.Name), x.Extension, host, x.Reason))
	}
	return list
}
