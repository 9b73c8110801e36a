package web

import (
	"slices"
	"testing"

	"galilei/pbxd/pbx"
)

func TestCodeCard(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
		cfg.FunctionCodes.DoNotDisturb = "*94"
		permit(cfg, pbx.PermitCallForwarding, false)
	})
	c := &client{t: t, s: s, addr: lanAddr}
	c.login("demo101", "314159")
	var card CodeCard
	c.want(200, "GET", "/function-codes/card", "", &card)
	dials := func(f pbx.Function) (list []string) {
		for _, l := range card.Lines {
			if l.Function == f {
				list = append(list, l.Dial+l.Ends)
			}
		}
		return list
	}
	if got := dials(pbx.FunctionDoNotDisturb); !slices.Equal(got, []string{"*94", "*94*"}) {
		t.Errorf("do not disturb: %v", got)
	}
	if got := dials(pbx.FunctionForwardAlways); got != nil {
		t.Errorf("forwarding, which is not permitted: %v", got)
	}
	if card.Extension != "101" || !slices.ContainsFunc(card.Emergency, func(e EmergencyOnCard) bool { return e.Number == "112" }) {
		t.Errorf("card %+v", card)
	}
}
