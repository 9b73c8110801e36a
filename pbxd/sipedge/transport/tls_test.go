package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// serverTLS is a configuration with a certificate of its own.
func serverTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func openTLS(t *testing.T, addr string) (*Layer, *heard, netip.AddrPort) {
	t.Helper()
	l, h, _ := open(t, addr)
	at, err := l.ListenTLS(context.Background(), addr, serverTLS(t))
	if err != nil {
		t.Fatal(err)
	}
	return l, h, at
}

func dialTLS(t *testing.T, at netip.AddrPort, conf *tls.Config) *tls.Conn {
	t.Helper()
	conf.InsecureSkipVerify = true // a certificate of this test
	c, err := tls.Dial("tcp", at.String(), conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A phone that connected over TLS is reached over that connection, both ways
// and in order, with keep-alives between, on IPv4 and IPv6.
func TestTLSConnectionIsAFlow(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			l, h, at := openTLS(t, addr)
			c := dialTLS(t, at, &tls.Config{})
			body := strings.Repeat("x", 60_000)
			for _, m := range []string{"\r\n\r\n", options("1", ""), options("2", body)} {
				if _, err := io.WriteString(c, m); err != nil {
					t.Fatal(err)
				}
			}
			if a, b := h.next(t), h.next(t); a.CallID().Value() != "1" || b.CallID().Value() != "2" || len(b.Body()) != len(body) {
				t.Errorf("got messages %s and %s with %d octets", a.CallID().Value(), b.CallID().Value(), len(b.Body()))
			}
			f := <-h.flows
			if f.Network != "tls" || !f.Reliable() || !f.Alive() || f.Remote.String() != c.LocalAddr().String() || f.Local != at {
				t.Errorf("flow is %+v", f)
			}
			if again := l.Open("tls", f.Remote); !again.Same(f) {
				t.Error("the connection is not found again")
			}
			if l.Open("tcp", f.Remote).Alive() {
				t.Error("the connection is taken for one without TLS")
			}
			if err := l.Send(f, []byte(options("3", body))); err != nil {
				t.Fatal(err)
			}
			want := "\r\n" + options("3", body)
			got := make([]byte, len(want))
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Errorf("got %d octets of a pong and a message, %v", len(got), err)
			}
			c.Close()
			if gone := <-h.closed; !gone.Same(f) || f.Alive() {
				t.Errorf("the end of %v was told as that of %v", f, gone)
			}
		})
	}
}

func TestTLSVersionsAndSessions(t *testing.T) {
	_, _, at := openTLS(t, "127.0.0.1:0")
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if c, err := tls.Dial("tcp", at.String(), old); err == nil {
		c.Close()
		t.Error("TLS 1.1 was accepted")
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conf := &tls.Config{MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		for i := range 2 {
			c := dialTLS(t, at, conf)
			io.WriteString(c, "\r\n\r\n")
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.ReadFull(c, make([]byte, 2)); err != nil { // the ticket of TLS 1.3 comes with it
				t.Fatal(err)
			}
			if s := c.ConnectionState(); s.DidResume != (i == 1) || s.Version != version {
				t.Errorf("connection %d with version %#x: resumed is %v with %#x", i, version, s.DidResume, s.Version)
			}
			c.Close()
		}
	}
}

// A port that is closed takes no new connection; one that is open goes on.
func TestTLSPortCloses(t *testing.T) {
	l, h, at := openTLS(t, "127.0.0.1:0")
	c := dialTLS(t, at, &tls.Config{})
	io.WriteString(c, options("1", ""))
	h.next(t)
	l.CloseTLS(at)
	if c, err := net.Dial("tcp", at.String()); err == nil {
		c.Close()
		t.Error("a connection was accepted")
	}
	io.WriteString(c, options("2", ""))
	if m := h.next(t); m.CallID().Value() != "2" {
		t.Errorf("got message %s, want 2", m.CallID().Value())
	}
	other, err := l.ListenTLS(context.Background(), at.String(), serverTLS(t))
	if err != nil || other != at {
		t.Errorf("the port does not open again: %v", err)
	}
}

// Who speaks no TLS, or begins it and says no more, keeps nobody out.
func TestTLSHandshakeThatDoesNotEnd(t *testing.T) {
	_, h, at := openTLS(t, "127.0.0.1:0")
	dial(t, "tcp", at) // silent
	wrong := dial(t, "tcp", at)
	io.WriteString(wrong, options("1", ""))
	wrong.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(wrong); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("a stream without TLS was not closed: %v", err)
	}
	c := dialTLS(t, at, &tls.Config{})
	io.WriteString(c, options("2", ""))
	if m := h.next(t); m.CallID().Value() != "2" {
		t.Errorf("got message %s, want 2", m.CallID().Value())
	}
}
