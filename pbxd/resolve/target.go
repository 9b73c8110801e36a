package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Transport is how messages are carried.
type Transport string

// Transports that are spoken.
const (
	Any Transport = "" // what the provider prefers
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// port is the standard one (RFC 3261 section 19.1.2).
func (t Transport) port() uint16 {
	if t == TLS {
		return 5061
	}
	return 5060
}

// Query is what is known of a server: the parts of a SIP URI.
type Query struct {
	Host      string    // name, or address with or without brackets
	Port      uint16    // 0: not given. With one the host's addresses count, SRV does not (RFC 3263 section 4.2)
	Transport Transport // Any: not given
	Secure    bool      // a sips URI: TLS only
	// NAPTR asks for these records although the transport is given, as far as they
	// are for it: some providers name their servers only there.
	NAPTR bool
	// Reach reports whether we can send to an address: whether there is a route,
	// and the socket is of its family. Addresses without come last. nil: that of
	// the resolver.
	Reach func(netip.Addr) bool
}

// Target is one address of a server.
type Target struct {
	Addr      netip.AddrPort
	Transport Transport // never Any
	// Name is what the certificate must be for: the host of the query, whatever
	// DNS made of it (RFC 5922 section 4); an address without brackets.
	Name    string
	Server  string    // host that has the address, for people to read
	Expires time.Time // until when it may be used without asking again
	Stale   bool      // no name server answers; this is what was last known
}

// Why there is no target.
var (
	// ErrNotFound says that the name does not exist, or has no address.
	ErrNotFound = errors.New("the name has no address")
	// ErrNoAnswer says that no name server has answered, and nothing is known from
	// before.
	ErrNoAnswer = errors.New("no name server answers")
	// ErrNotOffered says that the domain refuses this service (target "." of RFC
	// 2782).
	ErrNotOffered = errors.New("the domain does not offer the service")
	// ErrBadQuery says that no server can be asked for.
	ErrBadQuery = errors.New("not a server")
)

// standard returns the transport of a query that leaves it open (RFC 3263 section
// 4.1).
func (q Query) standard() Transport {
	switch {
	case q.Transport != Any:
		return q.Transport
	case q.Secure:
		return TLS
	default:
		return UDP
	}
}

// checked returns q with the host as DNS is asked for it, and its address when it
// is one.
func (q Query) checked() (Query, netip.Addr, error) {
	switch q.Transport {
	case Any, UDP, TCP, TLS:
	default:
		return q, netip.Addr{}, fmt.Errorf("%w: transport %q", ErrBadQuery, q.Transport)
	}
	if q.Secure && q.Transport == UDP {
		return q, netip.Addr{}, fmt.Errorf("%w: sips over UDP", ErrBadQuery)
	}
	if q.Secure && q.Transport == TCP { // RFC 3261 section 26.2.2
		q.Transport = TLS
	}
	host := q.Host
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host, _ = strings.CutSuffix(inner, "]")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return q, addr.Unmap(), nil
	}
	q.Host = strings.ToLower(strings.TrimSuffix(q.Host, "."))
	if !validName(q.Host) {
		return q, netip.Addr{}, fmt.Errorf("%w: host %.300q", ErrBadQuery, q.Host)
	}
	return q, netip.Addr{}, nil
}

// validName reports whether name can be asked for: labels of 1 to 63 letters,
// digits, hyphens and underscores, at most 253 in all.
func validName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
