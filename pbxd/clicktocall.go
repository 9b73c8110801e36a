package pbxd

import (
	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

// dial rings the phones of an extension and, when one answers, dials a number
// from there with the rights of its user. It returns the ID of the call, or why
// there is none, as call.Engine.Fetch does.
func (p *PBX) dial(u *pbx.User, number string) (id string, refused pbx.Cause) {
	shown := call.Party{Number: number}
	if other := p.config().UserByExtension(number); other != nil {
		shown.Name = other.DisplayName()
	}
	return p.engine.Fetch(call.Origination{Extension: u.Extension, Caller: shown, Digits: number})
}
