package pbxdtest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// Talk sends PCMA to a port of this machine every 20 ms, for so long. After the
// first half second, so many of every ten packets are lost on the way.
func Talk(c *net.UDPConn, port int, length time.Duration, lost int) {
	TalkTo(c, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)).String(), length, lost)
}

// TalkTo is Talk to an address of any machine.
func TalkTo(c *net.UDPConn, at string, length time.Duration, lost int) {
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for seq := 0; time.Duration(seq)*20*time.Millisecond < length; seq++ {
		<-tick.C
		if seq%10 < lost && seq > 25 {
			continue
		}
		p := make([]byte, 172)
		p[0], p[1] = 0x80, 8
		binary.BigEndian.PutUint16(p[2:], uint16(seq))
		binary.BigEndian.PutUint32(p[4:], uint32(seq*160))
		binary.BigEndian.PutUint32(p[8:], uint32(to.Port))
		for i := range p[12:] {
			p[12+i] = byte(0xd5 ^ i%3)
		}
		_, _ = c.WriteToUDP(p, to) // a lost packet is one more
	}
}
