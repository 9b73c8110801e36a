package pbxd

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Health returns nil when calls can be made: the store takes a row, the SIP
// port answers, RTP ports are left. What keeps no call from being made but must
// be looked after is one of the alarms ErrMemory, ErrReadOnly,
// ErrFellBack and ErrRecordsLost.
func (p *PBX) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := p.store.Check(ctx); err != nil {
		return err
	}
	if err := p.callHealth(ctx); err != nil {
		return err
	}
	switch {
	case p.deps.Memory:
		return ErrMemory
	case p.copied != nil:
		return ErrReadOnly
	case p.store.FellBack() != 0:
		return ErrFellBack
	case p.store.RecordsLost() != 0:
		return ErrRecordsLost
	}
	return nil
}

// alarm says what is wrong, though calls are carried, and what to do next.
type alarm string

func (a alarm) Error() string { return string(a) }

// Alarm returns the words for administrators.
func (a alarm) Alarm() string { return string(a) }

// callHealth is Health without the store.
func (p *PBX) callHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := p.edge.Ping(ctx, p.sipAddr); err != nil {
		return fmt.Errorf("SIP: %w", err)
	}
	if err := p.ports.Check(); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	return nil
}

// aliveInterval is how often the PBX says that it does not hang.
const aliveInterval = 5 * time.Second

// stuckTime is how long one SIP message may take to handle. It takes less than
// a millisecond unless something is locked up.
const stuckTime = 10 * time.Second

// storeInterval is how often the disk is tried: rarely, since that writes.
const storeInterval = time.Minute

// sayAlive gives signs of life until ctx ends. A PBX that has locked itself up
// falls silent: each sign takes the locks that calls and phones need, and none
// is given while a SIP message or the disk is stuck.
func (p *PBX) sayAlive(ctx context.Context) {
	tick := time.NewTicker(aliveInterval)
	defer tick.Stop()
	checked := make(chan struct{}, 1)
	checked <- struct{}{}
	var begun time.Time
	for {
		p.Counts()
		p.store.Current()
		select {
		case <-checked: // the store has answered, well or not
			if time.Since(begun) >= storeInterval {
				begun = time.Now()
				go func() {
					_ = p.store.Check(ctx) // an error is an answer, and health's to tell
					checked <- struct{}{}
				}()
			} else {
				checked <- struct{}{}
			}
		default:
		}
		if waiting := len(checked) == 0 && time.Since(begun) > stuckTime; waiting {
			p.deps.Log.Error("the disk does not answer", "for", time.Since(begun))
		} else if stuck := max(p.edge.Stuck(), p.lines.stuck()); stuck > stuckTime {
			p.deps.Log.Error("a SIP message is stuck", "for", stuck)
		} else if err := p.deps.Host.Alive(ctx); err != nil && !errors.Is(err, ErrNotHere) && ctx.Err() == nil {
			p.deps.Log.Warn("sign of life not given", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
