package sipedge

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/pbx"
)

// RegistrationStore keeps bindings over a restart.
type RegistrationStore interface {
	Registrations(ctx context.Context) ([]pbx.Registration, error)
	SaveRegistrations(ctx context.Context, byExtension map[string][]pbx.Registration) error
}

// Deps is what the edge needs.
type Deps struct {
	Config        func() *pbx.Config
	Key           pbx.DeviceKey // opens SIP passwords
	Registrations RegistrationStore
	Desks         DeskStore // nil: nobody logs in at another phone
	Ports         *rtpio.Ports
	Media         *engine.Engine                                   // carries the audio of the legs
	Publish       func(pbx.Fact)                                   // does not block
	Incoming      func(call.Incoming) (notify func(ev call.Event)) // starts a call
	Trusted       func(netip.Addr) bool                            // peers that may say who calls (RFC 3325); nil: none
	MayWatch      func(watcher, watched string) bool               // whether an extension may see the calls of another; nil: each may
	MayPickUp     func(watcher, watched string) bool               // whether it may take calls that ring there, too, and so learns what names them; nil: nobody
	Mailbox       func(extension string) Mailbox                   // counts voice messages; nil: nobody has any
	Text          func(Text) (refused pbx.Cause)                   // takes a message of a phone, 0 when somebody does; does not block; nil: never
	// Tap sees every message before it is read, or when it is sent: what carries
	// it ("udp", "tcp" or "tls"), our address, the peer's. It does not block,
	// change m or keep it; nil: nobody. Our address may be unspecified or not
	// valid: see Edge.Towards.
	Tap     func(over string, local, remote netip.AddrPort, sent bool, m []byte)
	Now     func() time.Time
	Product string // for Server and User-Agent, for example "Galilei/1.0"
	Log     *slog.Logger
}
