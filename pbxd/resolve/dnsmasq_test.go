package resolve

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsmasq starts a name server on loopback and returns its address.
func dnsmasq(t *testing.T, records ...string) netip.AddrPort {
	t.Helper()
	program, err := exec.LookPath("dnsmasq")
	if err != nil {
		t.Skip("dnsmasq is not installed")
	}
	for range 5 { // another process may take the port first
		server := freePort(t)
		arguments := append([]string{"--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=", "--group=", "--listen-address=127.0.0.1", "--bind-interfaces",
			fmt.Sprintf("--port=%d", server.Port()), "--pid-file=" + filepath.Join(t.TempDir(), "pid"), "--local=/test/", "--local-ttl=120", "--auth-ttl=120"}, records...)
		process := exec.Command(program, arguments...)
		var out bytes.Buffer
		process.Stdout, process.Stderr = &out, &out
		process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = process.Wait(); close(ended) }()
		if answersSoon(server, ended) {
			t.Cleanup(func() { _ = process.Process.Kill(); <-ended })
			return server
		}
		_ = process.Process.Kill()
		<-ended
		t.Logf("dnsmasq ended: %s", out.String())
	}
	t.Fatal("dnsmasq does not run")
	return netip.AddrPort{}
}

func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// answersSoon waits until the server takes connections, or has ended.
func answersSoon(server netip.AddrPort, ended chan struct{}) bool {
	for {
		if conn, err := net.Dial("tcp4", server.String()); err == nil {
			_ = conn.Close()
			select {
			case <-ended:
				return false // it was another's port
			default:
				return true
			}
		}
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// newReal returns a resolver with sockets.
func newReal(t *testing.T, servers ...netip.AddrPort) *Resolver {
	r := newTest(t, nil)
	r.deps.Servers = func() []netip.AddrPort { return servers }
	r.resolutionDelay = time.Minute
	return r
}

func TestLocateWithDnsmasq(t *testing.T) {
	server := dnsmasq(t,
		"--naptr-record=provider.test,20,10,S,SIP+D2U,,_sip._udp.provider.test",
		"--naptr-record=provider.test,10,10,S,SIPS+D2T,,_sips._tcp.provider.test",
		"--srv-host=_sip._udp.provider.test,one.provider.test,5070,10,5",
		"--srv-host=_sip._udp.provider.test,two.provider.test,5080,20,5",
		"--srv-host=_sips._tcp.provider.test,one.provider.test,5071,10,5",
		"--host-record=one.provider.test,192.0.2.1,2001:db8::1",
		"--host-record=two.provider.test,192.0.2.2",
		"--host-record=provider.test,192.0.2.3",
		"--cname=alias.test,provider.test",
	)
	r := newReal(t, server)
	tests := []struct {
		q    Query
		want string
	}{
		{Query{Host: "provider.test"}, "[2001:db8::1]:5071/tls 192.0.2.1:5071/tls"},
		{Query{Host: "Provider.test", Transport: UDP}, "[2001:db8::1]:5070/udp 192.0.2.1:5070/udp 192.0.2.2:5080/udp"},
		{Query{Host: "provider.test", Transport: TCP}, "192.0.2.3:5060/tcp"},
		{Query{Host: "alias.test", Port: 5090}, "192.0.2.3:5090/udp"},
	}
	for _, tt := range tests {
		list := locate(t, r, tt.q)
		if got := written(list); got != tt.want {
			t.Errorf("%s/%s: %s, want %s", tt.q.Host, tt.q.Transport, got, tt.want)
		}
	}
	if _, err := r.Locate(t.Context(), Query{Host: "nobody.test"}); err == nil {
		t.Error("a name that is not there has an address")
	}
	f, err := r.lookup(t.Context(), question{"one.provider.test", dnsmessage.TypeA}, time.Time{})
	if left := time.Until(f.expires); err != nil || left <= 0 || left > 120*time.Second {
		t.Errorf("TTL of 120 s: %s, %v", left, err)
	}
}

// What does not fit into a datagram is asked over TCP.
func TestLargeAnswerOverTCP(t *testing.T) {
	var records []string
	for i := range 40 {
		records = append(records, fmt.Sprintf("--srv-host=_sip._udp.large.test,a-server-with-a-long-name-%02d.large.test,5060,%d,1", i, i))
	}
	r := newReal(t, dnsmasq(t, records...))
	var mu sync.Mutex
	overTCP := 0
	r.exchange = func(ctx context.Context, s netip.AddrPort, tcp bool, m []byte, accept func([]byte) bool) ([]byte, error) {
		if tcp {
			mu.Lock()
			overTCP++
			mu.Unlock()
		}
		return overNetwork(ctx, s, tcp, m, accept)
	}
	f, err := r.lookup(t.Context(), question{"_sip._udp.large.test", dnsmessage.TypeSRV}, time.Time{})
	if err != nil || len(f.records) != maxRecords || overTCP == 0 {
		t.Errorf("%d records, %d times over TCP, %v", len(f.records), overTCP, err)
	}
}

// A name server that is not there is passed over for the next.
func TestDeadNameServerWithDnsmasq(t *testing.T) {
	server := dnsmasq(t, "--host-record=provider.test,192.0.2.3")
	dead := netip.MustParseAddrPort("127.0.0.1:1") // tcpmux, which nobody has
	r := newReal(t, dead, server)
	if got := written(locate(t, r, Query{Host: "provider.test", Port: 5060})); got != "192.0.2.3:5060/udp" {
		t.Error(got)
	}
	if !r.servers.down(dead) {
		t.Error("the dead name server does not count as silent")
	}
}

// A name server at loopback that answers with what f makes of the question.
func liar(t *testing.T, f func(question []byte) [][]byte) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			for _, answer := range f(slices.Clone(buffer[:n])) {
				_, _ = conn.WriteToUDPAddrPort(answer, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestForgedAnswersAreNotBelieved(t *testing.T) {
	z := newZone("a.test 60 A 192.0.2.1")
	lies := newZone("a.test 60 A 203.0.113.66\nb.test 60 A 203.0.113.66")
	server := liar(t, func(message []byte) [][]byte {
		var m dnsmessage.Message
		if m.Unpack(message) != nil {
			return nil
		}
		answer := func(z *zone, change func(*dnsmessage.Message)) []byte {
			z.mu.Lock()
			defer z.mu.Unlock()
			c := m
			c.Questions = slices.Clone(m.Questions)
			change(&c)
			return z.answerLocked(c)
		}
		return [][]byte{
			{}, {1}, []byte(strings.Repeat("x", 600)), message,
			answer(lies, func(m *dnsmessage.Message) { m.ID++ }),
			answer(lies, func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("b.test.") }),
			answer(lies, func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeSRV }),
			answer(lies, func(m *dnsmessage.Message) {
				m.Questions = nil
				m.Questions = append(m.Questions, dnsmessage.Question{Name: dnsmessage.MustNewName("c.test."), Type: 1, Class: 3})
			}),
			answer(z, func(*dnsmessage.Message) {}),
		}
	})
	r := newReal(t, server)
	if got := written(locate(t, r, at("a.test"))); got != "192.0.2.1:5060/udp" {
		t.Error(got)
	}
}

// A server that does not know EDNS0 is asked without.
func TestNameServerWithoutEDNS(t *testing.T) {
	z := newZone("a.test 60 A 192.0.2.1")
	server := liar(t, func(message []byte) [][]byte {
		var m dnsmessage.Message
		if m.Unpack(message) != nil {
			return nil
		}
		if len(m.Additionals) > 0 { // RFC 6891 section 7
			wire, _ := (&dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RCode: dnsmessage.RCodeFormatError}}).Pack()
			return [][]byte{wire}
		}
		z.mu.Lock()
		defer z.mu.Unlock()
		return [][]byte{z.answerLocked(m)}
	})
	if got := written(locate(t, newReal(t, server), at("a.test"))); got != "192.0.2.1:5060/udp" {
		t.Error(got)
	}
}

func TestHasRoute(t *testing.T) {
	if !HasRoute(netip.MustParseAddr("127.0.0.1")) {
		t.Error("no route to loopback")
	}
	if HasRoute(netip.MustParseAddr("fe80::1%nowhere0")) {
		t.Error("a route over an interface that is not there")
	}
}
