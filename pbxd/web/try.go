package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// tryQuery is one number to be tried.
type tryQuery struct {
	Caller string    `query:"caller" title:"Caller" doc:"Who calls: an extension, or a number from outside. Empty: from outside, without a number." maxLength:"32" pattern:"^(\\+?[0-9*#]+)?$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	Digits string    `query:"digits" title:"Number" doc:"Number that is dialled" maxLength:"48" pattern:"^(\\+?[0-9*#]+)?$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	At     time.Time `query:"at" title:"Time" doc:"When the call is made; empty: now"`
	Now    bool      `query:"now" title:"Phones as they are" doc:"With the registrations and calls of now. Otherwise every phone is registered and free."`
}

// Tried says what becomes of a call to a number.
type Tried struct {
	Caller   string            `json:"caller" title:"Caller" doc:"Who calls: name and number" maxLength:"120"`
	Internal bool              `json:"internal" title:"Internal" doc:"The caller is a user of this device"`
	Time     time.Time         `json:"time" title:"Time" doc:"Time for which it was decided"`
	Decision dialplan.Decision `json:"decision" title:"Decision" doc:"What the call does first"`
	Follows  []Follow          `json:"follows" title:"Then" doc:"What the call does when that comes to nothing" maxItems:"40"`
	More     bool              `json:"more" title:"More" doc:"The call may go on for longer than is shown"`
}

// Follow is what a call does after a decision came to nothing.
type Follow struct {
	After    int               `json:"after" title:"After" doc:"Which decision it follows: 0 for the first, otherwise the place in the list, from 1" minimum:"0" maximum:"40"`
	Outcomes []string          `json:"outcomes" title:"When" doc:"What must have happened" maxItems:"4" enum:"busy,no-answer,not-registered,refused"`
	Decision dialplan.Decision `json:"decision" title:"Decision" doc:"What the call does then"`
}

// maxFollows bounds what an answer shows. A hunt group goes round and round for
// as long as a call may ring.
const maxFollows = 24

// The years of the times that a number is tried for, in any zone.
const (
	firstTried = 2000
	lastTried  = 2100
)

func (s *Server) registerTry() {
	register(s, operation{id: "try-number", method: http.MethodGet, path: "/dialplan/try", tag: "Calls", module: "try-number",
		summary: "Who would ring", description: "Decides with the same code as a call, and calls nobody.", errors: []int{http.StatusUnprocessableEntity}}, s.try)
}

func (s *Server) try(ctx context.Context, in *tryQuery) (*answer[Tried], error) {
	cfg, _ := s.Store.Current()
	switch year := in.At.Year(); {
	case in.At.IsZero():
		in.At = s.Now()
	case year < firstTried || year > lastTried:
		return nil, invalid(detailOf("query.at", pbx.Say("must be in a year from {first} to {last}", "first", firstTried, "last", lastTried)))
	}
	if zone, err := time.LoadLocation(cfg.Locale.TimeZone); err == nil {
		in.At = in.At.In(zone)
	}
	q := dialplan.Query{Digits: in.Digits, Time: in.At, Caller: dialplan.Caller{Number: in.Caller}}
	t := Tried{Caller: in.Caller, Time: in.At, Follows: []Follow{}}
	if u := cfg.UserByExtension(in.Caller); u != nil {
		q.Caller = dialplan.Caller{UserID: u.ID}
		t.Caller, t.Internal = strings.TrimSpace(u.DisplayName()+" "+u.Extension), true
	}
	if quickdial, ok := dialplan.QuickDialled(cfg, in.Digits); ok && t.Internal {
		var err error
		if q.QuickDial, err = s.Store.QuickDial(ctx, q.Caller.UserID, quickdial); err != nil {
			return nil, fmt.Errorf("quick dial %s: %w", quickdial, err)
		}
	}
	if in.Now {
		q.State = s.phonesNow(ctx)
	}
	t.Decision = dialplan.Decide(cfg, q)
	open := []dialplan.Decision{t.Decision}
	for i := 0; i < len(open); i++ {
		if open[i].Kind != dialplan.Ring {
			continue
		}
		first := len(t.Follows)
		for _, o := range dialplan.Outcomes() {
			d := dialplan.Next(cfg, q, open[i], o)
			same := slices.IndexFunc(t.Follows[first:], func(f Follow) bool { return f.Decision.Alike(&d) })
			if same >= 0 {
				f := &t.Follows[first+same]
				f.Outcomes = append(f.Outcomes, string(o))
				continue
			}
			if len(t.Follows) >= maxFollows {
				t.More = true
				return &answer[Tried]{t}, nil
			}
			t.Follows = append(t.Follows, Follow{After: i, Outcomes: []string{string(o)}, Decision: d})
			open = append(open, d)
		}
	}
	return &answer[Tried]{t}, nil
}

// phones is what the phones are doing at a moment.
type phones struct {
	registered map[string]bool
	calls      func(extension string) int
}

func (p phones) Registered(extension string) bool { return p.registered[extension] }
func (p phones) Calls(extension string) int       { return p.calls(extension) }

func (s *Server) phonesNow(ctx context.Context) phones {
	p := phones{map[string]bool{}, s.CallsOf}
	if p.calls == nil {
		p.calls = func(string) int { return 0 }
	}
	for _, r := range s.snapshot(ctx).Registrations {
		p.registered[r.Extension] = true
	}
	return p
}
