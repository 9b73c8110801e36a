package pbx

import "strings"

// Gateway is one line at a provider, over SIP (F157-F177).
type Gateway struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	GatewaySettings
	Password Sealed `json:"passwordSealed,omitempty"`
}

// GatewaySettings are the parameters of a gateway.
type GatewaySettings struct {
	Name           string   `json:"name" title:"Name" doc:"Name of the gateway. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
	Group          string   `json:"group" title:"Group" doc:"Gateway group that the gateway belongs to. Without one it is not used." maxLength:"26" ref:"gatewayGroups"`
	Registrar      string   `json:"registrar" title:"Registrar" doc:"Server of the provider at which the device registers" maxLength:"253" format:"host"`
	Proxy          string   `json:"proxy" title:"Proxy" doc:"Server that all messages go to, if the provider has one; empty for the registrar" maxLength:"253" format:"host"`
	Port           int      `json:"port" title:"Port" doc:"Port of the registrar and the proxy. 0, or 5060 with the name of a server: what the name server says (RFC 3263). Over TLS 5060 is 5061." minimum:"0" maximum:"65535" default:"5060"`
	Transport      string   `json:"transport" title:"Transport" doc:"Transport over which the provider is reached" minLength:"1" maxLength:"26" ref:"transports" default:"defaultudp"`
	User           string   `json:"user" title:"User" doc:"User name at the provider, often the call number" maxLength:"100" pattern:"^[!-~]*$" patternDescription:"ASCII letters, digits and signs, no spaces"`
	AuthUser       string   `json:"authUser" title:"Authentication name" doc:"Name with which the password belongs; empty: the user" maxLength:"100" pattern:"^[!-~]*$" patternDescription:"ASCII letters, digits and signs, no spaces"`
	FromUser       string   `json:"fromUser" title:"From user" doc:"User name that calls come from; empty: the number of the caller" maxLength:"100" pattern:"^[!-~]*$" patternDescription:"ASCII letters, digits and signs, no spaces"`
	FromDomain     string   `json:"fromDomain" title:"From domain" doc:"Domain of the provider; empty: the registrar" maxLength:"253" format:"host"`
	Register       bool     `json:"register" title:"Register" doc:"The device registers at the provider" default:"true"`
	Outbound       bool     `json:"outbound" title:"Allow outbound calls" doc:"Calls may be made over the gateway" default:"true"`
	Language       string   `json:"language" title:"Language" doc:"Language of announcements to callers" enum:",en,de"`
	DialCommand    string   `json:"dialCommand" title:"Dial command" doc:"How numbers are sent: {number} is what was dialled, {number:1} the same without its first digit, {prefix} that of the outbound route" minLength:"1" maxLength:"100" default:"PJSIP/{prefix}{number:1}@{gateway}"`
	Destination    string   `json:"destination" title:"Source of destination number" doc:"Where incoming calls have the number that was called" enum:"request-line,to" default:"request-line"`
	NAT            string   `json:"nat" title:"NAT" doc:"Whether a router may stand between: yes for signalling and audio, force-rport for signalling alone, comedia for audio alone" enum:"yes,force-rport,comedia,no" default:"yes"`
	DirectMedia    bool     `json:"directMedia" title:"Reroute RTP stream" doc:"Let the audio go directly between the provider and the phone where both can and the device has no part in it" default:"false"`
	Check          bool     `json:"check" title:"Check availability" doc:"Ask the provider now and then whether it is there (OPTIONS). A gateway that is not is passed over." default:"true"`
	MaxCalls       int      `json:"maxCalls" title:"Simultaneous calls" doc:"Calls at a time; 0: any number" minimum:"0" maximum:"1000" default:"0"`
	DTMF           string   `json:"dtmf" title:"DTMF mode" doc:"How keys are sent: as tones in the audio, by SIP INFO, or as events in the audio stream" enum:"inband,info,rfc2833" default:"rfc2833"`
	T38            bool     `json:"t38" title:"T38 support" doc:"The provider takes faxes over T.38"`
	SendPAI        bool     `json:"sendPai" title:"Update P-Asserted-Identity" doc:"Send the number of the caller in P-Asserted-Identity"`
	SendRPID       bool     `json:"sendRpid" title:"Update remote party ID" doc:"Send the number of the caller in Remote-Party-ID"`
	TrustRPID      bool     `json:"trustRpid" title:"Trust remote party ID" doc:"Take the number of callers from Remote-Party-ID instead of From"`
	SRTP           string   `json:"srtp" title:"Encrypted audio" doc:"Encryption of the audio (SRTP): not at all, offered, or required. It needs a transport with TLS." enum:"off,offered,required" default:"off"`
	Codecs         []string `json:"codecs" title:"Codecs" doc:"Codecs that are used, the best first" maxItems:"3" enum:"g722,pcma,pcmu" default:"g722,pcma,pcmu"`
	AllowedSubnets []string `json:"allowedSubnets" title:"Allowed IP subnet" doc:"Networks that calls of this provider may come from; 0.0.0.0/0 and ::/0 are all. The password is used only at servers that the name of the registrar or proxy has, and in these networks." maxItems:"50" maxLength:"49" format:"cidr" default:"0.0.0.0/0"`
	Numbers        []string `json:"numbers" title:"Registered numbers" doc:"Further numbers that one registration is for (RFC 6140)" maxItems:"100" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	Parameters     []string `json:"parameters" title:"Enhanced parameters" doc:"Further parameters, each as key=value: what few providers need. The help lists them." maxItems:"20" maxLength:"100" pattern:"^[a-z0-9_]+=[!-~]*$" patternDescription:"key=value"`
}

// GatewayPasswordPurpose is what the password of a gateway, by ID, is sealed for.
func GatewayPasswordPurpose(id string) string { return "gateway-password:" + id }

// KeepsPassword reports whether a password that is stored for stored may go to
// the account of g: the same one, at the same servers, over the same transport.
func (g *GatewaySettings) KeepsPassword(stored GatewaySettings) bool {
	return strings.EqualFold(g.Registrar, stored.Registrar) && strings.EqualFold(g.Proxy, stored.Proxy) && g.Port == stored.Port && g.Transport == stored.Transport &&
		g.User == stored.User && g.AuthUser == stored.AuthUser
}

// SearchReplace is a pattern for numbers and what takes the place of what it
// finds (F180-F183).
type SearchReplace struct {
	Search  string `json:"search" title:"Search pattern" doc:"Regular expression; empty: the number stays" maxLength:"200"`
	Replace string `json:"replace" title:"Replace pattern" doc:"What takes the place of what is found; $1 is what the first brackets found" maxLength:"100"`
}

// GatewayGroup is a set of gateways with rules for their numbers in common
// (F178-F186).
type GatewayGroup struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	GatewayGroupSettings
}

// GatewayGroupSettings are the parameters of a gateway group.
type GatewayGroupSettings struct {
	Title            string           `json:"title" title:"Title" doc:"Name of the group. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
	Inbound          bool             `json:"inbound" title:"Permit inbound calls" doc:"Calls are accepted over the group" default:"true"`
	OutboundCallerID SearchReplace    `json:"outboundCallerId" title:"Outbound caller ID" doc:"What callers are shown as: applied to the extension, or to the number that the user has chosen"`
	AssertedIdentity SearchReplace    `json:"assertedIdentity" title:"Asserted identity" doc:"What the provider is told of who calls: applied to the extension. Without a pattern, what the gateway sends."`
	InboundDID       SearchReplace    `json:"inboundDid" title:"Inbound DIDs" doc:"Which number of the device is called: applied to the number that the provider sends"`
	InboundCallerID  SearchReplace    `json:"inboundCallerId" title:"Inbound caller ID" doc:"How callers are shown and called back: applied to the number that the provider sends"`
	NumberStyle      NumberStyle      `json:"numberStyle" title:"Number format" doc:"How numbers that are called are written to the provider" enum:"as-is,e164,digits,international,national" default:"as-is"`
	CallerIDs        []OutgoingNumber `json:"callerIds" title:"Outgoing caller IDs" doc:"Numbers that single extensions are shown with; they go before the pattern" maxItems:"1000"`
}

// OutgoingNumber is with what number an extension is shown (F185).
type OutgoingNumber struct {
	User     string `json:"user" title:"User" doc:"User whose calls are shown so" minLength:"1" maxLength:"26" ref:"users"`
	CallerID string `json:"callerId" title:"Caller ID" doc:"Number that is shown" minLength:"1" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
}

// Transport is a socket at which providers are reached (F223, F224).
type Transport struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	TransportSettings
}

// TransportSettings are the parameters of a transport.
type TransportSettings struct {
	Name                   string `json:"name" title:"Name" doc:"Name of the transport. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
	Type                   string `json:"type" title:"Type" doc:"How messages are carried" enum:"udp,tcp,tls" default:"udp"`
	BindAddress            string `json:"bindAddress" title:"Bind IP address" doc:"Address of the device; 0.0.0.0 is all of IPv4, :: all" minLength:"1" maxLength:"45" format:"ip" default:"0.0.0.0"`
	BindPort               int    `json:"bindPort" title:"Bind port" doc:"Port of the device. 5060 and the TLS port are those of the phones." minimum:"1" maximum:"65535" default:"5070"`
	ExternalMedia          string `json:"externalMedia" title:"External media address" doc:"Address that providers send audio to, when a router stands between" maxLength:"45" format:"ip"`
	ExternalSignalling     string `json:"externalSignalling" title:"External signalling address" doc:"Address that providers send messages to, when a router stands between" maxLength:"45" format:"ip"`
	ExternalSignallingPort int    `json:"externalSignallingPort" title:"External signalling port" doc:"Port at that address; 0: the bind port" minimum:"0" maximum:"65535" default:"0"`
	VerifyCertificate      bool   `json:"verifyCertificate" title:"Verify certificate" doc:"The certificate of the provider must be valid, for its name" default:"true"`
	CACertificate          string `json:"caCertificate" title:"CA certificate" doc:"Certificate that must have signed that of the provider; without one, a public authority must have" maxLength:"26" ref:"certificates"`
	Certificate            string `json:"certificate" title:"Certificate" doc:"Certificate of the device for providers that want one" maxLength:"26" ref:"certificates"`
}

// IDs of the transports that a new device has.
const (
	TransportUDP = "defaultudp"
	TransportTCP = "defaulttcp"
)

func factoryTransports() []Transport {
	list := []Transport{
		{ID: TransportUDP, TransportSettings: TransportSettings{Name: "default-udp"}},
		{ID: TransportTCP, TransportSettings: TransportSettings{Name: "default-tcp"}},
	}
	for i := range list {
		name := list[i].Name
		SetDefaults(&list[i].TransportSettings)
		list[i].Name = name
	}
	list[1].Type = "tcp"
	return list
}
