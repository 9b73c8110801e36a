package call

import (
	"slices"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// 101 calls 102, and 103 takes the call in one of the ways.
func TestPickup(t *testing.T) {
	ways := map[string]func(h *house, ringing *actor) *actor{
		"directed": func(h *house, _ *actor) *actor { return h.call("103", "*82102") },
		"group":    func(h *house, _ *actor) *actor { return h.call("103", "*81") },
		"group 1":  func(h *house, _ *actor) *actor { return h.call("103", "*811") },
		"lamp key": func(h *house, ringing *actor) *actor {
			return h.invite(Incoming{Caller: Party{Number: "103"}, Digits: "102", Offer: speaks(), Replaces: ringing})
		},
	}
	for name, pick := range ways {
		t.Run(name, func(t *testing.T) {
			inHouse(t, func(h *house) {
				a := h.call("101", "102")
				b := h.rings("102")
				h.does(b, Event{Kind: EventRinging})
				sleep(10 * time.Second)
				c := pick(h, b)
				want(t, b, "hangup 26")
				want(t, a, "ringing early=false", "answer")
				want(t, c, "answer")
				h.joined(a, c)
				h.traced("103 picks up the call for 102")
				sleep(20 * time.Second)
				h.hangsUp(c)
				want(t, a, "ringing early=false", "answer", "hangup 16")
				h.wantJournal("101 out 102 answered 20", "102 in 101 elsewhere 0", "103 in 101 answered 20")
			})
		})
	}
}

// Who may not, or comes too late, gets nothing; the call rings on.
func TestPickupIsRefused(t *testing.T) {
	tests := []struct {
		name, from, digits string
		replaces           bool
		ringing            bool
		cause              string
	}{
		{"no permission", "103", "*82102", false, true, "hangup 57"},
		{"in no group", "104", "*81", false, true, "hangup 57"},
		{"no permission by lamp key", "104", "102", true, true, "hangup 57"},
		{"nothing rings", "103", "*81", false, false, "hangup 31"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inHouse(t, func(h *house) {
				g := h.cfg.PermissionGroupByID(pbx.GroupAllUsers)
				g.Permissions = slices.DeleteFunc(g.Permissions, func(p pbx.GroupPermission) bool { return p.Permission == pbx.PermitDirectPickup })
				var a, b *actor
				in := Incoming{Caller: Party{Number: tt.from}, Digits: tt.digits, Offer: speaks()}
				if tt.ringing {
					a = h.call("101", "102")
					b = h.rings("102")
				}
				if tt.replaces {
					in.Replaces = b
				}
				want(t, h.invite(in), tt.cause)
				if tt.ringing {
					h.answers(b)
					h.joined(a, b)
				}
			})
		})
	}
}

// Of several calls that ring, the one that has rung the longest is taken.
func TestOldestCallIsPickedUp(t *testing.T) {
	inHouse(t, func(h *house) {
		first := h.call("104", "102")
		sleep(time.Second)
		second := h.call("101", "102")
		c := h.call("103", "*81")
		h.joined(first, c)
		want(t, second)
	})
}

// A user fetches an own call to another of the own phones; nobody else may.
func TestReplacesConnectedCall(t *testing.T) {
	inHouse(t, func(h *house) {
		a, b := h.talk("101", "102")
		want(t, h.invite(Incoming{Caller: Party{Number: "103"}, Offer: speaks(), Replaces: b}), "hangup 57")
		h.joined(a, b)
		sleep(10 * time.Second)
		other := h.invite(Incoming{Caller: Party{Number: "102"}, Offer: speaks(), Replaces: b})
		want(t, b, "hangup 16")
		want(t, other, "answer")
		h.joined(a, other)
		sleep(10 * time.Second)
		h.hangsUp(a)
		want(t, other, "answer", "hangup 16")
		h.wantJournal("101 out 102 answered 20", "102 in 101 answered 10", "102 in 101 answered 10")
		late := h.invite(Incoming{Caller: Party{Number: "102"}, Offer: speaks(), Replaces: a})
		sleep(makingTime)
		want(t, late, "hangup 41")
	})
}

// A phone with which nothing can be exchanged takes no call from one with
// which it can.
func TestPickupWithoutCodec(t *testing.T) {
	inHouse(t, func(h *house) {
		a := h.call("101", "102")
		b := h.rings("102")
		want(t, h.call("103", "*82102", 18), "hangup 88")
		h.answers(b)
		h.joined(a, b)
		want(t, h.invite(Incoming{Caller: Party{Number: "102"}, Offer: speaks(18), Replaces: b}), "hangup 88")
		h.joined(a, b)
		h.refers(b, "*701", nil)
		want(t, h.call("103", "*701", 18), "hangup 88")
		c := h.call("103", "*701")
		h.joined(a, c)
	})
}

// quick is a house in which somebody picks a call up before the call knows of
// the phone that rings.
type quick struct {
	*house
	pick func(Leg)
}

func (q quick) Dial(d Dial) ([]Leg, error) {
	legs, err := q.house.Dial(d)
	if d.Extension == "102" {
		q.pick(legs[0])
		time.Sleep(makingTime / 2)
	}
	return legs, err
}

func TestQuickPickup(t *testing.T) {
	for _, by := range []string{"*82102", "Replaces"} {
		inHouse(t, func(h *house) {
			c := &actor{name: "103"}
			h.engine.deps.Dialer = quick{h, func(l Leg) {
				in := Incoming{Leg: c, Caller: Party{Number: "103"}, Digits: by, Offer: speaks()}
				if by == "Replaces" {
					in.Replaces = l
				}
				h.engine.Incoming(in)
			}}
			a := h.call("101", "102")
			sleep(makingTime)
			h.joined(a, c)
		})
	}
}
