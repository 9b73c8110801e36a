package dhcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Wire carries DHCP messages over one interface.
type Wire interface {
	// Broadcast sends to every server of the network, without an address of
	// our own.
	Broadcast(*dhcpv4.DHCPv4) error
	// Unicast sends to one server from the address that we hold.
	Unicast(m *dhcpv4.DHCPv4, from, server netip.Addr) error
	// Messages delivers what arrives. It is closed when the interface fails.
	Messages() <-chan *dhcpv4.DHCPv4
}

// Times of the client.
const (
	firstWait = 500 * time.Millisecond // for an answer to the first message; it doubles
	maxWait   = 64 * time.Second       // RFC 2131 section 4.1
	patience  = 10 * time.Second       // without any lease for so long, NoTime is told
	nakDelay  = 2 * time.Second        // after a refusal, at least
	maxOffers = 4                      // servers tried in one round
)

// Client gets a lease and keeps it.
type Client struct {
	Wire     Wire
	Hardware net.HardwareAddr
	Hostname string
	Tell     func(Event) error // hands an event to process 1
	Log      *slog.Logger
	// Random spreads waiting times and numbers transactions.
	Random *rand.Rand

	started time.Time
	told    bool // NoTime was told since the last lease
}

var (
	errNoAnswer = errors.New("no answer")
	errRefused  = errors.New("the server refuses")
	errWire     = errors.New("the interface failed")
)

// Run gets leases until ctx ends or the wire fails.
func (c *Client) Run(ctx context.Context) error {
	c.started = time.Now()
	for {
		lease, granted, err := c.acquire(ctx)
		if err != nil {
			return err // acquire tries for as long as ctx and the wire last
		}
		if err := c.Tell(Event{Kind: Bound, Lease: &lease}); err != nil {
			return fmt.Errorf("tell of lease: %w", err)
		}
		c.Log.Info("lease", "address", lease.Address, "server", lease.Server, "seconds", lease.Seconds)
		why, err := c.keep(ctx, lease, granted)
		if err != nil {
			return err
		}
		c.started, c.told = time.Now(), false
		if err := c.Tell(Event{Kind: Lost, Why: why}); err != nil {
			return fmt.Errorf("tell of lost lease: %w", err)
		}
	}
}

// acquire goes from INIT over SELECTING and REQUESTING to BOUND
// (RFC 2131 figure 5).
func (c *Client) acquire(ctx context.Context) (Lease, time.Time, error) {
	wait := firstWait
	for {
		offer, err := c.discover(ctx, c.jitter(wait))
		if err == nil {
			var l Lease
			var granted time.Time
			if l, granted, err = c.request(ctx, offer); err == nil {
				return l, granted, nil
			}
		}
		if fatal(ctx, err) {
			return Lease{}, time.Time{}, errors.Join(err, context.Cause(ctx))
		}
		if errors.Is(err, errRefused) {
			if err := c.pause(ctx, max(nakDelay, c.jitter(wait))); err != nil {
				return Lease{}, time.Time{}, err
			}
		}
		c.Log.Debug("no lease yet", "error", err, "waited", wait)
		wait = min(2*wait, maxWait)
		if !c.told && time.Since(c.started) >= patience {
			c.told = true
			if err := c.Tell(Event{Kind: NoTime, Why: fmt.Sprintf("no lease for %d s", int(patience/time.Second))}); err != nil {
				return Lease{}, time.Time{}, fmt.Errorf("tell of silence: %w", err)
			}
		}
	}
}

func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, errWire)
}

func (c *Client) discover(ctx context.Context, wait time.Duration) (*dhcpv4.DHCPv4, error) {
	m, err := c.message(dhcpv4.MessageTypeDiscover)
	if err != nil {
		return nil, err
	}
	if err := c.Wire.Broadcast(m); err != nil {
		c.Log.Debug("send", "error", err) // the link may come up yet: wait as for a lost packet
	}
	return c.await(ctx, m, wait, func(a *dhcpv4.DHCPv4) error {
		if a.MessageType() != dhcpv4.MessageTypeOffer || a.ServerIdentifier() == nil {
			return errNoAnswer
		}
		return nil
	})
}

func (c *Client) request(ctx context.Context, offer *dhcpv4.DHCPv4) (Lease, time.Time, error) {
	m, err := c.message(dhcpv4.MessageTypeRequest,
		dhcpv4.WithTransactionID(offer.TransactionID),
		dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(offer.YourIPAddr)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(offer.ServerIdentifier())))
	if err != nil {
		return Lease{}, time.Time{}, err
	}
	wait := firstWait
	for range maxOffers { // RFC 2131 section 4.4.1: send again, then begin anew
		sent := time.Now() // the lease counts from here (section 4.4.1)
		if err := c.Wire.Broadcast(m); err != nil {
			c.Log.Debug("send", "error", err)
		}
		l, err := c.acknowledged(ctx, m, c.jitter(wait))
		if !errors.Is(err, errNoAnswer) {
			return l, sent, err
		}
		wait *= 2
	}
	return Lease{}, time.Time{}, errNoAnswer
}

// acknowledged waits for the answer to the request m.
func (c *Client) acknowledged(ctx context.Context, m *dhcpv4.DHCPv4, wait time.Duration) (Lease, error) {
	a, err := c.await(ctx, m, wait, func(a *dhcpv4.DHCPv4) error {
		if t := a.MessageType(); t != dhcpv4.MessageTypeAck && t != dhcpv4.MessageTypeNak {
			return errNoAnswer
		}
		if want := m.ServerIdentifier(); want != nil && !want.Equal(a.ServerIdentifier()) {
			return errNoAnswer // another server's word
		}
		return nil
	})
	if err != nil {
		return Lease{}, err
	}
	if a.MessageType() == dhcpv4.MessageTypeNak {
		return Lease{}, errRefused
	}
	l, err := leaseOf(a)
	if err != nil {
		c.Log.Warn("unusable lease", "error", err)
		return Lease{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	return l, nil
}

// keep renews the lease until it is lost and says why it is.
func (c *Client) keep(ctx context.Context, l Lease, granted time.Time) (why string, err error) {
	for {
		if l.Seconds == Infinite {
			<-ctx.Done()
			return "", context.Cause(ctx)
		}
		at := func(s uint32) time.Time { return granted.Add(time.Duration(s) * time.Second) }
		if err := c.pause(ctx, time.Until(at(l.Renew))); err != nil {
			return "", err
		}
		next, when, err := c.renew(ctx, l, at(l.Rebind), true)
		if errors.Is(err, errNoAnswer) {
			next, when, err = c.renew(ctx, l, at(l.Seconds), false)
		}
		switch {
		case fatal(ctx, err):
			return "", errors.Join(err, context.Cause(ctx))
		case errors.Is(err, errRefused):
			return "the server took the lease back", nil
		case err != nil:
			return "the lease ended without an answer", nil
		}
		if next.changes(l) {
			if err := c.Tell(Event{Kind: Bound, Lease: &next}); err != nil {
				return "", fmt.Errorf("tell of lease: %w", err)
			}
		}
		c.Log.Debug("lease renewed", "address", next.Address, "seconds", next.Seconds)
		l, granted = next, when
	}
}

func (l Lease) changes(old Lease) bool {
	if l.Address != old.Address || l.Gateway != old.Gateway || len(l.DNS) != len(old.DNS) {
		return true
	}
	for i := range l.DNS {
		if l.DNS[i] != old.DNS[i] {
			return true
		}
	}
	return false
}

// renew asks for the lease again until the time given: its server alone
// (RENEWING) or every server (REBINDING). It asks again after half the time
// that is left, but not before 60 s (RFC 2131 section 4.4.5), and once near
// the end.
func (c *Client) renew(ctx context.Context, l Lease, until time.Time, unicast bool) (Lease, time.Time, error) {
	for {
		left := time.Until(until)
		if left <= 0 {
			return Lease{}, time.Time{}, errNoAnswer
		}
		m, err := c.message(dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(l.Address.Addr().AsSlice()))
		if err != nil {
			return Lease{}, time.Time{}, err
		}
		m.SetUnicast() // we hold an address: the answer can come to it
		sent := time.Now()
		if unicast && l.Server.IsValid() {
			err = c.Wire.Unicast(m, l.Address.Addr(), l.Server)
		} else {
			err = c.Wire.Broadcast(m)
		}
		if err != nil {
			c.Log.Debug("send", "error", err)
		}
		next, err := c.acknowledged(ctx, m, min(left, max(left/2, time.Minute)))
		if !errors.Is(err, errNoAnswer) {
			return next, sent, err
		}
	}
}

// await returns the first message that answers m and that accept takes, or
// errNoAnswer after wait.
func (c *Client) await(ctx context.Context, m *dhcpv4.DHCPv4, wait time.Duration, accept func(*dhcpv4.DHCPv4) error) (*dhcpv4.DHCPv4, error) {
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-t.C:
			return nil, errNoAnswer
		case a, open := <-c.Wire.Messages():
			if !open {
				return nil, errWire
			}
			if a.OpCode == dhcpv4.OpcodeBootReply && a.TransactionID == m.TransactionID && sameHardware(a.ClientHWAddr, c.Hardware) && accept(a) == nil {
				return a, nil
			}
		}
	}
}

func sameHardware(a, b net.HardwareAddr) bool { return a.String() == b.String() }

// pause waits for d and drops what arrives meanwhile, so that nothing old is
// taken for an answer later.
func (c *Client) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
			return nil
		case _, open := <-c.Wire.Messages():
			if !open {
				return errWire
			}
		}
	}
}

// message makes a message of our own to a server.
func (c *Client) message(t dhcpv4.MessageType, more ...dhcpv4.Modifier) (*dhcpv4.DHCPv4, error) {
	var id dhcpv4.TransactionID
	for i := range id {
		id[i] = byte(c.Random.Uint32())
	}
	mods := append([]dhcpv4.Modifier{
		dhcpv4.WithTransactionID(id),
		dhcpv4.WithHwAddr(c.Hardware),
		dhcpv4.WithBroadcast(true), // without an address we see only broadcasts on some networks
		dhcpv4.WithMessageType(t),
		dhcpv4.WithOption(dhcpv4.OptHostName(c.Hostname)),
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier("galilei")),
		dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(1500)),
		dhcpv4.WithOption(dhcpv4.OptParameterRequestList(
			dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer,
			dhcpv4.OptionIPAddressLeaseTime, dhcpv4.OptionServerIdentifier,
			dhcpv4.OptionRenewTimeValue, dhcpv4.OptionRebindingTimeValue)),
	}, more...)
	m, err := dhcpv4.New(mods...)
	if err != nil {
		return nil, fmt.Errorf("make DHCP %s: %w", t, err)
	}
	return m, nil
}

// jitter spreads d by a quarter either way, so that devices that start at the
// same moment after a power cut do not go on in step.
func (c *Client) jitter(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(c.Random.Int64N(int64(d/2)))
}
