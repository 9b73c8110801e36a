package sipedge_test

import (
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// Presence tells a phone that is idle from one that is gone, and from one in a
// call (RFC 3856, RFC 3863).
func TestPresence(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	w := o.phone("103")
	res, _ := w.RequestWith("SUBSCRIBE", "102", "Event: presence\r\nAccept: application/pidf+xml\r\n", "", "")
	if res.Status() != 200 {
		t.Fatalf("SUBSCRIBE got %s, want 200", res.Start)
	}
	type document struct {
		Entity string `xml:"entity,attr"`
		Basic  string `xml:"urn:ietf:params:xml:ns:pidf tuple>status>basic"`
		Person struct {
			Busy *struct{} `xml:"urn:ietf:params:xml:ns:pidf:rpid activities>on-the-phone"`
			Note string    `xml:"urn:ietf:params:xml:ns:pidf:data-model note"`
		} `xml:"urn:ietf:params:xml:ns:pidf:data-model person"`
	}
	is := func(what, basic, note string) {
		t.Helper()
		m := notified(w)
		var d document
		if err := xml.Unmarshal([]byte(m.Body), &d); err != nil || m.Get("Content-Type") != "application/pidf+xml" {
			t.Fatalf("%s: %q of type %q: %v", what, m.Body, m.Get("Content-Type"), err)
		}
		if d.Basic != basic || d.Person.Note != note || (d.Person.Busy != nil) != (note != "") || !strings.HasPrefix(d.Entity, "sip:102@") {
			t.Errorf("%s: %+v, want %s, %q", what, d, basic, note)
		}
	}
	is("not registered", "closed", "")
	b := o.phone("102").MustRegister()
	is("idle", "open", "")
	leg := o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
	in := b.Ringing()
	is("ringing", "open", "Ringing")
	in.Answer(pbxdtest.SDP(16002))
	is("in a call", "open", "On the phone")
	leg.Hangup(pbx.CauseNormalClearing)
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	is("idle again", "open", "")
	b.Register(0)
	is("gone", "closed", "")
	w.Silent(1200*time.Millisecond, "a state that it knows", func(m *pbxdtest.Message) bool { return m.Method() == "NOTIFY" })
}

// network carries datagrams between phones and the PBX, loses some and lets
// others overtake.
type network struct {
	seed   uint64
	server netip.AddrPort
	front  *net.UDPConn // phones send here
	back   *net.UDPConn // and the PBX here

	mu    sync.Mutex
	rand  *rand.Rand
	phone netip.AddrPort
	bad   bool
	lost  int
}

func newNetwork(t *testing.T, server netip.AddrPort) *network {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("GALILEI_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	n := &network{seed: seed, server: server, front: listen(), back: listen(), rand: rand.New(rand.NewPCG(seed, 1))}
	go n.carry(n.front, func(b []byte, from netip.AddrPort) {
		n.mu.Lock()
		n.phone = from
		n.mu.Unlock()
		_, _ = n.back.WriteToUDPAddrPort(b, n.server) // like any network
	})
	go n.carry(n.back, func(b []byte, _ netip.AddrPort) {
		n.mu.Lock()
		to := n.phone
		n.mu.Unlock()
		_, _ = n.front.WriteToUDPAddrPort(b, to)
	})
	return n
}

func (n *network) addr() netip.AddrPort { return n.front.LocalAddr().(*net.UDPAddr).AddrPort() }

func (n *network) set(bad bool) {
	n.mu.Lock()
	n.bad = bad
	n.mu.Unlock()
}

func (n *network) carry(c *net.UDPConn, pass func([]byte, netip.AddrPort)) {
	buf := make([]byte, 65536)
	for {
		k, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		b := append([]byte(nil), buf[:k]...)
		n.mu.Lock()
		gone, late, twice := n.bad && (n.lost == 0 || n.rand.IntN(4) == 0), time.Duration(0), n.bad && n.rand.IntN(8) == 0
		if n.bad {
			late = time.Duration(n.rand.IntN(300)) * time.Millisecond
		}
		if gone {
			n.lost++
		}
		n.mu.Unlock()
		if gone {
			continue
		}
		time.AfterFunc(late, func() { pass(b, from) })
		if twice {
			time.AfterFunc(late+150*time.Millisecond, func() { pass(b, from) })
		}
	}
}

// lamp is a phone's busy lamp as RFC 4235 section 3.7.2 has it: it follows the
// versions, and asks anew when one is missing.
type lamp struct {
	mu      sync.Mutex
	cseq    int
	version int
	states  map[string]string
	missed  int
}

func (l *lamp) take(m *pbxdtest.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var cseq int
	if n, _ := fmt.Sscanf(m.Get("CSeq"), "%d", &cseq); n != 1 || cseq <= l.cseq {
		return // seen, or overtaken
	}
	l.cseq = cseq
	var doc struct {
		Version int    `xml:"version,attr"`
		State   string `xml:"state,attr"`
		Dialogs []struct {
			ID    string `xml:"id,attr"`
			State string `xml:"state"`
		} `xml:"dialog"`
	}
	if xml.Unmarshal([]byte(m.Body), &doc) != nil {
		return
	}
	if doc.State == "full" {
		l.states = map[string]string{}
	} else if doc.Version != l.version+1 {
		l.missed++
	}
	l.version = doc.Version
	for _, d := range doc.Dialogs {
		l.states[d.ID] = d.State
	}
}

// lit reports whether a call is shown.
func (l *lamp) lit() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.states {
		if s != "terminated" {
			return true
		}
	}
	return false
}

// Calls come and go while the network of who watches loses a quarter of all
// datagrams, the first one too, delays and repeats others. The lamp never misses a change for good.
func TestLampDoesNotStick(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.phone("102").MustRegister()
	n := newNetwork(t, o.addr)
	t.Logf("seed %d", n.seed)
	w := pbxdtest.NewPhone(t, n.addr(), "udp", "103", o.password)
	w.Contact = "sip:103@" + n.back.LocalAddr().String() // where the PBX sees it
	res, _ := w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 600\r\n", "", "")
	if res.Status() != 200 {
		t.Fatalf("SUBSCRIBE got %s, want 200", res.Start)
	}
	l := &lamp{states: map[string]string{}}
	go w.Serve(func(m *pbxdtest.Message) {
		if m.Status() == 0 && m.Method() == "NOTIFY" {
			w.Reply(m, "", 200, "OK", "", "")
			l.take(m)
		}
	})
	n.set(true)
	for i := range 12 {
		leg := o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
		in := b.Ringing()
		in.Answer(pbxdtest.SDP(16002))
		time.Sleep(time.Duration(n.seed>>(4*i)&15) * 50 * time.Millisecond)
		if i == 6 { // a call that stays is shown, however bad the network
			o.until(t, "the lamp is lit", l.lit)
		}
		leg.Hangup(pbx.CauseNormalClearing)
		b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	}
	o.until(t, "the lamp is dark", func() bool { return !l.lit() })
	time.Sleep(2 * time.Second) // what is under way must not light it again
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, s := range l.states {
		if s != "terminated" {
			t.Errorf("call %s is shown as %s", id, s)
		}
	}
	if l.missed > 0 {
		t.Errorf("%d versions were missing", l.missed)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lost == 0 {
		t.Error("the network lost nothing")
	}
}

// until waits for as long as a NOTIFY may be repeated.
func (o *office) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
