package resolve

import (
	"cmp"
	"slices"
	"strings"
)

// naptr is what a NAPTR record says (RFC 3403 section 4.1).
type naptr struct {
	order, preference      uint16
	flags, service, regexp string
	replacement            string
}

// service is where a service of a domain is looked up.
type service struct {
	transport Transport
	name      string // of the SRV records, or of the host
	host      bool   // name is a host with the standard port
	order     uint16
}

// transportOf returns the transport of a service field (RFC 3263 section 4.1);
// those that we do not speak, SCTP and WebSocket, are Any.
func transportOf(field string) Transport {
	switch strings.ToUpper(field) {
	case "SIP+D2U":
		return UDP
	case "SIP+D2T":
		return TCP
	case "SIPS+D2T":
		return TLS
	}
	return Any
}

// chooseServices returns the services that we speak, by order and then
// preference. With secure only TLS is one. Records with a regular expression are
// not for SIP.
func chooseServices(records []record, secure bool) []service {
	var usable []naptr
	for _, r := range records {
		n := r.naptr
		t := transportOf(n.service)
		flag := strings.ToLower(n.flags)
		if t == Any || secure && t != TLS || n.regexp != "" || n.replacement == "" || flag != "s" && flag != "a" {
			continue
		}
		usable = append(usable, n)
	}
	slices.SortStableFunc(usable, func(a, b naptr) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.preference, b.preference))
	})
	list := make([]service, 0, len(usable))
	for _, n := range usable {
		list = append(list, service{transport: transportOf(n.service), name: n.replacement, host: strings.EqualFold(n.flags, "a"), order: n.order})
	}
	return list
}

// serviceName returns the name of the SRV records of a domain for a transport
// (RFC 3263 section 4.1, RFC 2782).
func serviceName(t Transport, domain string) string {
	switch t {
	case TCP:
		return "_sip._tcp." + domain
	case TLS:
		return "_sips._tcp." + domain
	default:
		return "_sip._udp." + domain
	}
}
