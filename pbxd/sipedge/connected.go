package sipedge

import (
	"fmt"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
)

// Shows implements call.Leg: who is on the other side stands in our answer to
// their INVITE, or goes to a connected phone by UPDATE when it serves that (RFC
// 3325 section 9.1, RFC 5876 section 3), and to those who watch the phone.
func (l *leg) Shows(p call.Party) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.other == p && l.state == legUp {
		return
	}
	l.other, l.named = p, true
	l.watchedLocked()
	if l.state != legUp || p.Number == "" || !l.servesLocked(sip.UPDATE) || l.clientTx != nil {
		return
	}
	err := l.refreshByUpdateLocked(l.assertedLocked()) // a phone that refuses it shows whom it showed
	if err != nil {
		l.log.Info("UPDATE of the other side not sent", "err", err)
	}
}

// assertedLocked names who is on the other side.
func (l *leg) assertedLocked() sip.Header {
	uri := "sip:" + escapeUser(l.other.Number) + "@" + bracketed(l.selfOver(l.flow).Addr().String())
	return sip.NewHeader("P-Asserted-Identity", fmt.Sprintf(`"%s" <%s>`, quoted(l.other.Name), uri))
}
