package sipedge

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
)

// outgoing is where a call over a line may go: the servers of the provider that are
// left (RFC 3263 section 4.3), and the addresses to which it was sent on (RFC 3261
// section 8.1.3.4). The leg's lock guards it.
type outgoing struct {
	gateway  pbx.Gateway
	options  pbx.GatewayOptions
	targets  []resolve.Target
	target   resolve.Target // that is tried
	contacts []sip.Uri
	seen     map[string]bool // URIs that were called
	timer    *time.Timer     // until the server that is tried must have said more
	spoken   bool            // it has said something
	alerted  bool            // more than that it tries
	heard    bool            // some server has, and its audio may be heard
	deadline time.Time       // for the first word of any server
}

// tryingTime is how long a provider may take until it says more than that it tries
// (100): the far end of the world rings within.
const tryingTime = 30 * time.Second

// mostAfter is for how long at most a server that does not take one call comes after
// the others: it may have refused that one alone.
const mostAfter = 5 * time.Minute

// errOtherFamily says that a server is of the other family of addresses, and the
// caller hears audio already.
var errOtherFamily = errors.New("the server is reached by the other version of IP")

// DialLine makes a call over a gateway of the trunk. The error wraps
// call.ErrLineBusy when it has all calls that it may have.
func (t *Trunk) DialLine(d call.LineDial) (call.Leg, error) {
	ln := t.line(d.Gateway)
	if ln == nil {
		return nil, fmt.Errorf("call over %s: the gateway is not at work", d.Gateway)
	}
	if !ln.joins(d.Emergency) {
		return nil, fmt.Errorf("call over %s: %w", d.Gateway, call.ErrLineBusy)
	}
	l, err := t.prepare(ln, d.Emergency, time.Now())
	if err != nil {
		ln.left()
		ln.look()
		return nil, fmt.Errorf("call over %s: %w", d.Gateway, err)
	}
	l.mu.Lock()
	l.notify, l.passed, l.other = d.Notify, d.Passed, d.Caller
	l.lineIdentityLocked(d)
	l.invited = d.Offer
	tried := l.tryNextLocked()
	l.mu.Unlock()
	if tried != nil {
		l.mu.Lock()
		l.released = true // the call learns of it by the error
		l.mu.Unlock()
		l.finish(pbx.CauseNetworkOutOfOrder)
		return nil, fmt.Errorf("call over %s: %w", d.Gateway, tried)
	}
	return l, nil
}

// prepare returns a leg towards the servers of the provider, which has not called
// yet. The time that they have begins with that of the name servers.
func (t *Trunk) prepare(ln *line, urgent bool, began time.Time) (*leg, error) {
	targets, err := ln.locate(t.ctx)
	if err != nil {
		return nil, err
	}
	out := &outgoing{gateway: ln.current(), options: ln.opts(), targets: targets, seen: map[string]bool{}}
	out.deadline = began.Add(time.Duration(out.options.NoAnswer) * time.Millisecond)
	f, err := ln.flowTo(targets[0].Addr, targets[0].Name)
	if err != nil {
		return nil, err
	}
	l, err := t.edge.newLeg(strings.ToLower(crand()), f, f.Local, legOutgoing, ln, urgent)
	if err != nil {
		return nil, err
	}
	l.out = out // nobody else knows the leg yet, who would ask
	l.serversLocked(targets)
	return l, nil
}

// tryNextLocked sends the INVITE to the next server, nil when one is left.
func (l *leg) tryNextLocked() error {
	o := l.out
	var last error = errSilent
	for len(o.targets) > 0 {
		o.target, o.targets = o.targets[0], o.targets[1:]
		if err := l.tryLocked(o.target); err != nil {
			last = err
			l.log.Info("server of the provider passed over", "server", o.target.Addr, "err", err)
			l.edge.trunk.deps.Resolver.Failed(o.target, 0)
			continue
		}
		return nil
	}
	return last
}

func (l *leg) tryLocked(x resolve.Target) error {
	f, err := l.line.flowTo(x.Addr, x.Name)
	if err != nil {
		return err
	}
	if f.Remote.Addr().Is4() != l.flow.Remote.Addr().Is4() {
		if l.out.heard {
			return errOtherFamily
		}
		l.closeAudio() // nobody has heard it yet
		if err := l.openAudio(f); err != nil {
			return err
		}
	}
	o := l.out
	l.flow, l.reachedAt, o.spoken, o.alerted = f, f.Local, false, false
	l.forgetEarlyLocked()
	if err := l.inviteLocked(l.invited); err != nil {
		return err
	}
	left := time.Until(o.deadline)
	if n := len(o.targets); n > 0 {
		left /= time.Duration(n + 1)
	}
	l.awaitLocked(max(left, 500*time.Millisecond))
	return nil
}

// awaitLocked gives the server that is tried a time for its next word, until it
// says that somebody rings.
func (l *leg) awaitLocked(d time.Duration) {
	n, spoken := l.attempt, l.out.spoken
	if l.out.timer != nil {
		l.out.timer.Stop()
	}
	l.out.timer = time.AfterFunc(d, func() {
		l.locked(func() func() {
			if l.state != legOutgoing || l.out.alerted || l.out.spoken != spoken || l.attempt != n {
				return nil
			}
			return l.passOverLocked(0, pbx.CauseNoUserResponding, errSilent)
		})
	})
}

// passOverLocked goes on to the next server of the provider; without one the call
// is not taken.
func (l *leg) passOverLocked(wait time.Duration, cause pbx.Cause, err error) (then func()) {
	o := l.out
	l.log.Info("server of the provider does not take the call", "server", o.target.Addr, "err", err)
	l.edge.trunk.deps.Resolver.Failed(o.target, wait)
	l.line.look()
	if l.clientTx != nil {
		l.clientTx.Cancel(reasonHeader(pbx.CauseNormalClearing)) // should it ring there yet
	}
	l.attempt++
	if time.Until(o.deadline) < 0 { // it was heard for long, and the others not yet
		o.deadline = time.Now().Add(time.Duration(o.options.NoAnswer) * time.Millisecond)
	}
	if l.tryNextLocked() == nil || l.redirectLocked() {
		return nil
	}
	return func() { l.finish(cause) }
}

// timing is the timer of a call over a line; nil when none runs.
func (o *outgoing) timing() *time.Timer {
	if o == nil {
		return nil
	}
	return o.timer
}

// takes takes a response to our first INVITE, or its failure, and reports whether
// the call goes on another way, so that nothing is left to be done.
func (o *outgoing) takes(l *leg, res *sip.Response, err error) (taken bool) {
	l.locked(func() func() {
		if l.state != legOutgoing {
			return nil
		}
		if err != nil {
			if o.spoken {
				return nil
			}
			taken = true
			return l.passOverLocked(0, pbx.CauseNetworkOutOfOrder, reasonOver(l.flow, err))
		}
		first := !o.spoken
		o.spoken = true
		switch status := res.StatusCode; {
		case status == 100:
			if first {
				l.awaitLocked(tryingTime)
			}
		case status < 200:
			o.alerted, o.heard = true, true
		case status == 503:
			taken = true
			return l.passOverLocked(min(retryAfter(res), mostAfter), causeOf(res, pbx.CauseOfSIP(503)), fmt.Errorf("503 %s", printable(res.Reason, 60)))
		case status >= 300 && status < 400:
			o.redirectedBy(res)
			taken = o.options.Redirect && l.redirectLocked()
		case status >= 400 && len(o.contacts) > 0 && status < 600: // one of several addresses
			taken = l.redirectLocked()
		}
		if !taken {
			l.edge.trunk.deps.Resolver.Works(o.target)
		}
		return nil
	})
	return taken
}

// serversLocked notes servers of the provider, which may ask who we are.
func (l *leg) serversLocked(list []resolve.Target) {
	for _, x := range list {
		l.asks = append(l.asks, x.Addr.Addr())
	}
}
