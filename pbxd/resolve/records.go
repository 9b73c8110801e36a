package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// record is one that we use; which fields are set is by its type.
type record struct {
	owner string
	ttl   time.Duration
	addr  netip.Addr // A, AAAA
	srv   srv
	naptr naptr
}

// answerSet is what the sections of an answer hold.
type answerSet struct {
	records     []record
	aliases     map[string]alias // by the name that is one
	negative    bool             // a SOA says that there is nothing
	negativeTTL time.Duration
}

type alias struct {
	target string
	ttl    time.Duration
}

// readSet reads the answer and authority sections; p stands behind the questions
// of msg. Records of other types and classes are passed over.
func readSet(p *dnsmessage.Parser, msg []byte, kind dnsmessage.Type) (answerSet, error) {
	set := answerSet{aliases: map[string]alias{}, negativeTTL: leastTTL}
	for {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil {
			return set, err
		}
		if h.Class != dnsmessage.ClassINET || h.Type != kind && h.Type != dnsmessage.TypeCNAME {
			err = p.SkipAnswer()
		} else {
			err = set.add(p, msg, h)
		}
		if err != nil {
			return set, err
		}
	}
	for {
		h, err := p.AuthorityHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return set, nil
		}
		if err != nil {
			return set, err
		}
		if h.Class != dnsmessage.ClassINET || h.Type != dnsmessage.TypeSOA {
			if err := p.SkipAuthority(); err != nil {
				return set, err
			}
			continue
		}
		soa, err := p.SOAResource()
		if err != nil {
			return set, err
		}
		// RFC 2308 section 5: the lesser of the two.
		set.negative = true
		set.negativeTTL = min(seconds(h.TTL), seconds(soa.MinTTL), negativeTTL)
	}
}

func (s *answerSet) add(p *dnsmessage.Parser, msg []byte, h dnsmessage.ResourceHeader) error {
	r := record{owner: canonical(h.Name), ttl: seconds(h.TTL)}
	switch h.Type {
	case dnsmessage.TypeCNAME:
		c, err := p.CNAMEResource()
		if err == nil && len(s.aliases) < maxRecords {
			s.aliases[r.owner] = alias{canonical(c.CNAME), r.ttl}
		}
		return err
	case dnsmessage.TypeA:
		a, err := p.AResource()
		if err != nil {
			return err
		}
		r.addr = netip.AddrFrom4(a.A)
	case dnsmessage.TypeAAAA:
		a, err := p.AAAAResource()
		if err != nil {
			return err
		}
		r.addr = netip.AddrFrom16(a.AAAA).Unmap()
	case dnsmessage.TypeSRV:
		v, err := p.SRVResource()
		if err != nil {
			return err
		}
		r.srv = srv{priority: v.Priority, weight: v.Weight, port: v.Port, target: canonical(v.Target)}
	case typeNAPTR:
		u, err := p.UnknownResource()
		if err != nil {
			return err
		}
		if r.naptr, err = parseNAPTR(u.Data, msg); err != nil {
			return err
		}
	default:
		return p.SkipAnswer()
	}
	s.records = append(s.records, r)
	return nil
}

// follow returns the name at the end of the aliases of name, and for how long the
// aliases hold.
func (s *answerSet) follow(name string) (string, time.Duration, error) {
	ttl := mostTTL
	for range maxAliases + 1 {
		next, ok := s.aliases[name]
		if !ok {
			return name, ttl, nil
		}
		name, ttl = next.target, min(ttl, next.ttl)
	}
	return "", 0, ErrAliasLoop
}

// seconds is a TTL of the wire; one with the highest bit set is 0 (RFC 2181
// section 8).
func seconds(ttl uint32) time.Duration {
	if ttl >= 1<<31 {
		return 0
	}
	return min(time.Duration(ttl)*time.Second, mostTTL)
}

// parseNAPTR reads the data of a NAPTR record (RFC 3403 section 4.1). msg is the
// message that it stands in: some servers compress the name in it.
func parseNAPTR(data, msg []byte) (naptr, error) {
	if len(data) < 4 {
		return naptr{}, fmt.Errorf("NAPTR of %d octets", len(data))
	}
	n := naptr{order: uint16(data[0])<<8 | uint16(data[1]), preference: uint16(data[2])<<8 | uint16(data[3])}
	rest := data[4:]
	for _, field := range []*string{&n.flags, &n.service, &n.regexp} {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return naptr{}, errors.New("NAPTR ends within a string")
		}
		*field = string(rest[1 : 1+rest[0]])
		rest = rest[1+rest[0]:]
	}
	var err error
	if n.replacement, err = readName(rest, msg); err != nil {
		return naptr{}, fmt.Errorf("NAPTR: %w", err)
	}
	return n, nil
}

// readName reads the name at the beginning of data, which may point into msg
// (RFC 1035 section 4.1.4).
func readName(data, msg []byte) (string, error) {
	var labels []string
	for octets, jumps := 0, 0; ; {
		if len(data) == 0 {
			return "", errors.New("name ends too early")
		}
		n := int(data[0])
		switch n & 0xC0 {
		case 0x00:
			if n == 0 {
				return strings.ToLower(strings.Join(labels, ".")), nil
			}
			if octets += n + 1; len(data) <= n || octets > 254 {
				return "", fmt.Errorf("name of %d octets or more, %d there", octets, len(data))
			}
			label := string(data[1 : 1+n])
			if strings.Contains(label, ".") {
				return "", errors.New("name with a dot in a label")
			}
			labels, data = append(labels, label), data[1+n:]
		case 0xC0:
			jumps++
			if len(data) < 2 || jumps > 10 {
				return "", fmt.Errorf("name with %d pointers", jumps)
			}
			at := n&0x3F<<8 | int(data[1])
			if at >= len(msg) {
				return "", fmt.Errorf("name points to octet %d of %d", at, len(msg))
			}
			data = msg[at:]
		default:
			return "", fmt.Errorf("name with a label of type %#x", n)
		}
	}
}
