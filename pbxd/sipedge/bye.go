package sipedge

import (
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// byeLocked sends the BYE; the leg is finished with its answer. When the
// connection turns out to be dead the BYE goes once more, over another one: the
// phone may have come back there (RFC 3261 section 18.4).
func (l *leg) byeLocked(cause pbx.Cause) {
	if l.line != nil {
		time.AfterFunc(byeTime, l.vacate)
	}
	l.byeOverLocked(cause, true)
}

// byeTime is for how long a call over a line counts whose BYE is not answered: the
// provider is gone, or has long let go of it.
const byeTime = 4 * time.Second

func (l *leg) byeOverLocked(cause pbx.Cause, again bool) {
	req := l.requestLocked(sip.BYE)
	req.AppendHeader(reasonHeader(cause))
	req.SetBody(nil)
	l.state = legEnding
	flow, err := l.wayLocked()
	if err == nil {
		l.via(req, flow)
		_, err = l.askLocked(req, flow, func(res *sip.Response, err error, _ uint32) {
			switch {
			case err != nil && again && errors.Is(err, transaction.ErrTransport):
				l.locked(func() func() {
					if l.state == legEnding {
						l.byeOverLocked(cause, false)
					}
					return nil
				})
			case err != nil || res.StatusCode >= 200:
				l.finish(cause)
			}
		})
	}
	switch {
	case err != nil && again && errors.Is(err, transaction.ErrTransport):
		l.byeOverLocked(cause, false)
	case err != nil:
		l.log.Info("BYE not sent", "err", err)
		go l.finish(cause) // not under the lock that the caller holds
	}
}
