package dhcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Ports of DHCP (RFC 2131 section 4.1).
const (
	serverPort = 67
	clientPort = 68
)

const (
	ipHeader  = 20 // bytes, without options
	udpHeader = 8
)

// datagram returns payload as a UDP datagram in an IPv4 packet from one
// address to another (RFC 791, RFC 768).
func datagram(from, to netip.Addr, payload []byte) ([]byte, error) {
	total := ipHeader + udpHeader + len(payload)
	if total > 1500 {
		return nil, fmt.Errorf("DHCP message of %d bytes does not fit an Ethernet frame", len(payload))
	}
	b := make([]byte, total)
	b[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(b[2:], uint16(total))
	b[8] = 64 // time to live
	b[9] = 17 // UDP
	src, dst := from.As4(), to.As4()
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	binary.BigEndian.PutUint16(b[10:], checksum(0, b[:ipHeader]))

	u := b[ipHeader:]
	binary.BigEndian.PutUint16(u, clientPort)
	binary.BigEndian.PutUint16(u[2:], serverPort)
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	copy(u[udpHeader:], payload)
	pseudo := uint32(17 + len(u)) // protocol and length, then both addresses
	sum := checksum(pseudo+sum16(src[:])+sum16(dst[:]), u)
	if sum == 0 {
		sum = 0xffff // zero would mean: none
	}
	binary.BigEndian.PutUint16(u[6:], sum)
	return b, nil
}

var errNotForUs = errors.New("not a DHCP message to a client")

// payloadOf returns the payload of an IPv4 packet that is a whole UDP datagram
// to the client's port.
//
// The UDP checksum is left alone: a packet from this very machine (a test, a
// container) has not got one yet when a packet socket sees it, since hardware
// fills it in. What the payload says is checked on its own.
func payloadOf(b []byte) ([]byte, error) {
	if len(b) < ipHeader+udpHeader || b[0]>>4 != 4 {
		return nil, errNotForUs
	}
	hdr, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if hdr < ipHeader || total > len(b) || total < hdr+udpHeader || b[9] != 17 {
		return nil, errNotForUs
	}
	if checksum(0, b[:hdr]) != 0 {
		return nil, errNotForUs
	}
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // a fragment
		return nil, errNotForUs
	}
	u := b[hdr:total]
	n := int(binary.BigEndian.Uint16(u[4:]))
	if binary.BigEndian.Uint16(u[2:]) != clientPort || n < udpHeader || n > len(u) {
		return nil, errNotForUs
	}
	return u[udpHeader:n], nil
}

// sum16 adds up b as big endian words of 16 bits.
func sum16(b []byte) (sum uint32) {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

// checksum returns the Internet checksum (RFC 1071) of b, begun with sum.
func checksum(sum uint32, b []byte) uint16 {
	sum += sum16(b)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
