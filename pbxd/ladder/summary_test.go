package ladder

import (
	"strings"
	"testing"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

func TestSummary(t *testing.T) {
	began := newClock().t
	at := func(s int, rule, template string, pairs ...any) Moment {
		return Moment{began.Add(time.Duration(s) * time.Second), dialplan.Step{Rule: rule, Message: pbx.Say(template, pairs...)}}
	}
	permission := func(granted bool) Moment {
		m := at(2, "forward", "{name} has the permission", "name", "Ben")
		m.Permission, m.Granted = pbx.PermitCallForwarding, granted
		return m
	}
	forward := at(2, "forward", "{name} forwards calls to {number} when busy", "name", "Ben", "number", "103")
	code := at(0, "function-code", "{code} is the code of {function}", "code", "*93", "function", "x")
	code.Before = "*93"
	var often []Moment
	for i := range 50 {
		often = append(often, at(i, "transfer", "{number} takes the place of {other}", "number", i, "other", i+1))
	}
	often = append(often, at(90, "ended", "{number} hangs up", "number", "101"))
	for _, tt := range []struct {
		name     string
		call     Call
		steps    []Moment
		answered int // s, with ended; 0 for not
		ended    int
		want     string
	}{
		{"goes on", Call{From: "101", To: "102"}, nil, 0, 0, "101 calls 102. The call goes on."},
		{"from nobody", Call{To: "102"}, nil, 0, 3, "Somebody without a number calls 102. The call ends after 3 s without an answer."},
		{"forwarded", Call{From: "101", FromName: "Anna", To: "102"}, []Moment{
			at(0, "time", "x"), at(0, "ring", "Ben rings"), at(2, "outcome", "{number} is busy", "number", "102"), forward, permission(true), at(2, "ring", "Clara rings"),
			at(10, "answered", "{number} answers", "number", "103"), at(70, "held", "{number} holds the call", "number", "101"), at(190, "ended", "{number} hangs up", "number", "101"), at(190, "ended", "The call ends"),
		}, 10, 190, "Anna (101) calls 102. 102 is busy. Ben forwards calls to 103 when busy. 103 answers after 8 s. They speak for 180 s. 101 hangs up."},
		{"may not forward", Call{From: "101", To: "102"}, []Moment{forward, permission(false)}, 0, 0, "101 calls 102. The call goes on."},
		{"forwarding would go round", Call{From: "101", To: "102"}, []Moment{forward, permission(true), at(2, "loop", "The call has been there")}, 0, 0, "101 calls 102. The call has been there. The call goes on."},
		{"a code", Call{From: "101", To: "*93"}, []Moment{code, at(1, "ended", "The call ends")}, 0, 1, "101 calls *93. *93 is the code of x. The call ends."},
		{"picked up", Call{From: "101", To: "102"}, []Moment{at(0, "pickup", "{name} is in the pickup group {group}", "name", "Ben", "group", "g"), at(0, "pickup", "{number} picks up the call for {other}", "number", "103", "other", "102")},
			0, 0, "101 calls 102. 103 picks up the call for 102. The call goes on."},
	} {
		c := tt.call
		c.Began = began
		if tt.answered > 0 {
			c.Answered = began.Add(time.Duration(tt.answered) * time.Second)
		}
		if tt.ended > 0 {
			c.Ended = began.Add(time.Duration(tt.ended) * time.Second)
		}
		got := ""
		for _, m := range summary(&c, tt.steps) {
			got += " " + m.Text() + "."
		}
		if strings.TrimSpace(got) != tt.want {
			t.Errorf("%s:%s\nwant %s", tt.name, got, tt.want)
		}
	}
	c := Call{From: "101", To: "102", Began: began, Answered: began, Ended: began.Add(90 * time.Second)}
	list := summary(&c, often)
	if len(list) > maxSummary || list[len(list)-1].Text() != "101 hangs up" {
		t.Errorf("%d sentences, the last one %q", len(list), list[len(list)-1].Text())
	}
}
