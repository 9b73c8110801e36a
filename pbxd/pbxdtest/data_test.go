package pbxdtest

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"galilei/pbxd"
	"galilei/pbxd/pbx"
)

// A device whose data partition does not mount carries calls, and says that
// nothing is kept.
func TestFromMemory(t *testing.T) {
	s, a, b := twoPhones(t, Options{Memory: true})
	if err := s.PBX.Health(t.Context()); !errors.Is(err, pbxd.ErrMemory) {
		t.Errorf("health is %v, want %v", err, pbxd.ErrMemory)
	}
	call := a.Dial("102", SDP(16000))
	b.Ringing().Reply(486, "Busy Here", "")
	call.AckRefusal(a.Response("INVITE", 486))
	nothingLeft(t, s)
}

// Data that no restart can mend is told apart from faults that one may.
func TestUnusableData(t *testing.T) {
	tests := map[string]func(dir string) error{
		"a database of noise": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "galilei.db"), make([]byte, 65536), 0o600)
		},
		"a device key is gone":   func(dir string) error { return os.Remove(filepath.Join(dir, "device.key")) },
		"a device key cut short": func(dir string) error { return os.Truncate(filepath.Join(dir, "device.key"), 5) },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			s := Start(t, Options{})
			s.Stop()
			if err := damage(s.Dir); err != nil {
				t.Fatal(err)
			}
			_, err := pbxd.New(t.Context(), pbxd.Deps{
				Dir: s.Dir, Model: pbx.Model{Name: "T640"}, Host: otherMachine{}, Version: "test", Web: "127.0.0.1:0", SIP: "127.0.0.1:0",
				RTPBind: netip.MustParseAddr("127.0.0.1"), Out: &Buffer{}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			})
			if !errors.Is(err, pbxd.ErrUnusableData) {
				t.Errorf("got %v, want %v", err, pbxd.ErrUnusableData)
			}
		})
	}
}
