package netconf

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

func factory(change func(*pbx.Network)) pbx.Network {
	n := pbx.Factory(pbx.Defaults{}).Network
	change(&n)
	return n
}

func TestMake(t *testing.T) {
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	lease := &Lease{Address: prefix("10.0.2.15/24"), Gateway: addr("10.0.2.2"), DNS: []netip.Addr{addr("10.0.2.3")}}
	dhcp := factory(func(n *pbx.Network) { n.Mode = "dhcp" })
	for _, tt := range []struct {
		name     string
		settings pbx.Network
		lease    *Lease
		gaveUp   bool
		want     Plan
	}{
		{"factory", factory(func(*pbx.Network) {}), nil, false,
			Plan{Hostname: "galilei", Address: FactoryAddress(), Source: Static}},
		{"static ignores a lease", factory(func(n *pbx.Network) {
			n.Hostname, n.Address, n.Gateway, n.DNS = "box", "10.1.2.3/8", "10.0.0.1", []string{"9.9.9.9", "2620:fe::fe"}
		}), lease, true,
			Plan{Hostname: "box", Address: prefix("10.1.2.3/8"), Gateway: addr("10.0.0.1"), DNS: []netip.Addr{addr("9.9.9.9"), addr("2620:fe::fe")}, Source: Static}},
		{"waiting for a lease", dhcp, nil, false, Plan{Hostname: "galilei", Source: None}},
		{"lease", dhcp, lease, false, Plan{Hostname: "galilei", Address: lease.Address, Gateway: lease.Gateway, DNS: lease.DNS, Source: DHCP}},
		{"lease after a while without", dhcp, lease, true, Plan{Hostname: "galilei", Address: lease.Address, Gateway: lease.Gateway, DNS: lease.DNS, Source: DHCP}},
		{"no lease", dhcp, nil, true, Plan{Hostname: "galilei", Address: FactoryAddress(), Source: Fallback}},
	} {
		got, err := Make(tt.settings, tt.lease, tt.gaveUp)
		if err != nil || !got.Equal(tt.want) {
			t.Errorf("%s: got %+v and %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	for name, change := range map[string]func(*pbx.Network){
		"mode":    func(n *pbx.Network) { n.Mode = "magic" },
		"address": func(n *pbx.Network) { n.Address = "10.0.0.1" },
		"gateway": func(n *pbx.Network) { n.Gateway = "router" },
		"server":  func(n *pbx.Network) { n.DNS = []string{"dns"} },
	} {
		if p, err := Make(factory(change), nil, false); err == nil {
			t.Errorf("wrong %s: got %+v, want an error", name, p)
		}
	}
}

func TestSavedSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "network.json")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none saved: got %v, want %v", err, os.ErrNotExist)
	}
	for _, address := range []string{"10.0.0.5/24", "10.0.0.6/24"} {
		want := factory(func(n *pbx.Network) { n.Address = address })
		if err := Save(path, want); err != nil {
			t.Fatal(err)
		}
		if got, err := Load(path); err != nil || got.Address != address {
			t.Errorf("got %+v and %v, want %+v", got, err, want)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "truncated": `{"hostname":`, "unknown": `{"hostnames":"a"}`, "not valid": `{"hostname":"a","mode":"x"}`,
		"two": `{"hostname":"a","mode":"dhcp","address":"","gateway":"","dns":[]}{}`, "endless": strings.Repeat("[", 1<<17),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := Load(path); err == nil || errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got %+v and %v, want an error", name, n, err)
		}
	}
}

func TestValidateNamesTheField(t *testing.T) {
	err := Validate(factory(func(n *pbx.Network) { n.Gateway = "10.9.9.9" }))
	var v *pbx.ValidationError
	if !errors.As(err, &v) || len(v.Fields) != 1 || v.Fields[0].Path != "network.gateway" {
		t.Errorf("got %v, want one field network.gateway", err)
	}
	if err := Validate(factory(func(*pbx.Network) {})); err != nil {
		t.Errorf("factory settings: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"hostname":"a","mode":"static","address":"10.0.0.2/24","gateway":"10.0.0.1","dns":["1.1.1.1"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := Decode(b)
		if err != nil {
			return
		}
		p, err := Make(n, nil, false)
		if err != nil {
			t.Errorf("settings that are valid cannot be planned: %v", err)
		}
		if p.Source == Static && (!p.Address.Addr().Is4() || p.Address.Bits() < 8 || p.Address.Bits() > 30) {
			t.Errorf("address %s", p.Address)
		}
	})
}
