package license

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestLimits(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	after := now.AddDate(1, 0, 0)
	t640, lab := pbx.Model{Name: "T640", MaxUsers: 80}, pbx.Model{Name: "T640"}
	large := example
	large.Users = 500
	code := Code("T640", example.Serial)
	for _, c := range []struct {
		name     string
		model    pbx.Model
		serial   string
		required bool
		l        *License
		now      time.Time
		status   Status
		users    int
		problem  error
	}{
		{"open build", t640, example.Serial, false, nil, now, NotRequired, 80, nil},
		{"open build with a licence for fewer", t640, example.Serial, false, &example, now, NotRequired, 80, nil},
		{"none", t640, example.Serial, true, nil, now, Missing, 80, MissingError{code}},
		{"valid", t640, example.Serial, true, &example, now, Active, 60, nil},
		{"for more than the hardware", t640, example.Serial, true, &large, now, Active, 80, nil},
		{"hardware without limit", lab, example.Serial, true, &example, now, Active, 60, nil},
		{"expired", t640, example.Serial, true, &example, after, Expired, 80, ExpiredError{"2027-12-31"}},
		{"of another device", t640, "OTHER", true, &example, now, Foreign, 80, SerialError{example.Serial, "OTHER"}},
	} {
		m, s := Limits(Device{c.model, c.serial, c.required}, c.l, c.now)
		if s.Status != c.status || m.MaxUsers != c.users || s.MaxUsers != c.users || s.Problem != c.problem || m.Name != "T640" || s.License != c.l {
			t.Errorf("%s: model %+v, state %+v; want %s with %d users, problem %v", c.name, m, s, c.status, c.users, c.problem)
		}
	}
}

func TestAllowUsers(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	state := func(required bool, l *License, now time.Time) State {
		_, s := Limits(Device{pbx.Model{Name: "T640", MaxUsers: 80}, example.Serial, required}, l, now)
		return s
	}
	open, active := state(false, nil, now), state(true, &example, now)
	of500 := example
	of500.Users = 500
	large := state(true, &of500, now)
	_, lab := Limits(Device{pbx.Model{Name: "T640"}, example.Serial, true}, &example, now)
	missing, expired := state(true, nil, now), state(true, &example, now.AddDate(1, 0, 0))
	for _, c := range []struct {
		name          string
		s             State
		before, after int
		want          error
	}{
		{"open, add the last", open, 79, 80, nil},
		{"open, add more than the model has: no matter of licences", open, 80, 81, nil},
		{"licence for more than the model has", large, 80, 81, nil},
		{"no limit of the model", lab, 60, 61, UsersError{61, 60}},
		{"active, add the last", active, 59, 60, nil},
		{"active, add one too many", active, 60, 61, UsersError{61, 60}},
		{"active with more than licensed, change", active, 70, 70, nil},
		{"active with more than licensed, delete", active, 70, 69, nil},
		{"missing, add", missing, 3, 4, missing.Problem},
		{"missing, change", missing, 3, 3, missing.Problem},
		{"missing, delete", missing, 3, 2, nil},
		{"expired, add", expired, 3, 4, ExpiredError{"2027-12-31"}},
		{"expired, delete", expired, 3, 2, nil},
	} {
		if got := c.s.AllowUsers(c.before, c.after); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
