package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"galilei/pbxd/pbxdtest/peer"
)

// NeedDNS skips the test where dnsmasq is not installed.
func NeedDNS(t TB) {
	t.Helper()
	need(t, "dnsmasq")
}

// Record is one of a name server, as an option of dnsmasq.
type Record string

// Host says at which addresses a name is (A, AAAA).
func Host(name string, addrs ...string) Record {
	return Record("--host-record=" + strings.Join(append([]string{name}, addrs...), ","))
}

// SRV says where a service is (RFC 2782), for example _sip._udp.provider.test.
func SRV(service, target string, port uint16, priority, weight int) Record {
	return Record(fmt.Sprintf("--srv-host=%s,%s,%d,%d,%d", service, target, port, priority, weight))
}

// NAPTR says under which name the servers of a transport are (RFC 3263 section
// 4.1), for example SIP+D2U at _sip._udp.provider.test.
func NAPTR(name string, order, preference int, service, replacement string) Record {
	return Record(fmt.Sprintf("--naptr-record=%s,%d,%d,S,%s,,%s", name, order, preference, service, replacement))
}

// DNS is a name server of our own, dnsmasq. What it has no record of is not
// there; it asks nobody else. Its methods are not for several goroutines.
type DNS struct {
	dir     string
	addr    netip.AddrPort
	records []Record
	server  *server // nil while it does not run
}

// StartDNS starts a name server at a free port of 127.0.0.1, which has its log
// in dir. Answers hold for a second, so that a change is soon seen.
func StartDNS(ctx context.Context, dir string, records ...Record) (*DNS, error) {
	d := &DNS{dir: dir, records: records}
	var last error
	for range 3 { // the port was free when it was chosen
		port, err := peer.FreePort("127.0.0.1")
		if err != nil {
			return nil, fmt.Errorf("name server: pick a port: %w", err)
		}
		d.addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
		if last = d.Start(ctx); last == nil {
			return d, nil
		}
	}
	return nil, last
}

// Addr returns where it answers.
func (d *DNS) Addr() netip.AddrPort { return d.addr }

// Start starts it again at the same port, after Stop.
func (d *DNS) Start(ctx context.Context) error {
	args := []string{
		"--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=", "--group=", "--pid-file=", "--log-queries", "--log-facility=-",
		"--listen-address=" + d.addr.Addr().String(), "--bind-interfaces", fmt.Sprintf("--port=%d", d.addr.Port()),
		"--local=/#/", "--local-ttl=1", "--neg-ttl=1", "--auth-ttl=1",
	}
	for _, r := range d.records {
		args = append(args, string(r))
	}
	s, err := startServer(d.dir, "dnsmasq", args...)
	if err != nil {
		return fmt.Errorf("name server: %w", err)
	}
	if err := s.ready(ctx, "tcp", d.addr, nil); err != nil {
		return errors.Join(fmt.Errorf("name server: %w", err), s.stop())
	}
	d.server = s
	return nil
}

// Stop ends it: who asks is refused.
func (d *DNS) Stop() error {
	if d.server == nil {
		return nil
	}
	s := d.server
	d.server = nil
	return s.stop()
}

// Replace gives it other records.
func (d *DNS) Replace(ctx context.Context, records ...Record) error {
	if err := d.Stop(); err != nil {
		return err
	}
	d.records = records
	return d.Start(ctx)
}

// Pause has it answer nothing until Resume.
func (d *DNS) Pause() error { return d.server.signal(syscall.SIGSTOP) }

// Resume has it answer again, also what it was asked meanwhile.
func (d *DNS) Resume() error { return d.server.signal(syscall.SIGCONT) }

// Log returns what it was asked and has answered.
func (d *DNS) Log() string {
	s := server{log: d.dir + "/dnsmasq.log"}
	return s.text()
}
