package pbxd

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"galilei/pbxd/pbx"
)

// phoneTLS is the socket for phones over TLS, which comes and goes with the
// settings.
type phoneTLS struct {
	mu sync.Mutex
	at netip.AddrPort // not valid while there is none
}

// TLSAddr is the address of the phones' TLS port; not valid while there is none.
func (p *PBX) TLSAddr() netip.AddrPort {
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	return p.tls.at
}

// listenTLS has the TLS port follow the settings. Without it the phones over
// UDP and TCP go on: a port that is taken is logged and ends nothing.
func (p *PBX) listenTLS(ctx context.Context, s pbx.SIP) {
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	if p.tls.at.IsValid() {
		p.edge.CloseTLS(p.tls.at)
		p.tls.at = netip.AddrPort{}
	}
	if !s.TLS {
		return
	}
	addr := p.deps.SIPTLS
	if addr == "" {
		addr = net.JoinHostPort(p.sipAddr.Addr().String(), strconv.Itoa(s.TLSPort))
	}
	at, err := p.edge.ListenTLS(ctx, addr, p.web.PhoneTLS())
	if err != nil {
		p.deps.Log.Error("phones cannot register over TLS: choose another TLS port", "err", err)
		return
	}
	p.tls.at = at
}
