package provider

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"
)

// The records of a provider, as Go's own resolver sees them; then others, none,
// and silence.
func TestDNS(t *testing.T) {
	NeedDNS(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d, err := StartDNS(ctx, t.TempDir(),
		Host("a.provider.test", "127.0.0.2", "2001:db8::2"), Host("b.provider.test", "127.0.0.3"),
		SRV("_sip._udp.provider.test", "a.provider.test", 5070, 10, 5), SRV("_sip._udp.provider.test", "b.provider.test", 5080, 20, 5),
		NAPTR("provider.test", 10, 10, "SIP+D2U", "_sip._udp.provider.test"))
	must(t, err)
	t.Cleanup(func() { must(t, d.Stop()) })
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, d.Addr().String())
	}}
	ask := func() (targets, addrs []string, err error) {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, list, err := r.LookupSRV(short, "sip", "udp", "provider.test")
		if err != nil {
			return nil, nil, err
		}
		for _, v := range list {
			targets = append(targets, v.Target)
		}
		addrs, err = r.LookupHost(short, list[0].Target)
		slices.Sort(addrs)
		return targets, addrs, err
	}
	expect := func(wantTargets, wantAddrs []string) {
		t.Helper()
		targets, addrs, err := ask()
		if err != nil || !slices.Equal(targets, wantTargets) || !slices.Equal(addrs, wantAddrs) {
			t.Errorf("%v at %v, %v; want %v at %v", targets, addrs, err, wantTargets, wantAddrs)
		}
	}
	first := []string{"a.provider.test.", "b.provider.test."}
	expect(first, []string{"127.0.0.2", "2001:db8::2"})
	must(t, d.Pause())
	if targets, _, err := ask(); err == nil {
		t.Errorf("it answers %v while it is paused", targets)
	}
	must(t, d.Resume())
	must(t, d.Stop())
	if targets, _, err := ask(); err == nil {
		t.Errorf("it answers %v after its end", targets)
	}
	must(t, d.Start(ctx))
	expect(first, []string{"127.0.0.2", "2001:db8::2"})
	must(t, d.Replace(ctx, Host("c.provider.test", "127.0.0.4"), SRV("_sip._udp.provider.test", "c.provider.test", 5090, 1, 1)))
	expect([]string{"c.provider.test."}, []string{"127.0.0.4"})
}
