package pbxdtest

import (
	"net/netip"
	"strings"
	"testing"
)

// branch is a device with one gateway at a carrier, and a phone of 101, for cases
// that follow each other.
type branch struct {
	*System
	a *Admin
	c *Carrier
	p *Phone
}

func newBranch(t *testing.T, o Options, change func(g map[string]any)) *branch {
	t.Helper()
	s := Start(t, o)
	b := &branch{System: s, a: s.Login(), c: NewCarrier(t, netip.AddrPort{})}
	b.c.Lines(b.a, "a", change)
	s.LineIs(b.a, b.c.Gateway, "up")
	b.p = s.Phone("101", "udp").MustRegister()
	return b
}

// use has everything fail the test t.
func (b *branch) use(t *testing.T) {
	b.T, b.a.t, b.c.T, b.p.T = t, t, t, t
}

// with runs f as a part of the test, with the gateway changed.
func (b *branch) with(t *testing.T, name string, change func(g map[string]any), f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(sub *testing.T) {
		b.use(sub)
		defer b.use(t)
		b.c.Change(b.a, change)
		f(sub)
	})
}

// out dials a number to the outside and returns what the carrier gets; the call is
// over then.
func (b *branch) out(number string) *Message {
	b.T.Helper()
	call := b.p.Dial(number, SDP(30000))
	in := b.c.Ringing()
	b.refuse(call, in)
	return in.Invite
}

// refuse ends a call that the carrier has got.
func (b *branch) refuse(call, in *Call) {
	b.T.Helper()
	in.Reply(404, "Not Found", "")
	b.c.Request("ACK")
	call.AckRefusal(call.Response(404))
}

// header is what a message has to hold in a field: some text, or, with '!' before
// it, not that; "" is no such field.
type header struct{ field, want string }

func (b *branch) holds(m *Message, want ...header) {
	b.T.Helper()
	for _, h := range want {
		got := strings.Join(m.All(h.field), "\n")
		without, not := strings.CutPrefix(h.want, "!")
		switch {
		case h.want == "" && got != "":
			b.T.Errorf("%s: %q, want none", h.field, got)
		case not && strings.Contains(got, without):
			b.T.Errorf("%s: %q, want it without %q", h.field, got, without)
		case !not && !strings.Contains(got, h.want):
			b.T.Errorf("%s: %q, want %q in it", h.field, got, h.want)
		}
	}
}
