package sipedge

import (
	"time"

	"galilei/pbxd/sipedge/transaction"
)

// SetMinSession lets a test wait for session timers.
func (e *Edge) SetMinSession(d time.Duration) { e.minSession = d }

// SetFellSilent lets a test wait for the question whether a phone is there.
func (e *Edge) SetFellSilent(d time.Duration) { e.fellSilent = d }

// SetLostPause lets a test wait for what a phone is told again.
func (e *Edge) SetLostPause(d time.Duration) { e.notifier.lostPause = d }

// ShowAfter is how long a phone without UPDATE waits to be told whom it talks with.
const ShowAfter = showAfter

// LoseNotify has every subscription learn that nobody answers its NOTIFY, as it
// would after 32 s.
func (e *Edge) LoseNotify() {
	for _, s := range e.notifier.where(func(*subscription) bool { return true }) {
		for sending := true; sending; time.Sleep(time.Millisecond) {
			s.mu.Lock()
			sending = s.sending
			s.mu.Unlock()
		}
		s.notified(nil, transaction.ErrTimeout, false)
	}
}

// Hurry has the lines of a trunk try again after a time, later ones after up to most
// of it, and take a second of the provider for one of theirs.
func (t *Trunk) Hurry(again, most, second time.Duration) {
	t.pace = pace{refused: again, mostRefused: most, failed: again, mostFailed: most, down: again, answer: 4 * time.Second, second: second}
}

// Look has a gateway look at once whether its provider is there.
func (t *Trunk) Look(gateway string) { t.line(gateway).look() }

// SetMinSession lets a test wait for session timers of calls over the trunk.
func (t *Trunk) SetMinSession(d time.Duration) { t.edge.SetMinSession(d) }

// Patient has lines try registrations without an answer again after an hour.
func (t *Trunk) Patient() { t.pace.failed, t.pace.mostFailed = time.Hour, time.Hour }

// Pause is the pause after n failures in a row.
func Pause(first time.Duration, n int, most time.Duration) time.Duration {
	return doubled(first, n, most)
}

// Silence has servers of providers have so long for an answer, and lines try again
// at once.
func (t *Trunk) Silence(d time.Duration) {
	t.Hurry(5*time.Millisecond, 20*time.Millisecond, time.Second)
	t.pace.answer = d
}

// Answer is how long servers of providers have for an answer.
func (t *Trunk) Answer(d time.Duration) { t.pace.answer = d }
