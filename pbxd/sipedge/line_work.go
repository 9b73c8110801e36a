package sipedge

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
	"galilei/pbxd/sipedge/transport"
)

// work is what a line keeps in mind from registration to registration.
type work struct {
	dialog   *dialog
	expires  int // that we ask for, s
	failures int // in a row, without an answer
	refusals int // in a row
	flow     transport.Flow
	contact  *sip.ContactHeader // that is registered, nil when none is
}

// run registers, asks whether the provider is there and keeps the way open, until
// the line is stopped. Then it takes the registration back.
func (ln *line) run() {
	defer close(ln.done)
	if ln.before != nil { // its last word must not come after our first
		select {
		case <-ln.before.done:
		case <-time.After(ln.trunk.pace.answer):
		}
		ln.before = nil
	}
	ln.publish(func(*pbx.LineStatus) {})
	g, o := ln.current(), ln.opts()
	w := &work{dialog: ln.dialog(&g), expires: o.Expires}
	var registers, checks, keeps time.Time
	for ln.ctx.Err() == nil {
		now := time.Now()
		if g.Register && !now.Before(registers) {
			pause := ln.register(w, &g) // which may take longer than the pause
			registers = time.Now().Add(pause)
		}
		if g.Check && !now.Before(checks) && ln.ctx.Err() == nil {
			pause := ln.check(&g, o)
			checks = time.Now().Add(pause)
		}
		if o.Keepalive > 0 && ln.translated() && !now.Before(keeps) {
			ln.keepOpen()
			keeps = now.Add(time.Duration(o.Keepalive) * ln.trunk.pace.second)
		}
		ln.rest(g.Register, &registers, g.Check, &checks, keeps)
	}
	ln.mu.Lock()
	registered := ln.registered
	ln.mu.Unlock()
	if registered {
		ln.unregister(w, &g)
	}
}

// rest waits until something is due, or somebody wants it at once.
func (ln *line) rest(register bool, registers *time.Time, check bool, checks *time.Time, keeps time.Time) {
	wait := time.Hour
	for _, due := range []struct {
		is bool
		at time.Time
	}{{register, *registers}, {check, *checks}, {!keeps.IsZero(), keeps}} {
		if due.is {
			wait = min(wait, time.Until(due.at))
		}
	}
	timer := time.NewTimer(max(wait, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ln.ctx.Done():
	case <-ln.wake:
		ln.mu.Lock()
		renew := ln.renew || !ln.registered && ln.status.State != pbx.LineRefused
		ln.renew = false
		ln.mu.Unlock()
		*checks = time.Time{}
		if renew {
			*registers = time.Time{}
		}
	}
}

// dialog is the frame of requests outside of calls. Its requests have one Call-ID,
// as a registrar wants it (RFC 3261 section 10.2).
func (ln *line) dialog(g *pbx.Gateway) *dialog {
	domain := sip.Uri{Scheme: "sip", Host: bracketed(g.Registrar)}
	who := sip.Uri{Scheme: "sip", User: escapeUser(g.User), Host: bracketed(g.Registrar)}
	d := &dialog{edge: ln.trunk.edge, line: ln, log: ln.log, id: dialogID{strings.ToLower(crand()), newTag()}, target: domain}
	d.localParty, d.peerParty = sip.FromHeader{Address: who}, sip.ToHeader{Address: who}
	d.routes = ln.proxyRoute(g)
	return d
}

func crand() string { return rand.Text() }

// proxyRoute names the proxy that requests go by first (RFC 3261 section 8.1.2).
func (ln *line) proxyRoute(g *pbx.Gateway) []sip.Uri {
	if g.Proxy == "" || !ln.opts().ProxyRoute {
		return nil
	}
	u := sip.Uri{Scheme: "sip", Host: bracketed(g.Proxy), UriParams: sip.HeaderParams{{K: "lr"}}}
	if _, literal := hostAddr(g.Proxy); g.Port != 0 && (literal || g.Port != 5060) {
		u.Port = g.Port
	}
	if t := ln.transport(); t != resolve.UDP {
		u.UriParams = append(sip.HeaderParams{{K: "transport", V: string(t)}}, u.UriParams...)
	}
	return []sip.Uri{u}
}

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
		return ln.unreached(w, g, "", err)
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
			last = fmt.Errorf("%s: %d %s", f, res.StatusCode, printable(res.Reason, 60))
			ln.publish(func(s *pbx.LineStatus) { s.Status = res.StatusCode })
			continue
		}
		ln.trunk.deps.Resolver.Works(x)
		w.flow = f
		if res.StatusCode < 300 {
			w.contact = contact
		}
		return ln.answered(w, g, x, f, res)
	}
	return max(pause, ln.unreached(w, g, host(g), last))
}

// answered takes the answer to a registration.
func (ln *line) answered(w *work, g *pbx.Gateway, x resolve.Target, f transport.Flow, res *sip.Response) time.Duration {
	w.failures = 0
	ln.mu.Lock()
	ln.server = x
	ln.mu.Unlock()
	switch status := res.StatusCode; {
	case status >= 200 && status < 300:
		w.refusals = 0
		return ln.accepted(g, f, res, w.expires)
	case status == 423: // RFC 3261 section 10.2.8
		if n, err := strconv.Atoi(strings.TrimSpace(headerValue(res, "min-expires"))); err == nil && n > w.expires && n <= 86400 {
			w.expires = n
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
	ln.registered, ln.asked, ln.route = true, true, route
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

// learnPublic notes our address as the provider sees it (RFC 3581), and reports
// whether our Contact has to say another one.
func (ln *line) learnPublic(f transport.Flow, res *sip.Response) (moved bool) {
	if f.Network != "udp" || !ln.translated() || ln.near(f) || ln.trunk.transportSettings().ExternalSignalling != "" {
		return false
	}
	via := res.Via()
	received, _ := via.Params.Get("received")
	rport, _ := via.Params.Get("rport")
	addr, err := netip.ParseAddr(strings.Trim(received, "[]"))
	port, errPort := strconv.ParseUint(rport, 10, 16)
	if err != nil || errPort != nil || port == 0 {
		return false
	}
	seen := netip.AddrPortFrom(addr.Unmap(), uint16(port))
	if seen == netip.AddrPortFrom(ln.trunk.edge.own(f), ln.trunk.at.Port()) {
		seen = netip.AddrPort{}
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	moved = ln.public != seen && ln.moves < maxMoves
	if moved {
		ln.moves++ // a router that gives each message another port is not followed for ever
		ln.public = seen
	}
	return moved
}

// maxMoves is how often our address may change without a registration that holds.
const maxMoves = 5

// unreached: no server has answered the registration.
func (ln *line) unreached(w *work, g *pbx.Gateway, where string, err error) time.Duration {
	if ln.ctx.Err() != nil {
		return 0
	}
	w.failures++
	ln.mu.Lock()
	ln.registered, ln.asked = false, true
	ln.mu.Unlock()
	ln.down(host(g), err)
	return doubled(ln.trunk.pace.failed, w.failures, ln.trunk.pace.mostFailed)
}

// down publishes that the provider cannot be reached, and why.
func (ln *line) down(where string, err error) {
	why := whyDown(where, err)
	ln.publish(func(s *pbx.LineStatus) {
		s.State, s.Message, s.Reason = pbx.LineUnreachable, why, why.Text()
		s.Expires, s.Refresh = time.Time{}, 0
	})
}

// whyDown says in words why a provider cannot be reached.
func whyDown(where string, err error) pbx.Message {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, resolve.ErrNotFound):
		return pbx.Say("The name {host} has no address", "host", where)
	case errors.Is(err, resolve.ErrNoAnswer):
		return pbx.Say("No name server answers for {host}", "host", where)
	case errors.Is(err, resolve.ErrNotOffered):
		return pbx.Say("{host} does not offer calls over this transport", "host", where)
	case errors.As(err, &certificate), errors.Is(err, errCertificate):
		return pbx.Say("The certificate of {host} is not taken: {reason}", "host", where, "reason", printable(err.Error(), 120))
	case errors.Is(err, errSilent):
		return pbx.Say("{host} does not answer", "host", where)
	}
	return pbx.Say("{host} cannot be reached: {reason}", "host", where, "reason", printable(err.Error(), 120))
}

// unregister takes the registration back, if the provider is quick about it.
func (ln *line) unregister(w *work, g *pbx.Gateway) {
	ctx, cancel := context.WithTimeout(ln.trunk.ctx, time.Second)
	defer cancel()
	if _, err := ln.exchange(ctx, w.dialog, ln.registration(w, g, w.contact, 0), w.flow); err != nil {
		ln.log.Info("registration not taken back: it ends by itself", "err", err)
	}
}

// retryAfter is how long a server wants to be left alone (RFC 3261 section 20.33);
// 0 when it does not say.
func retryAfter(res *sip.Response) time.Duration {
	text := headerValue(res, "retry-after")
	text, _, _ = strings.Cut(text, ";")
	text, _, _ = strings.Cut(text, "(")
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, time.Hour)
}

// doubled is a pause that grows with each of n failures up to most, and differs a
// little each time, so that not all come back at once.
func doubled(first time.Duration, n int, most time.Duration) time.Duration {
	d := first
	for range n - 1 {
		if d = 2 * d; d >= most {
			d = most
			break
		}
	}
	return d*9/10 + mrand.N(d/5+1)
}
