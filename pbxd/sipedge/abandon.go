package sipedge

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// cancelled: they gave up the INVITE of tx (RFC 3261 section 9.2). Why they did
// is for those who ring, too (RFC 3326 section 2).
func (l *leg) cancelled(tx *transaction.Server, cancel *sip.Request) {
	l.locked(func() func() {
		if l.serverTx != tx {
			return nil // too late: it has its answer
		}
		if l.state == legIncoming {
			return func() { l.finish(causeOf(cancel, pbx.CauseNormalClearing)) }
		}
		l.answerLocked(487, nil)
		l.pending = nil
		return nil
	})
}

// expiresLocked has their INVITE end when it says that it does (RFC 3261 section
// 13.3.1).
func (l *leg) expiresLocked(req *sip.Request) {
	s, err := strconv.ParseUint(strings.TrimSpace(headerValue(req, "expires")), 10, 31)
	if err != nil {
		return
	}
	l.expiry = time.AfterFunc(time.Duration(s)*time.Second, func() { l.abandoned(pbx.CauseNormalClearing) })
}

// abandoned: the caller waits for the answer no longer.
func (l *leg) abandoned(cause pbx.Cause) {
	l.mu.Lock()
	waits := l.state == legIncoming
	l.mu.Unlock()
	if waits {
		l.finish(cause)
	}
}

// disconnected: the connection of f has ended. A caller without an answer has
// lost the call with it (RFC 3261 section 17.1.4); one who talks is asked soon,
// unless it goes on speaking.
func (l *leg) disconnected(f transport.Flow) {
	l.mu.Lock()
	caller := l.state == legIncoming && l.serverTx != nil && l.serverTx.Flow().Same(f)
	if l.state == legUp && l.flow.Same(f) {
		l.probe.Reset(comeBack)
	}
	l.mu.Unlock()
	if caller {
		l.abandoned(pbx.CauseNetworkOutOfOrder)
	}
}
