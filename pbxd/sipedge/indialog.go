package sipedge

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// request takes a request within the dialog (RFC 3261 section 12.2.2).
func (l *leg) request(tx *transaction.Server, req *sip.Request) {
	if status, reason := l.admit(tx, req); status != 0 {
		l.edge.reply(tx, req, status, reason)
		return
	}
	switch req.Method {
	case sip.BYE:
		l.edge.reply(tx, req, 200, "OK")
		l.finish(causeOf(req, pbx.CauseNormalClearing))
	case sip.INVITE:
		l.reinvite(tx, req)
	case sip.PRACK:
		l.prack(tx, req)
	case sip.REFER:
		l.refer(tx, req)
	case sip.SUBSCRIBE:
		l.subscribeTransfer(tx, req)
	case sip.INFO:
		l.info(tx, req)
	case sip.NOTIFY:
		l.edge.reply(tx, req, 481, "Subscription Does Not Exist")
	case sip.UPDATE:
		l.update(tx, req)
	case sip.OPTIONS:
		l.edge.reply(tx, req, 200, "OK")
	default:
		l.edge.send(tx, l.edge.notAllowed(req))
	}
}

// admit checks dialog and order of a request within the dialog, and follows a
// phone that has changed its address.
func (l *leg) admit(tx *transaction.Server, req *sip.Request) (status int, reason string) {
	from, _ := req.From().Params.Get("tag")
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.state == legEnded, l.remoteTag != "" && from != l.remoteTag:
		return 481, "Call/Transaction Does Not Exist"
	case l.tlsOnly && tx.Flow().Network != "tls":
		return 403, "Encrypted Audio Needs TLS"
	case req.CSeq().SeqNo <= l.remoteCSeq && l.remoteCSeq != 0:
		return 500, "Out Of Order"
	}
	l.remoteCSeq = req.CSeq().SeqNo
	l.flow, l.seenAt = tx.Flow(), time.Now()
	return 0, ""
}
