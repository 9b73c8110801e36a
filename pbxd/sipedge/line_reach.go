package sipedge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// errSilent says that a server has not answered in the time that it had.
var errSilent = errors.New("no answer")

// locateTime is how long name servers have for a call that waits.
const locateTime = 2 * time.Second

// host is the server that messages go to.
func host(g *pbx.Gateway) string {
	if g.Proxy != "" {
		return g.Proxy
	}
	return g.Registrar
}

// locate returns the provider's servers, the best first (RFC 3263). A port of 5060
// with a name, or over TLS, is that of the form, not of the provider.
func (ln *line) locate(ctx context.Context) ([]resolve.Target, error) {
	g := ln.current()
	q := resolve.Query{Host: host(&g), Port: uint16(g.Port), Transport: ln.transport(), NAPTR: true, Reach: ln.reaches} // validation keeps it in range
	if _, literal := hostAddr(q.Host); q.Port == 5060 && (!literal || q.Transport == resolve.TLS) {
		q.Port = 0
	}
	ctx, cancel := context.WithTimeout(ctx, locateTime)
	defer cancel()
	return ln.trunk.deps.Resolver.Locate(ctx, q)
}

func (ln *line) transport() resolve.Transport {
	return resolve.Transport(ln.trunk.transportSettings().Type)
}

// reaches reports whether the socket of the trunk is of the family of an address,
// and there is a route.
func (ln *line) reaches(a netip.Addr) bool {
	at := ln.trunk.at.Addr()
	return (at.Unmap().Is4() == a.Is4() || at.Is6() && at.IsUnspecified()) && resolve.HasRoute(a)
}

// flowTo returns the flow to a server; name is what its certificate must be for.
func (ln *line) flowTo(at netip.AddrPort, name string) (transport.Flow, error) {
	t := ln.trunk
	switch ln.transport() {
	case resolve.TCP:
		return t.edge.transport.TCP(at)
	case resolve.TLS:
		rules := t.clientTLS()
		return t.edge.transport.TLS(at, named(rules, name), rules)
	}
	return t.edge.transport.UDP(at)
}

// names is where a host of a dialog is.
type names struct {
	at    netip.AddrPort // not valid while it is not known
	until time.Time
	busy  bool
}

// maxNames bounds the hosts of dialogs that are remembered.
const maxNames = 64

// way returns the flow for a request within a dialog whose next hop is a URI, and
// whose far end was last seen over f. An address that cannot be reached from here
// is that of a provider behind a router of its own: it is reached where it was
// seen. So is one over TLS that is named by its address: no certificate is for that,
// and the connection has shown who is at its other end.
func (ln *line) way(hop *sip.Uri, f transport.Flow) (transport.Flow, error) {
	at, known := uriAddr(hop)
	if known && f.Network == "tls" && f.Alive() {
		return f, nil
	}
	if !known {
		at, known = ln.lookUp(hop)
	}
	if !known || nobodysHere(at.Addr(), f.Remote.Addr(), ln.translated()) {
		at = f.Remote
	}
	if f.Network == "udp" {
		return ln.trunk.edge.transport.UDP(at)
	}
	if f.Alive() && (!known || at.Addr() == f.Remote.Addr()) {
		return f, nil
	}
	ln.mu.Lock()
	server := ln.server
	ln.mu.Unlock()
	if server.Addr.Addr() == at.Addr() { // whoever has called us did not call from the port at which it is called
		return ln.flowTo(server.Addr, server.Name)
	}
	return ln.flowTo(at, strings.Trim(hop.Host, "[]"))
}

// nobodysHere reports whether an address that somebody names who is seen at another
// one means nothing here: that of its own machine, or, where routers may stand in
// the way, one of its own network.
func nobodysHere(a, seen netip.Addr, translated bool) bool {
	own := (a.IsLoopback() || a.IsUnspecified()) && !seen.IsLoopback()
	return own || translated && !routable(a) && routable(seen)
}

// lookUp returns where a host is, or has that found out for the next time.
func (ln *line) lookUp(hop *sip.Uri) (netip.AddrPort, bool) {
	key := hop.Host + ":" + fmt.Sprint(hop.Port)
	over := ln.transport() // takes the trunk's lock, which comes before the line's
	ln.mu.Lock()
	defer ln.mu.Unlock()
	now := time.Now()
	n := ln.cache[key]
	if !n.busy && now.After(n.until) {
		if len(ln.cache) >= maxNames {
			clear(ln.cache)
		}
		n.busy = true
		ln.cache[key] = n
		q := resolve.Query{Host: hop.Host, Port: uint16(max(0, min(hop.Port, 65535))), Transport: over, Reach: ln.reaches}
		go ln.find(key, q)
	}
	return n.at, n.at.IsValid()
}

func (ln *line) find(key string, q resolve.Query) {
	ctx, cancel := context.WithTimeout(ln.trunk.ctx, locateTime)
	defer cancel()
	list, err := ln.trunk.deps.Resolver.Locate(ctx, q)
	ln.mu.Lock()
	defer ln.mu.Unlock()
	n := ln.cache[key]
	n.busy, n.until = false, time.Now().Add(30*time.Second)
	if err == nil && len(list) > 0 {
		n.at = list[0].Addr
	}
	ln.cache[key] = n
}

// from reports whether an address is one of the provider's: of its servers, or in
// a network that the gateway names. Networks that hold every address name none.
func (ln *line) from(a netip.Addr) bool {
	g := ln.current()
	within, narrow := false, false
	for _, text := range g.AllowedSubnets {
		if p, err := netip.ParsePrefix(text); err == nil && p.Bits() > 0 {
			narrow = true
			within = within || p.Contains(a.WithZone(""))
		}
	}
	if narrow {
		return within
	}
	ln.mu.Lock()
	server := ln.server
	ln.mu.Unlock()
	if server.Addr.Addr() == a {
		return true
	}
	for _, h := range []string{g.Registrar, g.Proxy} {
		if list, known := ln.trunk.deps.Resolver.Addresses(h); known && slices.Contains(list, a) {
			return true
		}
	}
	return false
}

// allowed reports whether a call may come from an address that is known as the
// provider's by another sign: unless the gateway names networks, from any.
func (ln *line) allowed(a netip.Addr) bool {
	narrow := slices.ContainsFunc(ln.current().AllowedSubnets, func(text string) bool {
		p, err := netip.ParsePrefix(text)
		return err == nil && p.Bits() > 0
	})
	return !narrow || ln.from(a)
}

// exchange sends a request outside of calls, with credentials where they are
// wanted, and returns the final answer. The error says why there is none: errSilent,
// or what became of the connection.
func (ln *line) exchange(ctx context.Context, d *dialog, req *sip.Request, f transport.Flow) (*sip.Response, error) {
	for proofs := 0; ; proofs++ {
		d.via(req, f)
		res, err := ln.once(ctx, req, f)
		if err != nil || res.StatusCode != 401 && res.StatusCode != 407 || proofs == maxProofs {
			return res, err
		}
		again, err := proved(req, res, ln.account())
		if err != nil {
			ln.log.Info("the provider wants credentials", "method", string(req.Method), "err", err)
			return res, nil
		}
		d.cseq++
		renumber(again, d.cseq)
		req = again
	}
}

type final struct {
	res *sip.Response
	err error
}

func (ln *line) once(ctx context.Context, req *sip.Request, f transport.Flow) (*sip.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, ln.trunk.pace.answer)
	defer cancel()
	answers := make(chan final, 1)
	_, err := ln.trunk.edge.tx.Request(req, f, func(res *sip.Response, err error) {
		if err != nil || res.StatusCode >= 200 {
			select {
			case answers <- final{res, err}:
			default: // a second one, of a fork
			}
		}
	})
	if err != nil {
		return nil, reasonOver(f, err)
	}
	select {
	case a := <-answers:
		return a.res, reasonOver(f, a.err)
	case <-ctx.Done():
		return nil, errSilent
	}
}

// reasonOver is why a request got no answer over f, as exactly as is known.
func reasonOver(f transport.Flow, err error) error {
	switch why := f.Why(); {
	case err == nil:
		return nil
	case errors.Is(err, transaction.ErrTimeout):
		return errSilent
	case why != nil:
		return why
	}
	return err
}
