package call

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// threePhones are the phones of 101, 102 and 103.
func threePhones() (a, b, c *actor, phones map[string][]*actor) {
	a, b, c = &actor{name: "a"}, &actor{name: "b"}, &actor{name: "c"}
	return a, b, c, map[string][]*actor{"101": {a}, "102": {b}, "103": {c}}
}

func forwards(reason pbx.DiversionReason) func(*pbx.Config) {
	return func(c *pbx.Config) { c.UserByExtension("102").Calls.SetForwarding(false, reason, true, "103") }
}

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestForwarding follows a call to 102, which sends it on to 103.
func TestForwarding(t *testing.T) {
	tests := []struct {
		name   string
		reason pbx.DiversionReason
		gone   bool // 102 has no phone
		cause  pbx.Cause
		after  time.Duration // 0: at once
		told   []string      // the phone of 102
	}{
		{"always", pbx.DivertAlways, false, 0, 0, nil},
		{"no phone", pbx.DivertUnregistered, true, 0, 0, nil},
		{"phone does not respond", pbx.DivertUnregistered, false, pbx.CauseNoUserResponding, 0, nil},
		{"busy", pbx.DivertBusy, false, pbx.CauseUserBusy, 0, nil},
		{"declined", pbx.DivertBusy, false, pbx.CauseCallRejected, 0, nil},
		{"no answer", pbx.DivertNoAnswer, false, 0, 20 * time.Second, []string{"hangup 19"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, b, c, phones := threePhones()
			if tt.gone {
				delete(phones, "102")
			}
			s := &stage{phones: phones, office: forwards(tt.reason)}
			play(t, s, func() {
				if tt.cause != 0 {
					s.event(b, EventRinging, desc, 0)
					want(t, s.caller, "ringing early=false") // another phone may answer
					s.event(b, EventEnded, nil, tt.cause)
				}
				sleep(tt.after)
				want(t, b, tt.told...)
				last := s.dials[len(s.dials)-1]
				if last.Extension != "103" || len(last.Diversions) != 1 || last.Diversions[0].Number != "102" || last.Diversions[0].Reason != tt.reason {
					t.Fatalf("dialled %+v", last)
				}
				if last.Caller.Number != "101" || last.Caller.Name != "Anna Demo" {
					t.Errorf("103 sees %+v", last.Caller)
				}
				s.event(b, EventAnswered, desc, 0) // too late
				if slices.Contains(s.caller.saw(), "answer") {
					t.Error("the phone that was given up connects the caller")
				}
				if s.engine.Calls("102") != 0 || s.engine.Calls("103") != 1 || s.engine.Calls("101") != 1 {
					t.Errorf("calls: 101 %d, 102 %d, 103 %d", s.engine.Calls("101"), s.engine.Calls("102"), s.engine.Calls("103"))
				}
				s.event(c, EventAnswered, desc, 0)
				if c.audio.peer != s.caller.Audio() {
					t.Error("103 is not joined to the caller")
				}
				sleep(time.Hour)
				want(t, c)
				s.event(c, EventEnded, nil, pbx.CauseNormalClearing)
				if len(s.engine.busy) != 0 {
					t.Errorf("still busy: %v", s.engine.busy)
				}
			})
		})
	}
}

func TestForwardedPhoneDoesNotAnswer(t *testing.T) {
	_, b, c, phones := threePhones()
	s := &stage{phones: phones, office: forwards(pbx.DivertNoAnswer)}
	play(t, s, func() {
		sleep(20 * time.Second)
		want(t, b, "hangup 19")
		want(t, c)
		sleep(30 * time.Second)
		want(t, c, "hangup 19")
		want(t, s.caller, "hangup 19")
	})
}

func sales(scheme string, busy bool) func(*pbx.Config) {
	return func(c *pbx.Config) {
		c.SIP.CallsAtOnce = 2
		c.HuntGroups = []pbx.HuntGroup{{ID: "sales", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", CallScheme: scheme, GroupBusy: busy,
			DisplayPrefix: "Sales", DoorStation: true, Members: []pbx.HuntMember{{User: "demo102", Timeout: 5}, {User: "demo103", Timeout: 7}}}}}
	}
}

func TestLinearGroup(t *testing.T) {
	_, b, c, phones := threePhones()
	s := &stage{phones: phones, digits: "600", office: sales("linear", false)}
	play(t, s, func() {
		if d := s.dials[0]; d.Prefix != "Sales" || d.Caller.Name != "Anna Demo" || d.Alert != "alert-door" {
			t.Errorf("dialled %+v", d)
		}
		sleep(4 * time.Second)
		want(t, b)
		sleep(time.Second)
		want(t, b, "hangup 19")
		want(t, c)
		s.event(c, EventEnded, nil, pbx.CauseUserBusy) // back to the first
		want(t, s.caller)
		sleep(5 * time.Second)
		want(t, b, "hangup 19", "hangup 19")
		s.event(c, EventAnswered, desc, 0)
		want(t, s.caller, "answer")
		if len(s.dials) != 4 {
			t.Errorf("%d phones were called", len(s.dials))
		}
	})
}

func TestParallelGroup(t *testing.T) {
	_, b, c, phones := threePhones()
	s := &stage{phones: phones, digits: "600", office: sales("parallel", false)}
	play(t, s, func() {
		s.event(b, EventEnded, nil, pbx.CauseCallRejected)
		want(t, s.caller)
		s.event(c, EventAnswered, desc, 0)
		want(t, s.caller, "answer")
		if s.engine.Calls("102") != 0 || s.engine.Calls("103") != 1 {
			t.Errorf("calls: 102 %d, 103 %d", s.engine.Calls("102"), s.engine.Calls("103"))
		}
	})
}

// A second caller hears busy while a member of a group that is busy as a whole
// is on the phone, and a third call to one extension is one too many.
func TestBusyRules(t *testing.T) {
	_, b, _, phones := threePhones()
	s := &stage{phones: phones, office: sales("linear", true)}
	play(t, s, func() {
		s.event(b, EventAnswered, desc, 0)
		for _, tt := range []struct{ from, digits, told string }{
			{"103", "600", "hangup 17"}, // group busy
			{"103", "102", ""},          // waits
			{"103", "102", "hangup 17"}, // no room
		} {
			x := &actor{name: tt.from + " to " + tt.digits}
			s.engine.Incoming(Incoming{Leg: x, Caller: Party{Number: tt.from}, Digits: tt.digits})
			synctest.Wait()
			if tt.told == "" {
				want(t, x)
			} else {
				want(t, x, tt.told)
			}
		}
	})
}

func TestDoNotDisturb(t *testing.T) {
	_, b, _, phones := threePhones()
	s := &stage{phones: phones, office: func(c *pbx.Config) { c.UserByExtension("102").Calls.DoNotDisturb = true }}
	play(t, s, func() {
		want(t, b)
		want(t, s.caller, "hangup 31")
		if len(s.dials) != 0 {
			t.Errorf("%d phones were called", len(s.dials))
		}
	})
}

// A change of the configuration holds for the next call.
func TestConfigurationOfTheBeginning(t *testing.T) {
	_, _, c, phones := threePhones()
	s := &stage{phones: phones, office: forwards(pbx.DivertNoAnswer)}
	play(t, s, func() {
		cfg := s.engine.deps.Config().Clone()
		cfg.UserByExtension("102").Calls = pbx.UserCalls{}
		s.engine.deps.Config = func() *pbx.Config { return cfg }
		sleep(20 * time.Second)
		s.event(c, EventAnswered, desc, 0)
		want(t, s.caller, "answer")
	})
}

func TestHiddenNumber(t *testing.T) {
	_, _, _, phones := threePhones()
	s := &stage{phones: phones, digits: "*31102"}
	play(t, s, func() {
		if d := s.dials[0]; d.Extension != "102" || d.Caller != (Party{}) {
			t.Errorf("dialled %+v", d)
		}
	})
}
