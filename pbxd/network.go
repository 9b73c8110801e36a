package pbxd

import (
	"context"
	"errors"
	"time"

	"galilei/pbxd/pbx"
)

// followNetwork applies the network settings now and after each change.
func (p *PBX) followNetwork(ctx context.Context) {
	for {
		p.applyNetwork(ctx, p.config().Network)
		select {
		case <-p.network:
		case <-ctx.Done():
			return
		}
	}
}

func (p *PBX) applyNetwork(ctx context.Context, n pbx.Network) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	switch err := p.deps.Host.ApplyNetwork(ctx, n); {
	case errors.Is(err, ErrNotHere):
	case err != nil:
		p.deps.Log.Error("network settings not applied", "err", err)
	default:
		p.edge.AddressChanged()
		p.lines.addressChanged()
	}
}
