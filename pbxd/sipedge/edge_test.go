package sipedge_test

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// office is an edge with real sockets whose calls a test decides.
type office struct {
	t        *testing.T
	edge     *sipedge.Edge
	addr     netip.AddrPort
	ports    *rtpio.Ports
	password string
	incoming chan call.Incoming
	events   chan call.Event
}

type noRegistrations struct{}

func (noRegistrations) Registrations(context.Context) ([]pbx.Registration, error) { return nil, nil }
func (noRegistrations) SaveRegistrations(context.Context, map[string][]pbx.Registration) error {
	return nil
}

func newOffice(t *testing.T, change ...func(*sipedge.Deps)) *office {
	t.Helper()
	return newOfficeWith(t, func(*sipedge.Edge) {}, change...)
}

func newOfficeWith(t *testing.T, prepare func(*sipedge.Edge), change ...func(*sipedge.Deps)) *office {
	t.Helper()
	o := &office{t: t, password: "correct horse", incoming: make(chan call.Incoming, 8), events: make(chan call.Event, 64)}
	key := pbx.NewDeviceKey()
	cfg := &pbx.Config{SIP: pbx.SIP{MinExpires: 60, MaxExpires: 3600, MaxContacts: 5, RingTime: 120}}
	for _, ext := range []string{"101", "102", "103"} {
		u := pbx.User{ID: "u" + ext, UserSettings: pbx.UserSettings{Name: "user" + ext, Extension: ext}}
		u.SIPPassword = key.Seal(pbx.SIPPasswordPurpose(u.ID), pbx.Secret(o.password))
		cfg.Users = append(cfg.Users, u)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	o.ports = rtpio.New(netip.MustParseAddr("127.0.0.1"), 49000, 49999, log, time.Now)
	d := sipedge.Deps{
		Config: func() *pbx.Config { return cfg }, Key: key, Registrations: noRegistrations{}, Ports: o.ports, Media: engine.New(time.Now, log),
		Publish: func(pbx.Fact) {}, Now: time.Now, Product: "Galilei/test", Log: log,
		Incoming: func(in call.Incoming) func(call.Event) {
			o.incoming <- in
			return func(ev call.Event) { o.events <- ev }
		},
	}
	for _, f := range change {
		f(&d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	if o.edge, err = sipedge.New(ctx, d); err != nil {
		t.Fatal(err)
	}
	prepare(o.edge)
	if o.addr, err = o.edge.Listen(ctx, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		done, end := context.WithTimeout(context.Background(), time.Second)
		defer end()
		o.edge.Shutdown(done)
		o.ports.Close()
	})
	return o
}

func (o *office) phone(ext string) *pbxdtest.Phone {
	o.t.Helper()
	return pbxdtest.NewPhone(o.t, o.addr, "udp", ext, o.password)
}

// wait bounds what a test waits for; generous, since the machine may be busy.
const wait = 20 * time.Second

// event returns the next event of a kind and drops others.
func (o *office) event(kind call.EventKind) call.Event {
	o.t.Helper()
	timeout := time.After(wait)
	for {
		select {
		case ev := <-o.events:
			if ev.Kind == kind {
				return ev
			}
		case <-timeout:
			o.t.Fatalf("no event of kind %d came", kind)
		}
	}
}

// arrival returns the next call that a phone begins.
func (o *office) arrival() call.Incoming {
	o.t.Helper()
	select {
	case in := <-o.incoming:
		return in
	case <-time.After(wait):
		o.t.Fatal("no call came")
		return call.Incoming{}
	}
}

// dial calls the phones of an extension.
func (o *office) dial(d call.Dial) call.Leg {
	o.t.Helper()
	d.Notify = func(ev call.Event) { o.events <- ev }
	legs, err := o.edge.Dial(d)
	if err != nil || len(legs) != 1 {
		o.t.Fatalf("dial %s: %d legs, error %v; want 1", d.Extension, len(legs), err)
	}
	return legs[0]
}

// pcma is audio of a side that knows only PCMA.
func pcma() *media.Description {
	f, _ := media.StaticFormat(8)
	a := netip.MustParseAddr("127.0.0.1")
	return &media.Description{
		Addr: a, RTPPort: 30000, RTCPAddr: a, RTCPPort: 30001, Direction: media.SendRecv, Formats: []media.Format{f},
		Sections: []media.Section{{Kind: "audio", Proto: "RTP/AVP", Formats: []string{"8"}, Port: 30000}},
	}
}

// nothingLeft checks that no dialog and no port is held any more.
func (o *office) nothingLeft() {
	o.t.Helper()
	for end := time.Now().Add(wait); o.edge.Legs() > 0 || o.ports.InUse() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			o.t.Fatalf("%d legs and %d ports are left", o.edge.Legs(), o.ports.InUse())
		}
	}
}
