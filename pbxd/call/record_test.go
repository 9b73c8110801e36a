package call

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// told writes a record as text: direction, caller>dialled>target, result, cause,
// seconds of ringing and talk; then each leg with its seconds from the beginning of
// the call (began-answered-ended), act and cause.
func told(r pbx.CallRecord) string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "x"
		}
		return fmt.Sprint(seconds(t.Sub(r.Began)))
	}
	list := []string{fmt.Sprintf("%s %s>%s>%s %s %d ring %d talk %d", r.Direction, r.Caller.Number, r.Dialled, r.Target.Number, r.Result, r.Cause, r.Ring, r.Talk)}
	for _, l := range r.Legs {
		text := fmt.Sprintf("%s %s-%s-%s %s %d", l.Party.Number+l.Gateway, at(l.Began), at(l.Answered), at(l.Ended), l.Act, l.Cause)
		list = append(list, strings.ReplaceAll(text, "  ", " "))
	}
	return strings.Join(list, " | ")
}

func (h *house) wantRecords(want ...string) {
	h.t.Helper()
	sleep(0)
	h.mu.Lock()
	defer h.mu.Unlock()
	var got []string
	for _, r := range h.records {
		got = append(got, told(r))
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("the records are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// after lets so many seconds pass.
func after(s int) { sleep(time.Duration(s) * time.Second) }

func TestRecords(t *testing.T) {
	forward := func(reason pbx.DiversionReason, to string) func(*house) {
		return func(h *house) { h.cfg.UserByExtension("102").Calls.SetForwarding(false, reason, true, to) }
	}
	ends := func(cause pbx.Cause) Event { return Event{Kind: EventEnded, Cause: cause} }
	tests := []struct {
		name string
		set  func(*house)
		play func(*house)
		want []string
	}{
		{"answered", nil, func(h *house) {
			h.call("101", "102")
			after(4)
			b := h.rings("102")
			h.answers(b)
			after(61)
			h.hangsUp(b)
		}, []string{"internal 101>102>102 answered 16 ring 4 talk 61 | 101 0-4-65 16 | 102 0-4-65 16"}},
		{"given up", nil, func(h *house) {
			a := h.call("101", "102")
			after(5)
			h.hangsUp(a)
		}, []string{"internal 101>102> noAnswer 16 ring 5 talk 0 | 101 0-x-5 16 | 102 0-x-5 16"}},
		{"busy", nil, func(h *house) {
			h.call("101", "102")
			h.does(h.rings("102"), ends(pbx.CauseUserBusy))
		}, []string{"internal 101>102> busy 17 ring 0 talk 0 | 101 0-x-0 17 | 102 0-x-0 17"}},
		{"no phone", func(h *house) { h.gone["102"] = true }, func(h *house) { h.call("101", "102") },
			[]string{"internal 101>102> noAnswer 20 ring 0 talk 0 | 101 0-x-0 20"}},
		{"no such number", nil, func(h *house) { h.call("101", "999") },
			[]string{"internal 101>999> failed 1 ring 0 talk 0 | 101 0-x-0 1"}},
		{"emergency call without a line", nil, func(h *house) { h.call("101", "112") },
			[]string{"out 101>112> failed 34 ring 0 talk 0 | 101 0-x-0 34"}},
		{"hidden", nil, func(h *house) { h.hangsUp(h.call("101", "*31102")) },
			[]string{"internal 101>102> noAnswer 16 ring 0 talk 0 | 101 0-x-0 16 | 102 0-x-0 16"}},
		{"code", nil, func(h *house) {
			h.hangsUp(h.call("101", "*701")) // waits at a free place
			h.call("101", "*81")             // nobody rings
		}, nil},
		{"forwarded always", forward(pbx.DivertAlways, "103"), func(h *house) {
			a := h.call("101", "102")
			after(2)
			h.answers(h.rings("103"))
			after(3)
			h.hangsUp(a)
		}, []string{"internal 101>102>103 answered 16 ring 2 talk 3 | 101 0-2-5 16 | 102 0-x-0 forwarded 0 | 103 0-2-5 16"}},
		{"forwarded after a while", forward(pbx.DivertNoAnswer, "103"), func(h *house) {
			a := h.call("101", "102")
			after(20)
			h.answers(h.rings("103"))
			after(3)
			h.hangsUp(a)
		}, []string{"internal 101>102>103 answered 16 ring 20 talk 3 | 101 0-20-23 16 | 102 0-x-20 forwarded 19 | 103 20-20-23 16"}},
		{"forwarded when busy", forward(pbx.DivertBusy, "103"), func(h *house) {
			a := h.call("101", "102")
			h.does(h.rings("102"), ends(pbx.CauseUserBusy))
			after(2)
			h.hangsUp(a)
		}, []string{"internal 101>102> noAnswer 16 ring 2 talk 0 | 101 0-x-2 16 | 102 0-x-0 forwarded 17 | 103 0-x-2 16"}},
		{"sent on by the phone", nil, func(h *house) {
			a := h.call("101", "102")
			h.does(h.rings("102"), Event{Kind: EventEnded, Cause: pbx.CauseNumberChanged, Deflected: "103"})
			h.answers(h.rings("103"))
			after(2)
			h.hangsUp(a)
		}, []string{"internal 101>102>103 answered 16 ring 0 talk 2 | 101 0-0-2 16 | 102 0-x-0 forwarded 22 | 103 0-0-2 16"}},
		{"hunt group", nil, func(h *house) {
			a := h.call("104", "601")
			after(1)
			h.does(h.rings("101"), ends(pbx.CauseCallRejected))
			after(1)
			h.answers(h.rings("103"))
			after(9)
			h.hangsUp(a)
		}, []string{"internal 104>601>103 answered 16 ring 2 talk 9 | 104 0-2-11 16 | 101 0-x-1 21 | 102 0-x-2 26 | 103 0-2-11 16"}},
		{"linear hunt group", nil, func(h *house) {
			a := h.call("101", "600")
			h.rings("102")
			after(6)
			h.answers(h.rings("103"))
			after(1)
			h.hangsUp(a)
		}, []string{"internal 101>600>103 answered 16 ring 6 talk 1 | 101 0-6-7 16 | 102 0-x-5 19 | 103 5-6-7 16"}},
		{"blind transfer", nil, func(h *house) {
			a, b := h.talk("101", "102")
			after(10)
			h.refers(b, "103", nil)
			after(5)
			h.answers(h.rings("103"))
			after(20)
			h.hangsUp(a)
		}, []string{"internal 101>102>103 answered 16 ring 0 talk 35 | 101 0-0-35 16 | 102 0-0-15 transferred 16 | 103 10-15-35 16"}},
		{"blind transfer to a hunt group", nil, func(h *house) {
			a, b := h.talk("101", "102")
			after(10)
			h.refers(b, "600", nil)
			after(6) // 102 is on the phone
			h.answers(h.rings("103"))
			after(20)
			h.hangsUp(a)
		}, []string{"internal 101>102>103 answered 16 ring 0 talk 36 | 101 0-0-36 16 | 102 0-0-16 transferred 16 | 103 10-16-36 16"}},
		{"transfer that fails", nil, func(h *house) {
			a, b := h.talk("101", "102")
			h.refers(b, "103", nil)
			h.does(h.rings("103"), ends(pbx.CauseUserBusy))
			after(7)
			h.hangsUp(a)
		}, []string{"internal 101>102>102 answered 16 ring 0 talk 7 | 101 0-0-7 16 | 102 0-0-7 16 | 103 0-x-0 17"}},
		{"who has transferred is called back", nil, func(h *house) {
			a, b := h.talk("101", "102")
			after(1)
			h.refers(b, "103", nil)
			h.hangsUp(b)
			h.does(h.rings("103"), ends(pbx.CauseUserBusy))
			after(3)
			h.answers(h.rings("102"))
			after(3)
			h.hangsUp(a)
		}, []string{"internal 101>102>102 answered 16 ring 0 talk 7 | 101 0-0-7 16 | 102 0-0-1 transferred 16 | 103 1-x-1 17 | 102 1-4-7 16"}},
		{"attended transfer", nil, func(h *house) {
			a, b := h.talk("101", "102")
			after(10)
			b2, c := h.talk("102", "103")
			after(5)
			h.refers(b, "103", b2)
			after(20)
			h.hangsUp(c)
			wantLast(h.t, a, "hangup 16")
		}, []string{"internal 101>102>103 answered 16 ring 0 talk 35 | 101 0-0-35 16 | 102 0-0-15 transferred 16 | 102 10-10-15 transferred 16 | 103 10-10-35 16"}},
		{"the caller transfers", nil, func(h *house) {
			a, _ := h.talk("101", "102")
			after(10)
			a2, c := h.talk("101", "103")
			after(5)
			h.refers(a, "103", a2)
			after(20)
			h.hangsUp(c)
		}, []string{"internal 101>102>103 answered 16 ring 0 talk 35 | 101 0-0-15 transferred 16 | 102 0-0-35 16 | 101 10-10-15 transferred 16 | 103 10-10-35 16"}},
		{"attended transfer while it rings, to nobody", nil, func(h *house) {
			_, b := h.talk("101", "102")
			after(10)
			b2 := h.call("102", "103")
			c := h.rings("103")
			h.refers(b, "103", b2)
			after(5)
			h.does(c, ends(pbx.CauseUserBusy))
			after(1)
			back := h.rings("102") // called back
			h.answers(back)
			after(4)
			h.hangsUp(back)
		}, []string{"internal 101>102>102 answered 16 ring 0 talk 20 | 101 0-0-20 16 | 102 0-0-10 transferred 16 | 102 10-x-10 transferred 16 | 103 10-x-15 17 | 102 15-16-20 16"}},
		{"call to ask, without a transfer", nil, func(h *house) {
			a, b := h.talk("101", "102")
			after(10)
			b2, _ := h.talk("102", "103")
			after(5)
			h.hangsUp(b2)
			h.hangsUp(b)
			want(h.t, a, "answer", "hangup 16")
		}, []string{
			"internal 102>103>103 answered 16 ring 0 talk 5 | 102 0-0-5 16 | 103 0-0-5 16",
			"internal 101>102>102 answered 16 ring 0 talk 15 | 101 0-0-15 16 | 102 0-0-15 16"}},
		{"pickup", nil, func(h *house) {
			a := h.call("101", "102")
			after(4)
			c := h.call("103", "*82102")
			h.joined(a, c)
			after(6)
			h.hangsUp(c)
		}, []string{"internal 101>102>103 answered 16 ring 4 talk 6 | 101 0-4-10 16 | 102 0-x-4 26 | 103 4-4-10 pickedUp 16"}},
		{"parked and retrieved", nil, func(h *house) {
			_, b := h.talk("101", "102")
			after(10)
			h.refers(b, "*701", nil)
			after(5)
			c := h.call("103", "*701")
			after(10)
			h.hangsUp(c)
		}, []string{"internal 101>102>103 answered 16 ring 0 talk 25 | 101 0-0-25 16 | 102 0-0-10 parked 16 | 103 15-15-25 retrieved 16"}},
		{"parked by dialling the place", nil, func(h *house) {
			_, b := h.talk("101", "102")
			after(1)
			b2 := h.call("102", "*703")
			h.refers(b, "*703", b2)
			after(5)
			h.hangsUp(h.call("103", "*703"))
		}, []string{"internal 101>102>103 answered 16 ring 0 talk 6 | 101 0-0-6 16 | 102 0-0-1 transferred 16 | 102 1-1-1 parked 16 | 103 6-6-6 retrieved 16"}},
		{"from the page", nil, func(h *house) {
			if _, err := h.engine.Originate(Origination{Extension: "101", Digits: "102"}); err != nil {
				h.t.Fatal(err)
			}
			sleep(0)
			after(2)
			h.answers(h.rings("101"))
			after(3)
			b := h.rings("102")
			h.answers(b)
			after(4)
			h.hangsUp(b)
		}, []string{"internal 101>102>102 answered 16 ring 5 talk 4 | 101 0-2-9 16 | 102 2-5-9 16"}},
		{"from the page, but nobody takes the own phone", nil, func(h *house) {
			if _, err := h.engine.Originate(Origination{Extension: "101", Digits: "102"}); err != nil {
				h.t.Fatal(err)
			}
			sleep(0)
			h.does(h.rings("101"), ends(pbx.CauseUserBusy))
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inHouse(t, func(h *house) {
				if tt.set != nil {
					tt.set(h)
				}
				tt.play(h)
				h.wantRecords(tt.want...)
			})
		})
	}
}

// Calls to and from the outside say by which gateway, and the numbers as dialled
// and with their country.
func TestRecordsOfLines(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		h.cfg.GatewayGroups[0].InboundDID = pbx.SearchReplace{Search: `^.*(\d\d\d)$`, Replace: "$1"}
		h.cfg.Locale.AreaCode = "89"
		a := h.call("101", "0030123456")
		h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: pbx.CauseTemporaryFailure})
		after(2)
		h.answers(h.rings("g2"))
		after(3)
		h.hangsUp(a)
		h.call("101", "000431234567")
		h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		x.down["g1"], x.down["g2"] = true, true
		h.call("101", "0089555666")
		x.down = map[string]bool{}

		line := h.invite(Incoming{Gateway: "g1", Caller: Party{Number: "+43 1 555", Name: "Vienna"}, Digits: "+4989777102", Offer: speaks()})
		h.answers(h.rings("102"))
		after(1)
		h.hangsUp(line)
		h.cfg.UserByExtension("102").Calls.SetForwarding(true, pbx.DivertBusy, true, "0030123456")
		line = h.invite(Incoming{Gateway: "g1", Caller: Party{Number: "030 222333"}, Digits: "+4989777102", Offer: speaks()})
		h.does(h.rings("102"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		after(4)
		h.answers(h.rings("g1"))
		after(6)
		h.hangsUp(line)
		h.hangsUp(h.call("101", "112"))
		h.wantRecords(
			"out 101>0030123456>+4930123456 answered 16 ring 2 talk 3 | 101 0-2-5 16 | +4930123456g1 0-x-0 41 | +4930123456g2 0-2-5 16",
			"out 101>000431234567> busy 17 ring 0 talk 0 | 101 0-x-0 17 | +431234567g1 0-x-0 17",
			"out 101>0089555666> failed 34 ring 0 talk 0 | 101 0-x-0 34",
			"in +43 1 555>+4989777102>102 answered 16 ring 0 talk 1 | +43 1 555g1 0-0-1 16 | 102 0-0-1 16",
			"in 030 222333>+4989777102>+4930123456 answered 16 ring 4 talk 6 | 030 222333g1 0-4-10 16 | 102 0-x-0 forwarded 17 | +4930123456g1 0-4-10 16",
			"out 101>112> noAnswer 16 ring 0 talk 0 | 101 0-x-0 16 | 112g1 0-x-0 16")
		type outside struct {
			in, out, group, caller, dialled string
			toll                            pbx.TollClass
		}
		var got []outside
		for _, r := range h.records {
			got = append(got, outside{r.GatewayIn, r.GatewayOut, r.GroupIn + r.GroupOut, r.Caller.E164, r.DialledE, r.Toll})
		}
		if want := []outside{
			{"", "g2", "main", "", "+4930123456", pbx.TollNational}, {"", "g1", "main", "", "+431234567", pbx.TollForeign}, {"", "", "", "", "+4989555666", pbx.TollInternal},
			{"g1", "", "main", "+431555", "+4989777102", pbx.TollInternal}, {"g1", "g1", "mainmain", "+4930222333", "+4989777102", pbx.TollNational},
			{"", "g1", "main", "", "", pbx.TollEmergency},
		}; !slices.Equal(got, want) {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	})
}

// A hunt group that forwards has a leg of its own, whoever rang before.
func TestRecordOfForwardingGroup(t *testing.T) {
	withLines(t, func(h *house, _ *exchange) {
		h.cfg.HuntGroupByID("sales").ForwardInternalAlways = "demo103"
		a, b := h.talk("101", "102")
		h.refers(b, "0030123456", nil)
		h.does(h.rings("g1"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		after(1)
		h.refers(b, "600", nil)
		h.answers(h.rings("103"))
		after(2)
		h.hangsUp(a)
		h.wantRecords("out 101>102>103 answered 16 ring 0 talk 3 | 101 0-0-3 16 | 102 0-0-1 transferred 16 | +4930123456g1 0-x-0 17 | 600 1-x-1 forwarded 0 | 103 1-1-3 16")
	})
}
