package peer

import (
	"net"
	"os"
	"testing"
)

// A port counts as held by the process that has it, and by no other.
func TestHoldsPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port, other := uint16(l.Addr().(*net.TCPAddr).Port), uint16(u.LocalAddr().(*net.UDPAddr).Port)
	for _, tt := range []struct {
		pid     int
		network string
		port    uint16
		want    bool
	}{
		{os.Getpid(), "tcp", port, true}, {os.Getpid(), "udp", other, true}, {os.Getppid(), "tcp", port, false}, {os.Getppid(), "udp", other, false},
	} {
		if got, err := holdsPort(tt.pid, tt.network, tt.port); err != nil || got != tt.want {
			t.Errorf("process %d, %s port %d: %v, %v; want %v", tt.pid, tt.network, tt.port, got, err, tt.want)
		}
	}
	u.Close()
	if got, err := holdsPort(os.Getpid(), "udp", other); err != nil || got {
		t.Errorf("closed port %d: %v, %v", other, got, err)
	}
}

// No two who ask for a free port get the same one, although neither has opened
// it yet.
func TestFreePortIsReserved(t *testing.T) {
	seen := map[int]bool{}
	for range 150 {
		port, err := FreePort("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %d twice", port)
		}
		seen[port] = true
	}
}
