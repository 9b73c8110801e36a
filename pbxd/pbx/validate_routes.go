package pbx

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"galilei/pbxd/pbx/pattern"
)

// checkTransports checks that the sockets do not get into each other's way, nor
// into that of the phones (T5).
func checkTransports(c *Config) (errs []FieldError) {
	for i := range c.Transports {
		t := &c.Transports[i]
		path := fmt.Sprintf("transports[%d].", i)
		if t.BindPort == 5060 || t.BindPort == c.SIP.TLSPort && t.Type != "udp" || slices.Contains([]int{22, 53, 80, 443}, t.BindPort) {
			errs = append(errs, refused(path+"bindPort", "is the port of another service of this device"))
		}
		for j := range c.Transports[:i] {
			if o := &c.Transports[j]; o.BindPort == t.BindPort && (o.Type == "udp") == (t.Type == "udp") && sameSocket(o.BindAddress, t.BindAddress) {
				errs = append(errs, refused(path+"bindPort", "is used by the transport {name}", "name", o.Name).
					or(refused(fmt.Sprintf("transports[%d].bindPort", j), "is used by the transport {name}", "name", t.Name)))
			}
		}
		if t.Type != "tls" && (t.CACertificate != "" || t.Certificate != "") {
			errs = append(errs, refused(path+"type", "must be tls: only there certificates are used"))
		}
		if c.lacksKey(t.Certificate) {
			errs = append(errs, refused(path+"certificate", "is that of an authority, without a key"))
		}
	}
	return errs
}

// lacksKey reports whether a certificate, by ID, is that of an authority.
func (c *Config) lacksKey(id string) bool {
	i := slices.IndexFunc(c.Certificates, func(x Certificate) bool { return x.ID == id })
	return i >= 0 && c.Certificates[i].Key == ""
}

// sameSocket reports whether two addresses cannot have the same port.
func sameSocket(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX != nil || errY != nil {
		return false // the tag rule has said so
	}
	return x == y || x.IsUnspecified() && (x.Is6() || y.Is4()) || y.IsUnspecified() && (y.Is6() || x.Is4())
}

func checkGateways(c *Config) (errs []FieldError) {
	for i := range c.Gateways {
		g := &c.Gateways[i]
		path := fmt.Sprintf("gateways[%d].", i)
		if g.Registrar == "" {
			errs = append(errs, refused(path+"registrar", "is needed: calls go there"))
		}
		if g.Register && g.User == "" {
			errs = append(errs, refused(path+"user", "is needed to register"))
		}
		if g.DialCommand != "" {
			errs = append(errs, CheckDialCommand(path+"dialCommand", g.DialCommand)...)
		}
		for j, n := range g.Numbers {
			if slices.Contains(g.Numbers[:j], n) {
				errs = append(errs, refused(fmt.Sprintf("%snumbers[%d]", path, j), "is in the list twice"))
			}
		}
		_, wrong := parseOptions(path+"parameters", g.Parameters)
		errs = append(errs, wrong...)
		if len(g.Codecs) == 0 {
			errs = append(errs, refused(path+"codecs", "is needed: without a codec there is no audio"))
		}
		if t := c.TransportByID(g.Transport); t != nil && t.Type != "tls" && g.SRTP != SRTPOff && g.SRTP != "" {
			errs = append(errs, refused(path+"srtp", "needs a transport with TLS: over {type} everybody could read the keys", "type", strings.ToUpper(t.Type)))
		}
		seen := map[string]bool{}
		for j, codec := range g.Codecs {
			if seen[codec] {
				errs = append(errs, refused(fmt.Sprintf("%scodecs[%d]", path, j), "is in the list twice"))
			}
			seen[codec] = true
		}
	}
	for i := range c.GatewayGroups {
		g := &c.GatewayGroups[i]
		path := fmt.Sprintf("gatewayGroups[%d].", i)
		for _, r := range []struct {
			name string
			rule SearchReplace
		}{{"outboundCallerId", g.OutboundCallerID}, {"assertedIdentity", g.AssertedIdentity}, {"inboundDid", g.InboundDID}, {"inboundCallerId", g.InboundCallerID}} {
			errs = append(errs, checkSearchReplace(path+r.name, "search", "replace", r.rule)...)
		}
		seen := map[string]bool{}
		for j, n := range g.CallerIDs {
			if seen[n.User] {
				errs = append(errs, refused(fmt.Sprintf("%scallerIds[%d].user", path, j), "is in the list twice"))
			}
			seen[n.User] = true
		}
	}
	return errs
}

// TransportByID returns the transport with that ID, or nil.
func (c *Config) TransportByID(id string) *Transport {
	for i := range c.Transports {
		if c.Transports[i].ID == id {
			return &c.Transports[i]
		}
	}
	return nil
}

// CheckDialCommand returns what is wrong with a dial command, as the parameter
// at path; nil when it is one.
func CheckDialCommand(path, command string) []FieldError {
	_, err := ParseDialCommand(command)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrDialNumber):
		return []FieldError{refused(path, "has no place for the number")}
	case errors.Is(err, ErrDialUnknown):
		return []FieldError{refused(path, "has a placeholder that is none of those in the help")}
	}
	return []FieldError{refused(path, "has signs between the placeholders that are no digits, '+', '*' or '#'")}
}

// Check returns what is wrong with r, as the parameters search and replace below
// path; nil when it can be used.
func (r SearchReplace) Check(path string) []FieldError {
	return checkSearchReplace(path, "search", "replace", r)
}

// checkSearchReplace checks a pattern and what takes its place, in two fields
// below path.
func checkSearchReplace(path, search, replace string, r SearchReplace) (errs []FieldError) {
	if strings.ContainsAny(r.Search, " \t/") {
		return []FieldError{refused(path+"."+search, spacedPattern)}
	}
	p, err := pattern.Compile(r.Search)
	if err != nil {
		return []FieldError{patternRule(path+"."+search, err)}
	}
	if _, err := pattern.NewRewrite(p, r.Replace); err != nil {
		if errors.Is(err, pattern.ErrGroup) {
			return []FieldError{refused(path+"."+replace, "refers to a group that the pattern does not have: it has {n}", "n", p.Groups())}
		}
		return []FieldError{refused(path+"."+replace, "has a $ without the number of a group")}
	}
	if r.Search == "" && r.Replace != "" {
		return []FieldError{refused(path+"."+search, "is needed: ^(.*) is every number")}
	}
	return nil
}

// spacedPattern says that a pattern never holds.
const spacedPattern = "has a space or a slash: numbers are compared without"

func patternRule(path string, err error) FieldError {
	if errors.Is(err, pattern.ErrNamed) {
		return refused(path, "has a named group; groups are numbered here")
	}
	return refused(path, "is no regular expression: look at brackets and backslashes")
}

// searchOf is the expression of a route's pattern, which may be a number.
func searchOf(p string) string {
	if pattern.Plain(p) {
		return regexp.QuoteMeta(p)
	}
	return p
}

// checkRoutes checks patterns, targets and times.
func checkRoutes(c *Config) (errs []FieldError) {
	for i := range c.InboundRoutes {
		r := &c.InboundRoutes[i]
		path := fmt.Sprintf("inboundRoutes[%d]", i)
		errs = append(errs, checkSearchReplace(path, "pattern", "target", SearchReplace{searchOf(r.Pattern), r.Target})...)
		errs = append(errs, r.Window.check(path+".window.")...)
	}
	for i := range c.OutboundRoutes {
		r := &c.OutboundRoutes[i]
		path := fmt.Sprintf("outboundRoutes[%d].", i)
		switch _, err := pattern.Compile(searchOf(r.Pattern)); {
		case err != nil:
			errs = append(errs, patternRule(path+"pattern", err))
		case strings.ContainsAny(r.Pattern, " \t/"):
			errs = append(errs, refused(path+"pattern", spacedPattern))
		}
		if len(r.Groups) == 0 {
			errs = append(errs, refused(path+"groups", "is needed: calls go over a gateway group"))
		}
		errs = append(errs, r.Window.check(path+"window.")...)
	}
	for i := range c.Calendars {
		for j, h := range c.Calendars[i].Days {
			w := Window{DateFrom: h.From, DateTo: h.To}
			for _, e := range w.check("") {
				e.Path = fmt.Sprintf("calendars[%d].days[%d].%s", i, j, map[string]string{"dateFrom": "first", "dateTo": "last"}[e.Path])
				errs = append(errs, e)
			}
		}
	}
	for i, n := range c.NightService.Selectable {
		if slices.Contains(c.NightService.Selectable[:i], n) {
			errs = append(errs, refused(fmt.Sprintf("nightService.selectable[%d]", i), "is in the list twice"))
		}
	}
	return errs
}
