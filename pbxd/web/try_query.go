package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// tried is what the dialplan is asked for a number that is tried, as a call would
// ask, and the answer without the decision.
func (s *Server) tried(ctx context.Context, cfg *pbx.Config, in *tryQuery) (dialplan.Query, *Tried, error) {
	q := dialplan.Query{Digits: in.Digits, Caller: dialplan.Caller{Number: in.Caller}, Patterns: &dialplan.Patterns{}}
	t := &Tried{Caller: in.Caller, Time: in.At, Follows: []Follow{}}
	if in.At.Year() >= firstYear {
		q.Time = in.At
	}
	if in.Gateway != "" {
		g := cfg.GatewayByID(in.Gateway)
		if g == nil {
			return q, nil, invalid(detailOf("query.gateway", pbx.Say("is no gateway of this device")))
		}
		q.Gateway, t.Gateway = g.ID, g.Name
	} else if u := cfg.UserByExtension(in.Caller); u != nil {
		q.Caller = dialplan.Caller{UserID: u.ID}
		t.Caller, t.Internal = strings.TrimSpace(u.DisplayName()+" "+u.Extension), true
	}
	if numbers := dialplan.NumbersOf(cfg, q.Gateway, in.Caller); !t.Internal && s.Names != nil && len(numbers) > 0 {
		q.Caller.Name = s.Names(numbers, nil)[""]
	}
	if quickdial, ok := dialplan.QuickDialled(cfg, in.Digits); ok && t.Internal {
		var err error
		if q.QuickDial, err = s.Store.QuickDial(ctx, q.Caller.UserID, quickdial); err != nil {
			return q, nil, fmt.Errorf("quick dial %s: %w", quickdial, err)
		}
	}
	lines := map[string]pbx.LineStatus{}
	if in.Now {
		now := s.snapshot(ctx)
		q.State, q.Tolls = s.phonesOf(now.Registrations), s.Tolls
		for _, l := range now.Lines {
			lines[l.Gateway] = l
		}
	}
	down := strings.Split(in.Down, ",")
	q.Lines = func(gateway string) (up bool, calls int) {
		l, known := lines[gateway]
		up = !in.Now || known && l.State.Usable()
		return up && !slices.Contains(down, gateway), l.Calls
	}
	return q, t, nil
}

// phones is what the phones are doing at a moment.
type phones struct {
	registered map[string]bool
	calls      func(extension string) int
}

func (p phones) Registered(extension string) bool { return p.registered[extension] }
func (p phones) Calls(extension string) int       { return p.calls(extension) }

func (s *Server) phonesOf(registrations []pbx.Registration) phones {
	p := phones{map[string]bool{}, s.CallsOf}
	if p.calls == nil {
		p.calls = func(string) int { return 0 }
	}
	for _, r := range registrations {
		p.registered[r.Extension] = true
	}
	return p
}
