package sipedge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
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

// maxRedirects bounds the addresses to which one call is sent on.
const maxRedirects = 8

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

// redirectedBy notes the addresses of a 3xx, the preferred first.
func (o *outgoing) redirectedBy(res *sip.Response) {
	type wish struct {
		uri sip.Uri
		q   float64
	}
	var list []wish
	for _, h := range res.GetHeaders("contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Scheme != "sip" && c.Address.Scheme != "sips" && c.Address.Scheme != "tel" {
			continue
		}
		w := wish{*c.Address.Clone(), 1}
		if text, ok := c.Params.Get("q"); ok {
			if q, err := strconv.ParseFloat(text, 64); err == nil && q >= 0 && q <= 1 {
				w.q = q
			}
		}
		list = append(list, w)
	}
	slices.SortStableFunc(list, func(a, b wish) int { return cmp.Compare(b.q, a.q) })
	var contacts []sip.Uri
	for _, w := range list {
		contacts = append(contacts, w.uri)
	}
	o.contacts = append(contacts, o.contacts...)
}

// redirectLocked calls the next address to which the call was sent on, and reports
// whether there is one.
func (l *leg) redirectLocked() bool {
	o := l.out
	for len(o.contacts) > 0 && len(o.seen) < maxRedirects {
		u := o.contacts[0]
		o.contacts = o.contacts[1:]
		if u.Scheme == "tel" {
			number, err := numberOf(&u)
			if err != nil {
				continue
			}
			u = sip.Uri{Scheme: "sip", User: escapeUser(number), Host: l.target.Host, Port: l.target.Port}
		}
		u.Scheme = "sip"
		u.Headers = nil
		if !l.affordsLocked(&u) {
			l.log.Warn("the call is not sent on: it would cost more than what was dialled", "to", printable(u.User, 64))
			continue
		}
		key := strings.ToLower(u.User + "@" + u.Host + ":" + strconv.Itoa(u.Port))
		if o.seen[key] {
			continue
		}
		o.seen[key] = true
		l.target = u
		l.attempt++
		go l.callAt(u)
		return true
	}
	return false
}

// callAt finds the server of an address to which the call was sent on. Names of
// the provider itself are those of its servers; a proxy is on the way to every one.
func (l *leg) callAt(u sip.Uri) {
	l.mu.Lock()
	g, n := l.out.gateway, l.attempt
	l.mu.Unlock()
	own := g.Proxy != "" || u.Port == 0 && isHost(u.Host, g.Registrar, g.FromDomain)
	var targets []resolve.Target
	var err error
	if own {
		targets, err = l.line.locate(l.edge.trunk.ctx)
	} else {
		ctx, cancel := context.WithTimeout(l.edge.trunk.ctx, locateTime)
		defer cancel()
		q := resolve.Query{Host: u.Host, Port: uint16(max(0, min(u.Port, 65535))), Transport: l.line.transport(), Reach: l.line.reaches}
		targets, err = l.edge.trunk.deps.Resolver.Locate(ctx, q)
	}
	l.locked(func() func() {
		if l.attempt != n {
			return nil
		}
		if l.state == legEnding { // no INVITE is left whose answer would end the leg
			return func() { l.finish(pbx.CauseNormalClearing) }
		}
		if l.state != legOutgoing {
			return nil
		}
		o := l.out
		if own {
			l.serversLocked(targets)
		} else {
			l.fields = slices.DeleteFunc(l.fields, func(h sip.Header) bool { return trustedAlone(h.Name()) })
			targets = slices.DeleteFunc(targets, func(x resolve.Target) bool { return !l.line.sendsOnTo(x.Addr.Addr()) })
		}
		o.targets, o.deadline = targets, time.Now().Add(time.Duration(o.options.NoAnswer)*time.Millisecond)
		if err == nil {
			err = l.tryNextLocked()
		}
		if err == nil || l.redirectLocked() {
			return nil
		}
		l.log.Info("the call was sent on to where nobody is", "to", u.String(), "err", err)
		return func() { l.finish(pbx.CauseNetworkOutOfOrder) }
	})
}

// trustedAlone reports whether a field is for the provider alone, which knows who
// its customers are (RFC 3325 section 7).
func trustedAlone(field string) bool {
	switch strings.ToLower(field) {
	case "p-asserted-identity", "p-preferred-identity", "remote-party-id":
		return true
	}
	return false
}

// serversLocked notes servers of the provider, which may ask who we are.
func (l *leg) serversLocked(list []resolve.Target) {
	for _, x := range list {
		l.asks = append(l.asks, x.Addr.Addr())
	}
}

// sendsOnTo reports whether calls go to an address when they are sent on there: one
// of the provider's, or one outside. Nobody there has calls made inside the house,
// nor to the device itself.
func (ln *line) sendsOnTo(a netip.Addr) bool {
	inside := ln.trunk.deps.Config().SIP.IsLocal(a) || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a == ln.trunk.at.Addr()
	return !inside || ln.from(a)
}

// minWorldwide is how many digits a number with a country code has at least, which
// providers write without anything before it.
const minWorldwide = 8

// affordsLocked reports whether a call may be sent on to a URI: what limits and
// routes have let pass is the number that was dialled, which whoever is called must
// not make a dearer one.
func (l *leg) affordsLocked(u *sip.Uri) bool {
	was, errWas := numberOf(&l.peerParty.Address)
	is, err := numberOf(u)
	if err != nil || errWas != nil {
		return false
	}
	if l.urgent || is == was {
		return true
	}
	cfg := l.edge.trunk.deps.Config()
	country, _ := pbx.CountryByCode(cfg.Locale.Country)
	class := func(number string) pbx.TollClass { return country.TollClass(cfg.Locale.AreaCode, number) }
	now := class(is)
	if plain := pbx.Dialable(is); len(plain) >= minWorldwide && plain[0] >= '1' && plain[0] <= '9' {
		now = now.Dearer(class("+" + plain))
	}
	before := class(was)
	return !now.Limited() || before.Dearer(now) == before
}
