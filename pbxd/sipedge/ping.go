package sipedge

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Ping asks our own SIP port for an answer, through the kernel and back, as a
// phone's OPTIONS would (RFC 3261 section 11).
func (e *Edge) Ping(ctx context.Context, at netip.AddrPort) error {
	addr := at.Addr().Unmap()
	if addr.IsUnspecified() {
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	target := netip.AddrPortFrom(addr, at.Port())
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(target))
	if err != nil {
		return fmt.Errorf("OPTIONS to %s: %w", target, err)
	}
	defer c.Close()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(2 * time.Second)
	}
	callID := newTag()
	request := fmt.Sprintf("OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:ping@%[1]s>;tag=%[3]s\r\nTo: <sip:%[1]s>\r\nCall-ID: %[3]s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		target, c.LocalAddr(), callID)
	buf := make([]byte, 2048)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		if _, err := c.Write([]byte(request)); err != nil {
			return fmt.Errorf("OPTIONS to %s: %w", target, err)
		}
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond)) // then once more, as timer E would
		n, err := c.Read(buf)
		if err != nil {
			continue
		}
		if bytes.HasPrefix(buf[:n], []byte("SIP/2.0 200 ")) && bytes.Contains(buf[:n], []byte(callID)) {
			return nil
		}
	}
	return fmt.Errorf("OPTIONS to %s: no answer", target)
}
