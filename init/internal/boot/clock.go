package boot

import (
	"time"

	"golang.org/x/sys/unix"
)

// SinceKernelStart returns the time since the kernel started, time asleep
// included (CLOCK_BOOTTIME). It needs no mount and no set clock.
func SinceKernelStart() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // every kernel since 2.6.39 has this clock
	}
	return time.Duration(ts.Nano())
}
