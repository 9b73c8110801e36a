package pbxd

import (
	"context"
	"strings"
	"time"

	"galilei/pbxd/outage"
	"galilei/pbxd/pbx"
)

// outageMailTime is how long writing mails about gateways may take.
const outageMailTime = 20 * time.Second

// newOutages returns what watches the gateways.
func (p *PBX) newOutages() *outage.Watch {
	return outage.New(outage.Deps{
		Config: p.config, Subscribe: p.facts.Subscribe, Changed: p.warned,
		Tell: p.tellOutages, After: p.deps.Outage, Now: p.deps.Now, Log: p.deps.Log.With("part", "gateways"),
	})
}

// maxOutageWarnings bounds the gateways that the page warns of one by one.
const maxOutageWarnings = 10

// outageWarnings are the gateways that are down.
func outageWarnings(cfg *pbx.Config, outages []pbx.Outage) (list []pbx.Warning) {
	for _, o := range outages[:min(len(outages), maxOutageWarnings)] {
		list = append(list, pbx.Warning{Message: o.Message(cfg), Screen: "sip-status"})
	}
	if n := len(outages) - len(list); n > 0 {
		list = append(list, pbx.Warning{Message: pbx.Say("Further gateways that are down: {n}", "n", n), Screen: "sip-status"})
	}
	return list
}

// tellOutages writes a mail about gateways to each administrator with an address
// (F216).
func (p *PBX) tellOutages(ctx context.Context, n outage.Notice) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outageMailTime)
	defer cancel()
	cfg := p.config()
	queued, err := mailAdministrators(ctx, cfg, p.mail, func(language string) (subject, text string) {
		return outageMail(cfg, n, func(m pbx.Message) string { return p.web.Said(language, m) })
	})
	switch {
	case err != nil:
		p.deps.Log.Error("mail about gateways not written", "down", len(n.Down), "back", len(n.Back), "err", err)
	case queued == 0:
		p.deps.Log.Warn("no mail about gateways: no administrator has an e-mail address, or e-mail is off", "down", len(n.Down), "back", len(n.Back))
	}
}

// outageMail writes the mail; said says a message in the language of its reader.
func outageMail(cfg *pbx.Config, n outage.Notice, said func(pbx.Message) string) (subject, text string) {
	all := append(append([]pbx.Outage{}, n.Down...), n.Back...)
	subject = said(all[0].Subject(cfg))
	switch {
	case len(all) > 1 && len(n.Back) == 0:
		subject = said(pbx.Say("{n} gateways are down", "n", len(all)))
	case len(all) > 1 && len(n.Down) == 0:
		subject = said(pbx.Say("{n} gateways work again", "n", len(all)))
	case len(all) > 1:
		subject = said(pbx.Say("Gateways that are down: {n}, that work again: {back}", "n", len(n.Down), "back", len(n.Back)))
	}
	parts := []string{said(pbx.Say("The telephone system {host} tells of its lines to the outside:", "host", cfg.Network.Hostname))}
	for _, o := range all {
		parts = append(parts, said(o.Message(cfg)))
	}
	for _, o := range n.Quiet {
		parts = append(parts, said(pbx.Say("{subject}. That was told {n} times in a day, and is not told again before tomorrow.", "subject", o.Subject(cfg), "n", outage.MostOutages)))
	}
	if len(n.Down) > 0 {
		parts = append(parts, said(pbx.Say("Calls inside go on. Calls to the outside take another gateway where their route names one.")))
	}
	return subject, strings.Join(parts, "\n\n") + "\n"
}
