package netconf

import (
	"fmt"
	"net/netip"
	"slices"

	"galilei/pbxd/pbx"
)

// Lease is what a DHCP server granted, checked already.
type Lease struct {
	Address netip.Prefix
	Gateway netip.Addr // the zero Addr: none
	DNS     []netip.Addr
}

// Source says where the address of a plan comes from.
type Source string

// The sources of an address.
const (
	Static   Source = "static"
	DHCP     Source = "dhcp"
	Fallback Source = "fallback" // the factory address, since no lease is there
	None     Source = "none"     // waiting for the first lease
)

// Plan is how the network is to be. It is a value: the same plan applied twice
// changes nothing the second time.
type Plan struct {
	Hostname string
	Address  netip.Prefix // IPv4; the zero Prefix: none
	Gateway  netip.Addr   // the zero Addr: none
	DNS      []netip.Addr
	Source   Source
}

// Equal reports whether both plans ask for the same.
func (p Plan) Equal(o Plan) bool {
	return p.Hostname == o.Hostname && p.Address == o.Address && p.Gateway == o.Gateway &&
		slices.Equal(p.DNS, o.DNS) && p.Source == o.Source
}

// FactoryAddress is the address of a new device, and of one that waits for a
// lease in vain, so that it can always be found.
func FactoryAddress() netip.Prefix { return netip.MustParsePrefix("192.168.0.50/24") }

// Make plans the network that n asks for. With mode dhcp it takes the lease;
// without one, the factory address once gaveUp says that there was time
// enough for a lease, and none before.
func Make(n pbx.Network, lease *Lease, gaveUp bool) (Plan, error) {
	p := Plan{Hostname: n.Hostname}
	switch {
	case n.Mode == "static":
		p.Source = Static
		var err error
		if p.Address, err = netip.ParsePrefix(n.Address); err != nil {
			return Plan{}, fmt.Errorf("plan network: address: %w", err)
		}
		if n.Gateway != "" {
			if p.Gateway, err = netip.ParseAddr(n.Gateway); err != nil {
				return Plan{}, fmt.Errorf("plan network: gateway: %w", err)
			}
		}
		for _, s := range n.DNS {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return Plan{}, fmt.Errorf("plan network: name server: %w", err)
			}
			p.DNS = append(p.DNS, a)
		}
	case n.Mode != "dhcp":
		return Plan{}, fmt.Errorf("plan network: mode %q is neither static nor dhcp", n.Mode)
	case lease != nil:
		p.Source, p.Address, p.Gateway, p.DNS = DHCP, lease.Address, lease.Gateway, slices.Clone(lease.DNS)
	case gaveUp:
		p.Source, p.Address = Fallback, FactoryAddress()
	default:
		p.Source = None
	}
	return p, nil
}

// Validate checks network settings alone, by the rules that they have within a
// configuration. The error is a *pbx.ValidationError.
func Validate(n pbx.Network) error {
	c := pbx.Factory(pbx.Defaults{}) // valid but for what n brings
	c.Network = n
	if err := pbx.Validate(c, pbx.Model{}); err != nil {
		return err
	}
	if n.Mode == "" { // an enum without minLength lets it through
		return &pbx.ValidationError{Fields: []pbx.FieldError{{Path: "network.mode", Rule: pbx.Say("is needed")}}}
	}
	return nil
}
