package pbxdtest

import (
	"testing"

	"galilei/pbxd/pbx"
)

type status struct {
	Registrations []pbx.Registration `json:"registrations"`
	Calls         []pbx.CallStatus   `json:"calls"`
}

// A user who is added in the browser can register and call at once; what is
// changed or deleted counts at once, too, and cuts no call of others.
func TestUserLifeCycle(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	admin := s.Login()
	standing := a.Dial("102", SDP(16000))
	standingIn := b.Ringing()
	standingIn.Answer(SDP(16002))
	standing.Answered()

	var user struct {
		ID string `json:"id"`
	}
	admin.Do("POST", "/api/v1/users", map[string]any{"user": "dora", "extension": "201", "firstName": "Dora", "lastName": "Neu"}, 201, &user)
	admin.Do("POST", "/api/v1/users", map[string]any{"user": "emil", "extension": "201", "firstName": "", "lastName": ""}, 422, nil)
	var access struct {
		SIPPassword string `json:"sipPassword"`
	}
	admin.Do("POST", "/api/v1/users/"+user.ID+"/reveal-sip-password", nil, 200, &access)
	dora := NewPhone(t, s.SIP, "udp", "201", access.SIPPassword).MustRegister()
	call := dora.Dial("102", SDP(16004))
	b.Ringing().Reply(486, "Busy Here", "")
	call.AckRefusal(dora.Response("INVITE", 486))

	var now status
	s.Eventually("three registrations and one call in the status", func() bool {
		admin.Do("GET", "/api/v1/status", nil, 200, &now)
		return len(now.Registrations) == 3 && len(now.Calls) == 1 && now.Calls[0].State == pbx.CallUp
	})
	admin.Do("PUT", "/api/v1/users/"+user.ID, map[string]any{"user": "dora", "extension": "201", "firstName": "Dora", "lastName": "Neu", "sipPassword": "a-new-one"}, 0, nil)
	s.Eventually("the phone with the old password to be gone", func() bool {
		admin.Do("GET", "/api/v1/status", nil, 200, &now)
		return len(now.Registrations) == 2
	})
	if res := dora.Register(60); res.Status() != 401 {
		t.Errorf("the old password got %s, want 401", res.Start)
	}
	dora.Password = "a-new-one"
	dora.MustRegister()
	admin.Do("DELETE", "/api/v1/users/"+user.ID, nil, 0, nil)
	if res := dora.Register(60); res.Status() != 401 {
		t.Errorf("the deleted user got %s, want 401", res.Start)
	}
	gone := a.Dial("201", SDP(16006))
	res := a.Final("INVITE")
	if res.Status() != 404 {
		t.Errorf("a call to the deleted user got %s, want 404", res.Start)
	}
	gone.AckRefusal(res)

	s.Eventually("only the call that stood before", func() bool { return s.PBX.Counts().Calls == 1 })
	standing.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}
