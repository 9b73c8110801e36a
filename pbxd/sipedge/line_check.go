package sipedge

import (
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
)

// check asks the provider whether it is there with OPTIONS (RFC 3261 section 11),
// one server after the other, and returns when to do so again. Whatever a server
// says is a sign of life, save that it is out of service (F167).
func (ln *line) check(g *pbx.Gateway, o pbx.GatewayOptions) time.Duration {
	targets, err := ln.locate(ln.ctx)
	for _, x := range targets {
		if ln.ctx.Err() != nil {
			return 0
		}
		f, failed := ln.flowTo(x.Addr, x.Name)
		var res *sip.Response
		if failed == nil {
			d := ln.dialog(g)
			req := d.requestLocked(sip.OPTIONS)
			req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
			req.SetBody(nil)
			d.via(req, f)
			res, failed = ln.once(ln.ctx, req, f)
		}
		if failed == nil && res.StatusCode != 503 {
			ln.trunk.deps.Resolver.Works(x)
			at, told := ln.seenAs(f, res)
			ln.mu.Lock()
			if told {
				if !g.Register {
					ln.public = at
				}
				moved := ln.registered && ln.checked.Same(f) && ln.seen != at.Addr() // calls would still come to the address of before
				ln.cut, ln.checked, ln.seen = ln.cut || moved, f, at.Addr()
			}
			back := !ln.answers && g.Register && ln.status.State != pbx.LineRefused
			ln.server, ln.answers, ln.asked = x, true, true
			up := !g.Register || ln.registered
			ln.mu.Unlock()
			if back { // it may have forgotten us, or not have answered, and the pause would be too long
				ln.again()
			}
			now := ln.trunk.deps.Now()
			ln.publish(func(s *pbx.LineStatus) {
				s.Checked, s.Server = now, f.String()
				if up {
					s.State, s.Message, s.Reason, s.Status = pbx.LineUp, pbx.Message{}, "", 0
				}
			})
			return time.Duration(o.CheckInterval) * ln.trunk.pace.second
		}
		if failed != nil {
			ln.trunk.deps.Resolver.Failed(x, 0)
			err = fmt.Errorf("%s: %w", f, failed)
		} else {
			ln.trunk.deps.Resolver.Failed(x, retryAfter(res))
			err = fmt.Errorf("%s: %w", f, unableBy(res))
		}
	}
	if ln.ctx.Err() != nil {
		return 0
	}
	ln.mu.Lock()
	ln.answers, ln.asked = false, true
	refused := ln.status.State == pbx.LineRefused
	ln.mu.Unlock()
	if !refused { // that is the more useful thing to know
		ln.down(host(g), err)
	}
	return min(ln.trunk.pace.down, time.Duration(o.CheckInterval)*time.Second)
}

// keepOpen sends an empty message to the server that we are registered at, so that
// a router on the way goes on letting its messages through (RFC 5626 section
// 3.5.1).
func (ln *line) keepOpen() {
	ln.mu.Lock()
	x := ln.server
	ln.mu.Unlock()
	if !x.Addr.IsValid() {
		return
	}
	if f, err := ln.flowTo(x.Addr, x.Name); err == nil {
		_ = ln.trunk.edge.transport.Send(f, []byte("\r\n\r\n")) // the next one is sent all the same
	}
}
