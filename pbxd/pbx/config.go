package pbx

import (
	"fmt"
	"net/netip"
	"reflect"
)

// Config is everything that an administrator sets. A published Config is
// never modified: a change works on a Clone, which is validated as a whole
// and then takes its place.
type Config struct {
	Users              []User              `json:"users" title:"Users" doc:"People and phones that have an extension, and administrators" maxItems:"10000"`
	PickupGroups       []PickupGroup       `json:"pickupGroups" title:"Pickup groups" doc:"Users who may take each other's calls" maxItems:"500"`
	HuntGroups         []HuntGroup         `json:"huntGroups" title:"Hunt groups" doc:"Numbers that ring at several extensions" maxItems:"500"`
	PermissionGroups   []PermissionGroup   `json:"permissionGroups" title:"Permission groups" doc:"Who may do what" maxItems:"500"`
	GUIGroups          []GUIGroup          `json:"guiGroups" title:"GUI groups" doc:"Which modules of the page are shown" maxItems:"200"`
	ProvisioningGroups []ProvisioningGroup `json:"provisioningGroups" title:"Provisioning groups" doc:"Phones that are given the same settings" maxItems:"200"`
	Gateways           []Gateway           `json:"gateways" title:"Gateways" doc:"Lines at providers" maxItems:"100"`
	GatewayGroups      []GatewayGroup      `json:"gatewayGroups" title:"Gateway groups" doc:"Gateways with rules for their numbers in common" maxItems:"50"`
	Transports         []Transport         `json:"transports" title:"Transports" doc:"Sockets at which providers are reached" maxItems:"20"`
	InboundRoutes      []InboundRoute      `json:"inboundRoutes" title:"Inbound routes" doc:"Where calls from outside go" maxItems:"1000"`
	OutboundRoutes     []OutboundRoute     `json:"outboundRoutes" title:"Outbound routes" doc:"Which way calls to the outside go, and who may make them" maxItems:"500"`
	Calendars          []Calendar          `json:"calendars" title:"Holiday calendars" doc:"Days on which rules hold or do not hold" maxItems:"50"`
	NightService       NightService        `json:"nightService" title:"Night answer service" doc:"Which profile of the inbound routes holds"`
	Toll               Toll                `json:"toll" title:"Limits of calls" doc:"What calls to the outside may take"`
	Certificates       []Certificate       `json:"certificates" title:"Certificates" doc:"Certificates for the page and for TLS" maxItems:"20"`
	Locale             Locale              `json:"locale" title:"Country" doc:"Country, language and time zone"`
	Setup              Setup               `json:"setup" title:"Set-up" doc:"What the installation wizard has done"`
	FunctionCodes      FunctionCodes       `json:"functionCodes" title:"Function codes" doc:"What people dial to switch a feature"`
	Mail               Mail                `json:"mail" title:"E-mail delivery" doc:"How the device sends e-mail"`
	Page               Page                `json:"page" title:"Page" doc:"The admin page"`
	Retention          Retention           `json:"retention" title:"Retention" doc:"How long the device keeps what it has noted"`
	Network            Network             `json:"network" title:"Network" doc:"Address of the device in the local network"`
	SIP                SIP                 `json:"sip" title:"Phones" doc:"How phones register and call"`
	Media              Media               `json:"media" title:"Audio" doc:"Audio addresses and ports"`
}

// AdminID is both the ID and the login name of the administrator that every
// device has (F056).
const AdminID = "admin"

// Network is the address of the device. Mode "dhcp" ignores Address, Gateway
// and DNS and takes those of the lease.
type Network struct {
	Hostname string   `json:"hostname" title:"Host name" doc:"Name of the device in the network" minLength:"1" maxLength:"63" pattern:"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" patternDescription:"lowercase letters, digits and '-', not at either end" default:"galilei"`
	Mode     string   `json:"mode" title:"Address mode" doc:"Fixed address, or one from the DHCP server of the network" enum:"static,dhcp" default:"static"`
	Address  string   `json:"address" title:"Address" doc:"IPv4 address with prefix length" format:"cidr" default:"192.168.0.50/24"`
	Gateway  string   `json:"gateway" title:"Default gateway" doc:"Router to other networks; empty for none" format:"ip"`
	DNS      []string `json:"dns" title:"Name servers" doc:"Name servers" maxLength:"45" format:"ip" maxItems:"3"`
}

// SIP holds the registrar's and the call settings of phones.
type SIP struct {
	DigestSHA256    bool     `json:"digestSha256" title:"SHA-256 for phones" doc:"Challenge phones with SHA-256 (RFC 8760) before MD5. Some phones fail when SHA-256 is offered at all." default:"false"`
	MinExpires      int      `json:"minExpires" title:"Shortest registration" doc:"Shortest registration that is granted" unit:"s" minimum:"10" maximum:"3600" default:"60"`
	MaxExpires      int      `json:"maxExpires" title:"Longest registration" doc:"Longest registration that is granted" unit:"s" minimum:"60" maximum:"86400" default:"3600"`
	TLS             bool     `json:"tls" title:"TLS for phones" doc:"Phones may register over TLS with the certificate of this page." default:"true"`
	TLSPort         int      `json:"tlsPort" title:"TLS port" doc:"TCP port at which phones register over TLS" minimum:"1" maximum:"65535" default:"5061"`
	SRTP            string   `json:"srtp" title:"Encrypted audio" doc:"Encryption of the audio (SRTP) of phones that register over TLS: not at all, offered and left out when the phone refuses it, or required, so that calls of such a phone without it fail. Over UDP and TCP the keys could be read, so that there it is refused." enum:"off,offered,required" default:"offered"`
	MaxContacts     int      `json:"maxContacts" title:"Phones per extension" doc:"Phones that may register on one extension at a time" minimum:"1" maximum:"10" default:"5"`
	RingTime        int      `json:"ringTime" title:"Ring time" doc:"Time until an unanswered call ends" unit:"s" minimum:"5" maximum:"600" default:"120"`
	ForwardTime     int      `json:"forwardTime" title:"Forward after" doc:"Time until a call that nobody answers is forwarded, for users who have set none" unit:"s" minimum:"5" maximum:"300" default:"20"`
	ParkTime        int      `json:"parkTime" title:"Parking time" doc:"Time until a parked call rings at the phone that parked it" unit:"s" minimum:"10" maximum:"3600" default:"120"`
	CallsAtOnce     int      `json:"callsAtOnce" title:"Calls at once" doc:"Calls that an extension may have at a time, waiting ones included. A caller beyond them hears busy. 0: as many as its phones take." minimum:"0" maximum:"1000" default:"0"`
	SessionExpires  int      `json:"sessionExpires" title:"Session timer" doc:"Time after which a call ends when its phone has given no sign of life. Phones that know session timers (RFC 4028) are asked at half of it." unit:"s" minimum:"90" maximum:"86400" default:"1800"`
	ExternalAddress string   `json:"externalAddress" title:"External address" doc:"Address at which phones outside the local networks reach this device, for example that of a router that forwards the SIP and RTP ports. Empty: the device's own." maxLength:"45" format:"ip"`
	LocalNetworks   []string `json:"localNetworks" title:"Local networks" doc:"Networks whose phones reach this device at its own address" maxLength:"49" format:"cidr" maxItems:"20"`
}

// Values of SIP.SRTP.
const (
	SRTPOff      = "off"
	SRTPOffered  = "offered"
	SRTPRequired = "required"
)

// Media holds the RTP settings.
type Media struct {
	RTPPortMin int `json:"rtpPortMin" title:"First audio port" doc:"First UDP port for audio (even)" minimum:"1024" maximum:"65534" default:"20000"`
	RTPPortMax int `json:"rtpPortMax" title:"Last audio port" doc:"Last UDP port for audio" minimum:"1025" maximum:"65535" default:"29999"`
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

// Clone returns a deep copy that may be modified. Lists that were nil are
// empty in it: they are written as [] and compare as equal.
func (c *Config) Clone() *Config {
	n := deepCopy(reflect.ValueOf(*c)).Interface().(Config)
	return &n
}

// deepCopy copies what v holds: structs, slices and plain values, which is all
// that a Config is made of.
func deepCopy(v reflect.Value) reflect.Value {
	n := reflect.New(v.Type()).Elem()
	n.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if k := v.Field(i).Kind(); k == reflect.Struct || k == reflect.Slice {
				n.Field(i).Set(deepCopy(v.Field(i)))
			}
		}
	case reflect.Slice:
		n.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			n.Index(i).Set(deepCopy(v.Index(i)))
		}
	}
	return n
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
	Serial   string // of the device, named by its licence
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
	SetDefaults(c)
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
	c.Transports = factoryTransports() // the other lists begin empty: Clone makes them so
	c.PermissionGroups, c.GUIGroups = factoryPermissionGroups(), factoryGUIGroups()
	c.Users = []User{{ID: AdminID, UserSettings: UserSettings{Name: AdminID}, Admin: true, PIN: FactoryPIN, MustChangePIN: true}}
	for i, first := range []string{"Anna", "Ben", "Clara"} {
		n := fmt.Sprintf("demo%d", 101+i)
		c.Users = append(c.Users, User{
			ID:            n,
			UserSettings:  UserSettings{Name: n, Extension: fmt.Sprint(101 + i), FirstName: first, LastName: "Demo"},
			PIN:           FactoryPIN,
			MustChangePIN: true,
		})
	}
	return c.Clone()
}
