package web

import (
	"context"
	"net/http"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// patternQuery is a search and replace pattern that is tried on a number.
type patternQuery struct {
	Search  string `query:"search" title:"Search pattern" doc:"Regular expression; empty: the number stays" maxLength:"200"`
	Replace string `query:"replace" title:"Replace pattern" doc:"What takes the place of what is found; $1 is what the first brackets found" maxLength:"100"`
	Number  string `query:"number" title:"Number" doc:"Number that it is tried on" maxLength:"48" pattern:"^(\\+?[0-9*#]+)?$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
}

// TriedPattern says what a search and replace pattern makes of a number.
type TriedPattern struct {
	Result  string   `json:"result" title:"Result" doc:"The number afterwards" maxLength:"8192"`
	Matches bool     `json:"matches" title:"Matches" doc:"The pattern is for this number"`
	Groups  []string `json:"groups" title:"Groups" doc:"What $1, $2 and so on stand for" maxItems:"200" maxLength:"64"`
}

// commandQuery is a dial command that is tried on a number.
type commandQuery struct {
	Command string `query:"command" title:"Dial command" doc:"Template with {number} and {prefix}; empty: {number}" maxLength:"100"`
	Prefix  string `query:"prefix" title:"Prefix" doc:"Prefix of the outbound route" maxLength:"20" pattern:"^[0-9+*#]*$" patternDescription:"digits, '+', '*' and '#'"`
	Number  string `query:"number" title:"Number" doc:"Number that is dialled" maxLength:"48" pattern:"^(\\+?[0-9*#]+)?$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
}

// TriedCommand says what a dial command makes of a number.
type TriedCommand struct {
	Sent string `json:"sent" title:"Sent" doc:"Number as the provider is told it, before its number format" maxLength:"8192"`
}

func (s *Server) registerTryPattern() {
	register(s, operation{id: "try-pattern", method: http.MethodGet, path: "/dialplan/try-pattern", tag: "Routes", module: "gateway-groups",
		summary: "What a search and replace pattern makes of a number", description: "With the same code as a call. Nothing is stored.", errors: []int{http.StatusUnprocessableEntity}},
		func(_ context.Context, in *patternQuery) (*answer[TriedPattern], error) {
			r := pbx.SearchReplace{Search: in.Search, Replace: in.Replace}
			if err := refusedQuery(r.Check("query")); err != nil {
				return nil, err
			}
			out, groups, ok := dialplan.Rewritten(r, in.Number)
			return &answer[TriedPattern]{TriedPattern{out, ok, append([]string{}, groups...)}}, nil
		})
	register(s, operation{id: "try-dial-command", method: http.MethodGet, path: "/dialplan/try-dial-command", tag: "Routes", module: "gateways",
		summary: "What a dial command makes of a number", description: "With the same code as a call. Nothing is stored.", errors: []int{http.StatusUnprocessableEntity}},
		func(_ context.Context, in *commandQuery) (*answer[TriedCommand], error) {
			if in.Command == "" {
				in.Command = "{number}"
			}
			if err := refusedQuery(pbx.CheckDialCommand("query.command", in.Command)); err != nil {
				return nil, err
			}
			c, err := pbx.ParseDialCommand(in.Command)
			if err != nil {
				return nil, err
			}
			return &answer[TriedCommand]{TriedCommand{c.Number(in.Prefix, in.Number)}}, nil
		})
}

// refusedQuery refuses parameters of a query; the paths begin with "query.".
func refusedQuery(wrong []pbx.FieldError) error {
	var details []ProblemDetail
	for _, f := range wrong {
		details = append(details, detailOf(f.Path, f.Rule))
	}
	return invalidIfAny(details)
}
