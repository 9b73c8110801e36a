package dialplan

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// hostile returns changes that get into the way of emergency numbers. Those that
// validation refuses in a configuration are left out of it.
func hostile(r *rand.Rand, country pbx.Country) []func(c *pbx.Config) {
	e := func() string { return country.Emergency[r.IntN(len(country.Emergency))].Number }
	line := func(c *pbx.Config) string { return []string{"", c.Locale.OutsideLine, country.OutsideLine}[r.IntN(3)] }
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	user := func(c *pbx.Config) *pbx.User { return &c.Users[r.IntN(len(c.Users))] }
	gateway := func(c *pbx.Config) *pbx.Gateway { return &c.Gateways[r.IntN(len(c.Gateways))] }
	pattern := func(c *pbx.Config) string {
		n := e()
		return pick("^(.*)", "^9", "9", "^.", "^"+n+"$", n, line(c)+n, "^"+n[:1]+"(.*)", "^[0-9]{2,6}$", `^(\d)(\d+)`)
	}
	rewrite := func(c *pbx.Config) pbx.SearchReplace {
		return pbx.SearchReplace{Search: pattern(c), Replace: pick("", "$1", "0", "00$1", e(), "666")}
	}
	changes := []func(c *pbx.Config){
		func(c *pbx.Config) { c.Locale.OutsideLine = pick("", "0", "9", "1", "11", "8", e()[:1]) },
		func(c *pbx.Config) { c.Locale.AreaCode = pick("", "89", e()[1:]) },
		func(c *pbx.Config) { c.OutboundRoutes = nil },
		func(c *pbx.Config) { c.Gateways = c.Gateways[:max(1, r.IntN(len(c.Gateways)+1))] },
		func(c *pbx.Config) { c.GatewayGroups[0].Inbound = false },
		func(c *pbx.Config) { c.SIP.CallsAtOnce = 1 },
		func(c *pbx.Config) {
			c.Toll.UserCalls, c.Toll.ForeignMinutes, c.Toll.PremiumMinutes, c.Toll.AlarmPercent = 1, 1, 1, 1
		},
		func(c *pbx.Config) { c.NightService.Profile = 1 + r.IntN(9) },
		func(c *pbx.Config) {
			for i := range c.PermissionGroups {
				c.PermissionGroups[i].Permissions = nil
			}
		},
		func(c *pbx.Config) {
			c.Calendars = append(c.Calendars, pbx.Calendar{ID: "always", CalendarSettings: pbx.CalendarSettings{Name: "Always", Days: []pbx.Holiday{{Title: "Always", From: "01-01", To: "12-31"}}}})
		},
	}
	for range 4 {
		changes = append(changes,
			func(c *pbx.Config) {
				route := outbound("hostile", pattern(c), "main")
				route.Prefix, route.Groups = pick("", "9", "0", e()), [][]string{nil, {"spare"}, {"main", "spare"}}[r.IntN(3)]
				route.Window = pbx.Window{TimeFrom: pick("", "03:00"), TimeTo: pick("", "03:01"), Holidays: pick("any", "never", "only")}
				route.UserGroup, route.Active = pick("", pbx.GroupAllUsers), r.IntN(3) > 0
				c.OutboundRoutes = append([]pbx.OutboundRoute{route}, c.OutboundRoutes...)
			},
			func(c *pbx.Config) {
				inboundRule("hostile", pattern(c), pick("$1", e(), "701"), func(x *pbx.InboundRoute) { x.Profile = r.IntN(10) })(c)
			},
			func(c *pbx.Config) {
				g := gateway(c)
				g.DialCommand = "PJSIP/" + pick("{prefix}", "", "9") + pick("{number:1}", "{number:2}", "{number}", "{number:3}") + "@{gateway}"
				g.MaxCalls, g.Outbound, g.Register = r.IntN(3), r.IntN(4) > 0, r.IntN(2) > 0
				g.Group = pick("main", "spare", "")
			},
			func(c *pbx.Config) {
				g := &c.GatewayGroups[r.IntN(len(c.GatewayGroups))]
				g.OutboundCallerID, g.AssertedIdentity, g.InboundDID, g.InboundCallerID = rewrite(c), rewrite(c), rewrite(c), rewrite(c)
				g.NumberStyle = pbx.NumberStyle(pick("as-is", "e164", "digits", "international", "national"))
			},
			func(c *pbx.Config) { user(c).Extension = pick(e(), line(c)+e(), e()+"1", e()[:2], "9"+e()) },
			func(c *pbx.Config) { c.HuntGroups[0].Extension = pick(e(), line(c)+e(), e()+"0") },
			func(c *pbx.Config) {
				u := user(c)
				for _, reason := range []pbx.DiversionReason{pbx.DivertAlways, pbx.DivertBusy, pbx.DivertNoAnswer, pbx.DivertUnregistered} {
					u.Calls.SetForwarding(r.IntN(2) > 0, reason, true, pick("701", "702", e(), "00"+e()))
				}
				u.Calls.DoNotDisturb, u.Calls.BusyOnBusy, u.Calls.HideNumber = true, true, true
				u.DropToOperator, u.OperatorExtension = true, "701"
			},
			func(c *pbx.Config) {
				code := pick(e(), line(c)+e()[:2], "*"+e(), line(c)+e(), "0", "9", "1")
				switch f := &c.FunctionCodes; r.IntN(4) {
				case 0:
					f.HideNumber = code
				case 1:
					f.Park = code
				case 2:
					f.QuickDial = code
				default:
					f.ForwardAlways = code
				}
			},
		)
	}
	r.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	return changes
}

// No configuration that is valid gets into the way of an emergency call: it goes to
// a gateway with just the number of the authority, whoever dials it and however.
func TestNothingShadowsEmergencyNumbers(t *testing.T) {
	kept := 0
	for i, country := range pbx.Countries() {
		for seed := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			c := office(t, lines, func(c *pbx.Config) {
				c.Locale.Country = country.Code
				for i := range c.Users { // 101 is an emergency number in Belgium
					if u := &c.Users[i]; u.Extension != "" {
						u.Extension = "7" + u.Extension[1:]
					}
				}
			})
			for _, change := range hostile(r, country) {
				next := c.Clone()
				if change(next); pbx.Validate(next, pbx.Model{}) == nil {
					c = next
					kept++
				}
			}
			state := func(gateway string) (bool, int) { return (int(gateway[1])+int(seed))%2 == 0, int(gateway[1]) % 4 }
			for _, e := range country.Emergency {
				forms := []string{e.Number}
				if after := c.Locale.OutsideLine + e.Number; !country.IsEmergency(after) { // in France 1 and 15 are 115
					forms = append(forms, after)
				}
				if own := country.OutsideLine + e.Number; c.UserByExtension(own) == nil && huntGroupOf(c, own) == nil {
					forms = append(forms, own)
				}
				if code := c.FunctionCodes.HideNumber; code != "" {
					forms = append(forms, code+e.Number, code+forms[len(forms)-1])
				}
				for _, digits := range forms {
					wantEmergency(t, c, e, Query{Caller: Caller{UserID: c.Users[r.IntN(len(c.Users))].ID, Away: r.IntN(2) > 0}, Digits: digits,
						State: dice{r}, Lines: state, Tolls: usedUp{}, Time: time.Date(2026, 12, 24, 3, 0, 30, 0, time.UTC)})
					if told, is := c.Emergency(digits); !is || told != e {
						t.Errorf("%s %s: %+v, %v", country.Code, digits, told, is)
					}
				}
				wantEmergency(t, c, e, Query{Caller: Caller{Unknown: true}, Digits: e.Number})
			}
			if t.Failed() {
				t.Fatalf("seed %d in %s", seed, country.Name)
			}
		}
	}
	if kept < 14*3*20 {
		t.Errorf("only %d hostile changes are valid", kept)
	}
}

// usedUp is a day on which everything that limits allow has been used up.
type usedUp struct{}

func (usedUp) UserToll(string) pbx.TollState {
	return pbx.TollState{Calls: 1000, Foreign: 24 * time.Hour, Premium: 24 * time.Hour}
}
func (usedUp) GatewayToll(string) pbx.TollState { return usedUp{}.UserToll("") }

// wantEmergency checks that a call goes to each gateway of a group, those for calls
// to the outside first, until there are no more.
func wantEmergency(t *testing.T, c *pbx.Config, e pbx.Emergency, q Query) {
	t.Helper()
	grouped, outbound := 0, 0
	for i := range c.Gateways {
		if g := &c.Gateways[i]; g.Group != "" {
			grouped++
			if g.Outbound {
				outbound++
			}
		}
	}
	d := Decide(c, q)
	if grouped == 0 {
		if d.Kind != Refuse || d.Refuse != pbx.CauseNoCircuit || d.Emergency != e.Number {
			t.Errorf("%s without a gateway: %s %q", q.Digits, text(d), d.Emergency)
		}
		return
	}
	for n := grouped; n > 0; n-- {
		if d.Kind != Outside || d.Emergency != e.Number || len(d.Lines) != n {
			t.Errorf("%s by %+v: %s, %d of %d lines; steps %v", q.Digits, q.Caller, told(d), len(d.Lines), n, steps(d))
			return
		}
		for i, l := range d.Lines {
			allowed := c.GatewayByID(l.Gateway).Outbound
			if l.Number != e.Number || l.Hidden || l.Seize != (e.Kind == pbx.EmergencyRescue) || allowed != (i < outbound-(grouped-n)) {
				t.Errorf("%s by %+v: line %d of %s", q.Digits, q.Caller, i, told(d))
			}
		}
		d = Next(c, q, d, LineFailed)
	}
	if d.Kind != Refuse || d.Emergency != e.Number {
		t.Errorf("%s: after all lines %s", q.Digits, text(d))
	}
}

// A phone that has not shown whose it is calls nobody else.
func TestUnknownPhone(t *testing.T) {
	c := office(t, lines)
	for _, digits := range []string{"102", "600", "*31102", "0030123456", "*93", "1120", "11", ""} {
		if d := Decide(c, Query{Caller: Caller{Unknown: true}, Digits: digits}); text(d) != "refuse not permitted" {
			t.Errorf("%s: %s", digits, text(d))
		}
	}
	if got := told(Decide(c, Query{Caller: Caller{Unknown: true}, Digits: "112"})); got != "g1:112< seize, g2:112< seize, g3:112< seize" {
		t.Error(got)
	}
}

// Help lines are called by every line, too, but end no call of others.
func TestHelpLinesEndNoCall(t *testing.T) {
	c := office(t, lines, func(c *pbx.Config) { c.Locale.Country = "AT" })
	for digits, want := range map[string]bool{"144": true, "142": false} {
		for _, l := range Decide(c, Query{Caller: from("101"), Digits: digits}).Lines {
			if l.Seize != want {
				t.Error(fmt.Sprint(digits, " ", l))
			}
		}
	}
}

// What is sent on never gets to an emergency number, in no way of writing it.
func TestNothingIsSentOnToEmergencyNumbers(t *testing.T) {
	for _, to := range []string{"112", "0112", "9112", "+112", "8112"} { // all routes leave out the first digit
		c := office(t, lines, func(c *pbx.Config) { c.Locale.OutsideLine = "9" }, forwards("102", pbx.DivertAlways, to))
		if d := Decide(c, Query{Caller: from("101"), Digits: "102"}); d.Kind == Outside {
			t.Errorf("forwarded to %s: %s", to, told(d))
		}
		c = office(t, lines, func(c *pbx.Config) { c.Locale.OutsideLine = "9" })
		inboundRule("out", "^(.*)", to)(c)                                                                          // refused where it is set; an older configuration may hold it
		if d := Decide(c, Query{Gateway: "g1", Digits: "102"}); text(d) != "refuse not permitted" && to != "8112" { // which no rule of calls from outside knows
			t.Errorf("routed to %s: %s", to, told(d))
		}
	}
	for _, digits := range []string{"*21112", "*219112"} {
		c := office(t, lines, func(c *pbx.Config) { c.Locale.OutsideLine = "9" })
		if d := Decide(c, Query{Caller: from("101"), Digits: digits}); text(d) != "refuse incomplete number" {
			t.Errorf("%s: %s; steps %v", digits, text(d), steps(d))
		}
	}
}

// A line that is dialled by another digit than that for an outside line, and a plus
// before the number, make an emergency call no other call: it shows who calls, knows
// no limit, and goes over every gateway in turn.
func TestEmergencyOverALine(t *testing.T) {
	spare := func(c *pbx.Config) {
		c.OutboundRoutes = []pbx.OutboundRoute{outbound("all", "^0", "main"), outbound("second line", "9", "spare")}
		c.UserByExtension("101").Calls.HideNumber = true
		c.Toll.UserCalls = 1
	}
	c := office(t, lines, spare)
	for digits, want := range map[string]string{
		"9112": "g1:112<101 seize, g2:112<101 seize, g3:112<101 seize", "*319112": "g1:112<101 seize, g2:112<101 seize, g3:112<101 seize",
		"+112": "g1:112<101 seize, g2:112<101 seize, g3:112<101 seize", "91121": "refuse busy", "8112": "refuse busy",
	} {
		if got := told(Decide(c, Query{Caller: from("101"), Digits: digits, Tolls: usedUp{}})); got != want {
			t.Errorf("%s: %s, want %s", digits, got, want)
		}
	}
}
