package pbxd

import (
	"context"
	"time"

	"galilei/pbxd/pbx"
)

// quickDialTime is how long a call waits for the contacts.
const quickDialTime = time.Second

// quickDial looks up the number of a quick dial for a call.
func (p *PBX) quickDial(user, quickdial string) *pbx.QuickDial {
	ctx, cancel := context.WithTimeout(context.Background(), quickDialTime)
	defer cancel()
	found, err := p.store.QuickDial(ctx, user, quickdial)
	if err != nil {
		p.deps.Log.Error("quick dial not found", "err", err)
	}
	return found
}
