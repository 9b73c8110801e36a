// Package sipedge is the edge towards SIP phones: registrar, dialogs and SDP
// on one side, call.Leg on the other. It is the only importer of sipgo.
// Transport and transactions are in its sub-packages.
package sipedge

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// Edge serves phones over SIP.
type Edge struct {
	deps       Deps
	transport  *transport.Layer
	tx         *transaction.Layer
	registrar  *registrar // nil of a trunk
	trunk      *Trunk     // that it belongs to; nil for the phones
	desks      *desks
	notifier   *notifier
	digest     *authenticator
	strangers  *strangers
	local      *sourceAddr
	nobody     pbx.User      // stands for users that do not exist
	minSession time.Duration // shortest session interval that is agreed to
	fellSilent time.Duration // after which a phone that has spoken is asked whether it is there
	tagKey     [16]byte      // of the To tags of answers that are forgotten

	mu      sync.Mutex
	legs    map[dialogID]*leg
	closing bool
}

// New returns an edge without sockets, with the registrations that the store
// still holds.
func New(ctx context.Context, d Deps) (*Edge, error) {
	e := &Edge{deps: d, minSession: minSession, fellSilent: fellSilent, legs: map[dialogID]*leg{}, local: newSourceAddr(), digest: newAuthenticator(d.Now), strangers: newStrangers()}
	e.notifier = newNotifier(e)
	var err error
	if e.desks, err = newDesks(ctx, d); err != nil {
		return nil, fmt.Errorf("load who is logged in at phones: %w", err)
	}
	publish := d.Publish
	d.Publish = func(f pbx.Fact) {
		if shown := e.desks.shown(f); shown.Kind != "" {
			publish(shown)
		}
		e.notifier.registered(f)
	}
	e.nobody = nobody(d.Key)
	rand.Read(e.tagKey[:])
	e.transport = transport.New(d.Log, e)
	if d.Tap != nil {
		e.transport.SetTap(func(f transport.Flow, sent bool, m []byte) { d.Tap(f.Network, f.Local, f.Remote, sent, m) })
	}
	e.tx = transaction.New(e.transport, e, d.Log)
	if e.registrar, err = newRegistrar(ctx, d); err != nil {
		return nil, fmt.Errorf("load registrations: %w", err)
	}
	return e, nil
}

// Listen opens UDP and TCP on addr ("host:port", port 0 picks one).
func (e *Edge) Listen(ctx context.Context, addr string) (netip.AddrPort, error) {
	return e.transport.Listen(ctx, addr)
}

// ListenTLS opens SIP over TLS on addr; conf chooses the certificate.
func (e *Edge) ListenTLS(ctx context.Context, addr string, conf *tls.Config) (netip.AddrPort, error) {
	return e.transport.ListenTLS(ctx, addr, conf)
}

// CloseTLS takes no more connections at an address that ListenTLS returned;
// those that are open stay.
func (e *Edge) CloseTLS(at netip.AddrPort) { e.transport.CloseTLS(at) }

// Run expires and saves registrations until ctx ends.
func (e *Edge) Run(ctx context.Context) { e.registrar.run(ctx) }

// Shutdown refuses new calls and waits, as long as ctx lasts, until the
// dialogs that are being ended have been acknowledged. Then the sockets close.
func (e *Edge) Shutdown(ctx context.Context) {
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for e.Legs() > 0 {
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	e.notifier.close()
	e.tx.Close()
	e.transport.Close()
}

// Configured follows a new configuration: phones of users that are gone, have
// another extension or another SIP password must register again. Calls go on.
func (e *Edge) Configured(old, new *pbx.Config) {
	e.registrar.keep(func(ext string) bool {
		was, is := old.UserByExtension(ext), new.UserByExtension(ext)
		return was != nil && is != nil && was.ID == is.ID && was.SIPPassword == is.SIPPassword
	})
	e.tellAll(e.desks.forget(old, new))
	e.notifier.configured(new)
}

// Stuck returns for how long the message that is being handled the longest has
// been: more than some milliseconds is a fault of ours.
func (e *Edge) Stuck() time.Duration { return e.transport.Stuck() }

// Counts says what the edge holds, for tests and health.
type Counts struct {
	Legs, ClientTransactions, ServerTransactions int
	Subscriptions                                int
	Malformed                                    uint64
}

// Counts returns what the edge holds now.
func (e *Edge) Counts() Counts {
	c, s := e.tx.Count()
	return Counts{Legs: e.Legs(), ClientTransactions: c, ServerTransactions: s, Subscriptions: e.notifier.count(), Malformed: e.transport.Malformed()}
}

// Message implements transport.Events.
func (e *Edge) Message(m sip.Message, f transport.Flow) { e.tx.Message(m, f) }

// Closed implements transport.Events.
func (e *Edge) Closed(f transport.Flow) {
	e.tx.Closed(f)
	if f.Network != "udp" {
		if e.registrar != nil {
			e.registrar.closed(f.Network, f.Remote.String())
		}
		for _, l := range e.legsWhere(func(*leg) bool { return true }) {
			l.disconnected(f)
		}
		if e.trunk != nil {
			for _, ln := range e.trunk.all() {
				ln.disconnected(f)
			}
		}
	}
}

// Request implements transaction.User.
func (e *Edge) Request(tx *transaction.Server, req *sip.Request) {
	if mf := req.MaxForwards(); mf != nil && mf.Val() == 0 && req.Method != sip.OPTIONS {
		e.refuse(tx, req, 483, "Too Many Hops")
		return
	}
	if !strings.EqualFold(req.SipVersion, "SIP/2.0") {
		e.refuse(tx, req, 505, "Version Not Supported")
		return
	}
	_, number := emergencyNumber(e.deps.Config(), req)
	if e.trunk != nil {
		number = req.Recipient.Scheme == "tel" // which is what providers call
	}
	if !number && !schemeServed(tx, req) {
		e.refuse(tx, req, 416, "Unsupported URI Scheme")
		return
	}
	if unsupported := requires(req); unsupported != "" {
		res := e.response(req, 420, "Bad Extension")
		res.AppendHeader(sip.NewHeader("Unsupported", unsupported))
		e.once(tx, req, res)
		return
	}
	if tag, ok := req.To().Params.Get("tag"); ok && tag != "" {
		e.inDialog(tx, req, tag)
		return
	}
	if e.trunk != nil {
		e.trunk.request(tx, req)
		return
	}
	switch req.Method {
	case sip.REGISTER:
		e.register(tx, req)
	case sip.INVITE:
		e.invite(tx, req)
	case sip.OPTIONS:
		res := e.response(req, 200, "OK")
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
		e.once(tx, req, res)
	case sip.BYE, sip.PRACK, sip.UPDATE, sip.INFO, sip.NOTIFY:
		e.refuse(tx, req, 481, "Call/Transaction Does Not Exist")
	case sip.SUBSCRIBE:
		e.notifier.subscribe(tx, req)
	case sip.MESSAGE:
		e.text(tx, req)
	case sip.REFER:
		e.refuse(tx, req, 403, "Only Within A Call")
	default:
		e.once(tx, req, e.notAllowed(req))
	}
}

// inDialog hands a request to the leg that it names.
func (e *Edge) inDialog(tx *transaction.Server, req *sip.Request, tag string) {
	id := dialogID{req.CallID().Value(), tag}
	l := e.leg(id)
	if l == nil {
		if e.notifier.request(tx, req, id) {
			return
		}
		e.refuse(tx, req, 481, "Call/Transaction Does Not Exist")
		return
	}
	l.request(tx, req)
}

// ACK implements transaction.User.
func (e *Edge) ACK(req *sip.Request, f transport.Flow) {
	tag, _ := req.To().Params.Get("tag")
	if l := e.leg(dialogID{req.CallID().Value(), tag}); l != nil {
		l.acknowledge(req, f)
	}
}

func (e *Edge) response(req *sip.Request, status int, reason string) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, reason, nil)
	res.SipVersion = "SIP/2.0"
	res.AppendHeader(sip.NewHeader("Server", e.deps.Product))
	if status == 405 || status == 501 || status == 200 && req.Method != sip.BYE {
		res.AppendHeader(sip.NewHeader("Allow", e.allow()))
	}
	if status == 200 && e.trunk != nil {
		return res // what a line supports is its own
	}
	if status == 200 && (req.Method == sip.INVITE || req.Method == sip.OPTIONS) {
		res.AppendHeader(sip.NewHeader("Supported", supported))
		res.AppendHeader(sip.NewHeader("Allow-Events", allowEvents))
	}
	return res
}

func (e *Edge) reply(tx *transaction.Server, req *sip.Request, status int, reason string) {
	e.send(tx, e.response(req, status, reason))
}

func (e *Edge) send(tx *transaction.Server, res *sip.Response) {
	if err := tx.Respond(res); err != nil {
		e.deps.Log.Debug("response not sent", "status", res.StatusCode, "to", tx.Flow().String(), "err", err)
	}
}

// refuse refuses a request of somebody unknown, and forgets it.
func (e *Edge) refuse(tx *transaction.Server, req *sip.Request, status int, reason string) {
	e.once(tx, req, e.response(req, status, reason))
}

// once answers a request and forgets it: a retransmission is answered anew,
// with the same To tag (RFC 3261 section 8.2.7).
func (e *Edge) once(tx *transaction.Server, req *sip.Request, res *sip.Response) {
	if tag, ok := req.To().Params.Get("tag"); !ok || tag == "" {
		branch, _ := req.Via().Params.Get("branch")
		from, _ := req.From().Params.Get("tag")
		h := hmac.New(sha256.New, e.tagKey[:])
		fmt.Fprintf(h, "%q %q %q", req.CallID().Value(), from, branch)
		res.To().Params.Add("tag", hex.EncodeToString(h.Sum(nil)[:8]))
	}
	if err := tx.RespondOnce(res); err != nil {
		e.deps.Log.Debug("response not sent", "status", res.StatusCode, "to", tx.Flow().String(), "err", err)
	}
}
