package web

import (
	"context"
	"net/http"
	"regexp"
	"slices"

	"galilei/pbxd/pbx"
)

// DialRequest is the body of POST /profile/calls.
type DialRequest struct {
	Number string `json:"number" title:"Number" doc:"Number that is called, as it would be dialled" minLength:"1" maxLength:"32" pattern:"^\\+?[0-9*#]+$" patternDescription:"digits, '*' and '#', with '+' at the beginning at most"`
}

// BegunCall answers with the call that has begun.
type BegunCall struct {
	Call string `json:"call" title:"Call" doc:"Identifier of the call" maxLength:"40"`
}

func (s *Server) registerClickToCall() {
	dialled := regexp.MustCompile(`^\+?[0-9*#]{1,32}$`)
	register(s, operation{id: "begin-call", method: http.MethodPost, path: "/profile/calls", tag: "Calls", module: "click-to-call", status: http.StatusAccepted,
		summary: "Call a number from the own phone", description: "First the own phones ring; who answers there is connected as if the number had been dialled. It needs no If-Match: it changes no setting. With the rights of another user it is in the audit log.",
		audits: []string{"begin-call"},
		errors: []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}},
		func(ctx context.Context, in *struct{ Body body[DialRequest] }) (*answer[BegunCall], error) {
			number, u := in.Body.value.Number, &callerOf(ctx).user
			registered := func(r pbx.Registration) bool { return r.Extension == u.Extension }
			switch {
			case !dialled.MatchString(number) || len(number) > 32:
				return nil, invalidField("number", pbx.Say("must have digits, '*' and '#', with '+' at the beginning at most, and at most 32 of them"))
			case u.Extension == "":
				return nil, refuse(http.StatusConflict, "You have no extension. An administrator can give you one.")
			case number == u.Extension:
				return nil, invalidField("number", pbx.Say("is your own extension"))
			case !slices.ContainsFunc(s.snapshot(ctx).Registrations, registered):
				return nil, noPhone()
			case s.Dial == nil:
				return nil, noCallNow()
			}
			id, refused := s.Dial(u, number)
			switch refused {
			case 0:
				if callerOf(ctx).as() {
					s.record(ctx, "begin-call", number)
				}
				return &answer[BegunCall]{BegunCall{id}}, nil
			case pbx.CauseUserBusy:
				return nil, refuse(http.StatusConflict, "Your phone rings already. Answer it, or wait until it stops.")
			case pbx.CauseSubscriberAbsent:
				return nil, noPhone()
			case pbx.CauseCongestion:
				return nil, noCallNow()
			}
			return nil, refuse(http.StatusServiceUnavailable, "The device cannot ring your phone at the moment. Try again shortly.")
		})
}

func noPhone() error {
	return refuse(http.StatusConflict, "No phone is registered on your extension. Register one, then call.")
}

func noCallNow() error {
	return refuse(http.StatusServiceUnavailable, "You or the device have too many calls at the moment. Try again shortly.")
}
