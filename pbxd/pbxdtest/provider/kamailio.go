package provider

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"galilei/pbxd/pbxdtest/peer"
)

//go:embed kamailio.cfg
var kamailioConfig string

// NeedKamailio skips the test where kamailio is not installed.
func NeedKamailio(t TB) {
	t.Helper()
	need(t, "kamailio")
}

// Account is one of a customer. Names and passwords are letters and digits.
type Account struct {
	User     string         // that it registers, and is called as
	AuthUser string         // that the password belongs to; empty: User
	Password string         //
	Numbers  []string       // further numbers that are called there
	At       netip.AddrPort // of a customer who does not register, over UDP
}

// Auth returns the name of the credentials.
func (a Account) Auth() string {
	if a.AuthUser != "" {
		return a.AuthUser
	}
	return a.User
}

// KamailioOptions say what provider to start.
type KamailioOptions struct {
	Dir         string       // for its configuration and log; must exist, one each (t.TempDir())
	Addr        netip.Addr   // that it is at; zero means 127.0.0.1
	Domain      string       // realm of passwords; empty means provider.test
	Accounts    []Account    //
	Certificate *Certificate // for TLS; nil for none
	Open        bool         // calls need no password
	Challenge   []string     // methods within a dialog that need one, for example INVITE, BYE
	ToOnly      bool         // customers are called as they registered; the number is in To alone
	MinExpires  int          // seconds; shorter registrations are answered with 423; 0 takes any
	MaxExpires  int          // seconds; longer registrations are made shorter; 0 means 3600

	// Far is where calls of customers go to unless a phone has registered with
	// that number at Network; none answers them with 404.
	Far          netip.AddrPort
	FarTransport string // "udp" (also when empty) or "tcp"
}

// Kamailio is a provider. Customers reach it at Access over UDP and TCP, and at
// TLS; their calls need a password. What comes from Network needs none and goes
// to customers, by the number that is called. Its methods are not for several
// goroutines, save Await and Log.
type Kamailio struct {
	opts    KamailioOptions
	access  netip.AddrPort
	network netip.AddrPort
	server  *server // nil while it does not run
}

// StartKamailio starts a provider at free ports and returns when it answers. ctx
// bounds the start alone: it runs until Stop, and dies with the process that
// started it.
func StartKamailio(ctx context.Context, o KamailioOptions) (*Kamailio, error) {
	if !o.Addr.IsValid() {
		o.Addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if o.Domain == "" {
		o.Domain = "provider.test"
	}
	if o.MaxExpires == 0 {
		o.MaxExpires = 3600
	}
	if o.FarTransport == "" {
		o.FarTransport = "udp"
	}
	k := &Kamailio{opts: o}
	var last error
	for range 3 { // the ports were free when they were chosen
		for _, at := range []*netip.AddrPort{&k.access, &k.network} {
			port, err := peer.FreePort(o.Addr.String())
			if err != nil {
				return nil, fmt.Errorf("kamailio: pick a port: %w", err)
			}
			*at = netip.AddrPortFrom(o.Addr, uint16(port))
		}
		if last = k.Start(ctx); last == nil {
			return k, nil
		}
	}
	return nil, last
}

// Access is where customers reach it over UDP and TCP.
func (k *Kamailio) Access() netip.AddrPort { return k.access }

// TLS is where customers reach it over TLS.
func (k *Kamailio) TLS() netip.AddrPort {
	return netip.AddrPortFrom(k.access.Addr(), k.access.Port()+1)
}

// Network is where the telephone network reaches it over UDP and TCP: phones
// register there, and call customers, without a password.
func (k *Kamailio) Network() netip.AddrPort { return k.network }

// Start starts it again at the same ports, after Stop. It knows of no
// registration then.
func (k *Kamailio) Start(ctx context.Context) error {
	if err := k.writeConfig(); err != nil {
		return fmt.Errorf("kamailio: %w", err)
	}
	dir := k.opts.Dir
	s, err := startServer(dir, "kamailio", "-DD", "-E", "-f", filepath.Join(dir, "kamailio.cfg"), "-m", "32", "-M", "4", "-Y", dir, "-w", dir)
	if err != nil {
		return fmt.Errorf("kamailio: %w", err)
	}
	for network, at := range map[string]netip.AddrPort{"udp": k.access, "tcp": k.network} {
		probe := fmt.Sprintf("OPTIONS sip:%v SIP/2.0\r\nVia: SIP/2.0/%s %v;branch=z9hG4bKready%d;rport\r\nMax-Forwards: 1\r\nFrom: <sip:test>;tag=1\r\nTo: <sip:ready>\r\nCall-ID: ready\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			at, strings.ToUpper(network), at, time.Now().UnixNano())
		if err := s.ready(ctx, network, at, []byte(probe)); err != nil {
			return errors.Join(fmt.Errorf("kamailio: %w", err), s.stop())
		}
	}
	k.server = s
	return nil
}

// Stop ends it: who sends something is refused by the kernel.
func (k *Kamailio) Stop() error {
	if k.server == nil {
		return nil
	}
	s := k.server
	k.server = nil
	return s.stop()
}

// Use gives it another certificate, from the next Start on.
func (k *Kamailio) Use(c Certificate) { k.opts.Certificate = &c }

// Pause has it answer nothing, over no transport, until Resume.
func (k *Kamailio) Pause() error { return k.server.signal(syscall.SIGSTOP) }

// Resume has it answer again, also what has come meanwhile.
func (k *Kamailio) Resume() error { return k.server.signal(syscall.SIGCONT) }

func (k *Kamailio) writeConfig() error {
	t, err := template.New("kamailio.cfg").Parse(kamailioConfig)
	if err != nil {
		return err
	}
	modules, err := filepath.Glob("/usr/lib/*/kamailio/modules") // multiarch
	if err != nil || len(modules) == 0 {
		return fmt.Errorf("no modules of kamailio in /usr/lib (%w)", err)
	}
	v := struct {
		KamailioOptions
		Modules, TLS    string
		Access, Network netip.AddrPort
		NetworkPort     uint16
	}{KamailioOptions: k.opts, Modules: modules[0] + "/", Access: k.access, Network: k.network, NetworkPort: k.network.Port()}
	if k.opts.Certificate != nil {
		v.TLS = k.TLS().String()
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(k.opts.Dir, "kamailio.cfg"), []byte(b.String()), 0o600)
}

// Events returns what has happened so far, in order: what came from customers and
// from the network, whom it asked for a password, who registered, calls and
// their answers. kamailio.cfg has their words.
func (k *Kamailio) Events() []string {
	var events []string
	for _, m := range regexp.MustCompile(`(?m)<script>: event (.*)$`).FindAllStringSubmatch(k.Log(), -1) {
		events = append(events, m[1])
	}
	return events
}

// Await waits until an event that begins with these words has come n times, and
// returns the n-th.
func (k *Kamailio) Await(ctx context.Context, words string, n int) (string, error) {
	for {
		found := slices.DeleteFunc(k.Events(), func(e string) bool { return !strings.HasPrefix(e, words) })
		if len(found) >= n {
			return found[n-1], nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("kamailio: waited in vain for %q for the %s. time: %w; its log:\n%s", words, strconv.Itoa(n), context.Cause(ctx), k.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Log returns all that it has said since the first start.
func (k *Kamailio) Log() string {
	s := server{log: filepath.Join(k.opts.Dir, "kamailio.log")}
	return s.text()
}
