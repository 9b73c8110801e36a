package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"galilei/pbxd/pbxdtest/peer"
)

// Habit is what a provider does in its own way: one dialogue, in which it also
// looks at what it is told, and fails with the reason when that is not right.
type Habit struct {
	Name  string
	Calls bool // the provider calls; otherwise it is called
	xml   []byte
}

// HabitOptions say where to run one.
type HabitOptions struct {
	Dir       string         // for its files; must exist, one each (t.TempDir())
	Transport string         // "udp" (also when empty) or "tcp"; over TLS put Kamailio before it
	Addr      netip.Addr     // local address; zero means 127.0.0.1
	Port      int            // local SIP port; 0 picks one
	Remote    netip.AddrPort // that a provider who calls sends to
	RTPPort   int            // port for audio that it names; 0 means 9, the discard port
	Times     int            // calls that it takes or makes, in turns; 0 means 1
}

// Start starts a provider with that habit, and returns when it can be called.
// ctx bounds the whole of it. Whatever port it has is known by its Addr.
func (h Habit) Start(ctx context.Context, o HabitOptions) (*peer.Sipp, error) {
	if h.Calls != o.Remote.IsValid() {
		return nil, fmt.Errorf("provider %s: only one who calls has somebody to call", h.Name)
	}
	s, err := peer.StartSipp(ctx, peer.SippOptions{
		Dir: o.Dir, Scenario: peer.Scenario(h.Name), XML: h.xml, Transport: o.Transport, Addr: o.Addr, Port: o.Port, Remote: o.Remote,
		RTPPort: o.RTPPort, Calls: o.Times, Limit: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	if h.Calls {
		return s, nil
	}
	if err := s.WaitReady(ctx); err != nil {
		s.Stop()
		return nil, errors.Join(fmt.Errorf("provider: %w", err))
	}
	return s, nil
}

func called(name string, write func(*script)) Habit { return habit(name, false, write) }
func calls(name string, write func(*script)) Habit  { return habit(name, true, write) }

func habit(name string, caller bool, write func(*script)) Habit {
	s := newScript(name, caller)
	write(s)
	return Habit{Name: name, Calls: caller, xml: s.xml()}
}
