package pbxdtest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

var randomTime = flag.Duration("random.time", 5*time.Second, "for how long TestRandomPhones plays")

// wild is a phone whose user does at random what users do.
type wild struct {
	*Phone
	rand  *rand.Rand
	calls map[string]*wildCall
	acts  map[string]int
	away  time.Time // says nothing until then, as a phone without a network
}

// wildCall is one call of such a phone.
type wildCall struct {
	*Call
	out     bool
	up      bool
	pending bool // an INVITE of ours has no final answer
	gone    bool // cancelled, or a BYE of ours is on its way
	sdp     string
}

func (w *wild) numbers() string {
	n := []string{"101", "101", "102", "102", "103", "103", "600", "999", "*81", "*82101", "*82103", "*70", "*701", "*702", "*31102", "*83103", "*92", "*92*"}
	return n[w.rand.IntN(len(n))]
}

func (w *wild) did(what string) { w.acts[what]++ }

// run plays until stop is closed, and then hangs up until every call is over.
func (w *wild) run(stop, quit <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for stopped := false; ; {
		select {
		case m := <-w.in:
			if m != nil && time.Now().After(w.away) {
				w.got(m)
			}
		case <-stop:
			stop, stopped, w.away = nil, true, time.Time{}
		case <-quit:
			return
		case <-tick.C:
			switch {
			case stopped:
				for _, c := range w.calls {
					w.leave(c)
				}
			case time.Now().After(w.away):
				w.act()
			}
		}
	}
}

// got deals with a message.
func (w *wild) got(m *Message) {
	c := w.calls[m.Get("Call-ID")]
	switch {
	case m.Status() > 0 && c != nil && m.Method() == "INVITE":
		w.answered(c, m)
	case m.Status() > 0:
		if m.Method() == "BYE" && m.Status() >= 200 {
			delete(w.calls, m.Get("Call-ID"))
		}
	case m.Method() == "ACK":
	case m.Method() == "INVITE" && c == nil && m.Tag("To") == "":
		c = &wildCall{Call: &Call{Phone: w.Phone, ID: m.Get("Call-ID"), Invite: m, Remote: m.Get("From"), Target: strings.Trim(m.Get("Contact"), "<>")}, sdp: w.sdp()}
		c.Local = m.Get("To") + ";tag=" + w.Unique()
		w.calls[c.ID] = c
		c.Reply(180, "Ringing", "")
	case c == nil:
		w.Reply(m, "", 481, "Call Does Not Exist", "", "")
	case m.Method() == "INVITE" && !c.up:
		c.Reply(180, "Ringing", "") // once more
	case m.Method() == "INVITE" && w.rand.IntN(5) == 0:
		w.Reply(m, "", 488, "Not Acceptable Here", "", "")
	case m.Method() == "INVITE":
		w.did("re-INVITE taken")
		w.Reply(m, "", 200, "OK", "", w.sdp())
	case m.Method() == "CANCEL":
		w.Reply(m, "", 200, "OK", "", "")
		if !c.up {
			c.Reply(487, "Request Terminated", "")
			delete(w.calls, c.ID)
		}
	default:
		w.Reply(m, "", 200, "OK", "", "")
		if m.Method() == "BYE" {
			delete(w.calls, c.ID)
		}
	}
}

// answered takes a response to an INVITE of ours.
func (w *wild) answered(c *wildCall, m *Message) {
	if f := strings.Fields(m.Get("CSeq")); len(f) != 2 || f[0] != fmt.Sprint(c.CSeq) && m.Status() < 300 {
		return // of before
	}
	switch s := m.Status(); {
	case s < 200:
		if m.Tag("To") != "" {
			c.Early(m)
		}
	case s == 401 && !c.up && c.CSeq == 1:
		c.AckRefusal(m)
		c.CSeq++
		c.Remote = "<" + c.uri + ">"
		c.invite(c.sdp, "Authorization: "+w.Credentials(m.Get("WWW-Authenticate"), "INVITE", c.uri)+"\r\n")
	case s < 300:
		c.learn(m)
		c.Ack("")
		c.up, c.pending = true, false
		w.did("answered")
		if c.gone {
			c.SendWith("BYE", "", "", "")
		}
	default:
		c.AckRefusal(m)
		if c.pending = false; !c.up {
			delete(w.calls, c.ID)
		}
	}
}

// sdp describes audio of one of several kinds, to a port where nobody listens.
func (w *wild) sdp() string {
	types := []string{"8 0 101", "0", "8 101", "9"}[w.rand.IntN(4)]
	direction := []string{"a=sendrecv", "a=sendrecv", "a=sendonly", "a=inactive"}[w.rand.IntN(4)]
	s := SDP(16000, "a=rtpmap:101 telephone-event/8000", direction)
	return strings.Replace(s, "RTP/AVP 8 0 101", "RTP/AVP "+types, 1)
}

// act does one thing that a user does.
func (w *wild) act() {
	if w.rand.IntN(400) == 0 {
		w.did("away")
		w.away = time.Now().Add(time.Duration(w.rand.IntN(3000)) * time.Millisecond)
		return
	}
	if len(w.calls) < 2 && w.rand.IntN(8) == 0 {
		w.dial()
		return
	}
	var c, other *wildCall
	for _, x := range w.calls {
		c, other = x, c
		if w.rand.IntN(2) == 0 {
			break
		}
	}
	if c == nil || c.gone || c.pending && c.up || w.rand.IntN(4) > 0 {
		return
	}
	switch k := w.rand.IntN(12); {
	case !c.up && c.Invite != nil && k < 1:
		c.Reply(486, "Busy Here", "")
		delete(w.calls, c.ID)
	case !c.up && c.Invite != nil:
		c.up = true
		c.Reply(200, "OK", c.sdp)
		w.did("answers")
	case k == 0:
		w.leave(c)
	case !c.up:
	case k < 5:
		c.pending = true
		c.Send("INVITE", w.sdp())
		w.did("re-INVITE")
	case k < 8:
		w.did("transfer")
		c.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:%s@%s>\r\n", w.numbers(), w.pbx), "", "")
	case k < 10 && other != nil && other.up:
		w.did("attended transfer")
		c.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:1@%s?Replaces=%s>\r\n", w.pbx, other.replaces()), "", "")
	case k == 10:
		c.SendWith("INFO", "", "application/dtmf-relay", "Signal=5\r\nDuration=100\r\n")
	}
}

// dial begins a call.
func (w *wild) dial() {
	c := &Call{Phone: w.Phone, ID: w.Unique(), uri: fmt.Sprintf("sip:%s@%s", w.numbers(), w.pbx), CSeq: 1}
	c.Local = fmt.Sprintf("<sip:%s@%s>;tag=%s", w.Ext, w.pbx, w.Unique())
	c.Remote = "<" + c.uri + ">"
	x := &wildCall{Call: c, out: true, sdp: w.sdp(), pending: true}
	w.calls[c.ID] = x
	w.did("dial")
	c.invite(x.sdp, "")
}

// leave ends a call in whatever state it is.
func (w *wild) leave(c *wildCall) {
	switch {
	case c.gone || c.pending && c.up:
	case c.up:
		c.gone = true
		c.SendWith("BYE", "", "", "")
	case c.Invite != nil:
		c.Reply(486, "Busy Here", "")
		delete(w.calls, c.ID)
	case c.CSeq > 1:
		c.gone = true
		c.Cancel()
		w.did("cancel")
	}
}

// TestRandomPhones lets nine phones of three users do at random what users do,
// over real sockets: dial numbers and codes, answer, refuse, hold, change codecs,
// transfer in every way, pick up, park, vanish. When all have hung up nothing is
// left.
func TestRandomPhones(t *testing.T) {
	t.Parallel() // most of its time it waits for what nobody answers any more
	s := Start(t, Options{Configure: func(cfg *pbx.Config) {
		cfg.SIP.RingTime, cfg.SIP.ParkTime = 5, 10
		cfg.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertNoAnswer, true, "103")
		cfg.HuntGroups = []pbx.HuntGroup{{ID: "all", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "All", CallScheme: "parallel",
			Members: []pbx.HuntMember{{User: "demo101", Timeout: 5}, {User: "demo102", Timeout: 5}, {User: "demo103", Timeout: 5}}}}}
		cfg.PickupGroups = []pbx.PickupGroup{{ID: "one", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "One", Members: []string{"demo101", "demo102", "demo103"}}}}
		g := cfg.PermissionGroupByID(pbx.GroupAllUsers)
		g.Permissions = append(g.Permissions, pbx.GroupPermission{Permission: pbx.PermitDirectPickup, AppliesTo: pbx.GroupAllUsers},
			pbx.GroupPermission{Permission: pbx.PermitIntercom, AppliesTo: pbx.GroupAllUsers})
	}})
	seed := rand.Uint64()
	stop, quit := make(chan struct{}), make(chan struct{})
	var phones sync.WaitGroup
	var all []*wild
	for i := range 9 {
		w := &wild{Phone: s.Phone(fmt.Sprint(101+i%3), []string{"udp", "tcp", "udp"}[i/3]).MustRegister(), calls: map[string]*wildCall{}, acts: map[string]int{}}
		w.rand = rand.New(rand.NewPCG(seed, uint64(i)))
		all = append(all, w)
	}
	for _, w := range all {
		phones.Go(func() { w.run(stop, quit) })
	}
	time.Sleep(*randomTime)
	close(stop)
	end := time.Now().Add(2 * time.Minute)
	for c := s.PBX.Counts(); c.Calls+c.SIP.Legs+c.Ports > 0 && time.Now().Before(end); c = s.PBX.Counts() {
		time.Sleep(20 * time.Millisecond)
	}
	close(quit)
	phones.Wait()
	if c := s.PBX.Counts(); c.Calls+c.SIP.Legs+c.Ports > 0 {
		t.Errorf("left: %+v\n%s", c, s.Log)
	}
	if strings.Contains(s.Log.String(), "panicked") {
		t.Errorf("something panicked:\n%s", s.Log)
	}
	acts := map[string]int{}
	for _, w := range all {
		for k, n := range w.acts {
			acts[k] += n
		}
	}
	t.Logf("seed %d: %v", seed, acts)
	for _, k := range []string{"dial", "answers", "answered", "re-INVITE", "transfer"} {
		if acts[k] == 0 {
			t.Errorf("nobody did %q: %v", k, acts)
		}
	}
}
