package sipedge

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	mrand "math/rand/v2"
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
	expires  int       // that we ask for, s
	failures int       // in a row, without an answer
	refusals int       // in a row
	raised   bool      // the provider has asked for a longer registration already
	cuts     int       // registrations in a row of which the connection was soon cut
	began    time.Time // of the last registration
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
			w.began = time.Now()
			registers = w.began.Add(pause)
		}
		if g.Check && !now.Before(checks) && ln.ctx.Err() == nil {
			pause := ln.check(&g, o)
			checks = time.Now().Add(pause)
		}
		if o.Keepalive > 0 && ln.translated() && !now.Before(keeps) {
			ln.keepOpen()
			keeps = now.Add(time.Duration(o.Keepalive) * ln.trunk.pace.second)
		}
		if at, cut := ln.resumes(w); !cut {
			ln.rest(g.Register, &registers, g.Check, &checks, keeps)
		} else if at.Before(registers) {
			registers = at
		}
	}
	ln.mu.Lock()
	registered := ln.registered
	ln.mu.Unlock()
	if registered {
		ln.unregister(w, &g)
	}
}

// resumes is when to register again because the connection of the registration has
// ended, or our address has changed: at once, or later where that happens soon each
// time.
func (ln *line) resumes(w *work) (at time.Time, cut bool) {
	ln.mu.Lock()
	cut, ln.cut = ln.cut, false
	ln.mu.Unlock()
	if !cut {
		return time.Time{}, false
	}
	p, now := ln.trunk.pace, time.Now()
	if now.Sub(w.began) > p.mostFailed {
		w.cuts = 0
	}
	w.cuts++
	if w.cuts == 1 {
		return now, true
	}
	return now.Add(doubled(p.failed, w.cuts-1, p.mostFailed)), true
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
	t := ln.transport()
	if _, literal := hostAddr(g.Proxy); g.Port != 0 && (literal && t != resolve.TLS || g.Port != 5060) {
		u.Port = g.Port
	}
	if t != resolve.UDP {
		u.UriParams = append(sip.HeaderParams{{K: "transport", V: string(t)}}, u.UriParams...)
	}
	return []sip.Uri{u}
}

// unreached: no server has answered the registration.
func (ln *line) unreached(w *work, g *pbx.Gateway, err error) time.Duration {
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
	why, status := whyDown(where, err), 0
	var answered *unable
	if errors.As(err, &answered) {
		status = answered.status
	}
	ln.publish(func(s *pbx.LineStatus) {
		s.State, s.Message, s.Reason = pbx.LineUnreachable, why, why.Text()
		s.Expires, s.Refresh, s.Status = time.Time{}, 0, status
	})
}

// unable is a server that answers, and cannot do what it is asked.
type unable struct {
	status int
	reason string
}

func unableBy(res *sip.Response) *unable {
	return &unable{res.StatusCode, printable(res.Reason, 60)}
}

func (u *unable) Error() string { return strconv.Itoa(u.status) + " " + u.reason }

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
