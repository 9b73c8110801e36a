package ladder

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestDay remembers a day of calls: what is held stays within the
// bounds, by count and by the heap.
func TestDay(t *testing.T) {
	c := newClock()
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	r := newRecorder(c)
	const calls = daysCalls
	peak := 0
	for i := range calls {
		spoken(r, c, i, time.Duration(i%200)*time.Second)
		if i%10 == 0 {
			r.Tidy()
		}
		held, _ := r.Held()
		peak = max(peak, held)
		if over := c.t.Sub(newClock().t) - time.Duration(i+1)*8*time.Second; over > 0 { // calls go on at the same time
			c.t = c.t.Add(-over)
		}
	}
	c.after(5 * time.Minute)
	r.Tidy()
	runtime.GC()
	runtime.ReadMemStats(&m1)
	held, n := r.Held()
	heap := int(m1.HeapAlloc) - int(m0.HeapAlloc)
	list := r.Calls(Query{})
	wires := 0
	for _, x := range list {
		if x.Messages {
			wires++
		}
	}
	t.Logf("%d calls, %d with messages: %d octets counted (at most %d), heap %d", n, wires, held, peak, heap)
	why, wire := 0, 0
	for _, x := range r.order {
		why, wire = why+len(x.packed.why), wire+len(x.packed.wire)
	}
	t.Logf("a trace takes %d octets, the messages %d", why/n, wire/max(wires, 1))
	if peak > MaxBytes {
		t.Errorf("%d octets were held; at most %d are allowed", peak, MaxBytes)
	}
	if heap > MaxBytes*5/4+2<<20 { // a quarter for what a count misses, and the compressor
		t.Errorf("the heap has grown by %d octets", heap)
	}
	if n < calls*9/10 {
		t.Errorf("%d of %d calls are remembered", n, calls)
	}
	if wires < 1000 {
		t.Errorf("%d calls have their messages", wires)
	}
	if _, err := r.Trace(list[len(list)-1].ID); err != nil {
		t.Errorf("the oldest call: %v", err)
	}
	if got := strings.Join(starts(t, r, list[0].ID), " "); got != wholeCall {
		t.Errorf("the newest call: %s", got)
	}
	if got := strings.Join(starts(t, r, list[wires-1].ID), " "); got != wholeCall {
		t.Errorf("the oldest call with messages: %s", got)
	}
	runtime.KeepAlive(r)
}

// Calls that go on and on are bounded, too.
func TestManyAtOnce(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	for i := range 2000 {
		id := fmt.Sprint(i)
		s := &script{r: r, c: c, n: i, number: "101", remote: addr("192.168.0.60:5060"), over: "udp"}
		s.calling()
		r.Status(pbx.CallStatus{ID: id, From: "101", To: "102", Started: c.now(), State: pbx.CallRouting})
		r.Joined(id, "sip:"+s.tag(), "101", "")
		for range 20 {
			s.says(true, "INFO sip:192.168.0.50 SIP/2.0", "7 INFO", "ft", "", "")
		}
	}
	held, calls := r.Held()
	if held > MaxBytes || calls != 2000 {
		t.Errorf("%d octets of %d calls are held", held, calls)
	}
	if list := starts(t, r, "1999"); len(list) != 25 {
		t.Errorf("the newest call has %d messages", len(list))
	}
	if m, err := r.Messages("0"); err != nil || !m.GivenUp || m.LeftOut == 0 {
		t.Errorf("the oldest call: %+v, %v", m, err)
	}
}

// A storm of calls, 120 a second over two legs, costs little for each message:
// all calls keep their trace, and the newest their messages.
func TestStorm(t *testing.T) {
	c := newClock()
	r := newRecorder(c)
	begun := time.Now()
	const calls = daysCalls
	for i := range calls {
		at := c.t
		spoken(r, c, i, 0)
		if c.t = at.Add(time.Second / 120); i%120 == 0 {
			c.after(7 * time.Second) // what is told of a call takes as long
			r.Tidy()
			c.after(-7 * time.Second)
		}
	}
	took := time.Since(begun)
	c.after(2 * settleTime)
	r.Tidy()
	held, n := r.Held()
	t.Logf("%d calls of 16 messages in %v; %d octets held", calls, took, held)
	if n != calls || held > MaxBytes {
		t.Errorf("%d calls are remembered, %d octets are held", n, held)
	}
	for _, i := range []int{calls - 500, calls} {
		if got := strings.Join(starts(t, r, fmt.Sprint(i)), " "); got != wholeCall {
			t.Errorf("call %d: messages\n%s; want\n%s", i, got, wholeCall)
		}
	}
	if r.over != n || len(r.talking) != 0 {
		t.Errorf("%d of %d calls are packed, %d talk", r.over, n, len(r.talking))
	}
}
