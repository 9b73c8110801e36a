package pbxd

import (
	"errors"
	"net"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/presence"
)

// A gateway whose socket is tried again and again is off since the first time, and
// that is told once; it is told anew for another reason, and after it has worked.
func TestGatewayIsOffSince(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	start := now
	facts := presence.New()
	_, updates := facts.Subscribe(t.Context())
	l := &lines{pbx: &PBX{deps: Deps{Now: func() time.Time { return now }}, facts: facts}, told: map[string]lineOff{}}
	cfg := pbx.Factory(pbx.Defaults{})
	g := pbx.Gateway{ID: "g1"}
	pbx.SetDefaults(&g.GatewaySettings)
	g.Group = "main"
	cfg.Gateways = []pbx.Gateway{g}
	inUse := map[string]pbx.Message{g.Transport: pbx.Say("in use")}
	for i, tt := range []struct {
		why   map[string]pbx.Message
		group string
		since time.Time // zero: nothing is told
	}{
		{inUse, "main", start},
		{inUse, "main", time.Time{}},
		{inUse, "", start},
		{nil, "", time.Time{}},
		{nil, "main", time.Time{}},
		{inUse, "main", start.Add(5 * time.Minute)},
	} {
		now = start.Add(time.Duration(i) * time.Minute)
		cfg.Gateways[0].Group = tt.group
		l.tellOff(cfg, tt.why)
		var told time.Time
		select {
		case f := <-updates:
			told = f.Line.Since
		default:
		}
		if !told.Equal(tt.since) {
			t.Errorf("%d: told of since %v, want %v", i, told, tt.since)
		}
	}
}

// Why a transport is not opened is said in the words of those who can mend it.
func TestTransportIsNotOpened(t *testing.T) {
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := &pbx.Transport{}
	s.Name, s.BindAddress, s.BindPort = "udp", "192.0.2.77", 5070
	_, inUse := net.ListenPacket("udp4", taken.LocalAddr().String())
	_, absent := net.ListenPacket("udp4", "192.0.2.77:0")
	for want, err := range map[string]error{
		"The transport udp cannot be opened: the port 5070 is taken":                          inUse,
		"The transport udp cannot be opened: the device does not have the address 192.0.2.77": absent,
		"The transport udp cannot be opened: no key":                                          errors.New("no key"),
	} {
		if err == nil {
			t.Fatal("a socket was opened")
		}
		if m := notOpened(s, err); m.Text() != want {
			t.Errorf("%v: %q, want %q", err, m.Text(), want)
		}
	}
}
