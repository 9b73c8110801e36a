package load

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest"
)

// perSocket is how many calls share a socket of the phones.
const perSocket = 5

// ear receives the audio of some calls and counts it by SSRC.
type ear struct {
	conn *net.UDPConn
	got  [perSocket]atomic.Int64
	odd  atomic.Int64 // packets that nobody sent, or twice
	last [perSocket]uint16
}

func newEar(t *testing.T) *ear {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadBuffer(1 << 20); err != nil {
		t.Fatal(err)
	}
	return &ear{conn: c}
}

func (e *ear) port() int { return e.conn.LocalAddr().(*net.UDPAddr).Port }

// listen counts packets until the socket is closed.
func (e *ear) listen() {
	buf := make([]byte, 2048)
	for {
		n, err := e.conn.Read(buf)
		if err != nil {
			return
		}
		if n != 172 || buf[0] != 0x80 {
			e.odd.Add(1)
			continue
		}
		i, seq := binary.BigEndian.Uint32(buf[8:])%perSocket, binary.BigEndian.Uint16(buf[2:])
		if int16(seq-e.last[i]) <= 0 {
			e.odd.Add(1) // repeated or out of order
		}
		e.last[i] = seq
		e.got[i].Add(1)
	}
}

// drops is how many packets the system has dropped at a socket of ours because
// this test did not read in time.
func drops(t *testing.T, port int) (n int64) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 12 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			if _, err := fmt.Sscan(f[12], &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no socket has port %d", port)
	return 0
}

// voice is one direction of a call.
type voice struct {
	from *ear
	to   netip.AddrPort // of the PBX
	hear *ear
	ssrc uint32
	sent int64
}

// TestCallsAtOnce has many calls up at a time, both sides of all of them
// speaking, and counts what arrives: nothing is lost, repeated or out of order.
func TestCallsAtOnce(t *testing.T) {
	calls, length := 20, 20*time.Second
	if os.Getenv("GALILEI_LONG") != "" {
		calls, length = 200, 10*time.Minute
	}
	s := pbxdtest.Start(t, pbxdtest.Options{})
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
	var voices []*voice
	var ended []func()
	var ears sync.WaitGroup
	var all []*ear
	ear := func() *ear {
		e := newEar(t)
		all = append(all, e)
		ears.Go(e.listen)
		return e
	}
	var ea, eb = ear(), ear()
	for i := range calls {
		if i > 0 && i%perSocket == 0 {
			ea, eb = ear(), ear()
		}
		call := a.Dial("102", pbxdtest.SDP(ea.port()))
		in := b.Ringing()
		in.Answer(pbxdtest.SDP(eb.port()))
		res := call.Answered()
		at := func(m *pbxdtest.Message) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(m.AudioPort()))
		}
		ssrc := uint32(1000*perSocket + i)
		voices = append(voices, &voice{from: ea, to: at(res), hear: eb, ssrc: ssrc}, &voice{from: eb, to: at(in.Invite), hear: ea, ssrc: ssrc})
		ended = append(ended, func() {
			call.Send("BYE", "")
			b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
			a.Response("BYE", 200)
		})
	}
	if n := s.PBX.Counts().Calls; n != calls {
		t.Fatalf("%d calls are up, want %d", n, calls)
	}
	talk(t, voices, length)
	time.Sleep(time.Second) // what is under way
	for i, v := range voices {
		if got := v.hear.got[v.ssrc%perSocket].Load(); got != v.sent {
			lost := v.sent - got
			if missed := drops(t, v.hear.port()); lost <= 0 || lost > missed {
				t.Errorf("voice %d: %d packets of %d arrived, %d were lost on the way out of the PBX", i, got, v.sent, missed)
			}
		}
	}
	for _, e := range all {
		if n := e.odd.Load(); n > 0 {
			t.Errorf("port %d: %d packets were repeated, out of order or of nobody", e.port(), n)
		}
	}
	if n := s.PBX.Counts().Calls; n != calls {
		t.Errorf("%d calls are up at the end, want %d", n, calls)
	}
	for _, end := range ended {
		end()
	}
	s.Eventually("all calls and ports to be given back", func() bool {
		c := s.PBX.Counts()
		return c.Calls == 0 && c.SIP.Legs == 0 && c.Ports == 0
	})
	for _, e := range all {
		e.conn.Close()
	}
	ears.Wait()
	t.Logf("%d calls for %v, %d packets each way of each", calls, length, voices[0].sent)
}

// talk has all voices say a packet every 20 ms, spread over that time as phones
// are.
func talk(t *testing.T, voices []*voice, length time.Duration) {
	t.Helper()
	const frame = 20 * time.Millisecond
	p := make([]byte, 172)
	p[0], p[1] = 0x80, 8
	began := time.Now()
	const parts = 10
	for n := 0; ; n++ {
		at := began.Add(time.Duration(n) * frame / parts)
		if at.Sub(began) >= length {
			return
		}
		time.Sleep(time.Until(at))
		for i := n % parts; i < len(voices); i += parts {
			v := voices[i]
			v.sent++
			binary.BigEndian.PutUint16(p[2:], uint16(v.sent))
			binary.BigEndian.PutUint32(p[4:], uint32(v.sent*160))
			binary.BigEndian.PutUint32(p[8:], v.ssrc)
			if _, err := v.from.conn.WriteToUDPAddrPort(p, v.to); err != nil {
				t.Fatalf("send: %v", err)
			}
		}
	}
}
