package call

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// exchange is the lines of a house: gateways g1 and g2.
type exchange struct {
	h     *house
	dials []LineDial
	down  map[string]bool
	calls map[string]int
	err   error
	asked func(LineDial) // before a leg is made

	emergencies []Emergency
}

func (x *exchange) DialLine(d LineDial) (Leg, error) {
	x.h.mu.Lock()
	defer x.h.mu.Unlock()
	if x.err != nil {
		return nil, x.err
	}
	if x.asked != nil {
		x.asked(d)
	}
	a := &actor{name: d.Gateway}
	x.dials = append(x.dials, d)
	x.h.rung[d.Gateway] = a
	x.h.notify[a] = d.Notify
	return a, nil
}

func (x *exchange) Line(gateway string) (up bool, calls int) {
	return !x.down[gateway], x.calls[gateway]
}

// withLines plays in a house with two gateways in one group and a route for
// everybody.
func withLines(t *testing.T, play func(h *house, x *exchange)) {
	inHouse(t, func(h *house) {
		x := &exchange{h: h, down: map[string]bool{}, calls: map[string]int{}}
		group := pbx.GatewayGroup{ID: "main"}
		pbx.SetDefaults(&group.GatewayGroupSettings)
		group.Title = "Main"
		h.cfg.GatewayGroups = []pbx.GatewayGroup{group}
		for _, id := range []string{"g1", "g2"} {
			g := pbx.Gateway{ID: id}
			pbx.SetDefaults(&g.GatewaySettings)
			g.Name, g.Group, g.Registrar, g.User, g.Codecs = id, "main", "sip.example.org", "u", []string{"pcma"}
			h.cfg.Gateways = append(h.cfg.Gateways, g)
		}
		route := pbx.OutboundRoute{ID: "all"}
		pbx.SetDefaults(&route.OutboundRouteSettings)
		route.Rule, route.Pattern, route.Groups = "All", "^0", []string{"main"}
		h.cfg.OutboundRoutes = []pbx.OutboundRoute{route}
		if err := pbx.Validate(h.cfg, pbx.Model{}); err != nil {
			t.Fatal(err)
		}
		h.engine.deps.Lines = x
		h.engine.deps.Watch.Emergency = func(e Emergency) {
			h.mu.Lock()
			defer h.mu.Unlock()
			x.emergencies = append(x.emergencies, e)
		}
		play(h, x)
	})
}

func TestCallToTheOutside(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		a := h.call("101", "0030123456")
		line := h.rings("g1")
		h.does(line, Event{Kind: EventRinging})
		h.answers(line)
		h.joined(a, line)
		if d := x.dials[0]; d.Number != "030123456" || d.Caller.Number != "101" || d.Passed != 1 {
			t.Errorf("told %+v", d)
		}
		if f := h.fact(); f.With != "+4930123456" {
			t.Errorf("talks with %q", f.With)
		}
		time.Sleep(3 * time.Second)
		h.hangsUp(line)
		wantLast(t, a, "hangup 16")
		h.wantJournal("101 out 0030123456 answered 3")
	})
}

// A line that cannot take the call gives way to the next; a busy or unknown
// number is that by any line.
func TestLineFailsOver(t *testing.T) {
	for _, tt := range []struct {
		cause pbx.Cause
		next  bool
	}{
		{pbx.CauseTemporaryFailure, true}, {pbx.CauseNoUserResponding, true}, {pbx.CauseCongestion, true}, {pbx.CauseNetworkOutOfOrder, true}, {pbx.CauseNotAuthorised, true},
		{pbx.CauseNoRoute, true}, {pbx.CauseNoRouteTransit, true}, {pbx.CauseNoResource, true}, {pbx.CauseChannelNotThere, true},
		{pbx.CauseUserBusy, false}, {pbx.CauseUnallocated, false}, {pbx.CauseCallRejected, false}, {pbx.CauseNoAnswer, false},
	} {
		withLines(t, func(h *house, x *exchange) {
			a := h.call("101", "0030123456")
			h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: tt.cause})
			if !tt.next {
				h.silent("g2")
				wantLast(t, a, fmt.Sprintf("hangup %d", tt.cause))
				return
			}
			line := h.rings("g2")
			h.answers(line)
			h.joined(a, line)
			h.traced("g1 does not take the call: g2 is next")
			h.hangsUp(a)
		})
	}
}

func TestNoLine(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		x.err = fmt.Errorf("dial: %w", ErrLineBusy)
		a := h.call("101", "0030123456")
		wantLast(t, a, "hangup 34")
		x.down["g1"], x.down["g2"] = true, true
		wantLast(t, h.call("101", "0030123456"), "hangup 34")
		h.traced("g1 cannot be reached")
	})
}

// A call from outside is nobody's of the house, whatever number it shows.
func TestCallFromTheOutside(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		h.cfg.GatewayGroups[0].InboundDID = pbx.SearchReplace{Search: `^49891234(\d\d\d)$`, Replace: "$1"}
		h.cfg.GatewayGroups[0].InboundCallerID = pbx.SearchReplace{Search: "^", Replace: "0"}
		line := h.invite(Incoming{Gateway: "g1", Caller: Party{Number: "101"}, Digits: "49891234102", Offer: speaks()})
		b := h.rings("102")
		if d := h.last(); d.Caller.Number != "0101" {
			t.Errorf("the phone shows %q", d.Caller.Number)
		}
		h.answers(b)
		h.joined(line, b)
		if n := h.engine.Calls("101"); n != 0 {
			t.Errorf("101 has %d calls", n)
		}
		h.refers(b, "103", nil)
		c := h.rings("103")
		if d := h.last(); d.Caller.Number != "0101" {
			t.Errorf("after the transfer the phone shows %q", d.Caller.Number)
		}
		h.answers(c)
		h.joined(line, c)
		h.hangsUp(line)
		if got := h.journal(); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "102 in 0101 answered") }) {
			t.Errorf("journal %q", got)
		}
	})
}

// Who calls from outside without a number is hidden in the record of the call also
// when it was sent on to the outside, by a user whose number is not.
func TestAnonymousCallIsForwarded(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		h.cfg.UserByExtension("102").Calls.SetForwarding(true, pbx.DivertAlways, true, "0030123456")
		for i := range h.cfg.PermissionGroups {
			g := &h.cfg.PermissionGroups[i]
			g.Permissions = slices.DeleteFunc(g.Permissions, func(p pbx.GroupPermission) bool { return p.Permission == pbx.PermitCLIR })
		}
		line := h.invite(Incoming{Gateway: "g1", Anonymous: true, Digits: "102", Offer: speaks()})
		out := h.rings("g1")
		if d := x.dials[0]; d.Hidden || d.Caller.Number != "102" || d.Original != (Party{}) {
			t.Errorf("told %+v", d)
		}
		h.answers(out)
		h.joined(line, out)
		h.hangsUp(out)
		sleep(0)
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.records) != 1 || !h.records[0].Hidden {
			t.Errorf("records %+v", h.records)
		}
	})
}

// Forwarded after a while to the outside, the call is that of who forwards, and
// the provider is told so.
func TestForwardedToTheOutside(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		h.cfg.UserByExtension("102").Calls.SetForwarding(true, pbx.DivertNoAnswer, true, "0030123456")
		line := h.invite(Incoming{Gateway: "g1", Caller: Party{Number: "089555"}, Digits: "102", Offer: speaks()})
		h.rings("102")
		time.Sleep(21 * time.Second)
		synctest.Wait()
		out := h.rings("g1")
		d := x.dials[0]
		if d.Caller.Number != "102" || len(d.Diversions) != 1 || d.Diversions[0].Number != "102" || d.Diversions[0].Reason != pbx.DivertNoAnswer {
			t.Errorf("told %+v", d)
		}
		h.answers(out)
		h.joined(line, out)
		h.hangsUp(out)
		h.wantJournal("102 in 089555 elsewhere 0")
	})
}
