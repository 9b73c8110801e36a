package sipedge

import (
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
)

// showAfter is how long a phone without UPDATE waits until it is told who is on
// the other side: what the call offers it meanwhile says it, too.
const showAfter = time.Second

// Shows implements call.Leg: who is on the other side stands in our answers to
// their INVITEs, or goes to a connected phone by UPDATE when it serves that, else
// by a re-INVITE (RFC 3325 section 9.1, RFC 5876 section 3), and to those who
// watch the phone. A phone that has not said what it serves is left alone.
func (l *leg) Shows(p call.Party) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.other == p && l.state == legUp {
		return
	}
	if l.line != nil { // whom somebody talks with in the house is nothing for the provider
		l.other = p
		return
	}
	l.other, l.named = p, true
	l.watchedLocked()
	switch l.unshown = false; {
	case l.state != legUp:
	case l.servesLocked(sip.UPDATE) && l.clientTx == nil:
		err := l.refreshByUpdateLocked(l.assertedLocked()) // a phone that refuses it shows whom it showed
		if err != nil {
			l.log.Info("UPDATE of the other side not sent", "err", err)
		}
	case l.servesLocked(sip.INVITE):
		l.unshown = true
		time.AfterFunc(showAfter, l.show)
	}
}

// show tells a phone who is on the other side by a re-INVITE that changes
// nothing, as soon as nothing else is under way. One that holds the call is not
// disturbed: our answer to what ends the hold tells it.
func (l *leg) show() {
	l.locked(func() func() {
		switch {
		case l.state != legUp || !l.unshown || l.held || l.sent == nil:
		case l.clientTx != nil || l.serverTx != nil || l.acked != nil || l.bareACK:
			time.AfterFunc(showAfter, l.show)
		default:
			if err := l.reinviteLocked(l.sent, true); err != nil {
				l.log.Info("re-INVITE of the other side not sent", "err", err)
			}
		}
		return nil
	})
}

// assertedLocked names who is on the other side; nobody of one who is hidden (RFC
// 3323 section 4.1.1.3), so that the phone does not go on showing who was there
// before.
func (l *leg) assertedLocked() sip.Header {
	if l.other.Number == "" {
		return sip.NewHeader("P-Asserted-Identity", `"Anonymous" <sip:anonymous@anonymous.invalid>`)
	}
	uri := "sip:" + escapeUser(l.other.Number) + "@" + bracketed(l.selfOver(l.flow).Addr().String())
	return sip.NewHeader("P-Asserted-Identity", fmt.Sprintf(`"%s" <%s>`, quoted(l.other.Name), uri))
}
