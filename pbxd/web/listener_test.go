package web

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestFullPort fills the port from three addresses and comes from a fourth.
func TestFullPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limitConns(nil, 96, 32).(*limitedListener)
		come := func(addr string) (*limitedConn, []*limitedConn, bool) {
			c := &limitedConn{l: l, addr: netip.MustParseAddr(addr)}
			c.touch()
			out, ok := l.enter(c)
			return c, out, ok
		}
		attackers := []string{"192.168.0.66", "192.168.0.67", "192.168.0.68"}
		var first *limitedConn
		for range 32 {
			for _, a := range attackers {
				c, out, ok := come(a)
				if !ok || len(out) > 0 {
					t.Fatalf("connection %d of %s: let in %t, %d closed", len(l.byAddr[c.addr]), a, ok, len(out))
				}
				if first == nil {
					first = c
				}
				time.Sleep(time.Millisecond)
			}
		}
		if _, _, ok := come(attackers[0]); ok {
			t.Error("an address got more than its number")
		}
		admin, out, ok := come("192.168.0.9")
		if !ok || len(out) != 1 || out[0] != first {
			t.Fatalf("the administrator was let in: %t, %d closed", ok, len(out))
		}
		for range 20 { // the attackers come again and again; the administrator stays
			for _, a := range attackers {
				_, out, _ := come(a)
				for _, x := range out {
					if x == admin {
						t.Fatal("the address with most connections pushed another out")
					}
				}
				time.Sleep(time.Millisecond)
			}
		}
		time.Sleep(idleWhenBusy)
		admin.touch()
		time.Sleep(time.Second)
		if _, out, ok := come("192.168.0.10"); !ok || len(out) < 95 || l.total != 2 {
			t.Errorf("after %s without a word %d were closed and %d are left", idleWhenBusy, len(out), l.total)
		}
	})
}

// TestUseIsNoted checks that reading and writing count as use.
func TestUseIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limitConns(nil, 4, 4).(*limitedListener)
		here, there := net.Pipe()
		defer there.Close()
		c := &limitedConn{Conn: here, l: l}
		if _, ok := l.enter(c); !ok {
			t.Fatal("not let in")
		}
		for what, use := range map[string]func(){
			"read":  func() { go there.Write([]byte("x")); c.Read(make([]byte, 1)) },
			"write": func() { go there.Read(make([]byte, 1)); c.Write([]byte("x")) },
		} {
			before := c.used.Load()
			time.Sleep(time.Second)
			use()
			if c.used.Load() == before {
				t.Errorf("%s was not noted", what)
			}
			synctest.Wait()
		}
		c.Close()
		c.Close() // gives its place once
		if l.total != 0 || len(l.byAddr) != 0 {
			t.Errorf("got %d connections of %d addresses counted, want none", l.total, len(l.byAddr))
		}
	})
}
