package pbx

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
)

// FieldError names one parameter by its JSON path and says which rule its
// value breaks, in words that an administrator reads.
type FieldError struct {
	Path  string      `json:"path"`
	Rule  Message     `json:"rule"`
	Other *FieldError `json:"-"` // when two entries do not go together: what to say at the other one
	Title string      `json:"-"` // of the parameter, as in the page; "" for none
	Entry string      `json:"-"` // what people call the entry that has the parameter; "" for none
}

// refused says which rule the parameter at path breaks; see Say.
func refused(path, template string, pairs ...any) FieldError {
	return FieldError{Path: path, Rule: Say(template, pairs...)}
}

// ValidationError lists every parameter that is wrong, not only the first.
type ValidationError struct {
	Fields []FieldError
}

func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString("configuration is not valid")
	for i, f := range e.Fields {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%s %s", sep, f.Path, f.Rule.Text())
	}
	return b.String()
}

// Validate checks c as a whole against the rules of its parameters and the
// limits of the model. It returns nil or a *ValidationError.
func Validate(c *Config, m Model) error {
	var errs []FieldError
	for _, e := range checkTags("", reflect.ValueOf(c).Elem()) {
		if u := userOfExtension(c, e.Path); u != nil && u.Extension == "" {
			if u.Admin {
				continue // an administrator needs no phone
			}
			e.Rule = Say("is needed; only administrators may have none")
		}
		errs = append(errs, e)
	}
	errs = append(errs, checkLists(c)...)
	errs = append(errs, checkUsers(c, m)...)
	errs = append(errs, checkGroups(c)...)
	errs = append(errs, checkNumbers(c)...)
	errs = append(errs, checkLocaleAndMail(c)...)
	errs = append(errs, checkNetwork(c.Network)...)
	errs = append(errs, checkSIPAndMedia(c)...)
	errs = append(errs, checkTransports(c)...)
	errs = append(errs, checkGateways(c)...)
	errs = append(errs, checkRoutes(c)...)
	if len(errs) == 0 {
		return nil
	}
	for i := range errs {
		e := &errs[i]
		e.Title, e.Entry = c.subject(e.Path)
		if o := e.Other; o != nil {
			o.Title, o.Entry = c.subject(o.Path)
		}
	}
	return &ValidationError{errs}
}

// userOfExtension returns the user whose extension a path names, or nil.
func userOfExtension(c *Config, path string) *User {
	var i int
	if n, err := fmt.Sscanf(path, "users[%d].extension", &i); n != 1 || err != nil || i < 0 || i >= len(c.Users) {
		return nil
	}
	return &c.Users[i]
}

// systemName stands for the device itself as the author of revisions and in
// the audit log.
const systemName = "system"

func checkUsers(c *Config, m Model) (errs []FieldError) {
	names := map[string]int{} // index of the user
	phones := 0
	for i := range c.Users {
		u := &c.Users[i]
		path := fmt.Sprintf("users[%d].", i)
		if j, dup := names[u.Name]; dup {
			inUse := func(i int) FieldError {
				return refused(fmt.Sprintf("users[%d].user", i), "{name} is already in use", "name", u.Name)
			}
			errs = append(errs, inUse(i).or(inUse(j)))
		} else {
			names[u.Name] = i
		}
		if u.Name == systemName {
			errs = append(errs, refused(path+"user", "{name} stands for the device itself", "name", u.Name))
		}
		if u.Extension != "" {
			phones++
		}
		errs = append(errs, checkUser(&u.UserSettings, path)...)
		errs = append(errs, checkUserCalls(u, path+"callSettings.")...)
	}
	if i, ok := names["admin"]; !ok || !c.Users[i].Admin {
		errs = append(errs, refused("users", "must contain the administrator admin"))
	}
	if m.MaxUsers > 0 && phones > m.MaxUsers {
		errs = append(errs, refused("users", "{n} users with an extension; a {model} has at most {max}", "n", phones, "model", m.Name, "max", m.MaxUsers))
	}
	return errs
}

func checkUser(u *UserSettings, path string) (errs []FieldError) {
	if u.DropToOperator && u.OperatorExtension == "" {
		errs = append(errs, refused(path+"operatorExtension", "is needed, because calls that are not answered go there"))
	}
	for _, l := range []struct {
		field string
		list  []string
	}{{"voicemailBoxes", u.VoicemailBoxes}, {"clipInternal", u.CLIPInternal}, {"clipExternal", u.CLIPExternal}} {
		seen := map[string]bool{}
		for i, number := range l.list {
			if seen[number] {
				errs = append(errs, refused(fmt.Sprintf("%s%s[%d]", path, l.field, i), "is in the list twice"))
			}
			seen[number] = true
		}
	}
	return errs
}

func checkNetwork(n Network) (errs []FieldError) {
	if n.Mode != "static" {
		return nil
	}
	p, err := netip.ParsePrefix(n.Address)
	if err != nil {
		if n.Address == "" {
			errs = append(errs, refused("network.address", "is needed when the address is fixed"))
		}
		return errs // otherwise the tag rule has already said it
	}
	a := p.Addr()
	switch {
	case !a.Is4():
		errs = append(errs, refused("network.address", "is not an IPv4 address"))
		return errs
	case a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		errs = append(errs, refused("network.address", "is not an address for a device"))
		return errs
	case p.Bits() < 8 || p.Bits() > 30:
		errs = append(errs, refused("network.address", "has prefix length {n}; allowed are 8 to 30", "n", p.Bits()))
		return errs
	case a == p.Masked().Addr() || a == lastAddr(p):
		errs = append(errs, refused("network.address", "is the network's own or its broadcast address"))
	}
	if gw, err := netip.ParseAddr(n.Gateway); err == nil && (!p.Contains(gw) || gw == a || gw == p.Masked().Addr() || gw == lastAddr(p)) {
		errs = append(errs, refused("network.gateway", "must be another address in {network}", "network", p.Masked().String()))
	}
	return errs
}

// lastAddr returns the broadcast address of an IPv4 prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}

func checkSIPAndMedia(c *Config) (errs []FieldError) {
	if a, err := netip.ParseAddr(c.SIP.ExternalAddress); err == nil && (a.IsUnspecified() || a.IsMulticast()) {
		errs = append(errs, refused("sip.externalAddress", "is not an address for a device")) // 0.0.0.0 in SDP means hold
	}
	if c.SIP.MinExpires > c.SIP.MaxExpires {
		errs = append(errs, refused("sip.minExpires", "is longer than the longest registration, {max} s", "max", c.SIP.MaxExpires))
	}
	if slices.Contains([]int{80, 443, 5060}, c.SIP.TLSPort) {
		errs = append(errs, refused("sip.tlsPort", "is the port of another service of this device"))
	}
	if c.Media.RTPPortMin%2 != 0 {
		errs = append(errs, refused("media.rtpPortMin", "must be even, RTP uses even ports (RFC 3550 section 11)"))
	}
	if c.Media.RTPPortMax-c.Media.RTPPortMin < 3 {
		errs = append(errs, refused("media.rtpPortMax", "leaves no room: a call needs four ports"))
	}
	return errs
}
