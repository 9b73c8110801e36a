package sipedge

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
	"galilei/pbxd/sipedge/transport"
)

// contactOver is our Contact of a registration over f: the token tells which
// gateway a call is for (RFC 3261 section 10.2). One for several numbers has no
// user (RFC 6140 section 5.2).
func (ln *line) contactOver(g *pbx.Gateway, f transport.Flow) *sip.ContactHeader {
	self := ln.self(f)
	u := sip.Uri{Scheme: "sip", User: escapeUser(g.User), Host: bracketed(self.Addr().String()), Port: int(self.Port())}
	if f.Network != "udp" {
		u.UriParams = append(u.UriParams, sip.HeaderKV{K: "transport", V: f.Network})
	}
	u.UriParams = append(u.UriParams, sip.HeaderKV{K: "line", V: ln.token})
	if len(g.Numbers) > 0 {
		u.User = ""
		u.UriParams = append(u.UriParams, sip.HeaderKV{K: "bnc"})
	}
	return &sip.ContactHeader{Address: u}
}

// registration asks to be registered as contact, and no more as the address that
// was registered before, should that be another one.
func (ln *line) registration(w *work, g *pbx.Gateway, contact *sip.ContactHeader, expires int) *sip.Request {
	req := w.dialog.requestLocked(sip.REGISTER)
	req.AppendHeader(contact)
	if old := w.contact; old != nil && old.Address.String() != contact.Address.String() {
		gone := *old
		gone.Params = sip.HeaderParams{{K: "expires", V: "0"}}
		req.AppendHeader(&gone)
	}
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(expires)))
	req.AppendHeader(sip.NewHeader("Allow", ln.allow()))
	if len(g.Numbers) > 0 {
		req.AppendHeader(sip.NewHeader("Require", "gin"))
		req.AppendHeader(sip.NewHeader("Proxy-Require", "gin"))
	}
	req.AppendHeader(sip.NewHeader("Supported", "path, gin"))
	req.SetBody(nil)
	return req
}

// register registers at the first server that answers, and returns when to do so
// again.
func (ln *line) register(w *work, g *pbx.Gateway) time.Duration {
	targets, err := ln.locate(ln.ctx)
	if err != nil {
		return ln.unreached(w, g, err)
	}
	var last error
	var pause time.Duration // until the first of them may be asked again
	for i, x := range targets {
		if ln.ctx.Err() != nil {
			return 0
		}
		f, err := ln.flowTo(x.Addr, x.Name)
		var contact *sip.ContactHeader
		var res *sip.Response
		if err == nil {
			contact = ln.contactOver(g, f)
			res, err = ln.exchange(ln.ctx, w.dialog, ln.registration(w, g, contact, w.expires), f)
		}
		if err != nil && contact != nil && ln.ctx.Err() != nil { // it may have been taken
			w.flow, w.contact = f, contact
			ln.mu.Lock()
			ln.registered = true
			ln.mu.Unlock()
			return 0
		}
		if err != nil {
			pause = 0
			ln.trunk.deps.Resolver.Failed(x, 0)
			last = fmt.Errorf("%s: %w", f, err)
			continue
		}
		if res.StatusCode >= 500 && res.StatusCode < 600 || res.StatusCode == 408 {
			after := retryAfter(res)
			if pause = min(pause, after); i == 0 {
				pause = after
			}
			ln.trunk.deps.Resolver.Failed(x, after)
			last = fmt.Errorf("%s: %w", f, unableBy(res))
			continue
		}
		ln.trunk.deps.Resolver.Works(x)
		w.flow = f
		if res.StatusCode < 300 {
			w.contact = contact
		}
		return ln.answered(w, g, x, f, res)
	}
	return max(pause, ln.unreached(w, g, last))
}

// answered takes the answer to a registration.
func (ln *line) answered(w *work, g *pbx.Gateway, x resolve.Target, f transport.Flow, res *sip.Response) time.Duration {
	w.failures = 0
	ln.mu.Lock()
	ln.server = x
	ln.mu.Unlock()
	switch status := res.StatusCode; {
	case status >= 200 && status < 300:
		w.refusals, w.raised = 0, false
		return ln.accepted(g, f, res, w.expires)
	case status == 423: // RFC 3261 section 10.2.8
		if n, err := strconv.Atoi(strings.TrimSpace(headerValue(res, "min-expires"))); err == nil && n > w.expires && n <= 86400 && !w.raised {
			w.expires, w.raised = n, true
			return 0
		}
	}
	w.refusals++
	ln.mu.Lock()
	ln.registered, ln.asked = false, true
	ln.mu.Unlock()
	why := pbx.Say("The provider refuses the registration: {status} {reason}", "status", res.StatusCode, "reason", printable(res.Reason, 60))
	if res.StatusCode == 401 || res.StatusCode == 407 || res.StatusCode == 403 {
		why = pbx.Say("The provider does not take user and password: {status} {reason}", "status", res.StatusCode, "reason", printable(res.Reason, 60))
	}
	ln.publish(func(s *pbx.LineStatus) {
		s.State, s.Message, s.Reason, s.Status, s.Server = pbx.LineRefused, why, why.Text(), res.StatusCode, f.String()
		s.Expires, s.Refresh = time.Time{}, 0
	})
	wait := doubled(ln.trunk.pace.refused, w.refusals, ln.trunk.pace.mostRefused)
	if after := retryAfter(res); after > wait {
		wait = after
	}
	return wait
}

// accepted takes a registration that the provider has taken.
func (ln *line) accepted(g *pbx.Gateway, f transport.Flow, res *sip.Response, wanted int) time.Duration {
	expires := ln.granted(res, wanted)
	refresh := expires / 2
	if expires > 120 {
		refresh = expires - 60
	}
	moved := ln.learnPublic(f, res)
	var route []sip.Uri
	for _, v := range listed(res, "service-route") {
		var u sip.Uri
		if _, err := sip.ParseAddressValue(v, &u, nil); err == nil && len(route) < 10 {
			route = append(route, u)
		}
	}
	ln.mu.Lock()
	ln.registered, ln.asked, ln.route, ln.over = true, true, route, f
	ln.cut = !f.Alive()
	if !moved {
		ln.moves = 0
	}
	answers := ln.answers
	ln.mu.Unlock()
	now := ln.trunk.deps.Now()
	ln.publish(func(s *pbx.LineStatus) {
		s.Server, s.Registered, s.Expires, s.Refresh = f.String(), now, now.Add(time.Duration(expires)*time.Second), refresh
		if answers {
			s.State, s.Message, s.Reason, s.Status = pbx.LineUp, pbx.Message{}, "", 0
		}
	})
	if moved {
		return 0
	}
	return time.Duration(refresh) * ln.trunk.pace.second
}

// granted is for how long a registration holds, s: as our Contact says, or the
// answer, or as was asked for (RFC 3261 section 10.2.4).
func (ln *line) granted(res *sip.Response, wanted int) int {
	n := wanted
	if x, err := strconv.Atoi(strings.TrimSpace(headerValue(res, "expires"))); err == nil {
		n = x
	}
	for _, h := range res.GetHeaders("contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			continue
		}
		if token, _ := c.Address.UriParams.Get("line"); token != ln.token {
			continue
		}
		if text, ok := c.Params.Get("expires"); ok {
			if x, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
				n = x
			}
		}
	}
	return max(10, min(n, 86400))
}

// seenAs is our address as the provider sees it (RFC 3581), not valid when it is our
// own; known is false where that does not matter, or was not said.
func (ln *line) seenAs(f transport.Flow, res *sip.Response) (at netip.AddrPort, known bool) {
	if !ln.translated() || ln.near(f) || ln.trunk.transportSettings().ExternalSignalling != "" {
		return netip.AddrPort{}, false
	}
	via := res.Via()
	received, _ := via.Params.Get("received")
	rport, _ := via.Params.Get("rport")
	addr, err := netip.ParseAddr(strings.Trim(received, "[]"))
	port, errPort := strconv.ParseUint(rport, 10, 16)
	if err != nil || errPort != nil || port == 0 {
		return netip.AddrPort{}, false
	}
	at = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	if own := ln.trunk.edge.own(f); at == netip.AddrPortFrom(own, ln.trunk.at.Port()) || f.Network != "udp" && at.Addr() == own {
		at = netip.AddrPort{}
	}
	return at, true
}

// learnPublic notes our address as the provider sees it, and reports whether our
// Contact has to say another one. Over a connection it is where audio is heard alone:
// its port is that of the connection, by which calls come.
func (ln *line) learnPublic(f transport.Flow, res *sip.Response) (moved bool) {
	seen, known := ln.seenAs(f, res)
	if !known {
		return false
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if f.Network != "udp" {
		ln.public = seen
		return false
	}
	moved = ln.public != seen && ln.moves < maxMoves
	if moved {
		ln.moves++ // a router that gives each message another port is not followed for ever
		ln.public = seen
	}
	return moved
}

// maxMoves is how often our address may change without a registration that holds.
const maxMoves = 5

// unregister takes the registration back, if the provider is quick about it.
func (ln *line) unregister(w *work, g *pbx.Gateway) {
	ctx, cancel := context.WithTimeout(ln.trunk.ctx, time.Second)
	defer cancel()
	if _, err := ln.exchange(ctx, w.dialog, ln.registration(w, g, w.contact, 0), w.flow); err != nil {
		ln.log.Info("registration not taken back: it ends by itself", "err", err)
	}
}
