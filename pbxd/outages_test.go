package pbxd

import (
	"strings"
	"testing"
	"time"

	"galilei/pbxd/outage"
	"galilei/pbxd/pbx"
)

// The mail about gateways says which, since when, why, and what to do next.
func TestMailAboutGateways(t *testing.T) {
	cfg, _, _, now := inOffice()
	g := pbx.Gateway{ID: "g2"}
	g.Name = "Provider B"
	cfg.Gateways = append(cfg.Gateways, g)
	refused := pbx.Outage{Gateway: "g1", State: pbx.LineRefused, Since: *now, Reason: pbx.Say("The provider does not take user and password: {status} {reason}", "status", 403, "reason", "Forbidden")}
	silent := pbx.Outage{Gateway: "g2", State: pbx.LineUnreachable, Since: *now, Reason: pbx.Say("The name {host} has no address", "host", "sip.example.com")}
	shut := pbx.Outage{Gateway: "g2", State: pbx.LineOff, Since: *now, Reason: pbx.Say("in use")}
	back := silent
	back.Back = now.Add(time.Hour)
	down := "Calls inside go on. Calls to the outside take another gateway where their route names one.|"
	about := "The telephone system house tells of its lines to the outside:||"
	for _, tt := range []struct {
		n    outage.Notice
		want string
	}{
		{outage.Notice{Down: []pbx.Outage{refused}, Quiet: []pbx.Outage{refused}}, "The gateway Provider A is down|" + about +
			"The provider has refused the gateway Provider A since 2026-11-23 14:02: The provider does not take user and password: 403 Forbidden. Check its user and password; if they are right, ask the provider.||" +
			"The gateway Provider A is down. That was told 4 times in a day, and is not told again before tomorrow.||" + down},
		{outage.Notice{Down: []pbx.Outage{refused, silent}}, "2 gateways are down|"},
		{outage.Notice{Down: []pbx.Outage{shut}}, "The gateway Provider B is down|" + about + "The gateway Provider B has been out of use since 2026-11-23 14:02: in use. Choose another address or port for its transport.||" + down},
		{outage.Notice{Back: []pbx.Outage{back}}, "The gateway Provider B works again|" + about + "The gateway Provider B works again since 2026-11-23 15:02. It was down since 2026-11-23 14:02.|"},
		{outage.Notice{Back: []pbx.Outage{back, back}}, "2 gateways work again|"},
		{outage.Notice{Down: []pbx.Outage{refused}, Back: []pbx.Outage{back}}, "Gateways that are down: 1, that work again: 1|"},
	} {
		subject, text := outageMail(cfg, tt.n, pbx.Message.Text)
		if got := strings.ReplaceAll(subject+"\n"+text, "\n", "|"); !strings.HasPrefix(got, tt.want) {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// The page warns of ten gateways one by one, and counts the others.
func TestWarningsOfGateways(t *testing.T) {
	cfg, _, _, _ := inOffice()
	outages := make([]pbx.Outage, 12)
	for i := range outages {
		outages[i] = pbx.Outage{Gateway: "g1", State: pbx.LineUnreachable, Reason: pbx.Say("No answer")}
	}
	list := outageWarnings(cfg, outages)
	if n := len(list); n != 11 || list[10].Message.Text() != "Further gateways that are down: 2" || list[0].Screen != "sip-status" {
		t.Errorf("%d warnings: %+v", n, list)
	}
	if list := outageWarnings(cfg, outages[:1]); len(list) != 1 || !strings.HasPrefix(list[0].Message.Text(), "The gateway Provider A has not been reachable since") {
		t.Errorf("%+v", list)
	}
}
