package pbxdtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Carrier is a provider that does only what the test says. What the device asks
// before any call, to be registered and whether it is there, it answers by itself
// unless the test wants to. Repeated requests are dropped.
type Carrier struct {
	*Phone
	At      netip.AddrPort // of the provider
	Trunk   netip.AddrPort // of the device towards it
	Gateway string         // ID
	Pings   atomic.Int64   // empty messages that have come

	settings, groupSettings map[string]any // as Lines made them
	transport, group, route string         // IDs

	mu       sync.Mutex
	register func(*Message) // answers REGISTER; nil: 200
	options  func(*Message)
	seen     netip.AddrPort  // where it says that it sees the device
	had      map[string]bool // requests, by method and branch
}

// loopback returns an address of this machine that no other test has.
func loopback() netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(2 + rand.N(250)), byte(rand.N(250)), byte(1 + rand.N(250))})
}

// NewCarrier returns a provider over UDP, with the device's socket towards it at
// the address of trunk; one that is not valid gives it one of its own.
func NewCarrier(t testing.TB, trunk netip.AddrPort) *Carrier {
	t.Helper()
	return NewCarrierAt(t, trunk, 5060)
}

// AcceptCarrier returns a provider over the next TCP connection that the device
// opens.
func AcceptCarrier(t testing.TB, l net.Listener) *Carrier {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return CarrierOver(t, conn, nil)
}

// CarrierOver returns a provider over a connection that the device has opened.
// register, when it is not nil, answers REGISTER, as of OnRegister.
func CarrierOver(t testing.TB, conn net.Conn, register func(*Carrier, *Message)) *Carrier {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	c := &Carrier{At: netip.MustParseAddrPort(conn.LocalAddr().String()), Trunk: netip.MustParseAddrPort(conn.RemoteAddr().String()), had: map[string]bool{}}
	c.Phone = &Phone{T: t, Ext: "carrier", pbx: c.Trunk, conn: conn, network: "tcp", in: make(chan *Message, 256), Contact: "sip:carrier@" + c.At.String() + ";transport=tcp"}
	if register != nil {
		c.OnRegister(func(m *Message) { register(c, m) })
	}
	c.Answers(c.answered)
	go c.read()
	return c
}

// NewCarrierAt is NewCarrier with a port of the provider.
func NewCarrierAt(t testing.TB, trunk netip.AddrPort, port uint16) *Carrier {
	t.Helper()
	if !trunk.IsValid() {
		trunk = netip.AddrPortFrom(loopback(), 6070)
	}
	return NewCarrierFrom(t, trunk, netip.AddrPortFrom(loopback(), port))
}

// NewCarrierFrom is NewCarrier at an address; port 0 picks one.
func NewCarrierFrom(t testing.TB, trunk, at netip.AddrPort) *Carrier {
	t.Helper()
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(at), net.UDPAddrFromAddrPort(trunk))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	at = netip.MustParseAddrPort(conn.LocalAddr().String())
	c := &Carrier{At: at, Trunk: trunk, had: map[string]bool{}}
	c.Phone = &Phone{T: t, Ext: "carrier", pbx: trunk, conn: conn, network: "udp", in: make(chan *Message, 256), Contact: "sip:carrier@" + at.String()}
	c.Answers(c.answered)
	go c.read()
	return c
}

// answered answers what comes before any call.
func (c *Carrier) answered(m *Message) bool {
	if m == nil || m.Start == "" {
		c.Pings.Add(1)
		return true
	}
	if m.Status() != 0 {
		return false
	}
	_, branch, _ := strings.Cut(m.Get("Via"), ";branch=")
	key := m.Method() + " " + strings.SplitN(branch, ";", 2)[0]
	c.mu.Lock()
	register, options, again := c.register, c.options, c.had[key]
	c.had[key] = true
	c.mu.Unlock()
	switch {
	case again: // the test was slow with its answer
	case m.Method() == "REGISTER" && register != nil:
		register(m)
	case m.Method() == "REGISTER":
		c.Grant(m, 300)
	case m.Method() == "OPTIONS" && options != nil:
		options(m)
	case m.Method() == "OPTIONS":
		c.Answer(m, 200, "OK", "")
	default:
		return false
	}
	return true
}

// OnRegister has f answer REGISTER, and OnOptions OPTIONS.
func (c *Carrier) OnRegister(f func(*Message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.register = f
}

// OnOptions has f answer OPTIONS.
func (c *Carrier) OnOptions(f func(*Message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.options = f
}

// Grant takes a registration for so many seconds.
func (c *Carrier) Grant(m *Message, seconds int, fields ...string) {
	extra := strings.Join(fields, "")
	for _, v := range m.All("Contact") {
		extra += fmt.Sprintf("Contact: %s;expires=%d\r\n", v, seconds)
	}
	c.Answer(m, 200, "OK", extra)
}

// Sees has the carrier say that it sees the device at an address and port, as one
// beyond address translation does.
func (c *Carrier) Sees(at netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = at
}

// Answer answers a request without a Contact of our own; extra are further fields,
// each ended by CRLF.
func (c *Carrier) Answer(m *Message, status int, reason, extra string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", status, reason)
	c.mu.Lock()
	seen := c.seen
	c.mu.Unlock()
	for i, v := range m.All("Via") {
		if i == 0 && seen.IsValid() {
			v = strings.Replace(v, ";rport", fmt.Sprintf(";rport=%d;received=%s", seen.Port(), seen.Addr()), 1)
		}
		fmt.Fprintf(&b, "Via: %s\r\n", v)
	}
	to := m.Get("To")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=c"
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n", m.Get("From"), to, m.Get("Call-ID"), m.Get("CSeq"), extra)
	c.trySend(b.String())
}

// Lines makes a gateway at the carrier, in a group of its own, and an outbound
// route to it for numbers that begin with 0. change changes the parameters of the
// gateway before.
func (c *Carrier) Lines(a *Admin, name string, change func(g map[string]any)) {
	c.T.Helper()
	var made struct {
		ID string `json:"id"`
	}
	a.Do("POST", "/api/v1/transports", map[string]any{"name": name, "type": "udp", "bindAddress": c.Trunk.Addr().String(), "bindPort": int(c.Trunk.Port())}, 201, &made)
	c.transport = made.ID
	a.Do("POST", "/api/v1/gateway-groups", map[string]any{"title": name}, 201, &made)
	group := made.ID
	c.group, c.groupSettings = group, a.kept("/api/v1/gateway-groups/"+group)
	g := map[string]any{"name": name, "group": group, "registrar": c.At.Addr().String(), "port": int(c.At.Port()), "transport": c.transport, "user": "line" + name, "password": "secret",
		"dialCommand": "PJSIP/{prefix}{number:1}@{gateway}", "codecs": []string{"pcma", "pcmu"}}
	if change != nil {
		change(g)
	}
	a.Do("POST", "/api/v1/gateways", g, 201, &made)
	c.Gateway = made.ID
	c.settings = a.kept("/api/v1/gateways/" + made.ID)
	a.Do("POST", "/api/v1/outbound-routes", map[string]any{"rule": name, "pattern": "^0", "groups": []string{group}}, 201, &made)
	c.route = made.ID
}

// kept returns what may be changed of an entry.
func (a *Admin) kept(path string) map[string]any {
	a.t.Helper()
	var is map[string]any
	a.Do("GET", path, nil, 200, &is)
	for _, name := range []string{"$schema", "id", "passwordSet", "options"} {
		delete(is, name)
	}
	return is
}

// Change changes parameters of the gateway against what Lines made.
func (c *Carrier) Change(a *Admin, change func(g map[string]any)) {
	c.T.Helper()
	g := maps.Clone(c.settings)
	if change != nil {
		change(g)
	}
	a.Do("PUT", "/api/v1/gateways/"+c.Gateway, g, 0, nil)
}

// Group changes parameters of the gateway's group against what Lines made.
func (c *Carrier) Group(a *Admin, change func(g map[string]any)) {
	c.T.Helper()
	g := maps.Clone(c.groupSettings)
	if change != nil {
		change(g)
	}
	a.Do("PUT", "/api/v1/gateway-groups/"+c.group, g, 0, nil)
}

// Line is the state of a gateway as the page shows it.
func (a *Admin) Line(gateway string) (state, reason string) {
	a.t.Helper()
	var st struct {
		Lines []struct{ Gateway, State, Reason string }
	}
	a.Do("GET", "/api/v1/status", nil, 200, &st)
	for _, l := range st.Lines {
		if l.Gateway == gateway {
			return l.State, l.Reason
		}
	}
	return "", ""
}

// LineIs waits until a gateway has come into a state.
func (s *System) LineIs(a *Admin, gateway, state string) {
	s.T.Helper()
	was := ""
	s.Eventually("gateway "+state, func() bool {
		is, reason := a.Line(gateway)
		was = is + ": " + reason
		return is == state
	})
	_ = was
}

// DialAs sends an INVITE to a URI with another To; "" is the URI.
func (c *Carrier) DialAs(uri, to string) *Call {
	c.T.Helper()
	call := &Call{Phone: c.Phone, ID: c.Unique(), uri: uri, CSeq: 1, Local: fmt.Sprintf("<sip:0891234@%s>;tag=%s", c.At, c.Unique()), Remote: to}
	if to == "" {
		call.Remote = "<" + uri + ">"
	}
	call.invite(SDP(30010), "")
	return call
}
