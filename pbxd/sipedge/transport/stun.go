package transport

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// STUN as far as a SIP port answers it: Binding requests of phones that keep
// their address translation open (RFC 5626 section 4.4.2, RFC 5389).
const (
	stunHeader          = 20         // octets
	stunCookie          = 0x2112A442 // RFC 5389 section 6
	stunBindingRequest  = 0x0001
	stunBindingResponse = 0x0101
	stunBindingError    = 0x0111

	attrUsername          = 0x0006
	attrMessageIntegrity  = 0x0008
	attrErrorCode         = 0x0009
	attrUnknownAttributes = 0x000A
	attrRealm             = 0x0014
	attrNonce             = 0x0015
	attrXORMappedAddress  = 0x0020
	attrFingerprint       = 0x8028
	fingerprintXOR        = 0x5354554E
)

// maxUnknown bounds the attributes that are named in an error, so that the
// answer is hardly longer than the request.
const maxUnknown = 8

// isSTUN reports whether a datagram is STUN rather than SIP: the first two
// bits are zero, which no SIP message has, and the magic cookie is in its
// place (RFC 5389 section 6).
func isSTUN(b []byte) bool {
	return len(b) >= stunHeader && b[0]&0xC0 == 0 && binary.BigEndian.Uint32(b[4:]) == stunCookie
}

// stunAnswer returns the answer to a STUN message that came from a peer; nil
// when it deserves none: it is no Binding request, or is damaged.
func stunAnswer(b []byte, from netip.AddrPort) []byte {
	if !isSTUN(b) || binary.BigEndian.Uint16(b) != stunBindingRequest {
		return nil
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length%4 != 0 || length != len(b)-stunHeader {
		return nil
	}
	unknown, fingerprint, ok := stunAttributes(b)
	if !ok {
		return nil
	}
	kind := uint16(stunBindingResponse)
	if len(unknown) > 0 {
		kind = stunBindingError
	}
	out := make([]byte, stunHeader, 80)
	binary.BigEndian.PutUint16(out, kind)
	copy(out[4:], b[4:stunHeader]) // cookie and transaction
	if len(unknown) > 0 {          // section 7.3.1
		out = appendAttribute(out, attrErrorCode, append([]byte{0, 0, 4, 20}, "Unknown Attribute"...))
		out = appendAttribute(out, attrUnknownAttributes, unknown)
	} else {
		out = appendAttribute(out, attrXORMappedAddress, xorMapped(from, b[4:stunHeader]))
	}
	if fingerprint { // section 15.5: it counts with its own length
		binary.BigEndian.PutUint16(out[2:], uint16(len(out)-stunHeader+8))
		out = appendAttribute(out, attrFingerprint, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(out)^fingerprintXOR))
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)-stunHeader))
	return out
}

// stunAttributes walks the attributes of a message whose length is right. It
// returns the types that must be understood and are not, two octets each, and
// whether a right FINGERPRINT ends the message. ok is false for damage.
func stunAttributes(b []byte) (unknown []byte, fingerprint, ok bool) {
	for at := stunHeader; at < len(b); {
		if len(b)-at < 4 {
			return nil, false, false
		}
		kind, n := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		next := at + 4 + (n+3)&^3
		if next > len(b) {
			return nil, false, false
		}
		switch {
		case kind == attrFingerprint:
			if n != 4 || next != len(b) || binary.BigEndian.Uint32(b[at+4:]) != crc32.ChecksumIEEE(b[:at])^fingerprintXOR {
				return nil, false, false
			}
			fingerprint = true
		case kind == attrUsername, kind == attrMessageIntegrity, kind == attrRealm, kind == attrNonce, kind >= 0x8000:
			// No credentials are asked for (RFC 5626 section 4.4.2), and the upper half may be ignored.
		case len(unknown) < 2*maxUnknown:
			unknown = binary.BigEndian.AppendUint16(unknown, kind)
		}
		at = next
	}
	return unknown, fingerprint, true
}

// xorMapped is the value of XOR-MAPPED-ADDRESS (RFC 5389 section 15.2). mask
// is the cookie and the transaction.
func xorMapped(from netip.AddrPort, mask []byte) []byte {
	addr := from.Addr().Unmap().AsSlice()
	family := byte(1)
	if len(addr) == 16 {
		family = 2
	}
	v := binary.BigEndian.AppendUint16([]byte{0, family}, from.Port()^stunCookie>>16)
	for i, octet := range addr {
		v = append(v, octet^mask[i])
	}
	return v
}

// appendAttribute adds an attribute, padded to four octets.
func appendAttribute(out []byte, kind uint16, value []byte) []byte {
	out = binary.BigEndian.AppendUint16(out, kind)
	out = binary.BigEndian.AppendUint16(out, uint16(len(value)))
	out = append(out, value...)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return out
}
