package ladder

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

const wholeCall = "0>INVITE 0<401 0>ACK 0>INVITE 0<100 1<INVITE 1>180 0<180 1>200 1<ACK 0<200 0>ACK 0>BYE 0<200 1<BYE 1>200"

// A call is shown alike while it goes on, when it is over and when it is
// packed.
func TestCallIsRemembered(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	id := spoken(r, c, 0, time.Minute)
	for _, state := range []string{"over", "packed"} {
		if got := strings.Join(starts(t, r, id), " "); got != wholeCall {
			t.Errorf("%s: messages\n%s; want\n%s", state, got, wholeCall)
		}
		m, err := r.Messages(id)
		if err != nil {
			t.Fatal(err)
		}
		if x := m.Messages[3]; x.Local != "192.168.0.50:5060" || x.Remote != "192.168.0.60:5060" || x.Network != "udp" || !strings.Contains(x.Text, "m=audio") || x.Size != len(x.Text) || x.Method != "INVITE" {
			t.Errorf("%s: message %+v", state, x)
		}
		trace, err := r.Trace(id)
		if err != nil {
			t.Fatal(err)
		}
		if len(trace.Steps) != 5 || trace.Steps[3].Message.Text() != "102 is the extension of Ben Demo" || trace.Steps[3].After != "102" || len(trace.Legs) != 2 || trace.Legs[1].Number != "102" {
			t.Errorf("%s: trace %+v", state, trace)
		}
		if d := trace.Steps[4].At.Sub(trace.Call.Began); d != 0 {
			t.Errorf("%s: the last step was %v after the beginning", state, d)
		}
		if trace.Call.MOS != 4.39 || !trace.Call.Messages || trace.Call.Answered.IsZero() {
			t.Errorf("%s: call %+v", state, trace.Call)
		}
		q, err := r.Quality(id)
		if err != nil {
			t.Fatal(err)
		}
		if len(q) != 2 || len(q[0].From) != 12 || len(q[0].To) != 12 || q[0].From[0].MOS != 4.41 || q[0].Codec != "PCMA" || q[1].To[2].R != 92.1 {
			t.Errorf("%s: quality %+v", state, q)
		}
		if d := q[0].From[1].At.Sub(q[0].From[0].At); d != 5*time.Second {
			t.Errorf("%s: %v between two points", state, d)
		}
		c.after(settleTime)
		r.Tidy()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.dialogs) != 0 || len(r.legs) != 0 || len(r.waiting) != 0 || r.calls[id].packed == nil {
		t.Errorf("%d dialogs, %d legs, %d waiting are left", len(r.dialogs), len(r.legs), len(r.waiting))
	}
}

func TestForgetting(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	id := spoken(r, c, 0, time.Minute)
	c.after(MaxAge - time.Second)
	r.Tidy()
	if _, err := r.Trace(id); err != nil {
		t.Errorf("before its time: %v", err)
	}
	c.after(2 * time.Second)
	if _, err := r.Trace(id); !errors.Is(err, ErrUnknown) {
		t.Errorf("after a day: %v", err)
	}
	if list := r.Calls(Query{}); len(list) != 0 {
		t.Errorf("after a day: %+v", list)
	}
	r.Tidy()
	if held, calls := r.Held(); held != 0 || calls != 0 {
		t.Errorf("%d octets of %d calls are held", held, calls)
	}
}

func TestSearch(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	for i := range 5 {
		id := fmt.Sprint(i)
		r.Status(pbx.CallStatus{ID: id, From: fmt.Sprint(100 + i), To: "600", Started: c.now(), State: pbx.CallRouting})
		r.Joined(id, "line:1", fmt.Sprint(200+i), "")
		c.after(time.Hour)
	}
	ids := func(q Query) (s string) {
		for _, x := range r.Calls(q) {
			s += x.ID
		}
		return s
	}
	for _, tt := range []struct {
		q    Query
		want string
	}{
		{Query{}, "43210"},
		{Query{Limit: 2}, "43"},
		{Query{Limit: 2, Before: "3"}, "21"},
		{Query{Number: "103"}, "3"},
		{Query{Number: "202"}, "2"},
		{Query{Number: "600", Limit: 1, Before: "1"}, "0"},
		{Query{Number: "777"}, ""},
		{Query{Before: "77"}, ""},
		{Query{Since: newClock().t.Add(3 * time.Hour)}, "43"},
		{Query{Until: newClock().t.Add(time.Hour)}, "0"},
	} {
		if got := ids(tt.q); got != tt.want {
			t.Errorf("%+v: %q; want %q", tt.q, got, tt.want)
		}
	}
}

// A flood of what belongs to no call takes nothing from those that do.
func TestFlood(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	id := spoken(r, c, 0, time.Minute)
	before, _ := r.Held()
	for i := range 50_000 {
		s := &script{r: r, c: c, n: i + 1, number: "666", remote: addr("203.0.113.9:5060"), over: "udp"}
		switch i % 4 {
		case 0:
			s.theirs = true
			s.says(true, "INVITE sip:102@192.168.0.50 SIP/2.0", "1 INVITE", "f", "", "sdp")
			s.says(false, "SIP/2.0 401 Unauthorized", "1 INVITE", "ft", "", "")
		case 1:
			s.says(true, "REGISTER sip:192.168.0.50 SIP/2.0", "1 REGISTER", "f", digestText, "")
		case 2:
			s.says(true, "OPTIONS sip:192.168.0.50 SIP/2.0", "1 OPTIONS", "f", "", "")
		case 3:
			s.says(true, "SIP/2.0 200 OK", "1 INVITE", "ft", "", "")
		}
	}
	held, calls := r.Held()
	if calls != 1 || held-before > maxWaiting {
		t.Errorf("%d calls, %d octets more are held; at most %d are for strangers", calls, held-before, maxWaiting)
	}
	if got := strings.Join(starts(t, r, id), " "); got != wholeCall {
		t.Errorf("messages\n%s; want\n%s", got, wholeCall)
	}
	c.after(2 * waitingTime)
	r.Tidy()
	if r.waitingBytes != 0 || len(r.waiting) != 0 {
		t.Errorf("%d octets of %d dialogs still wait", r.waitingBytes, len(r.waiting))
	}
}

// A dialog that says more than anybody reads keeps its beginning and its end.
func TestTalkativeDialog(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	s := &script{r: r, c: c, number: "101", remote: addr("192.168.0.60:5060"), over: "tcp"}
	s.calling()
	r.Status(pbx.CallStatus{ID: "1", From: "101", To: "102", Started: c.now(), State: pbx.CallRouting})
	r.Joined("1", "sip:"+s.tag(), "101", "")
	for range 10_000 {
		s.says(true, "INFO sip:192.168.0.50 SIP/2.0", "7 INFO", "ft", "", "")
	}
	s.says(true, "BYE sip:192.168.0.50 SIP/2.0", "9 BYE", "ft", "", "")
	m, err := r.Messages("1")
	if err != nil {
		t.Fatal(err)
	}
	held, _ := r.Held()
	last := m.Messages[len(m.Messages)-1]
	if m.Messages[0].Method != "INVITE" || last.Method != "BYE" || m.LeftOut < 9000 || m.LeftOut+len(m.Messages) != 10_006 || held > maxHead+maxTail+4096 {
		t.Errorf("%d messages, %d left out, %d octets held", len(m.Messages), m.LeftOut, held)
	}
}

// A leg that a transfer takes to another call has its messages there from then
// on.
func TestLegGoesToAnotherCall(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	s := &script{r: r, c: c, number: "101", remote: addr("192.168.0.60:5060"), over: "udp"}
	s.calling()
	for _, id := range []string{"1", "2"} {
		r.Status(pbx.CallStatus{ID: id, From: "101", To: "102", Started: c.now(), State: pbx.CallRouting})
	}
	r.Joined("1", "sip:"+s.tag(), "101", "")
	s.says(false, "SIP/2.0 200 OK", "2 INVITE", "ft", "", "sdp")
	c.after(time.Minute)
	r.Joined("2", "sip:"+s.tag(), "101", "")
	r.Joined("2", "sip:"+s.tag(), "101", "") // told twice
	c.after(time.Second)
	s.says(true, "BYE sip:192.168.0.50 SIP/2.0", "3 BYE", "ft", "", "")
	if got := strings.Join(starts(t, r, "1"), " "); got != "0>INVITE 0<401 0>ACK 0>INVITE 0<100 0<200" {
		t.Errorf("first call: %s", got)
	}
	if got := strings.Join(starts(t, r, "2"), " "); got != "0>BYE" {
		t.Errorf("second call: %s", got)
	}
	if trace, err := r.Trace("1"); err != nil || trace.Legs[0].Left.IsZero() {
		t.Errorf("first call: %+v, %v", trace, err)
	}
	for _, id := range []string{"1", "2"} {
		r.Status(pbx.CallStatus{ID: id, From: "101", To: "102", Started: c.now(), Ended: c.now(), State: pbx.CallEnded})
	}
	c.after(settleTime)
	r.Tidy()
	if got := strings.Join(starts(t, r, "2"), " "); got != "0>BYE" {
		t.Errorf("second call, packed: %s", got)
	}
	if len(r.dialogs) != 0 || len(r.legs) != 0 {
		t.Errorf("%d dialogs and %d legs are left", len(r.dialogs), len(r.legs))
	}
}

// Many measurements of a long call become fewer, over the whole of it.
func TestLongCall(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	r.Status(pbx.CallStatus{ID: "1", From: "101", To: "102", Started: c.now(), State: pbx.CallRouting})
	r.Joined("1", "line:1", "101", "")
	for i := range 7200 { // 10 h
		c.after(5 * time.Second)
		r.Measured("1", "line:1", []Sample{{At: c.now(), Packets: uint64(i+1) * 250, In: Heard{Loss: float64(i%2) / 10, R: 90, MOS: 4}}})
	}
	q, err := r.Quality("1")
	if err != nil {
		t.Fatal(err)
	}
	list := q[0].From
	if n := len(list); n < maxSamples/2 || n > maxSamples+1 {
		t.Fatalf("%d points", n)
	}
	first, last := list[0], list[len(list)-1]
	if first.At.Sub(newClock().t) > 10*time.Minute || c.now().Sub(last.At) > time.Minute || first.Loss != 5 || len(q[0].To) != 0 {
		t.Errorf("from %+v to %+v; %d points of the other direction", first, last, len(q[0].To))
	}
}

func TestNobodyIsRemembered(t *testing.T) {
	var r *Recorder
	r.Capture("udp", addr("192.0.2.1:5060"), addr("192.0.2.2:5060"), true, []byte("INVITE"))
	r.Status(pbx.CallStatus{ID: "1"})
	r.Joined("1", "sip:x", "101", "")
	r.Traced("1", time.Time{}, nil)
	r.Measured("1", "sip:x", nil)
	if _, err := r.Trace("1"); !errors.Is(err, ErrUnknown) || len(r.Calls(Query{})) != 0 {
		t.Errorf("got %v", err)
	}
}
