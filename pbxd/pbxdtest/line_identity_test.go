package pbxdtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// What a call over a gateway says of who calls and whom, for each parameter of it
// (F160, F162, F170, F172, F173, F175).
func TestGatewaySaysWhoCalls(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, nil)
	at := b.c.At.Addr().String()
	set := func(values ...any) func(map[string]any) {
		return func(g map[string]any) {
			for i := 0; i < len(values); i += 2 {
				g[values[i].(string)] = values[i+1]
			}
		}
	}
	params := func(list ...string) func(map[string]any) { return set("parameters", list) }
	var open, hidden pbx.UserCalls
	hidden.HideNumber = true
	for _, x := range []struct {
		name     string
		change   func(map[string]any)
		calls    pbx.UserCalls
		asserted string // of the group
		start    string // Request-URI; "" for any
		want     []header
	}{
		{"plain", nil, open, "", "sip:030123456@" + at, []header{{"From", `"Anna Demo" <sip:101@` + at + ">"}, {"To", "<sip:030123456@" + at + ">"},
			{"P-Asserted-Identity", ""}, {"Remote-Party-ID", ""}, {"P-Preferred-Identity", ""}, {"Privacy", ""}, {"Diversion", ""}, {"History-Info", ""}, {"Route", ""}, {"Max-Forwards", "69"}}},
		{"names", params("names=no"), open, "", "", []header{{"From", "<sip:101@"}, {"From", "!Anna"}}},
		{"From user", set("fromUser", "4930"), open, "", "", []header{{"From", "<sip:4930@" + at + ">"}}},
		{"From domain", set("fromDomain", "provider.example"), open, "", "sip:030123456@" + at, []header{{"From", "<sip:101@provider.example>"}}},
		{"PAI", set("sendPai", true), open, "", "", []header{{"P-Asserted-Identity", "<sip:101@" + at + ">"}}},
		{"RPID", set("sendRpid", true), open, "", "", []header{{"Remote-Party-ID", "<sip:101@" + at + ">;party=calling;screen=yes;privacy=off"}}},
		{"PPI", params("ppi=yes"), open, "", "", []header{{"P-Preferred-Identity", "<sip:101@" + at + ">"}}},
		{"asserted identity of the group", nil, open, "4930100", "", []header{{"P-Asserted-Identity", "<sip:4930100@" + at + ">"}, {"From", "<sip:101@"}}},
		{"asserted identity of the group before PAI", set("sendPai", true), open, "4930100", "", []header{{"P-Asserted-Identity", "<sip:4930100@"}, {"P-Asserted-Identity", "!101@"}}},
		{"hidden", nil, hidden, "", "", []header{{"From", `"Anonymous" <sip:anonymous@anonymous.invalid>`}, {"Privacy", "id"}, {"P-Asserted-Identity", ""}, {"Contact", "!101@"}}},
		{"hidden with identities", set("sendPai", true, "sendRpid", true, "parameters", []string{"ppi=yes"}), hidden, "", "", []header{{"From", "anonymous.invalid"}, {"Privacy", "id"},
			{"P-Asserted-Identity", "<sip:101@"}, {"P-Preferred-Identity", "<sip:101@"}, {"Remote-Party-ID", "privacy=full"}}},
		{"hidden with From user", set("fromUser", "4930"), hidden, "", "", []header{{"From", `"Anonymous" <sip:4930@` + at}, {"Privacy", "id"}}},
		{"user=phone", params("user_phone=yes"), open, "", "sip:030123456@" + at + ";user=phone", []header{{"To", "<sip:030123456@" + at + ";user=phone>"}, {"From", "<sip:101@" + at + ";user=phone>"}}},
		{"100rel and session timers", nil, open, "", "", []header{{"Supported", "100rel"}, {"Supported", "timer"}, {"Session-Expires", "1800"}}},
		{"without 100rel", params("100rel=no"), open, "", "", []header{{"Supported", "!100rel"}, {"Supported", "timer"}}},
		{"without session timers", params("session_timers=no"), open, "", "", []header{{"Supported", "!timer"}, {"Supported", "100rel"}, {"Session-Expires", ""}, {"Min-SE", ""}}},
		{"dial command", set("dialCommand", "PJSIP/49{number:2}@{gateway}"), open, "", "sip:4930123456@" + at, nil},
		{"dial command, all of the number", set("dialCommand", "PJSIP/{number}@{gateway}"), open, "", "sip:0030123456@" + at, nil},
	} {
		b.with(t, x.name, x.change, func(t *testing.T) {
			b.a.Do("PUT", "/api/v1/users/demo101/calls", x.calls, 200, nil)
			b.c.Group(b.a, func(g map[string]any) {
				if x.asserted != "" {
					g["assertedIdentity"] = map[string]string{"search": "^.*$", "replace": x.asserted}
				}
			})
			m := b.out("0030123456")
			b.holds(m, x.want...)
			if want := "INVITE " + x.start + " SIP/2.0"; x.start != "" && m.Start != want {
				t.Errorf("got %s, want %s", m.Start, want)
			}
		})
	}
}

// What a call that a user forwards to the outside says of that (RFC 5806, RFC
// 7044), and whom it shows.
func TestGatewaySaysWhoForwards(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, nil)
	at := b.c.At.Addr().String()
	var away pbx.UserCalls
	away.SetForwarding(false, pbx.DivertAlways, true, "0030123456")
	away.SetForwarding(true, pbx.DivertAlways, true, "0030123456")
	b.a.Do("PUT", "/api/v1/users/demo102/calls", away, 200, nil)
	own := "<sip:102@" + at + ">"
	for _, x := range []struct {
		params []string
		want   []header
	}{
		{nil, []header{{"Diversion", own + ";reason=unconditional"}, {"History-Info", "<sip:102@" + at + "?Reason=SIP%3Bcause%3D302>;index=1"}, {"History-Info", "<sip:030123456@" + at + ">;index=1.1"}, {"From", "<sip:102@" + at + ">"}}},
		{[]string{"diversion=no"}, []header{{"Diversion", ""}, {"History-Info", "sip:102@"}}},
		{[]string{"history_info=no"}, []header{{"Diversion", own}, {"History-Info", ""}}},
		{[]string{"clip_no_screening=yes"}, []header{{"From", "<sip:0891234@" + at + ">"}, {"Diversion", own}}},
	} {
		b.with(t, fmt.Sprint(x.params), func(g map[string]any) { g["parameters"] = x.params; g["sendPai"] = true }, func(t *testing.T) {
			from := b.c.call("102", "sip:0891234@"+b.c.At.String(), "")
			in := b.c.Ringing()
			b.holds(in.Invite, append(slices.Clone(x.want), header{"P-Asserted-Identity", own})...)
			in.Reply(404, "Not Found", "")
			b.c.Request("ACK")
			from.AckRefusal(from.Response(404))
		})
	}
}

// Whom a call from outside is said to be of (F174), and how people see it who are
// called.
func TestGatewayTellsWhoCalls(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, nil)
	const rpid = "Remote-Party-ID: \"Maria\" <sip:+49891111@provider>;party=calling;privacy=off\r\n"
	for _, x := range []struct {
		name, from, fields string
		trust              bool
		want               string
	}{
		{"From", "sip:0891234@provider", rpid, false, "sip:0891234@"},
		{"RPID", "sip:0891234@provider", rpid, true, `"Maria" <sip:+49891111@`},
		{"PAI", "sip:0891234@provider", "P-Asserted-Identity: <sip:+49892222@provider>\r\n", true, "sip:+49892222@"},
		{"PAI that is not trusted", "sip:0891234@provider", "P-Asserted-Identity: <sip:+49892222@provider>\r\n", false, "sip:0891234@"},
		{"RPID of the called side", "sip:0891234@provider", "Remote-Party-ID: <sip:101@provider>;party=called\r\n", true, "sip:0891234@"},
		{"hidden", "sip:0891234@provider", "Privacy: id\r\n", false, "anonymous"},
		{"hidden, although known", "sip:anonymous@anonymous.invalid", "Privacy: id\r\n" + rpid, true, "anonymous"},
		{"hidden by RPID", "sip:0891234@provider", "Remote-Party-ID: <sip:0891234@provider>;privacy=full\r\n", true, "anonymous"},
		{"nobody", "sip:anonymous@anonymous.invalid", "", false, "anonymous"},
	} {
		b.with(t, x.name, func(g map[string]any) { g["trustRpid"] = x.trust }, func(t *testing.T) {
			call := b.c.call("101", x.from, x.fields)
			in := b.p.Ringing()
			b.holds(in.Invite, header{"From", x.want})
			if all := in.Invite.String(); x.want == "anonymous" && (strings.Contains(all, "0891234") || strings.Contains(all, "49891111")) {
				t.Errorf("a hidden number is in the INVITE:\n%s", all)
			}
			in.Reply(486, "Busy Here", "")
			b.p.Request("ACK")
			call.AckRefusal(call.Response(486))
		})
	}
}
