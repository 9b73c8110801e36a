package sipedge

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

type legState int

const (
	legIncoming legState = iota // their INVITE has no final answer yet
	legOutgoing                 // our INVITE has no final answer yet
	legUp
	legEnding // the call has let go of it; the far end has yet to agree
	legEnded
)

// leg is one SIP dialog as a call.Leg. mu guards all that changes; it is held
// while messages are sent, never while the call is told of an event. Functions
// named ...Locked are called with it held.
type leg struct {
	edge   *Edge
	log    *slog.Logger
	dialog dialogID
	port   *rtpio.Port

	mu         sync.Mutex
	state      legState
	released   bool // the call has let go and hears no more
	notify     func(call.Event)
	remoteTag  string
	localParty sip.FromHeader // us, as From of our requests
	peerParty  sip.ToHeader   // them, as To of our requests
	target     sip.Uri        // remote target (RFC 3261 section 12.1)
	routes     []sip.Uri      // route set, first hop first
	cseq       uint32         // of our last request
	remoteCSeq uint32         // of their last request
	flow       transport.Flow // where they were last seen
	seenAt     time.Time      // when, by the monotonic clock
	phone      phoneID        // which registration is theirs
	reachedAt  netip.AddrPort // how they address us, where that is known
	nat        bool           // they call themselves by an address at which they are not seen

	serverTx *transaction.Server // their INVITE or re-INVITE that has no final answer yet
	serverRq *sip.Request
	acked    *transaction.Server // their INVITE whose 2xx waits for the ACK
	ackCSeq  uint32              // of that INVITE
	byeCause *pbx.Cause          // why a BYE follows that ACK; nil when none does
	clientTx *transaction.Client // our INVITE that has no final answer yet
	ack      *sentACK            // ACK of our last 2xx, for its retransmissions
	forks    map[string]bool     // tags of other phones behind the contact that answered and were ended
	offerSeq uint32              // of our last re-INVITE
	offerEnd *time.Timer         // when our re-INVITE has been without an answer for too long
	probe    *time.Timer         // next look whether they are still there

	origin   sdp.Origin
	sent     []byte             // our last session description
	sentFmts []media.Format     // formats in it
	theirs   *media.Description // their last one
	pending  *media.Description // theirs, of a re-INVITE that is not decided yet
	bareACK  bool               // the ACK of their INVITE must bring an answer (delayed offer)
}

type sentACK struct {
	flow  transport.Flow
	bytes []byte
	tag   string // of the far end that it acknowledges
	cseq  uint32
}

// locked runs f with the lock held, even if it panics, and then what it returns.
func (l *leg) locked(f func() (then func())) {
	then := func() func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		return f()
	}()
	if then != nil {
		then()
	}
}

func newTag() string { return strings.ToLower(rand.Text())[:16] }

func (e *Edge) newLeg(callID string, f transport.Flow, reachedAt netip.AddrPort, state legState) (*leg, error) {
	l := &leg{
		edge: e, dialog: dialogID{callID, newTag()}, state: state, flow: f, seenAt: time.Now(), reachedAt: reachedAt,
		origin: sdp.NewOrigin(), notify: func(call.Event) {},
	}
	l.log = e.deps.Log.With("leg", l.ID())
	port, err := e.deps.Ports.Open(e.own(f)) // the external address is not this machine's to listen at
	if err != nil {
		return nil, fmt.Errorf("leg to %s: %w", f, err)
	}
	l.port = port
	if !e.add(l) {
		port.Close()
		return nil, fmt.Errorf("leg to %s: shutting down", f)
	}
	return l, nil
}

// ID implements call.Leg.
func (l *leg) ID() string { return "sip:" + l.dialog.localTag }

// Endpoint implements call.Leg.
func (l *leg) Endpoint() media.Endpoint { return l.port }

// tell reports an event unless the call has let go; l.mu must not be held.
func (l *leg) tell(ev call.Event) {
	l.mu.Lock()
	notify, released := l.notify, l.released
	l.mu.Unlock()
	if !released {
		ev.Leg = l
		notify(ev)
	}
}

// finish ends the leg for good and tells the call, unless it has let go. No
// transaction is left waiting for us.
func (l *leg) finish(cause pbx.Cause) {
	l.locked(func() func() {
		if l.state == legEnded {
			return nil
		}
		l.state = legEnded
		for _, t := range []*time.Timer{l.probe, l.offerEnd} {
			if t != nil {
				t.Stop()
			}
		}
		if l.acked != nil {
			l.acked.Acknowledged()
		}
		if l.clientTx != nil {
			l.clientTx.Cancel(reasonHeader(cause))
		}
		l.answerLocked(487, nil)
		l.acked, l.clientTx, l.pending = nil, nil, nil
		ended := call.Event{Leg: l, Kind: call.EventEnded, Cause: cause}
		notify, tell := l.notify, !l.released
		l.released = true
		return func() {
			l.port.Close()
			l.edge.remove(l)
			if tell {
				notify(ended)
			}
		}
	})
}

// answerLocked refuses their pending INVITE or re-INVITE, if there is one.
func (l *leg) answerLocked(status int, reason sip.Header) {
	if l.serverTx == nil {
		return
	}
	res := l.edge.response(l.serverRq, status, reasonPhrase(status))
	l.tag(res)
	if reason != nil {
		res.AppendHeader(reason)
	}
	if status == 503 {
		res.AppendHeader(sip.NewHeader("Retry-After", "5"))
	}
	l.edge.send(l.serverTx, res)
	l.serverTx, l.serverRq = nil, nil
}

// Hangup implements call.Leg.
func (l *leg) Hangup(cause pbx.Cause) {
	l.locked(func() func() {
		l.released = true
		switch l.state {
		case legIncoming:
			l.answerLocked(cause.SIPStatus(), reasonHeader(cause))
			return func() { l.finish(cause) }
		case legOutgoing:
			l.state = legEnding
			if l.clientTx != nil {
				l.clientTx.Cancel(reasonHeader(cause))
			}
			return l.port.Close
		case legUp:
			l.state = legEnding
			l.answerLocked(487, nil)
			if l.acked != nil { // no BYE before their ACK (RFC 3261 section 15)
				l.byeCause = &cause
			} else {
				l.byeLocked(cause)
			}
			return l.port.Close
		}
		return nil
	})
}

// byeLocked sends the BYE; the leg is finished with its answer. When the
// connection turns out to be dead the BYE goes once more, over another one: the
// phone may have come back there (RFC 3261 section 18.4).
func (l *leg) byeLocked(cause pbx.Cause) { l.byeOverLocked(cause, true) }

func (l *leg) byeOverLocked(cause pbx.Cause, again bool) {
	req := l.requestLocked(sip.BYE)
	req.AppendHeader(reasonHeader(cause))
	req.SetBody(nil)
	l.state = legEnding
	flow, err := l.wayLocked()
	if err == nil {
		l.via(req, flow)
		_, err = l.edge.tx.Request(req, flow, func(res *sip.Response, err error) {
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

// wayLocked returns the flow for our next request. A phone that has come back
// over another connection or port since it was last heard in this dialog is
// followed there.
func (l *leg) wayLocked() (transport.Flow, error) {
	if reg, at, ok := l.edge.registrar.newer(l.phone, l.seenAt, !l.flow.Alive()); ok {
		if f, err := l.edge.seen(reg); err == nil {
			l.flow, l.seenAt = f, at
		}
	}
	return l.edge.flowTo(l.nextHopLocked(), l.flow)
}

// requestLocked starts a request within the dialog (RFC 3261 section 12.2.1.1).
func (l *leg) requestLocked(m sip.RequestMethod) *sip.Request {
	if m != sip.ACK {
		l.cseq++
	}
	return l.requestWithLocked(m, l.cseq)
}

func (l *leg) requestWithLocked(m sip.RequestMethod, cseq uint32) *sip.Request {
	req := sip.NewRequest(m, *l.target.Clone())
	for i := range l.routes {
		req.AppendHeader(&sip.RouteHeader{Address: *l.routes[i].Clone()})
	}
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	from := l.localParty
	from.Params = sip.HeaderParams{{K: "tag", V: l.dialog.localTag}}
	req.AppendHeader(&from)
	to := l.peerParty
	to.Params = nil
	if l.remoteTag != "" {
		to.Params = sip.HeaderParams{{K: "tag", V: l.remoteTag}}
	}
	req.AppendHeader(&to)
	callID := sip.CallIDHeader(l.dialog.callID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: m})
	req.AppendHeader(sip.NewHeader("User-Agent", l.edge.deps.Product))
	return req
}

// nextHopLocked returns the URI whose host the next request goes to.
func (l *leg) nextHopLocked() *sip.Uri {
	if len(l.routes) > 0 {
		return &l.routes[0]
	}
	return &l.target
}

// selfOver is our address as the far end must use it.
func (l *leg) selfOver(f transport.Flow) netip.AddrPort {
	return l.edge.self(l.edge.deps.Config(), f, l.reachedAt)
}

// via puts our hop on top of a request, with a fresh branch.
func (l *leg) via(req *sip.Request, f transport.Flow) {
	self := l.selfOver(f)
	req.PrependHeader(&sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(f.Network),
		Host: self.Addr().String(), Port: int(self.Port()),
		Params: sip.HeaderParams{{K: "branch", V: sip.RFC3261BranchMagicCookie + newTag()}, {K: "rport"}},
	})
}

// contact returns our Contact for the dialog.
func (l *leg) contact() *sip.ContactHeader {
	f := l.flow
	self := l.selfOver(f)
	u := sip.Uri{Scheme: "sip", User: l.localParty.Address.User, Host: self.Addr().String(), Port: int(self.Port())}
	if f.Network == "tcp" {
		u.UriParams = sip.HeaderParams{{K: "transport", V: "tcp"}}
	}
	return &sip.ContactHeader{Address: u}
}

// mediaAddrLocked is where the far end must send its audio.
func (l *leg) mediaAddrLocked() netip.AddrPort {
	return netip.AddrPortFrom(l.selfOver(l.flow).Addr(), l.port.RTPPort())
}

// describeLocked writes our next session description. An unchanged one keeps
// its version (RFC 3264 section 8).
func (l *leg) describeLocked(write func(o sdp.Origin) []byte) []byte {
	body := write(l.origin)
	if l.sent != nil && !slices.Equal(body, l.sent) {
		l.origin = l.origin.Next()
		body = write(l.origin)
	}
	l.sent = body
	if d, err := sdp.Parse(body); err == nil {
		l.sentFmts = d.Formats
	}
	return body
}

// expectLocked takes their description as the one that counts.
func (l *leg) expectLocked(d *media.Description) {
	l.theirs = d
	if d.Usable() != nil {
		return
	}
	seen := l.flow.Remote.Addr()
	// Audio may come from where the signalling does, whatever the description says:
	// phones with several addresses name the one that they take for theirs.
	x := rtpio.Expecting(d, &media.Description{Formats: l.sentFmts}, seen, l.nat || d.Addr.Unmap() != seen.Unmap())
	if l.nat && !routable(d.Addr) { // the best guess until their first packet tells
		x.RTP = netip.AddrPortFrom(seen, d.RTPPort)
		x.RTCP = netip.AddrPortFrom(seen, d.RTCPPort)
	}
	l.port.Expect(x)
}

// routable reports whether an address can be that of a peer who is seen at
// another one: a private address cannot.
func routable(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate()
}

// tag writes our tag into a response of the dialog.
func (l *leg) tag(res *sip.Response) {
	res.To().Params.Add("tag", l.dialog.localTag)
}

func bodyOf(m sip.Message) (*media.Description, error) {
	if len(m.Body()) == 0 {
		return nil, nil
	}
	if ct := headerValue(m, "content-type"); !strings.EqualFold(strings.TrimSpace(strings.SplitN(ct, ";", 2)[0]), "application/sdp") {
		return nil, fmt.Errorf("body of type %.40q: %w", ct, errContentType)
	}
	return sdp.Parse(m.Body())
}

func addBody(m sip.Message, body []byte) {
	ct := sip.ContentTypeHeader("application/sdp")
	m.AppendHeader(&ct)
	m.SetBody(body)
}
