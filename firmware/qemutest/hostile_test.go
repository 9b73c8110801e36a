package qemutest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// How much hostile SIP there is, and how much memory it may cost.
const (
	hostileDatagrams = 1000
	hostileFragments = 1000
	halfOpen         = 60 // connections that are left in the middle of a message
	hostileMemory    = 32 << 20
)

// hostileSeed is GALILEI_SEED, so that a run can be repeated, or the time.
func hostileSeed(t *testing.T) uint64 {
	t.Helper()
	if text := os.Getenv("GALILEI_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("GALILEI_SEED: %v", err)
		}
		return n
	}
	return uint64(time.Now().UnixNano())
}

// hostileSIP sends what no phone sends. A phone registers and calls at once
// afterwards, while the half-open connections are still there, and pbxd has
// not grown by more than 32 MiB.
func (f *faults) hostileSIP(t *testing.T) {
	seed := hostileSeed(t)
	t.Logf("GALILEI_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	before := f.command(t, "rss", "pbxd")

	sockets := make([]net.Conn, 20)
	for i := range sockets {
		c, err := net.Dial("udp", sipAddress)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		sockets[i] = c
	}
	for range hostileDatagrams {
		// ECONNREFUSED would tell of an earlier datagram.
		if _, err := sockets[r.IntN(len(sockets))].Write(malformed(r)); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
	}

	open := 0
	for sent := 0; sent < hostileFragments; {
		c, err := dialAlive()
		if err != nil {
			t.Fatalf("connection after %d fragments: %v", sent, err)
		}
		message := append(malformed(r), malformed(r)...)
		for pieces := 4 + r.IntN(16); pieces > 0 && len(message) > 0; pieces-- {
			n := 1 + r.IntN(min(len(message), 400))
			sent++
			if _, err := c.Write(message[:n]); err != nil {
				break // it was hung up on, which is its due
			}
			message = message[n:]
		}
		if open < halfOpen {
			open++
			defer c.Close()
			continue
		}
		c.Close()
	}

	f.registers(t, "udp")
	f.registers(t, "tcp")
	f.phonesTalk(t)
	after := f.command(t, "rss", "pbxd")
	t.Logf("pbxd has %.1f MiB, %.1f before", float64(after.RSS)/(1<<20), float64(before.RSS)/(1<<20))
	if after.PID != before.PID {
		t.Error("pbxd was started again meanwhile")
	}
	if grown := after.RSS - before.RSS; grown > hostileMemory {
		t.Errorf("pbxd has grown by %d bytes, want at most %d", grown, hostileMemory)
	}
}

// dialAlive opens a SIP connection and makes sure, by a keep-alive (RFC 5626
// section 4.4.1), that it has reached pbxd: QEMU takes connections before it
// can pass them on.
func dialAlive() (net.Conn, error) {
	c, err := net.Dial("tcp", sipAddress)
	if err != nil {
		return nil, err
	}
	pong := make([]byte, 2)
	_, err = c.Write([]byte("\r\n\r\n"))
	if err == nil {
		err = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	}
	if err == nil {
		_, err = io.ReadFull(c, pong)
	}
	if err != nil || string(pong) != "\r\n" {
		c.Close()
		return nil, fmt.Errorf("keep-alive answered with %q: %w", pong, err)
	}
	return c, nil
}

const soundSDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"

// sound returns a message that is in order, of a kind that r chooses.
func sound(r *rand.Rand) string {
	id := strconv.FormatUint(r.Uint64(), 36)
	head := "Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK" + id + ";rport\r\nMax-Forwards: 70\r\nFrom: \"A\" <sip:101@127.0.0.1>;tag=" + id +
		"\r\nTo: <sip:102@127.0.0.1>\r\nCall-ID: " + id + "\r\n"
	digest := "Authorization: Digest username=\"101\", realm=\"galilei\", nonce=\"" + id + "\", uri=\"sip:127.0.0.1\", response=\"" + strings.Repeat("0", 32) +
		"\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"a\"\r\n"
	switch r.IntN(6) {
	case 0:
		return "INVITE sip:102@127.0.0.1 SIP/2.0\r\n" + head + "CSeq: 1 INVITE\r\nContact: <sip:101@127.0.0.1:5999>\r\n" + digest +
			"Content-Type: application/sdp\r\nContent-Length: " + strconv.Itoa(len(soundSDP)) + "\r\n\r\n" + soundSDP
	case 1:
		return "REGISTER sip:127.0.0.1 SIP/2.0\r\n" + head + "CSeq: 1 REGISTER\r\nContact: <sip:101@127.0.0.1:5999>;expires=60, \"b\" <sip:b@c>\r\n" + digest + "Content-Length: 0\r\n\r\n"
	case 2:
		return "SIP/2.0 200 OK\r\n" + head + "CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n"
	case 3:
		return "BYE sip:101@127.0.0.1 SIP/2.0\r\n" + head + "CSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"
	case 4:
		return "CANCEL sip:102@127.0.0.1 SIP/2.0\r\n" + head + "CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n"
	}
	return "OPTIONS sip:127.0.0.1 SIP/2.0\r\n" + head + "CSeq: 1 OPTIONS\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n"
}

// absurd are header fields that no phone sends.
var absurd = [...]string{
	"Content-Length: 99999999999\r\n", "Content-Length: -1\r\n", "Content-Length: 4000000000\r\n", "CSeq: 99999999999999 INVITE\r\n", "CSeq: 1\r\n",
	"Via: \r\n", "Via: SIP/2.0/UDP [::::1;branch=\r\n", "Max-Forwards: x\r\n", "Contact: <sip:\r\n", "Contact: *\r\n", "Expires: 18446744073709551616\r\n",
	"From: \"\\\r\n", "To: <sip:%zz@%>\r\n", "Authorization: Digest nonce=\"\r\n", "\x00\xff\xfe: \x80\r\n", ": \r\n", "\r\n\r\n", "Record-Route: <sip:a;lr>,,,,<\r\n",
}

// malformed returns a message that is cut, damaged, absurd, far too long or
// mere noise, at most 60 KiB.
func malformed(r *rand.Rand) []byte {
	m := []byte(sound(r))
	switch r.IntN(7) {
	case 0: // cut
		return m[:1+r.IntN(len(m)-1)]
	case 1: // bytes changed
		for range 1 + r.IntN(30) {
			m[r.IntN(len(m))] = byte(r.Uint32())
		}
	case 2: // an absurd field on top
		line, rest, _ := strings.Cut(string(m), "\r\n")
		m = []byte(line + "\r\n" + absurd[r.IntN(len(absurd))] + rest)
	case 3: // a piece missing
		from := r.IntN(len(m))
		m = append(m[:from:from], m[min(len(m), from+1+r.IntN(80)):]...)
	case 4: // many fields
		line, rest, _ := strings.Cut(string(m), "\r\n")
		m = []byte(line + "\r\n" + strings.Repeat("Via: SIP/2.0/UDP a;branch=z9hG4bK\r\n", 1+r.IntN(1500)) + rest)
	case 5: // a long field
		line, rest, _ := strings.Cut(string(m), "\r\n")
		m = []byte(line + "\r\nSubject: " + strings.Repeat("(", 1+r.IntN(50_000)) + "\r\n" + rest)
	case 6: // noise
		m = make([]byte, 1+r.IntN(1500))
		for i := range m {
			m[i] = byte(r.Uint32())
		}
	}
	return m[:min(len(m), 60<<10)]
}
