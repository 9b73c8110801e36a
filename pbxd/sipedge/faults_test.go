package sipedge

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/pbx"
)

// testEdge is an edge on 127.0.0.1 without a call engine.
func testEdge(t *testing.T) (*Edge, netip.AddrPort) {
	t.Helper()
	cfg := pbx.Factory(pbx.Defaults{})
	ports := rtpio.New(netip.MustParseAddr("127.0.0.1"), 33000, 33999, slog.New(slog.DiscardHandler), time.Now)
	t.Cleanup(ports.Close)
	e, err := New(t.Context(), Deps{
		Config: func() *pbx.Config { return cfg }, Key: pbx.NewDeviceKey(), Registrations: &keptRegistrations{}, Media: engine.New(time.Now, slog.New(slog.DiscardHandler)), Ports: ports,
		Publish: func(pbx.Fact) {}, Now: time.Now, Product: "test", Log: slog.New(slog.DiscardHandler),
		Incoming: func(call.Incoming) func(call.Event) { panic("no call comes in") },
	})
	if err != nil {
		t.Fatal(err)
	}
	at, err := e.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.tx.Close(); e.transport.Close() })
	return e, at
}

// Fault of sipgo 1.7.2: the ACK of a 2xx takes the number of the last request,
// which is that of PRACK where one went between. It must be the INVITE's (RFC
// 3261 section 13.2.2.4), while the BYE takes the next.
func TestFaultACKAfterPRACK(t *testing.T) {
	e, _ := testEdge(t)
	far, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	flow, err := e.transport.UDP(far.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	l, err := e.newLeg("call", flow, netip.AddrPort{}, legOutgoing, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.target = sip.Uri{Scheme: "sip", User: "102", Host: "127.0.0.1", Port: int(flow.Remote.Port())}
	l.localParty, l.peerParty = sip.FromHeader{Address: l.target}, sip.ToHeader{Address: l.target}
	invite := l.requestLocked(sip.INVITE)
	l.via(invite, flow)
	l.requestLocked(sip.PRACK)
	l.requestLocked(sip.UPDATE)
	l.mu.Unlock()
	res := sip.NewResponseFromRequest(invite, 200, "OK", nil) // without a body: acknowledged, then ended
	res.To().Params.Add("tag", "theirs")
	l.accepted(res, invite.CSeq().SeqNo)
	buf := make([]byte, 4096)
	for _, want := range []string{"ACK", "BYE"} {
		far.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := far.Read(buf)
		if err != nil || !bytes.HasPrefix(buf[:n], []byte(want+" ")) {
			t.Fatalf("got %q, %v; want %s", buf[:n], err, want)
		}
		cseq := map[string]string{"ACK": "CSeq: 1 ACK\r\n", "BYE": "CSeq: 4 BYE\r\n"}[want]
		if text := string(buf[:n]); !strings.Contains(text, cseq) || !strings.Contains(text, "tag=theirs") {
			t.Errorf("%s lacks %q or their tag:\n%s", want, cseq, text)
		}
	}
}
