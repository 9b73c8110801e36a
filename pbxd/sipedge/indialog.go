package sipedge

import (
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// request takes a request within the dialog (RFC 3261 section 12.2.2).
func (l *leg) request(tx *transaction.Server, req *sip.Request) {
	l.mu.Lock()
	known, extension, unknown := l.knownLocked(tx.Flow()), l.phone.extension, l.unknown.IsValid()
	l.mu.Unlock()
	if l.line != nil {
		if !known || !l.line.serves(req.Method) {
			l.edge.refuseOfLine(tx, req, known)
			return
		}
	} else if !known && !l.edge.proven(tx, req, extension) {
		return
	}
	if status, reason := l.admit(tx, req); status != 0 {
		l.edge.reply(tx, req, status, reason)
		return
	}
	if unknown && (req.Method == sip.REFER || req.Method == sip.SUBSCRIBE) { // an emergency call is all that it may have
		l.edge.reply(tx, req, 403, "Forbidden")
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
	case sip.MESSAGE: // to the other side, whose number our Contact has
		if u := l.edge.deps.Config().UserByExtension(extension); u != nil {
			l.edge.textOf(u, tx, req)
			break
		}
		l.edge.reply(tx, req, 403, "Forbidden")
	default:
		l.edge.send(tx, l.edge.notAllowed(req))
	}
}

// knownLocked reports whether requests over a flow are the far end's: it is the
// one of the dialog, or one over which the phone has registered; of a phone that
// has not shown whose it is, one of its address. Who only knows the tags of a
// dialog is not in it.
func (d *dialog) knownLocked(f transport.Flow) bool {
	if d.line != nil {
		return f.Same(d.flow) || f.Remote.Addr() == d.flow.Remote.Addr() || d.line.from(f.Remote.Addr())
	}
	return f.Same(d.flow) || d.unknown.IsValid() && d.unknown == f.Remote.Addr() || slices.ContainsFunc(d.edge.registrar.contacts(d.phone.extension), func(g pbx.Registration) bool {
		return g.Transport == f.Network && g.Source == f.Remote.String()
	})
}

// proven reports whether a request within a dialog that comes over another flow
// is that of the phone's user: a phone that has changed its address is asked for
// the password. If not, the request has been answered.
func (e *Edge) proven(tx *transaction.Server, req *sip.Request, extension string) bool {
	u, ok := e.authenticate(tx, req)
	if ok && u.Extension != extension {
		e.reply(tx, req, 403, "Forbidden")
		return false
	}
	return ok
}

// admit checks dialog and order of a request within the dialog, and follows a
// phone that has changed its address.
func (l *leg) admit(tx *transaction.Server, req *sip.Request) (status int, reason string) {
	from, _ := req.From().Params.Get("tag")
	l.mu.Lock()
	defer l.mu.Unlock()
	last, early := l.seqs[from]
	if !early {
		last = l.remoteCSeq
	}
	switch n := req.CSeq().SeqNo; {
	case l.state == legEnded, l.remoteTag != "" && from != l.remoteTag && (!early || req.Method == sip.BYE): // one of several that ring ends nothing
		return 481, "Call/Transaction Does Not Exist"
	case l.tlsOnly && tx.Flow().Network != "tls":
		return 403, "Encrypted Audio Needs TLS"
	case n <= last && last != 0:
		return 500, "Out Of Order"
	case early:
		l.seqs[from] = n
	default:
		l.remoteCSeq = n
	}
	l.flow, l.seenAt = tx.Flow(), time.Now()
	return 0, ""
}
