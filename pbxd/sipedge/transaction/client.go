package transaction

import (
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/sipedge/transport"
)

type clientState int

const (
	clientCalling clientState = iota // Trying, for a request other than INVITE
	clientProceeding
	clientAccepted // INVITE only: a 2xx came; more of a fork may follow (RFC 6026)
	clientCompleted
	clientTerminated
)

// Client is one client transaction (RFC 3261 section 17.1).
type Client struct {
	layer *Layer
	key   string
	flow  transport.Flow
	// on gets every response but retransmissions of a refusal, in order, then
	// nil and an error when no final response came.
	on func(res *sip.Response, err error)

	mu       sync.Mutex
	state    clientState
	request  *sip.Request // dropped once ended
	bytes    []byte
	ack      []byte      // ACK of a refusal, for its retransmissions
	retry    *time.Timer // A or E
	expiry   *time.Timer // B, D, F, K or M
	interval time.Duration
	invite   bool
	cancel   []sip.Header // set once the INVITE is being given up: fields for the CANCEL
	giveUp   bool
}

// Request sends req over f as a new transaction and calls on with what comes
// back. The caller has set the top Via with a fresh branch. on is called from
// the transport's reader or a timer and must not block.
func (l *Layer) Request(req *sip.Request, f transport.Flow, on func(*sip.Response, error)) (*Client, error) {
	if req.ContentLength() == nil {
		req.SetBody(req.Body())
	}
	branch, _ := req.Via().Params.Get("branch")
	c := &Client{
		layer: l, key: clientKey(branch, req.Method), flow: f, on: on,
		request: req, bytes: []byte(req.String()), invite: req.IsInvite(), interval: T1,
	}
	l.mu.Lock()
	if l.closed || len(l.clients) >= MaxTransactions {
		n := len(l.clients)
		l.mu.Unlock()
		return nil, fmt.Errorf("%s over %s: %d transactions are open: %w", req.Method, f, n, ErrTransport)
	}
	l.clients[c.key] = c
	l.mu.Unlock()

	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.Reliable() {
		c.retry = time.AfterFunc(c.interval, c.repeat)
	}
	c.expiry = time.AfterFunc(Lifetime, func() { c.fail(ErrTimeout) })
	if err := l.send.Send(f, c.bytes); err != nil {
		c.terminateLocked()
		return nil, fmt.Errorf("%s over %s: %w: %w", req.Method, f, ErrTransport, err)
	}
	return c, nil
}

// repeat is timer A (INVITE: doubling without bound) or E (doubling to T2).
func (c *Client) repeat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := c.state == clientCalling || !c.invite && c.state == clientProceeding
	if !again || c.retry == nil {
		return
	}
	_ = c.layer.send.Send(c.flow, c.bytes) // timer B or F ends what cannot be sent
	c.interval *= 2
	if !c.invite && (c.interval > T2 || c.state == clientProceeding) {
		c.interval = T2
	}
	c.retry.Reset(c.interval)
}

func (c *Client) received(res *sip.Response) {
	c.mu.Lock()
	tell := c.receivedLocked(res)
	c.mu.Unlock()
	if tell {
		c.on(res, nil)
	}
}

func (c *Client) receivedLocked(res *sip.Response) (tell bool) {
	switch {
	case c.state == clientTerminated:
		return false
	case c.state == clientCompleted:
		if c.invite && res.StatusCode >= 300 && c.ack != nil {
			_ = c.layer.send.Send(c.flow, c.ack)
		}
		return false
	case c.state == clientAccepted:
		return res.StatusCode >= 200 && res.StatusCode < 300
	case res.StatusCode < 200:
		first := c.state == clientCalling
		c.state = clientProceeding
		if c.invite {
			c.stopLocked(&c.retry)
			// Timer B ends here: an INVITE that rings is ended by its user.
			if c.giveUp {
				if first {
					c.sendCancelLocked()
				}
			} else {
				c.stopLocked(&c.expiry)
				c.expiry = time.AfterFunc(ringNet, func() { c.fail(ErrTimeout) })
			}
		}
		return true
	}
	// A final response.
	c.stopLocked(&c.retry)
	c.stopLocked(&c.expiry)
	switch {
	case !c.invite:
		c.completeLocked(T4) // K
	case res.StatusCode < 300:
		c.state = clientAccepted
		c.expiry = time.AfterFunc(Lifetime, c.stop) // M
	default:
		c.ack = []byte(ackOfRefusal(c.request, res).String())
		_ = c.layer.send.Send(c.flow, c.ack)
		c.completeLocked(Lifetime) // D
	}
	return true
}

func (c *Client) completeLocked(linger time.Duration) {
	c.state = clientCompleted
	c.request, c.bytes = nil, nil
	if c.flow.Reliable() {
		c.terminateLocked()
		return
	}
	c.expiry = time.AfterFunc(linger, c.stop)
}

// Cancel asks the peer to give up an INVITE that has no final response yet.
// Before the first provisional response the CANCEL waits for it (RFC 3261
// section 9.1); when no final response follows within 32 s the transaction
// fails with ErrTimeout. fields go into the CANCEL, for example Reason.
func (c *Client) Cancel(fields ...sip.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.invite || c.giveUp || c.state != clientCalling && c.state != clientProceeding {
		return
	}
	c.giveUp, c.cancel = true, fields
	if c.state == clientProceeding {
		c.sendCancelLocked()
	}
}

func (c *Client) sendCancelLocked() {
	req := cancelOf(c.request)
	for _, h := range c.cancel {
		req.AppendHeader(h)
	}
	req.SetBody(nil)
	c.stopLocked(&c.expiry)
	c.expiry = time.AfterFunc(Lifetime, func() { c.fail(ErrTimeout) })
	flow := c.flow
	layer := c.layer
	go func() { // its own transaction; not under our lock
		if _, err := layer.Request(req, flow, func(*sip.Response, error) {}); err != nil {
			layer.log.Debug("CANCEL not sent", "to", flow.String(), "err", err)
		}
	}()
}

func (c *Client) fail(err error) {
	c.mu.Lock()
	tell := c.state == clientCalling || c.state == clientProceeding
	c.terminateLocked()
	c.mu.Unlock()
	if tell {
		c.on(nil, err)
	}
}

func (c *Client) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.terminateLocked()
}

func (c *Client) terminateLocked() {
	c.state = clientTerminated
	c.stopLocked(&c.retry)
	c.stopLocked(&c.expiry)
	c.request, c.bytes, c.ack = nil, nil, nil
	c.layer.dropClient(c.key)
}

func (c *Client) stopLocked(t **time.Timer) {
	if *t != nil {
		(*t).Stop()
		*t = nil
	}
}

// ackOfRefusal builds the ACK of a final response other than 2xx (RFC 3261
// section 17.1.1.3).
func ackOfRefusal(invite *sip.Request, res *sip.Response) *sip.Request {
	ack := sameHop(invite, sip.ACK)
	ack.AppendHeader(sip.HeaderClone(res.To()))
	ack.SetBody(nil)
	return ack
}

// cancelOf builds the CANCEL of an INVITE (RFC 3261 section 9.1): Route is
// that of the INVITE itself, not of any response.
func cancelOf(invite *sip.Request) *sip.Request {
	cancel := sameHop(invite, sip.CANCEL)
	cancel.AppendHeader(sip.HeaderClone(invite.To()))
	return cancel
}

// sameHop starts a request that takes the way of the INVITE: same
// Request-URI, top Via, Route, From, Call-ID and CSeq number.
func sameHop(invite *sip.Request, m sip.RequestMethod) *sip.Request {
	req := sip.NewRequest(m, *invite.Recipient.Clone())
	req.AppendHeader(sip.HeaderClone(invite.Via()))
	for _, h := range invite.GetHeaders("route") {
		req.AppendHeader(sip.HeaderClone(h))
	}
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: m})
	return req
}
