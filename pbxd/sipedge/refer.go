package sipedge

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// transfer is a REFER of the far end and the subscription that it implies (RFC
// 3515 section 2.4.4).
type transfer struct {
	tx      *transaction.Server // REFER without an answer yet
	req     *sip.Request
	id      uint32 // CSeq of the REFER
	silent  bool   // no subscription (RFC 4488)
	sending bool   // a NOTIFY has no answer yet
	last    string // what the last NOTIFY said
	next    string // what the next one has to say, or empty
	over    bool   // nothing follows next
}

// transferTime is for how long a subscription to a transfer is granted: longer
// than any phone rings, s.
const transferTime = 900

// refer takes a REFER within a call (RFC 3515 section 2.4).
func (l *leg) refer(tx *transaction.Server, req *sip.Request) {
	refuse := func(status int, reason string) { l.edge.reply(tx, req, status, reason) }
	fields := req.GetHeaders("refer-to")
	if len(fields) == 0 {
		fields = req.GetHeaders("r")
	}
	if len(fields) != 1 {
		refuse(400, "One Refer-To Is Needed")
		return
	}
	var u sip.Uri
	if _, err := sip.ParseAddressValue(fields[0].Value(), &u, nil); err != nil {
		refuse(400, "Refer-To Cannot Be Read")
		return
	}
	to, err := parseReferTo(&u)
	if err != nil {
		l.log.Info("REFER refused", "err", err)
		refuse(400, "Refer-To Cannot Be Followed")
		return
	}
	ev := call.Event{Kind: call.EventTransfer, Transfer: &call.Transfer{Target: to.target, ReferredBy: referredBy(req)}}
	if to.replaces != nil {
		other := l.edge.replaced(*to.replaces)
		if other == nil || other == l {
			refuse(481, "Call/Transaction Does Not Exist")
			return
		}
		ev.Transfer.Replaces = other
	}
	l.locked(func() func() {
		t := l.transfer
		switch {
		case l.state != legUp:
			refuse(603, "Decline")
			return nil
		case t != nil && !t.over:
			refuse(491, "Request Pending")
			return nil
		}
		l.transfer = &transfer{
			tx: tx, req: req, id: req.CSeq().SeqNo,
			silent: strings.EqualFold(strings.TrimSpace(headerValue(req, "refer-sub")), "false"),
		}
		return func() { l.tell(ev) }
	})
}

// Transfer implements call.Leg.
func (l *leg) Transfer(p call.TransferProgress, cause pbx.Cause) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.transfer
	if t == nil || t.over {
		return
	}
	if t.tx != nil {
		if p == call.TransferFailed {
			l.refuseTransferLocked(cause.SIPStatus())
			return
		}
		res := l.edge.response(t.req, 202, "Accepted")
		if t.silent {
			res = l.edge.response(t.req, 200, "OK")
			res.AppendHeader(sip.NewHeader("Refer-Sub", "false"))
		}
		res.AppendHeader(l.contact())
		l.edge.send(t.tx, res)
		t.tx, t.req = nil, nil
		l.notifyTransferLocked(100, "Trying")
	}
	switch p {
	case call.TransferRinging:
		l.notifyTransferLocked(180, "Ringing")
	case call.TransferDone:
		t.over = true
		l.notifyTransferLocked(200, "OK")
	case call.TransferFailed:
		t.over = true
		status := cause.SIPStatus()
		l.notifyTransferLocked(status, reasonPhrase(status))
	}
}

// refuseTransferLocked refuses a REFER that has no answer yet.
func (l *leg) refuseTransferLocked(status int) {
	t := l.transfer
	if t == nil || t.tx == nil {
		return
	}
	l.edge.reply(t.tx, t.req, status, reasonPhrase(status))
	t.tx, t.req, t.over = nil, nil, true
}

// notifyTransferLocked tells the far end of the progress. While one NOTIFY has
// no answer the newest word waits.
func (l *leg) notifyTransferLocked(status int, reason string) {
	t := l.transfer
	if t.silent || l.state != legUp {
		return
	}
	t.next = fmt.Sprintf("SIP/2.0 %d %s\r\n", status, reason)
	if !t.sending {
		l.sendTransferLocked()
	}
}

func (l *leg) sendTransferLocked() {
	t := l.transfer
	state := "active;expires=" + strconv.Itoa(transferTime)
	if t.over {
		state = "terminated;reason=noresource"
	}
	req := l.requestLocked(sip.NOTIFY)
	req.AppendHeader(l.contact())
	req.AppendHeader(sip.NewHeader("Event", "refer;id="+strconv.FormatUint(uint64(t.id), 10)))
	req.AppendHeader(sip.NewHeader("Subscription-State", state))
	ct := sip.ContentTypeHeader("message/sipfrag;version=2.0")
	req.AppendHeader(&ct)
	req.SetBody([]byte(t.next))
	t.last, t.next, t.sending = t.next, "", true
	flow, err := l.wayLocked()
	if err == nil {
		l.via(req, flow)
		_, err = l.askLocked(req, flow, func(res *sip.Response, err error, _ uint32) {
			if err != nil || res.StatusCode >= 200 {
				l.locked(func() func() { l.transferNotifiedLocked(t, err != nil || res.StatusCode >= 300); return nil })
			}
		})
	}
	if err != nil {
		t.sending, t.silent = false, true
		l.log.Info("NOTIFY of a transfer not sent", "err", err)
	}
}

func (l *leg) transferNotifiedLocked(t *transfer, refused bool) {
	t.sending = false
	t.silent = t.silent || refused // they do not want to know
	if t.next != "" && !t.silent && l.transfer == t && l.state == legUp {
		l.sendTransferLocked()
	}
}

// subscribeTransfer takes a SUBSCRIBE within the call: it can only be about a
// transfer, to have it longer or no more (RFC 3515 section 2.4.4).
func (l *leg) subscribeTransfer(tx *transaction.Server, req *sip.Request) {
	ev, err := parseEvent(eventValue(req))
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.transfer
	if err != nil || ev.name != "refer" || t == nil || t.silent || t.tx != nil || ev.id != "" && ev.id != strconv.FormatUint(uint64(t.id), 10) {
		l.edge.reply(tx, req, 481, "Subscription Does Not Exist")
		return
	}
	res := l.edge.response(req, 200, "OK")
	res.AppendHeader(l.contact())
	expires := strconv.Itoa(transferTime)
	if headerValue(req, "expires") == "0" {
		expires = "0"
		t.over = true
	}
	res.AppendHeader(sip.NewHeader("Expires", expires))
	l.edge.send(tx, res)
	if t.next == "" {
		t.next = t.last
	}
	if !t.sending && l.state == legUp {
		l.sendTransferLocked()
	}
}
