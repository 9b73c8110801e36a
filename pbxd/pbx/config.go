package pbx

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Config is everything that an administrator sets. A published Config is
// never modified: a change works on a Clone, which is validated as a whole
// and then takes its place.
type Config struct {
	Users   []User  `json:"users" doc:"People and phones that have an extension, and administrators"`
	Network Network `json:"network" doc:"Address of the device in the local network"`
	SIP     SIP     `json:"sip" doc:"How phones register and call"`
	Media   Media   `json:"media" doc:"Audio addresses and ports"`
}

// User is one login and, when Extension is set, one extension.
type User struct {
	ID string `json:"id" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	UserSettings
	Admin         bool    `json:"admin,omitempty" doc:"May administer the device"`
	PIN           PINHash `json:"pinHash,omitempty"`
	MustChangePIN bool    `json:"mustChangePin,omitempty"`
	SIPPassword   Sealed  `json:"sipPasswordSealed,omitempty"`
}

// UserSettings are the parameters of a user that an administrator edits.
type UserSettings struct {
	Name      string `json:"user" doc:"Login name: 2 to 50 lowercase letters, digits, '-' or '_'. It must be unique." minLength:"2" maxLength:"50" pattern:"^[a-z0-9_-]+$" patternDescription:"lowercase letters, digits, '-' and '_'"`
	Extension string `json:"extension" doc:"Internal number of the phone: 2 to 10 digits. It must be unique. It is also the phone's SIP user name." minLength:"2" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits"`
	FirstName string `json:"firstName" doc:"First name" maxLength:"50"`
	LastName  string `json:"lastName" doc:"Last name" maxLength:"50"`
}

// DisplayName returns the name that is shown on phones: "First Last", or the
// login name when neither is set.
func (u UserSettings) DisplayName() string {
	n := strings.TrimSpace(u.FirstName + " " + u.LastName)
	if n == "" {
		return u.Name
	}
	return n
}

// Network is the address of the device. Mode "dhcp" ignores Address, Gateway
// and DNS and takes those of the lease.
type Network struct {
	Hostname string   `json:"hostname" doc:"Name of the device in the network" minLength:"1" maxLength:"63" pattern:"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" patternDescription:"lowercase letters, digits and '-', not at either end" default:"galilei"`
	Mode     string   `json:"mode" doc:"Fixed address, or one from the DHCP server of the network" enum:"static,dhcp" default:"static"`
	Address  string   `json:"address" doc:"IPv4 address with prefix length" format:"cidr" default:"192.168.0.50/24"`
	Gateway  string   `json:"gateway" doc:"Router to other networks; empty for none" format:"ip"`
	DNS      []string `json:"dns" doc:"Name servers" format:"ip" maxItems:"3"`
}

// SIP holds the registrar's and the call settings of phones.
type SIP struct {
	DigestSHA256    bool     `json:"digestSha256" doc:"Challenge phones with SHA-256 (RFC 8760) before MD5. Some phones fail when SHA-256 is offered at all." default:"false"`
	MinExpires      int      `json:"minExpires" doc:"Shortest registration that is granted" unit:"s" minimum:"10" maximum:"3600" default:"60"`
	MaxExpires      int      `json:"maxExpires" doc:"Longest registration that is granted" unit:"s" minimum:"60" maximum:"86400" default:"3600"`
	MaxContacts     int      `json:"maxContacts" doc:"Phones that may register on one extension at a time" minimum:"1" maximum:"10" default:"5"`
	RingTime        int      `json:"ringTime" doc:"Time until an unanswered call ends" unit:"s" minimum:"5" maximum:"600" default:"120"`
	ExternalAddress string   `json:"externalAddress" doc:"Address at which phones outside the local networks reach this device, for example that of a router that forwards the SIP and RTP ports. Empty: the device's own." format:"ip"`
	LocalNetworks   []string `json:"localNetworks" doc:"Networks whose phones reach this device at its own address" format:"cidr" maxItems:"20"`
}

// Media holds the RTP settings.
type Media struct {
	RTPPortMin int `json:"rtpPortMin" doc:"First UDP port for audio (even)" minimum:"1024" maximum:"65534" default:"20000"`
	RTPPortMax int `json:"rtpPortMax" doc:"Last UDP port for audio" minimum:"1025" maximum:"65535" default:"29999"`
}

// UserByID returns the user with that ID, or nil.
func (c *Config) UserByID(id string) *User {
	return c.userWhere(func(u *User) bool { return u.ID == id })
}

// UserByName returns the user with that login name, or nil.
func (c *Config) UserByName(name string) *User {
	return c.userWhere(func(u *User) bool { return u.Name == name })
}

// UserByExtension returns the user with that extension, or nil. No user has
// the empty extension.
func (c *Config) UserByExtension(ext string) *User {
	if ext == "" {
		return nil
	}
	return c.userWhere(func(u *User) bool { return u.Extension == ext })
}

func (c *Config) userWhere(match func(*User) bool) *User {
	for i := range c.Users {
		if match(&c.Users[i]) {
			return &c.Users[i]
		}
	}
	return nil
}

// Clone returns a deep copy that may be modified.
func (c *Config) Clone() *Config {
	n := *c
	n.Users = slices.Clone(c.Users)
	n.Network.DNS = slices.Clone(c.Network.DNS)
	n.SIP.LocalNetworks = slices.Clone(c.SIP.LocalNetworks)
	return &n
}

// IsLocal reports whether addr lies in one of the local networks, whose
// phones are given the device's own address.
func (s SIP) IsLocal(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, n := range s.LocalNetworks {
		if p, err := netip.ParsePrefix(n); err == nil && p.Contains(addr) {
			return true
		}
	}
	return false
}

// Model is what the hardware and its licence allow.
type Model struct {
	Name     string // as printed on the front, for example "T640"
	MaxUsers int    // users with an extension; 0 means no limit
}

// Defaults are the settings that a board brings for its first start. Zero
// values leave the parameter's own default.
type Defaults struct {
	NetworkMode     string
	ExternalAddress string
	NoLocalNetworks bool // the board sits behind address translation for every phone
	RTPPortMin      int
	RTPPortMax      int
}

// Factory returns the configuration of a new device: admin with the factory
// PIN, three demo users (F036) without SIP passwords (the store generates
// them), 192.168.0.50/24 (F023).
func Factory(d Defaults) *Config {
	c := &Config{}
	applyDefaults(c)
	c.SIP.LocalNetworks = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"}
	if d.NoLocalNetworks {
		c.SIP.LocalNetworks = []string{}
	}
	c.Network.DNS = []string{}
	if d.NetworkMode != "" {
		c.Network.Mode = d.NetworkMode
	}
	c.SIP.ExternalAddress = d.ExternalAddress
	if d.RTPPortMin != 0 {
		c.Media.RTPPortMin, c.Media.RTPPortMax = d.RTPPortMin, d.RTPPortMax
	}
	c.Users = []User{{ID: "admin", UserSettings: UserSettings{Name: "admin"}, Admin: true, PIN: FactoryPIN, MustChangePIN: true}}
	for i, first := range []string{"Anna", "Ben", "Clara"} {
		n := fmt.Sprintf("demo%d", 101+i)
		c.Users = append(c.Users, User{
			ID:            n,
			UserSettings:  UserSettings{Name: n, Extension: fmt.Sprint(101 + i), FirstName: first, LastName: "Demo"},
			PIN:           FactoryPIN,
			MustChangePIN: true,
		})
	}
	return c
}
