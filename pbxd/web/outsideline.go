package web

import (
	"strconv"

	"galilei/pbxd/pbx"
)

// What the wizard makes of the digits for an outside line.

// everythingOutside is the pattern of outbound routes for every number.
func everythingOutside(outsideLine string) string {
	if outsideLine == "" {
		return everyNumber
	}
	return outsideLine
}

// calledBack is how callers are shown, so that the list of missed calls of a phone
// can call back.
func calledBack(outsideLine string) pbx.SearchReplace {
	if outsideLine == "" {
		return pbx.SearchReplace{}
	}
	return pbx.SearchReplace{Search: "^([0-9]+)$", Replace: outsideLine + "$1"}
}

// dialCommandFor sends numbers without the digits for an outside line.
func dialCommandFor(outsideLine string) string {
	if outsideLine == "" {
		return "PJSIP/{prefix}{number}@{gateway}"
	}
	return "PJSIP/{prefix}{number:" + strconv.Itoa(len(outsideLine)) + "}@{gateway}"
}

// followOutsideLine changes what was made for other digits: calls to the outside
// would find no rule any more. What somebody has written otherwise stays.
func followOutsideLine(cfg *pbx.Config, was string) {
	now := cfg.Locale.OutsideLine
	if was == now {
		return
	}
	for i := range cfg.OutboundRoutes {
		if r := &cfg.OutboundRoutes[i]; r.Pattern == everythingOutside(was) {
			r.Pattern = everythingOutside(now)
		}
	}
	for i := range cfg.Gateways {
		if g := &cfg.Gateways[i]; g.DialCommand == dialCommandFor(was) {
			g.DialCommand = dialCommandFor(now)
		}
	}
	for i := range cfg.GatewayGroups {
		if g := &cfg.GatewayGroups[i]; g.InboundCallerID == calledBack(was) && was != "" {
			g.InboundCallerID = calledBack(now)
		}
	}
}
