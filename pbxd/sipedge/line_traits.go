package sipedge

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/media"
	"galilei/pbxd/sipedge/transport"
)

// What legs ask of a line, and of the nil line, which is that of a phone.

// takes returns a description as far as the line has its codecs, in the line's
// order, and keys in its form (F169, F176).
func (ln *line) takes(d *media.Description) *media.Description {
	if ln == nil || d == nil || d.Audio < 0 {
		return d
	}
	g := ln.settings()
	c := *d
	c.Formats = nil
	for _, name := range g.Codecs {
		for _, f := range d.Formats {
			if strings.EqualFold(f.Name, name) {
				c.Formats = append(c.Formats, f)
			}
		}
	}
	for _, f := range d.Formats {
		if strings.EqualFold(f.Name, media.TelephoneEvent) && g.DTMF == "rfc2833" || strings.EqualFold(f.Name, "CN") {
			c.Formats = append(c.Formats, f)
		}
	}
	return &c
}

// byINFO reports whether keys go by INFO: those of a line as it is set, those of a
// phone when it serves INFO.
func (ln *line) byINFO(serves bool) bool {
	if ln == nil {
		return serves
	}
	return ln.settings().DTMF == "info"
}

// supported are the extensions that we name (RFC 3261 section 20.37).
func (ln *line) supported() string {
	if ln == nil {
		return supported
	}
	o, list := ln.opts(), []string{}
	if o.Reliable {
		list = append(list, "100rel")
	}
	if o.SessionTimers {
		list = append(list, "timer")
	}
	return strings.Join(append(list, "histinfo"), ", ")
}

// allow are the methods that the far end is served.
func (ln *line) allow() string {
	if ln == nil {
		return allow
	}
	return allowOfLine
}

// refreshes reports whether sessions are refreshed (RFC 4028).
func (ln *line) refreshes() bool { return ln == nil || ln.opts().SessionTimers }

// rport asks for answers at the port that we send from (RFC 3581), unless there is
// no address translation (F165).
func (ln *line) rport() sip.HeaderParams {
	if ln != nil && !ln.translated() {
		return nil
	}
	return sip.HeaderParams{{K: "rport"}}
}

// translated reports whether a router may stand in the way of messages.
func (ln *line) translated() bool {
	nat := ln.settings().NAT
	return nat == "yes" || nat == "force-rport"
}

// comedia reports whether audio goes where theirs comes from (F165).
func (ln *line) comedia() bool {
	nat := ln.settings().NAT
	return nat == "yes" || nat == "comedia"
}

// self is our address as the provider must use it.
func (ln *line) self(f transport.Flow) netip.AddrPort {
	s := ln.trunk.transportSettings()
	if ext, err := netip.ParseAddr(s.ExternalSignalling); err == nil && !ln.near(f) {
		port := s.ExternalSignallingPort
		if port == 0 {
			port = int(ln.trunk.at.Port())
		}
		return netip.AddrPortFrom(ext.Unmap(), uint16(port)) // validation keeps it in range
	}
	ln.mu.Lock()
	public := ln.public
	ln.mu.Unlock()
	if public.IsValid() && f.Network == "udp" {
		return public
	}
	return netip.AddrPortFrom(ln.trunk.edge.own(f), ln.trunk.at.Port())
}

// hears is the address at which we hear their audio.
func (ln *line) hears(f transport.Flow) netip.Addr {
	if ext, err := netip.ParseAddr(ln.trunk.transportSettings().ExternalMedia); err == nil && !ln.near(f) {
		return ext.Unmap()
	}
	ln.mu.Lock()
	public := ln.public
	ln.mu.Unlock()
	if public.IsValid() {
		return public.Addr()
	}
	return ln.trunk.edge.own(f)
}

// near reports whether no router stands between: the provider is in one of the
// local networks.
func (ln *line) near(f transport.Flow) bool {
	cfg := ln.trunk.deps.Config()
	return cfg.SIP.IsLocal(f.Remote.Addr())
}

// serves reports whether the provider may send a request of a method within a
// call. Who calls from outside transfers nobody and watches nobody.
func (ln *line) serves(m sip.RequestMethod) bool {
	switch m {
	case sip.REFER, sip.SUBSCRIBE, sip.MESSAGE:
		return false
	}
	return true
}
