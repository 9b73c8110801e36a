package sipedge

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
)

// maxRedirects bounds the addresses to which one call is sent on.
const maxRedirects = 8

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
