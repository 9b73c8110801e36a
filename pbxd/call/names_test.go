package call

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// directories are names by number, of everybody by "" and of users.
type directories struct {
	names map[string]map[string]string // number to owner to name
	asked []string
	gone  bool // they cannot be asked
}

func (x *directories) look(numbers, users []string) map[string]string {
	x.asked = append(x.asked, fmt.Sprintf("%s for %s", strings.Join(numbers, " "), strings.Join(users, " ")))
	if x.gone {
		return nil
	}
	found := map[string]string{}
	for _, n := range numbers {
		for _, owner := range append(users, "") {
			if name := x.names[n][owner]; name != "" {
				found[owner] = name
			}
		}
	}
	return found
}

// A caller from outside has the name of the directories on phones, in journals,
// records and among the calls of now; the name of private contacts is for the
// phones and the journal of their user alone.
func TestCallerHasAName(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		names := &directories{names: map[string]map[string]string{"089555666": {"": "Mill Ltd", "demo103": "Uncle Joe"}}}
		h.engine.deps.Names = names.look
		h.cfg.GatewayGroups[0].InboundCallerID = pbx.SearchReplace{Search: "^", Replace: "0"}
		h.cfg.HuntGroups = []pbx.HuntGroup{{ID: "all", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "All", CallScheme: "parallel",
			Members: []pbx.HuntMember{{User: "demo102", Timeout: 5}, {User: "demo103", Timeout: 5}}}}}
		line := h.invite(Incoming{Gateway: "g1", Caller: Party{Number: "089555666", Name: "MUENCHEN"}, Digits: "600", Offer: speaks()})
		b, c := h.rings("102"), h.rings("103")
		shown := map[string]string{}
		for _, d := range h.dials {
			shown[d.Extension] = d.Caller.Number + " " + d.Caller.Name
		}
		if shown["102"] != "0089555666 Mill Ltd" || shown["103"] != "0089555666 Uncle Joe" {
			t.Errorf("the phones show %q", shown)
		}
		if f := h.fact(); f.FromName != "Mill Ltd" {
			t.Errorf("among the calls of now: %+v", f)
		}
		h.answers(b)
		h.joined(line, b)
		want(t, c, "hangup 26")
		h.refers(b, "103", nil)
		c = h.rings("103")
		if d := h.last(); d.Caller != (Party{Number: "0089555666", Name: "Uncle Joe"}) {
			t.Errorf("after the transfer the phone of 103 shows %+v", d.Caller)
		}
		h.answers(c)
		h.joined(line, c)
		h.hangsUp(line)
		var journal []string
		for _, e := range h.entries {
			journal = append(journal, e.User+" "+e.Name)
		}
		slices.Sort(journal)
		if got := slices.Compact(journal); !slices.Equal(got, []string{"demo102 Mill Ltd", "demo103 Uncle Joe"}) {
			t.Errorf("journal %q", journal)
		}
		if r := h.records[0]; r.Caller.Name != "Mill Ltd" {
			t.Errorf("record %+v", r.Caller)
		}
		if n := len(names.asked); n != 2 { // once for everybody, once for the users who ring
			t.Errorf("looked up %d times: %q", n, names.asked)
		}
	})
}

// Whoever is not to be seen, or not known, keeps what the line says.
func TestCallerWithoutAName(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		names := &directories{names: map[string]map[string]string{"089555666": {"": "Mill Ltd", "demo102": "Joe"}}}
		h.engine.deps.Names = names.look
		for _, tt := range []struct {
			in   Incoming
			want Party
		}{
			{Incoming{Caller: Party{Number: "089555667", Name: "MUENCHEN"}}, Party{Number: "089555667", Name: "MUENCHEN"}},
			{Incoming{Caller: Party{Number: "089555666", Name: "MUENCHEN"}, Anonymous: true}, Party{}},
			{Incoming{Caller: Party{Name: "MUENCHEN"}}, Party{Name: "MUENCHEN"}},
		} {
			tt.in.Gateway, tt.in.Digits, tt.in.Offer = "g1", "102", speaks()
			line := h.invite(tt.in)
			h.rings("102")
			if d := h.last(); d.Caller != tt.want {
				t.Errorf("%+v is shown as %+v", tt.in.Caller, d.Caller)
			}
			h.hangsUp(line)
		}
		a := h.call("101", "102") // a colleague is not looked up
		if d := h.last(); d.Caller.Name == "Mill Ltd" || len(names.asked) != 2 {
			t.Errorf("%+v, %q", d.Caller, names.asked)
		}
		h.hangsUp(a)
	})
}

// Directories that do not answer are asked once in a call.
func TestNoDirectories(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		names := &directories{gone: true}
		h.engine.deps.Names = names.look
		h.cfg.HuntGroups = []pbx.HuntGroup{{ID: "all", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "All", CallScheme: "linear",
			Members: []pbx.HuntMember{{User: "demo102", Timeout: 5}, {User: "demo103", Timeout: 5}}}}}
		line := h.invite(Incoming{Gateway: "g1", Caller: Party{Number: "089555666", Name: "MUENCHEN"}, Digits: "600", Offer: speaks()})
		h.does(h.rings("102"), Event{Kind: EventEnded, Cause: pbx.CauseUserBusy})
		h.rings("103")
		if d := h.last(); d.Caller.Name != "MUENCHEN" || len(names.asked) != 1 {
			t.Errorf("%+v, %q", d.Caller, names.asked)
		}
		h.hangsUp(line)
	})
}

// What a user calls somebody by a quick dial of private contacts is in no record.
func TestPrivateQuickDial(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		for _, private := range []bool{false, true} {
			h.engine.deps.QuickDial = func(string, string) *pbx.QuickDial {
				return &pbx.QuickDial{Number: "0030123456", Name: "Sister", Private: private}
			}
			a := h.call("101", "**12")
			line := h.rings("g1")
			h.answers(line)
			h.hangsUp(a)
		}
		if e := h.entries; len(e) != 2 || e[0].Name != "Sister" || e[1].Name != "Sister" {
			t.Errorf("journal %+v", e)
		}
		if r := h.records; len(r) != 2 || r[0].Target.Name != "Sister" || r[1].Target.Name != "" {
			t.Errorf("records %+v", r)
		}
	})
}

// Who is called outside has a name, too: that of private contacts in the journal
// of the caller.
func TestCalledHasAName(t *testing.T) {
	withLines(t, func(h *house, x *exchange) {
		names := &directories{names: map[string]map[string]string{"+4930123456": {"": "Berlin office", "demo101": "Sister"}}}
		h.engine.deps.Names = names.look
		a := h.call("101", "0030123456")
		line := h.rings("g1")
		h.answers(line)
		h.joined(a, line)
		if f := h.fact(); f.WithName != "Berlin office" {
			t.Errorf("talks with %q", f.WithName)
		}
		h.hangsUp(line)
		if e, r := h.entries[0], h.records[0]; e.Name != "Sister" || r.Target.Name != "Berlin office" {
			t.Errorf("journal %+v, record %+v", e, r.Target)
		}
		names.asked = nil
		h.hangsUp(h.call("101", "112"))
		if len(names.asked) != 0 {
			t.Errorf("an emergency call waits for %q", names.asked)
		}
	})
}
