package pbx

import "testing"

func TestSwitch(t *testing.T) {
	was := UserCalls{InternalBusyNumber: "110", ExternalNoAnswerNumber: "120", InternalNoAnswerNumber: "121"}
	for _, x := range []struct {
		name     string
		function Function
		argument string
		off      bool
		want     func(*UserCalls)
	}{
		{"call waiting off is busy on busy", FunctionCallWaiting, "", true, func(c *UserCalls) { c.BusyOnBusy = true }},
		{"call waiting on", FunctionCallWaiting, "", false, func(*UserCalls) {}},
		{"do not disturb", FunctionDoNotDisturb, "", false, func(c *UserCalls) { c.DoNotDisturb = true }},
		{"forward both sides", FunctionForwardAlways, "105", false, func(c *UserCalls) {
			c.InternalAlways, c.InternalAlwaysNumber, c.ExternalAlways, c.ExternalAlwaysNumber = true, "105", true, "105"
		}},
		{"off keeps the numbers", FunctionForwardBusy, "", true, func(*UserCalls) {}},
		{"the number of the other side", FunctionForwardBusy, "", false, func(c *UserCalls) {
			c.InternalBusy, c.ExternalBusy, c.ExternalBusyNumber = true, true, "110"
		}},
		{"the last numbers", FunctionForwardNoAnswer, "", false, func(c *UserCalls) { c.InternalNoAnswer, c.ExternalNoAnswer = true, true }},
		{"nowhere to forward to", FunctionForwardUnregistered, "", false, func(*UserCalls) {}},
		{"reminder", FunctionReminder, "0730", false, func(c *UserCalls) { c.Reminder, c.ReminderAt = true, "07:30" }},
		{"no reminder", FunctionReminder, "", true, func(*UserCalls) {}},
	} {
		got, want := was, was
		x.want(&want)
		if !got.Switch(x.function, x.argument, x.off) || got != want {
			t.Errorf("%s: %+v, want %+v", x.name, got, want)
		}
	}
	if c := was; c.Switch(FunctionPark, "1", false) || c != was {
		t.Error("park is no setting of a user")
	}
}
