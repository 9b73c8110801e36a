package web

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// usedUp is what was spoken by every user and over every gateway.
type usedUp struct{ user, gateway pbx.TollState }

func (s usedUp) UserToll(string) pbx.TollState    { return s.user }
func (s usedUp) GatewayToll(string) pbx.TollState { return s.gateway }

// TestTryTellsLimits: who tries a number now sees which limit a call would meet.
func TestTryTellsLimits(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	m.edit(t, func(c *pbx.Config) {
		outsideLines(c)
		c.OutboundRoutes[0].Pattern = "^0"
	})
	m.tell(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "gw1", State: pbx.LineUp}})
	s.Tolls = usedUp{user: pbx.TollState{Foreign: 2 * time.Hour}, gateway: pbx.TollState{Premium: time.Hour}}
	c := loggedIn(t, s)
	try := func(digits, now string) Tried {
		var got Tried
		c.want(200, "GET", "/dialplan/try?"+url.Values{"caller": {"101"}, "digits": {digits}, "now": {now}}.Encode(), "", &got)
		return got
	}
	said := func(d dialplan.Decision, text string) bool {
		return slices.ContainsFunc(d.Trace, func(s dialplan.Step) bool { return s.Rule == "toll" && s.Message.Text() == text })
	}
	if d := try("000431234567", "true").Decision; d.Kind != dialplan.Refuse || d.Refuse != pbx.CauseNotAuthorised || !said(d, "Anna Demo (101) has spoken 120 of 120 minutes to other countries today") || !said(d, "The limit of the day is reached") {
		t.Errorf("to another country: %+v", d)
	}
	if d := try("00900123456", "true").Decision; d.Kind != dialplan.Refuse || d.Refuse != pbx.CauseNoCircuit || !said(d, "60 of 60 minutes to premium numbers were spoken over Provider today") {
		t.Errorf("to a premium number: %+v", d)
	}
	for _, digits := range []string{"000431234567", "00900123456"} { // otherwise nothing is used up
		if d := try(digits, "false").Decision; d.Kind != dialplan.Outside || len(d.Lines) != 1 || !d.Lines[0].Class.Limited() || d.Lines[0].Payer != "demo101" {
			t.Errorf("%s at another time: %+v", digits, d)
		}
	}
}
