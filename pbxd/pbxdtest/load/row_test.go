package load

import (
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"galilei/pbxd"
	"galilei/pbxd/pbxdtest"
)

// settled waits until the PBX holds nothing of a call any more, transactions
// that are remembered for 32 s included, and returns how many goroutines and,
// after a garbage collection, objects there are.
func settled(t *testing.T, s *pbxdtest.System) (goroutines int, objects uint64) {
	t.Helper()
	var c pbxd.Counts
	end := time.Now().Add(90 * time.Second)
	for {
		c = s.PBX.Counts()
		if c.Calls+c.Ports+c.SIP.Legs+c.SIP.ClientTransactions+c.SIP.ServerTransactions+c.SIP.Subscriptions == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("left of the calls: %+v", c)
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(5 * time.Second) // ports rest for 3 s, each with two goroutines
	for least := 1 << 30; ; {
		n := runtime.NumGoroutine()
		if n >= least { // the number has stopped falling
			break
		}
		least = n
		time.Sleep(time.Second)
	}
	for range 2 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapObjects
}

// TestCallsInARow makes calls of all kinds one after the other: answered and
// ended by either side, refused, given up, on hold when they end. Nothing of
// them stays: no dialog, transaction, port or goroutine, and after the long run
// no memory either, such as a timer would hold.
func TestCallsInARow(t *testing.T) {
	calls, long := 500, os.Getenv("GALILEI_LONG") != ""
	if long {
		calls = 10_000
	}
	s := pbxdtest.Start(t, pbxdtest.Options{})
	networks := []string{"udp", "tcp", "tls"}
	phones := map[string]*pbxdtest.Phone{}
	for i, ext := range []string{"101", "102", "103"} {
		phones[ext] = s.Phone(ext, networks[i]).MustRegister()
	}
	round := func(i int) {
		a, b := phones[[]string{"101", "102", "103"}[i%3]], phones[[]string{"102", "103", "101"}[i%3]]
		call := a.Dial(b.Ext, pbxdtest.SDP(16000))
		in := b.Ringing()
		if i%2 == 0 || i%5 == 3 { // nothing is cancelled before it has said something (RFC 3261 section 9.1)
			in.Reply(180, "Ringing", "")
			a.Response("INVITE", 180)
		}
		end := func(c *pbxdtest.Call, other *pbxdtest.Phone) {
			c.Send("BYE", "")
			other.Reply(other.Request("BYE"), "", 200, "OK", "", "")
			c.Phone.Response("BYE", 200)
		}
		switch i % 5 {
		case 0:
			in.Answer(pbxdtest.SDP(16002))
			call.Answered()
			end(call, b)
		case 1:
			in.Answer(pbxdtest.SDP(16002))
			call.Answered()
			end(in, a)
		case 2:
			in.Reply(486, "Busy Here", "")
			b.Request("ACK")
			call.AckRefusal(a.Final("INVITE"))
		case 3:
			call.Cancel()
			cancel := b.Request("CANCEL")
			b.Reply(cancel, "", 200, "OK", "", "")
			in.Reply(487, "Request Terminated", "")
			b.Request("ACK")
			call.AckRefusal(a.Response("INVITE", 487))
		case 4:
			in.Answer(pbxdtest.SDP(16002))
			call.Answered()
			call.Send("INVITE", strings.Replace(pbxdtest.SDP(16000), "a=sendrecv", "a=sendonly", 1))
			a.Response("INVITE", 200)
			call.Ack("")
			end(in, a)
		}
	}
	// rest waits until the uses of nonces of all calls so far may be forgotten, and
	// makes some more that forget them.
	rest := func() {
		if long {
			time.Sleep(nonceTime)
		}
		for i := range 15 {
			round(i)
		}
	}
	if long { // so that what is made once is there
		for i := range 1000 {
			round(i)
		}
	}
	goroutines, objects := runtime.NumGoroutine(), uint64(0)
	if long {
		rest()
		goroutines, objects = settled(t, s)
	}
	began := time.Now()
	for i := range calls {
		round(i)
	}
	took := time.Since(began)
	rest()
	after, held := settled(t, s)
	t.Logf("%d calls in %v; goroutines %d, then %d; objects %d, then %d", calls, took.Round(time.Second), goroutines, after, objects, held)
	if after > goroutines {
		var stacks strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Error(err)
		}
		t.Errorf("%d goroutines became %d:\n%.8000s", goroutines, after, stacks.String())
	}
	if c := s.PBX.Counts(); c.SIP.Malformed > 0 {
		t.Errorf("%d messages of the phones were not understood", c.SIP.Malformed)
	}
	if long && held > objects+uint64(calls)*perCall {
		t.Errorf("%d objects became %d: over %d stay of each call", objects, held, perCall)
	}
}

// nonceTime is for how long the uses of a nonce are remembered, and somewhat
// more.
const nonceTime = 2*time.Minute + 5*time.Second

// perCall is how many objects may stay of a call: its ladder is kept for a day,
// within bounds. It was 0.8.
const perCall = 2
