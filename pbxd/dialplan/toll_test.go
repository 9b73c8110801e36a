package dialplan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// spent are limits of which something is used up, by ID.
type spent map[string]pbx.TollState

func (s spent) UserToll(user string) pbx.TollState       { return s[user] }
func (s spent) GatewayToll(gateway string) pbx.TollState { return s[gateway] }

// What a number costs is seen in spite of all that rules do to it.
func TestClassOfLine(t *testing.T) {
	command := func(s string) func(*pbx.Config) {
		return func(c *pbx.Config) {
			for i := range c.Gateways {
				c.Gateways[i].DialCommand = s
			}
		}
	}
	style := func(s pbx.NumberStyle) func(*pbx.Config) {
		return mainGroup(func(g *pbx.GatewayGroup) { g.NumberStyle = s })
	}
	access := func(c *pbx.Config) { c.OutboundRoutes[0].Prefix = "99" }
	for _, tt := range []struct {
		digits string
		set    []func(*pbx.Config)
		want   pbx.TollClass
	}{
		{"0030123456", nil, pbx.TollNational}, {"0089123456", nil, pbx.TollLocal}, {"0223456", nil, pbx.TollLocal},
		{"000431234567", nil, pbx.TollForeign}, {"+431234567", nil, pbx.TollForeign}, {"00900123456", nil, pbx.TollPremium}, {"011833", nil, pbx.TollPremium},
		{"000431234567", []func(*pbx.Config){style(pbx.StyleDigits)}, pbx.TollForeign},
		{"000431234567", []func(*pbx.Config){access}, pbx.TollForeign}, {"00900123456", []func(*pbx.Config){access}, pbx.TollPremium},
		{"000431234567", []func(*pbx.Config){command("PJSIP/7{number:1}@{gateway}")}, pbx.TollForeign},
		{"00900123456", []func(*pbx.Config){command("PJSIP/49{number:2}@{gateway}")}, pbx.TollPremium},
		{"00431234567", []func(*pbx.Config){command("PJSIP/{number}@{gateway}"), func(c *pbx.Config) { c.Locale.OutsideLine = "" }}, pbx.TollForeign},
		{"0*31#00431234567", []func(*pbx.Config){func(c *pbx.Config) { c.OutboundRoutes[0].Pattern = `^0[0-9*#]` }}, pbx.TollForeign},
		{"112", nil, pbx.TollEmergency},
	} {
		c := office(t, append([]func(*pbx.Config){lines}, tt.set...)...)
		d := Decide(c, Query{Caller: Caller{UserID: "demo101"}, Digits: tt.digits})
		if len(d.Lines) == 0 || d.Lines[0].Class != tt.want {
			t.Errorf("%s: %s, %+v, want class %s", tt.digits, told(d), d.Lines, tt.want)
		} else if payer := d.Lines[0].Payer; (tt.want == pbx.TollEmergency) != (payer == "") {
			t.Errorf("%s is on behalf of %q", tt.digits, payer)
		}
	}
}

// Limits refuse a call in plain words, and only what they are for.
func TestTollLimits(t *testing.T) {
	const foreign, premium = "000431234567", "00900123456"
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	anna := func(s pbx.TollState) spent { return spent{"demo101": s} }
	for _, tt := range []struct {
		name, digits string
		spent        spent
		want, said   string
	}{
		{"nothing spoken", foreign, nil, "g1:00431234567<101, g2:00431234567<101, g3:00431234567<101", "Anna Demo (101) has spoken 0 of 120 minutes to other countries today"},
		{"a minute left", foreign, anna(pbx.TollState{Foreign: minutes(119) + 59*time.Second}), "g1:00431234567<101, g2:00431234567<101, g3:00431234567<101", "Anna Demo (101) has spoken 119 of 120 minutes to other countries today"},
		{"all spoken", foreign, anna(pbx.TollState{Foreign: minutes(120)}), "refuse not permitted", "Anna Demo (101) has spoken 120 of 120 minutes to other countries today"},
		{"all spoken, at home", "0030123456", anna(pbx.TollState{Foreign: minutes(120), Premium: minutes(15)}), "g1:030123456<101, g2:030123456<101, g3:030123456<101", ""},
		{"foreign spoken, premium left", premium, anna(pbx.TollState{Foreign: minutes(120), Premium: minutes(14)}), "g1:0900123456<101, g2:0900123456<101, g3:0900123456<101", "Anna Demo (101) has spoken 14 of 15 minutes to premium numbers today"},
		{"premium spoken", premium, anna(pbx.TollState{Premium: minutes(15)}), "refuse not permitted", "The limit of the day is reached"},
		{"of somebody else", foreign, spent{"demo102": {Foreign: minutes(120), Calls: 9}}, "g1:00431234567<101, g2:00431234567<101, g3:00431234567<101", ""},
		{"too many calls", "0030123456", anna(pbx.TollState{Calls: 4}), "refuse busy", "Anna Demo (101) has 4 calls to the outside; at most 4 are allowed"},
		{"a call left", "0030123456", anna(pbx.TollState{Calls: 3}), "g1:030123456<101, g2:030123456<101, g3:030123456<101", ""},
		{"a gateway has carried enough", foreign, spent{"g1": {Foreign: minutes(1200)}}, "g2:00431234567<101, g3:00431234567<101", "1200 of 1200 minutes to other countries were spoken over sip one today"},
		{"all gateways have", premium, spent{"g1": {Premium: minutes(60)}, "g2": {Premium: minutes(61)}, "g3": {Premium: minutes(60)}}, "refuse no line free", "61 of 60 minutes to premium numbers were spoken over sip two today"},
		{"emergency", "112", spent{"demo101": {Calls: 99, Foreign: minutes(999), Premium: minutes(999)}, "g1": {Foreign: minutes(9999)}}, "", ""},
	} {
		c := office(t, lines)
		q := Query{Caller: Caller{UserID: "demo101"}, Digits: tt.digits}
		if tt.spent != nil {
			q.Tolls = tt.spent
		}
		d := Decide(c, q)
		if tt.want != "" && told(d) != tt.want || tt.want == "" && d.Kind != Outside {
			t.Errorf("%s: %s, want %s; %s", tt.name, told(d), tt.want, trace(d))
		}
		if tt.said != "" && !slices.ContainsFunc(d.Trace, func(s Step) bool { return s.Rule == "toll" && s.Message.Text() == tt.said }) {
			t.Errorf("%s: the trace lacks %q: %s", tt.name, tt.said, trace(d))
		}
	}
}

// A line that would make the number dearer is left out when that limit is used up.
func TestTollLimitOfOneLine(t *testing.T) {
	c := office(t, lines, func(c *pbx.Config) { c.Gateways[0].DialCommand = "PJSIP/0900{number:1}@{gateway}" })
	q := Query{Caller: Caller{UserID: "demo101"}, Digits: "0030123456", Tolls: spent{"demo101": {Premium: time.Hour}}}
	if d := Decide(c, q); told(d) != "g2:030123456<101, g3:030123456<101" {
		t.Errorf("%s; %s", told(d), trace(d))
	}
	q.Tolls = spent{"demo101": {Foreign: 9 * time.Hour}}
	if d := Decide(c, q); len(d.Lines) != 3 || d.Lines[0].Class != pbx.TollPremium || d.Lines[1].Class != pbx.TollNational {
		t.Errorf("%+v; %s", d.Lines, trace(d))
	}
}

// Limits of 0 are none.
func TestNoTollLimits(t *testing.T) {
	c := office(t, lines, func(c *pbx.Config) { c.Toll = pbx.Toll{AlarmPercent: 80} })
	everything := pbx.TollState{Calls: 1000, Foreign: 24 * time.Hour, Premium: 24 * time.Hour}
	for _, digits := range []string{"000431234567", "00900123456", "0030123456"} {
		d := Decide(c, Query{Caller: Caller{UserID: "demo101"}, Digits: digits, Tolls: spent{"demo101": everything, "g1": everything}})
		if d.Kind != Outside || d.Lines[0].Gateway != "g1" {
			t.Errorf("%s: %s", digits, told(d))
		}
	}
}

// A call that was sent on counts for who has sent it on.
func TestTollOfForwarder(t *testing.T) {
	c := office(t, lines, func(c *pbx.Config) {
		c.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertAlways, true, "000431234567")
	})
	q := Query{Caller: Caller{UserID: "demo101"}, Digits: "102", Tolls: spent{"demo101": {Foreign: 3 * time.Hour, Calls: 50}}}
	d := Decide(c, q)
	if d.Kind != Outside || d.Lines[0].Payer != "demo102" {
		t.Errorf("%s %+v", told(d), d.Lines)
	}
	q.Tolls = spent{"demo102": {Foreign: 3 * time.Hour}}
	if d := Decide(c, q); d.Kind != Refuse || d.Refuse != pbx.CauseNotAuthorised {
		t.Errorf("%s; %s", told(d), trace(d))
	}
}

func trace(d Decision) string {
	var list []string
	for _, s := range d.Trace {
		list = append(list, s.Message.Text())
	}
	return strings.Join(list, "; ")
}
