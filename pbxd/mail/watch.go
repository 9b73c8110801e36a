package mail

import (
	"context"
	"sync"
	"time"
)

// settle is how long the mail that is under way when the settings change has
// to come through: one that the server has but not confirmed goes out twice.
const settle = 5 * time.Second

// watch ends the round when its settings are no longer those in force. Without
// it, a server that hangs would keep the mended settings waiting for as long
// as a step may take. stop ends the watch.
func (d *delivery) watch(ctx context.Context) (stop func()) {
	o := d.outbox
	sending, cancel := context.WithCancel(ctx)
	d.sending = sending
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(poll)
		defer ticker.Stop()
		for !o.changed(sending, d.settings, o.deps.Config().Mail) {
			select {
			case <-sending.Done():
				return
			case <-o.look:
			case <-ticker.C:
			}
		}
		d.stale.Store(true)
		select {
		case <-sending.Done():
		case <-time.After(settle):
			cancel()
		}
	})
	return func() { cancel(); watching.Wait() }
}
