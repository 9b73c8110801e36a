package ladder

import (
	"encoding/binary"
	"net/netip"
)

// Values of the file format of libpcap (draft-ietf-opsawg-pcap).
const (
	pcapMagic   = 0xa1b2c3d4 // times in microseconds
	pcapMajor   = 2
	pcapMinor   = 4
	linktypeRaw = 101 // packets begin with the IPv4 or IPv6 header
	snapLength  = 65535
)

// sipPort stands for the port of SIP over TLS, since the messages are written
// as they were inside of it.
const sipPort = 5060

// PCAP returns the messages of a call as a file that Wireshark reads: what
// they were carried by is made anew around them, with secrets masked as
// always. What went over TLS stands there as TCP at port 5060.
func (r *Recorder) PCAP(id string) ([]byte, error) {
	_, _, legs, err := r.find(id, true)
	if err != nil {
		return nil, err
	}
	b := binary.LittleEndian.AppendUint32(nil, pcapMagic)
	b = binary.LittleEndian.AppendUint16(b, pcapMajor)
	b = binary.LittleEndian.AppendUint16(b, pcapMinor)
	b = append(b, make([]byte, 8)...) // time zone and accuracy, always 0
	b = binary.LittleEndian.AppendUint32(b, snapLength)
	b = binary.LittleEndian.AppendUint32(b, linktypeRaw)
	streams := map[stream]uint32{}
	for _, p := range inOrder(legs) {
		datagram, missing := p.datagram(streams)
		b = binary.LittleEndian.AppendUint32(b, uint32(p.at.Unix()))
		b = binary.LittleEndian.AppendUint32(b, uint32(p.at.Nanosecond()/1000))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(datagram)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(datagram)+missing))
		b = append(b, datagram...)
	}
	return b, nil
}

// stream is one direction of a TCP connection.
type stream struct{ from, to netip.AddrPort }

// datagram returns the packet with its IP and UDP or TCP header, and how many
// octets of it were not kept. streams holds the next sequence number of each
// direction, which begins with 1.
func (p *packet) datagram(streams map[stream]uint32) (b []byte, missing int) {
	local, remote := p.local, p.remote
	if p.network == tls {
		local = netip.AddrPortFrom(local.Addr(), sipPort)
	}
	if !local.Addr().IsValid() || local.Addr().Is4() != remote.Addr().Is4() || local.Addr().IsUnspecified() {
		unknown := netip.IPv6Unspecified() // only the family must fit
		if remote.Addr().Is4() {
			unknown = netip.IPv4Unspecified()
		}
		local = netip.AddrPortFrom(unknown, local.Port())
	}
	from, to := remote, local
	if p.sent {
		from, to = local, remote
	}
	missing = max(p.size-len(p.text), 0)
	var segment []byte
	protocol := byte(17)
	sum := 6 // where the checksum stands
	if p.network == udp {
		segment = binary.BigEndian.AppendUint16(segment, from.Port())
		segment = binary.BigEndian.AppendUint16(segment, to.Port())
		segment = binary.BigEndian.AppendUint16(segment, uint16(8+len(p.text)+missing))
		segment = append(segment, 0, 0)
	} else {
		protocol, sum = 6, 16
		there, back := stream{from, to}, stream{to, from}
		segment = binary.BigEndian.AppendUint16(segment, from.Port())
		segment = binary.BigEndian.AppendUint16(segment, to.Port())
		segment = binary.BigEndian.AppendUint32(segment, streams[there]+1)
		segment = binary.BigEndian.AppendUint32(segment, streams[back]+1)
		segment = append(segment, 5<<4, 0x18, 0xff, 0xff, 0, 0, 0, 0) // 20 octets, ACK and PSH, the largest window
		streams[there] += uint32(len(p.text) + missing)
	}
	at := len(segment)
	segment = append(segment, p.text...)
	fillKeys(segment[at:])
	if missing == 0 {
		binary.BigEndian.PutUint16(segment[sum:], checksum(from.Addr(), to.Addr(), protocol, segment))
	}
	if from.Addr().Is4() {
		head := []byte{4<<4 | 5, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0} // not fragmented, 64 hops
		binary.BigEndian.PutUint16(head[2:], uint16(20+len(segment)+missing))
		head = append(append(head, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		binary.BigEndian.PutUint16(head[10:], fold(add(0, head)))
		return append(head, segment...), missing
	}
	head := []byte{6 << 4, 0, 0, 0, 0, 0, protocol, 64}
	binary.BigEndian.PutUint16(head[4:], uint16(len(segment)+missing))
	head = append(append(head, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	return append(head, segment...), missing
}

// fillKeys writes the hidden keys of a session description as base64, which
// whoever reads the file expects there: 'A' stands for zeros.
func fillKeys(text []byte) {
	for {
		i := find(text, "inline:")
		if i < 0 {
			return
		}
		text = text[i+len("inline:"):]
		for j := 0; j < len(text) && text[j] == '*'; j++ {
			text[j] = 'A'
		}
	}
}

// checksum is that of UDP and TCP with the addresses before it (RFC 768, RFC
// 9293 section 3.1, RFC 8200 section 8.1).
func checksum(from, to netip.Addr, protocol byte, segment []byte) uint16 {
	sum := add(add(0, from.AsSlice()), to.AsSlice())
	sum += uint32(protocol) + uint32(len(segment))
	if c := fold(add(sum, segment)); c != 0 {
		return c
	}
	return 0xffff // 0 would say that there is none
}

// add sums up 16-bit words (RFC 1071).
func add(sum uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
