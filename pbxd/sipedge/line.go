package sipedge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
	"galilei/pbxd/sipedge/transport"
)

// line is a gateway at work.
type line struct {
	trunk    *Trunk
	id       string
	token    string // that tells our Contact from those of other gateways
	log      *slog.Logger
	ctx      context.Context
	cancel   context.CancelFunc
	wake     chan struct{} // something has changed: look at once
	done     chan struct{} // run has ended
	before   *line         // whose place this one takes, until it has ended
	waiting  atomic.Int64  // calls of the provider that nobody has answered yet
	occupied *occupancy    // calls, those of before a change of the gateway included

	mu         sync.Mutex
	gateway    pbx.Gateway
	options    pbx.GatewayOptions
	status     pbx.LineStatus
	registered bool
	renew      bool             // register at once, although registered
	over       transport.Flow   // of the registration that holds
	cut        bool             // that connection has ended, or goes by another address of ours
	checked    transport.Flow   // of the last check that has said how we are seen
	seen       netip.Addr       // and as what; not valid for our own address
	moves      int              // how often our public address has changed
	answers    bool             // to OPTIONS; also before the first
	asked      bool             // the first registration or check has come to an end
	server     resolve.Target   // that was last reached
	public     netip.AddrPort   // our address as the provider sees it; not valid when it is our own
	route      []sip.Uri        // Service-Route of the registration (RFC 3608)
	cache      map[string]names // of hosts that dialogs go to
}

func newLine(t *Trunk, g pbx.Gateway) *line {
	ln := &line{
		trunk: t, id: g.ID, token: tokenOf(t.deps.Key, g.ID), gateway: g, options: g.Options(), answers: true,
		log: t.deps.Log.With("gateway", g.Name), wake: make(chan struct{}, 1), done: make(chan struct{}), occupied: t.deps.Occupied.of(g.ID), cache: map[string]names{},
	}
	ln.ctx, ln.cancel = context.WithCancel(t.ctx)
	ln.status = pbx.LineStatus{Gateway: g.ID, State: pbx.LineTrying, Since: t.deps.Now(), URI: ln.uri(&g)}
	if !g.Register && !g.Check {
		ln.status.State = pbx.LineUp
	}
	ln.occupied.line.Store(ln)
	return ln
}

// tokenOf is the token of a gateway, by ID. It stays over restarts of the device,
// so that what it was registered as before one is replaced, and nobody can guess it.
func tokenOf(k pbx.DeviceKey, gateway string) string {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte("galilei line v1\n" + gateway))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// uri is what the line is registered as, or calls from.
func (ln *line) uri(g *pbx.Gateway) string {
	if g.User == "" {
		return "sip:" + bracketed(g.Registrar)
	}
	return "sip:" + escapeUser(g.User) + "@" + bracketed(g.Registrar)
}

// restarts reports whether a changed gateway is another one for the provider.
func (ln *line) restarts(g *pbx.Gateway) bool {
	is := ln.current()
	a, b := is.GatewaySettings, g.GatewaySettings
	return a.Registrar != b.Registrar || a.Proxy != b.Proxy || a.Port != b.Port || a.User != b.User || a.AuthUser != b.AuthUser || is.Password != g.Password ||
		a.Register != b.Register || a.Check != b.Check || a.NAT != b.NAT || !slices.Equal(a.Numbers, b.Numbers) || !slices.Equal(a.Parameters, b.Parameters)
}

// configure takes settings that the provider learns of with the next call.
func (ln *line) configure(g pbx.Gateway) {
	ln.mu.Lock()
	ln.gateway, ln.options = g, g.Options()
	ln.mu.Unlock()
}

// stop ends the work of the line; calls over it go on.
func (ln *line) stop() { ln.cancel() }

// current is the gateway as it is set now.
func (ln *line) current() pbx.Gateway {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.gateway
}

// settings are those of the gateway.
func (ln *line) settings() pbx.GatewaySettings { return ln.current().GatewaySettings }

// opts are the enhanced parameters.
func (ln *line) opts() pbx.GatewayOptions {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.options
}

// account is who we are at the provider.
func (ln *line) account() account {
	g := ln.current()
	a := account{user: g.AuthUser}
	if a.user == "" {
		a.user = g.User
	}
	if g.Password == "" {
		return a
	}
	p, err := ln.trunk.deps.Key.Open(pbx.GatewayPasswordPurpose(g.ID), g.Password)
	if err != nil {
		ln.log.Error("password of the gateway cannot be read", "err", err)
		return a
	}
	a.password = p
	return a
}

// calls is how many calls the line has.
func (ln *line) calls() int { return int(ln.occupied.calls.Load()) }

// joins counts a call, unless the line has all that it may have. An emergency call
// is counted in any case.
func (ln *line) joins(emergency bool) bool {
	most := int64(ln.settings().MaxCalls)
	for {
		n := ln.occupied.calls.Load()
		if most > 0 && n >= most && !emergency {
			return false
		}
		if ln.occupied.calls.CompareAndSwap(n, n+1) {
			ln.publish(func(*pbx.LineStatus) {})
			return true
		}
	}
}

// left says that a call over the line is over.
func (ln *line) left() {
	if ln == nil {
		return
	}
	ln.occupied.calls.Add(-1)
	ln.occupied.line.Load().publish(func(*pbx.LineStatus) {}) // of another trunk, perhaps, since the gateway was changed
}

// usable reports whether calls are made over the line.
func (ln *line) usable() bool {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.status.State.Usable()
}

// again has the line register and look at once.
func (ln *line) again() {
	ln.mu.Lock()
	ln.renew = true
	ln.mu.Unlock()
	ln.look()
}

// disconnected has the line register anew when it has registered over a connection
// that has ended: the provider may reach us by no other (RFC 5626 section 4.5).
func (ln *line) disconnected(f transport.Flow) {
	ln.mu.Lock()
	cut := ln.registered && ln.over.Same(f)
	ln.cut = ln.cut || cut
	ln.mu.Unlock()
	if cut {
		ln.look()
	}
}

// look has the line ask at once whether the provider is there.
func (ln *line) look() {
	select {
	case ln.wake <- struct{}{}:
	default:
	}
}

// publish changes the state of the line and tells of it.
func (ln *line) publish(change func(*pbx.LineStatus)) {
	ln.mu.Lock()
	before := ln.status
	change(&ln.status)
	ln.status.Calls = ln.calls()
	if ln.status.State != before.State {
		ln.status.Since = ln.trunk.deps.Now()
	}
	now := ln.status
	told := ln.ctx.Err() == nil
	ln.mu.Unlock()
	if now.State != before.State {
		ln.log.Info("gateway", "state", string(now.State), "reason", now.Reason)
	}
	if told {
		ln.trunk.deps.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &now})
	}
}
