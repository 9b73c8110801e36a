package pbxd

import (
	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

// dial rings the phones of an extension and, when one answers, dials a number
// from there with the rights of its user. It returns the ID of the call, and
// false when no call can begin now.
func (p *PBX) dial(u *pbx.User, number string) (id string, ok bool) {
	shown := call.Party{Number: number}
	if other := p.config().UserByExtension(number); other != nil {
		shown.Name = other.DisplayName()
	}
	id, err := p.engine.Originate(call.Origination{Extension: u.Extension, Caller: shown, Digits: number})
	return id, err == nil
}
