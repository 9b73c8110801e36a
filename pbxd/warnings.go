package pbxd

import (
	"cmp"
	"slices"
	"time"

	"galilei/pbxd/certificate"
	"galilei/pbxd/pbx"
)

// maxTollWarnings is how many limits of calls the page lists.
const maxTollWarnings = 20

// warned makes known that there is another warning.
func (p *PBX) warned() { p.facts.Publish(pbx.Fact{Kind: pbx.FactWarning}) }

// warnings are what administrators should look after, though calls can be made.
func (p *PBX) warnings() (list []pbx.Warning) {
	cfg := p.config()
	list = append(outageWarnings(cfg, p.outages.Outages()), tollWarnings(cfg, p.tolls.Alarms())...)
	for _, m := range p.emergencies.warnings() {
		list = append(list, pbx.Warning{Message: m, Screen: "call-traces"})
	}
	return append(list, certificateWarnings(cfg, p.deps.Now())...)
}

// certificateWarnings are the certificates that calls to providers need and that
// end soon. That of the page is told by the page.
func certificateWarnings(cfg *pbx.Config, now time.Time) (list []pbx.Warning) {
	needed := map[string]bool{}
	for i := range cfg.Gateways {
		g := &cfg.Gateways[i]
		if t := cfg.TransportByID(g.Transport); t != nil && t.Type == "tls" && g.Group != "" {
			needed[t.Certificate] = t.Certificate != cfg.Page.Certificate
			if t.VerifyCertificate {
				needed[t.CACertificate] = true
			}
		}
	}
	for i := range cfg.Certificates {
		c := &cfg.Certificates[i]
		if !needed[c.ID] {
			continue
		}
		if m := certificate.Ending([]byte(c.Chain), now); !m.IsZero() {
			list = append(list, pbx.Warning{Message: m, Screen: "certificates"})
		}
	}
	return list
}

// tollWarnings are the limits of calls that are almost or wholly used up today,
// those of which most is used first.
func tollWarnings(cfg *pbx.Config, alarms []pbx.TollAlarm) (list []pbx.Warning) {
	slices.SortFunc(alarms, func(a, b pbx.TollAlarm) int {
		return cmp.Or(cmp.Compare(b.Spoken*a.Limit, a.Spoken*b.Limit), cmp.Compare(a.User+a.Gateway, b.User+b.Gateway), cmp.Compare(a.Class, b.Class))
	})
	for _, a := range alarms[:min(len(alarms), maxTollWarnings)] {
		list = append(list, pbx.Warning{Message: a.Warning(cfg), Screen: "toll-limits"})
	}
	return list
}
