package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// tryQuery is one number to be tried.
type tryQuery struct {
	Caller  string    `query:"caller" title:"Caller" doc:"Who calls: an extension, or a number from outside. Empty: from outside, without a number." maxLength:"32" pattern:"^(\\+?[0-9*#]+)?$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	Digits  string    `query:"digits" title:"Number" doc:"Number that is dialled, or with a gateway as the provider sends it" maxLength:"48" pattern:"^(\\+?[0-9*#]+)?$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
	Gateway string    `query:"gateway" title:"Gateway" doc:"Identifier of the gateway over which somebody outside calls; empty for a call of a phone" maxLength:"26"`
	At      time.Time `query:"at" title:"Time" doc:"When the call is made; empty: now"`
	Now     bool      `query:"now" title:"Phones and lines as they are" doc:"With the registrations, calls, gateways and used limits of now. Otherwise every phone is registered and free, every gateway can be reached, and no limit of calls is used up."`
	Down    string    `query:"down" title:"Gateways that are down" doc:"Identifiers of gateways that cannot be reached, separated by commas" maxLength:"1000"`
	Profile string    `query:"profile" title:"Profile" doc:"Profile of the night answer service, 0 for none; empty: the one that holds" enum:",0,1,2,3,4,5,6,7,8,9"`
}

// Tried says what becomes of a call to a number.
type Tried struct {
	Caller   string            `json:"caller" title:"Caller" doc:"Who calls: name and number" maxLength:"120"`
	Internal bool              `json:"internal" title:"Internal" doc:"The caller is a user of this device"`
	Gateway  string            `json:"gateway" title:"Gateway" doc:"Name of the gateway that the call comes over; empty for one of a phone" maxLength:"50"`
	Time     time.Time         `json:"time" title:"Time" doc:"Time for which it was decided"`
	Decision dialplan.Decision `json:"decision" title:"Decision" doc:"What the call does first"`
	Follows  []Follow          `json:"follows" title:"Then" doc:"What the call does when that comes to nothing" maxItems:"40"`
	More     bool              `json:"more" title:"More" doc:"The call may go on for longer than is shown"`
}

// Follow is what a call does after a decision came to nothing.
type Follow struct {
	After    int               `json:"after" title:"After" doc:"Which decision it follows: 0 for the first, otherwise the place in the list, from 1" minimum:"0" maximum:"40"`
	Outcomes []string          `json:"outcomes" title:"When" doc:"What must have happened" maxItems:"4" enum:"busy,no-answer,not-registered,refused,line-failed"`
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
	q, t, err := s.tried(ctx, cfg, in)
	if err != nil {
		return nil, err
	}
	if in.Profile != "" {
		cfg = cfg.Clone()
		cfg.NightService.Profile = int(in.Profile[0] - '0')
	}
	t.Decision = dialplan.Decide(cfg, q)
	open := []dialplan.Decision{t.Decision}
	for i := 0; i < len(open); i++ {
		first := len(t.Follows)
		for _, o := range outcomesOf(&open[i]) {
			d := dialplan.Next(cfg, q, open[i], o)
			same := slices.IndexFunc(t.Follows[first:], func(f Follow) bool { return f.Decision.Alike(&d) })
			if same >= 0 {
				f := &t.Follows[first+same]
				f.Outcomes = append(f.Outcomes, string(o))
				continue
			}
			if len(t.Follows) >= maxFollows {
				t.More = true
				return &answer[Tried]{*t}, nil
			}
			t.Follows = append(t.Follows, Follow{After: i, Outcomes: []string{string(o)}, Decision: d})
			open = append(open, d)
		}
	}
	return &answer[Tried]{*t}, nil
}

// outcomesOf are the outcomes of a decision that are worth telling. A line that
// rings ends the call like any phone would: only one that does not take the call
// gives way to another.
func outcomesOf(d *dialplan.Decision) []dialplan.Outcome {
	switch d.Kind {
	case dialplan.Ring:
		return dialplan.Outcomes()
	case dialplan.Outside:
		return []dialplan.Outcome{dialplan.LineFailed}
	}
	return nil
}
