// Package pbxdtest runs the whole PBX in one process with real sockets, and
// phones around it whose every message a test decides. It is for tests only.
package pbxdtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"galilei/pbxd"
	"galilei/pbxd/pbx"
	"galilei/pbxd/store"
)

// System is one running PBX.
type System struct {
	T    testing.TB
	Dir  string
	PBX  *pbxd.PBX
	SIP  netip.AddrPort
	TLS  netip.AddrPort // phones over TLS
	Web  netip.AddrPort
	Log  *Buffer
	stop context.CancelFunc
	done chan error
	demo map[string]string // extension to SIP password
}

// Options changes what Start does.
type Options struct {
	Dir      string // data of an earlier system; empty for a new one
	Defaults pbx.Defaults
	SIP      string        // default "127.0.0.1:0"
	SIPTLS   string        // default "127.0.0.1:0"
	RTP      string        // bind address of RTP; default 127.0.0.1
	RTPMin   uint16        // default 40000
	RTPMax   uint16        // default 48999
	Memory   bool          // the data partition does not mount
	Trial    time.Duration // how long a risky change waits to be confirmed; default 120 s
	Outage   time.Duration // how long a gateway is down until that is an alarm; default 60 s

	// Further is how many users there are beside the demo users: demo201 with
	// the extension 201 and so on.
	Further int

	// Now is the clock of the device; nil means time.Now.
	Now func() time.Time

	// Configure changes the configuration before the PBX starts.
	Configure func(*pbx.Config)

	GatewayPasswords map[string]string // by the ID of the gateway
	NameServers      []netip.AddrPort  // that are asked for providers; none: those of the machine
}

// Start runs a PBX until the test ends or Stop is called.
func Start(t testing.TB, o Options) *System {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.SIP == "" {
		o.SIP = "127.0.0.1:0"
	}
	if o.SIPTLS == "" {
		o.SIPTLS = "127.0.0.1:0"
	}
	if o.RTP == "" {
		o.RTP = "127.0.0.1"
	}
	if o.RTPMin == 0 {
		o.RTPMin, o.RTPMax = 40000, 48999
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &System{T: t, Dir: o.Dir, Log: &Buffer{}, done: make(chan error, 1), demo: map[string]string{}}
	out := &Buffer{}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	if o.Configure != nil || o.Further > 0 {
		s.configure(o)
	}
	var err error
	deps := pbxd.Deps{
		Dir: o.Dir, Model: pbx.Model{Name: "T640", MaxUsers: 80}, Defaults: o.Defaults, Host: otherMachine{}, Version: "test",
		Web: "127.0.0.1:0", SIP: o.SIP, SIPTLS: o.SIPTLS, RTPBind: netip.MustParseAddr(o.RTP), RTPMin: o.RTPMin, RTPMax: o.RTPMax,
		ShowDemo: true, Memory: o.Memory, Trial: o.Trial, Outage: o.Outage, Out: out, Now: o.Now,
		Log: slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if len(o.NameServers) > 0 {
		deps.NameServers = func() []netip.AddrPort { return o.NameServers }
	}
	// A program that another test starts at this moment holds a copy of the
	// lock of the store that was just closed, until it runs.
	s.PBX, err = pbxd.New(ctx, deps)
	for end := time.Now().Add(5 * time.Second); errors.Is(err, store.ErrInUse) && time.Now().Before(end); s.PBX, err = pbxd.New(ctx, deps) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		cancel()
		t.Fatalf("start PBX: %v\n%s", err, s.Log)
	}
	s.SIP, s.TLS, s.Web = s.PBX.SIPAddr(), s.PBX.TLSAddr(), s.PBX.WebAddr()
	go func() { s.done <- s.PBX.Run(ctx) }()
	t.Cleanup(s.Stop)
	s.Eventually("the ready line", func() bool { return strings.Contains(out.String(), "\nready web=") })
	for line := range strings.Lines(out.String()) {
		var user, ext, password string
		if n, _ := fmt.Sscanf(line, "demo user=%s extension=%s password=%s", &user, &ext, &password); n == 3 {
			s.demo[ext] = password
		}
	}
	return s
}

func (s *System) configure(o Options) {
	s.T.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, o.Dir, store.Options{Model: pbx.Model{Name: "T640"}, Defaults: o.Defaults, Now: o.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.T.Fatalf("open store: %v", err)
	}
	defer st.Close()
	if _, err := st.Commit(ctx, "test", pbx.Typed("prepared"), func(c *pbx.Config) error {
		for n := range o.Further {
			ext := fmt.Sprint(201 + n)
			u := pbx.User{ID: "demo" + ext, UserSettings: pbx.UserSettings{Name: "demo" + ext, Extension: ext, FirstName: "Number " + ext, LastName: "Demo"}, PIN: pbx.FactoryPIN, MustChangePIN: true}
			password := pbx.NewSIPPassword()
			u.SIPPassword = st.Key().Seal(pbx.SIPPasswordPurpose(u.ID), password)
			s.demo[ext] = password.Reveal()
			c.Users = append(c.Users, u)
		}
		if o.Configure != nil {
			o.Configure(c)
		}
		for i := range c.Gateways {
			g := &c.Gateways[i]
			if password, ok := o.GatewayPasswords[g.ID]; ok {
				g.Password = st.Key().Seal(pbx.GatewayPasswordPurpose(g.ID), pbx.Secret(password))
			}
		}
		return nil
	}); err != nil {
		s.T.Fatalf("prepare configuration: %v", err)
	}
}

// Password returns the SIP password of a demo user.
func (s *System) Password(ext string) string { return s.demo[ext] }

// Stop ends the PBX as SIGTERM does and fails the test when that goes wrong.
func (s *System) Stop() {
	s.stop()
	select {
	case err := <-s.done:
		s.done <- nil // for a second Stop
		if err != nil {
			s.T.Errorf("PBX stopped with: %v\n%s", err, s.Log)
		}
	case <-time.After(20 * time.Second):
		s.T.Errorf("PBX does not stop\n%s", s.Log)
	}
}

// Eventually waits until ok holds; the test fails when it does not come to it.
func (s *System) Eventually(what string, ok func() bool) {
	s.T.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.T.Fatalf("waited in vain for %s\n%s", what, s.Log)
}

type otherMachine struct{}

func (otherMachine) ApplyNetwork(context.Context, pbx.Network) error { return pbxd.ErrNotHere }
func (otherMachine) Alive(context.Context) error                     { return pbxd.ErrNotHere }

// Buffer collects output of several goroutines; the last MiB of it.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Len() > 1<<20 {
		b.b.Next(b.b.Len() / 2)
	}
	return b.b.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
