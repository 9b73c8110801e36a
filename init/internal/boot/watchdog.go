package boot

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Watchdog is an armed hardware watchdog: it resets the device unless it is
// fed in time.
type Watchdog struct {
	f       *os.File
	timeout time.Duration
}

// ArmWatchdog opens the watchdog at path, which starts it, and sets its
// timeout, in whole seconds. The hardware may choose a near value; Timeout
// tells it.
func ArmWatchdog(path string, timeout time.Duration) (*Watchdog, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("arm watchdog: %w", err)
	}
	w := &Watchdog{f: f}
	// WDIOC_SETTIMEOUT takes and returns seconds
	// (Documentation/watchdog/watchdog-api.rst).
	fd := int(f.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.WDIOC_SETTIMEOUT, int(timeout/time.Second)); err != nil {
		return w, fmt.Errorf("set watchdog to %v: %w", timeout, err) // armed all the same: it must be fed
	}
	s, err := unix.IoctlGetInt(fd, unix.WDIOC_GETTIMEOUT)
	if err != nil {
		return w, fmt.Errorf("read watchdog timeout: %w", err)
	}
	w.timeout = time.Duration(s) * time.Second
	return w, nil
}

// Timeout returns the time within which the watchdog must be fed, 0 when it
// is unknown.
func (w *Watchdog) Timeout() time.Duration { return w.timeout }

// Feed feeds the watchdog until ctx ends, as long as healthy says that all is
// well; starving is told when that stops being so and when it is so again.
// The watchdog stays armed after ctx has ended.
func (w *Watchdog) Feed(ctx context.Context, healthy func() bool, starving func(bool)) error {
	return feed(ctx, w.timeout, w.f, healthy, starving)
}

func feed(ctx context.Context, timeout time.Duration, dev interface{ Write([]byte) (int, error) }, healthy func() bool, starving func(bool)) error {
	every := timeout / 6 // five late ticks in a row still feed in time
	if every <= 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	starved := false
	for {
		if ok := healthy(); ok == starved {
			starved = !ok
			starving(starved)
		}
		if !starved {
			// Any byte but 'V', which would disarm it.
			if _, err := dev.Write([]byte{0}); err != nil {
				return fmt.Errorf("feed watchdog: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
