package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is a name server without sockets: what it says is written as in a zone
// file, with the TTL in seconds second.
type zone struct {
	mu     sync.Mutex
	lines  []string
	asked  map[question]int
	silent map[netip.AddrPort]bool
	// mute are names, with their type before them, that are never answered.
	mute  map[string]bool
	delay time.Duration
	// single tells aliases one by one.
	single bool
	rcode  dnsmessage.RCode
}

func newZone(text string) *zone {
	z := &zone{asked: map[question]int{}, silent: map[netip.AddrPort]bool{}, mute: map[string]bool{}}
	z.set(text)
	return z
}

func (z *zone) set(text string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.lines = strings.Split(strings.TrimSpace(text), "\n")
}

// change runs f while nothing is answered.
func (z *zone) change(f func()) {
	z.mu.Lock()
	defer z.mu.Unlock()
	f()
}

func (z *zone) count(kind, name string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[question{name, kinds[kind]}]
}

var kinds = map[string]dnsmessage.Type{"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CNAME": dnsmessage.TypeCNAME, "SRV": dnsmessage.TypeSRV, "NAPTR": typeNAPTR, "SOA": dnsmessage.TypeSOA}

var nameServer = netip.MustParseAddrPort("192.0.2.53:53")

func (z *zone) exchange(ctx context.Context, server netip.AddrPort, _ bool, message []byte, accept func([]byte) bool) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(message); err != nil {
		return nil, err
	}
	q := question{canonical(m.Questions[0].Name), m.Questions[0].Type}
	z.mu.Lock()
	z.asked[q]++
	kind := ""
	for k, t := range kinds {
		if t == q.kind {
			kind = k
		}
	}
	delay, silent := z.delay, z.silent[server] || z.mute[kind+" "+q.name]
	reply := z.answerLocked(m)
	z.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if delay > 0 {
		time.Sleep(delay)
	}
	if !accept(reply) {
		return nil, errors.New("not accepted")
	}
	return reply, nil
}

func (z *zone) answerLocked(m dnsmessage.Message) []byte {
	q := m.Questions[0]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RCode: z.rcode}, Questions: m.Questions}
	name := canonical(q.Name)
	for range 12 {
		next := ""
		for _, line := range z.lines {
			f := strings.Fields(line)
			if len(f) < 4 || f[0] != name || kinds[f[2]] != q.Type && f[2] != "CNAME" {
				continue
			}
			reply.Answers = append(reply.Answers, resource(f))
			if f[2] == "CNAME" {
				next = f[3]
			}
		}
		if next == "" || z.single {
			break
		}
		name = next
	}
	if len(reply.Answers) == 0 && z.rcode == 0 {
		for _, line := range z.lines {
			if f := strings.Fields(line); len(f) > 3 && f[2] == "SOA" && strings.HasSuffix(name, f[0]) {
				reply.Authorities = append(reply.Authorities, resource(f))
			}
		}
	}
	wire, err := reply.Pack()
	if err != nil {
		panic(err)
	}
	return wire
}

func resource(f []string) dnsmessage.Resource {
	var ttl uint32
	number(f[1], &ttl)
	r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(f[0] + "."), Type: kinds[f[2]], Class: dnsmessage.ClassINET, TTL: ttl}}
	short := func(i int) (n uint16) { number(f[i], &n); return n }
	target := func(s string) dnsmessage.Name { return dnsmessage.MustNewName(strings.TrimSuffix(s, ".") + ".") }
	switch f[2] {
	case "A":
		r.Body = &dnsmessage.AResource{A: netip.MustParseAddr(f[3]).As4()}
	case "AAAA":
		r.Body = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(f[3]).As16()}
	case "CNAME":
		r.Body = &dnsmessage.CNAMEResource{CNAME: target(f[3])}
	case "SRV":
		r.Body = &dnsmessage.SRVResource{Priority: short(3), Weight: short(4), Port: short(5), Target: target(f[6])}
	case "SOA":
		var least uint32
		number(f[3], &least)
		r.Body = &dnsmessage.SOAResource{NS: target("ns.test"), MBox: target("m.test"), MinTTL: least}
	case "NAPTR":
		data := binary.BigEndian.AppendUint16(nil, short(3))
		data = binary.BigEndian.AppendUint16(data, short(4))
		for _, s := range f[5:8] {
			s = strings.Trim(s, `"`)
			data = append(append(data, byte(len(s))), s...)
		}
		for _, label := range strings.Split(strings.TrimSuffix(f[8], "."), ".") {
			data = append(append(data, byte(len(label))), label...)
		}
		r.Body = &dnsmessage.UnknownResource{Type: typeNAPTR, Data: append(data, 0)}
	}
	return r
}

func number(s string, n any) {
	if _, err := fmt.Sscan(s, n); err != nil {
		panic(err)
	}
}

// newTest returns a resolver that asks z; SRV records of equal priority come in
// their order, as the random number is always the least.
func newTest(t *testing.T, z *zone) *Resolver {
	t.Helper()
	r := New(t.Context(), Deps{
		Servers: func() []netip.AddrPort { return []netip.AddrPort{nameServer} },
		Reach:   func(netip.Addr) bool { return true },
		Random:  func(int) int { return 0 },
		Now:     time.Now,
		Log:     slog.New(slog.DiscardHandler),
	})
	if z != nil {
		r.exchange = z.exchange
	}
	return r
}

// written is a list of targets as the tests write it.
func written(list []Target) string {
	var words []string
	for _, t := range list {
		words = append(words, fmt.Sprintf("%s/%s", t.Addr, t.Transport))
	}
	return strings.Join(words, " ")
}

func locate(t *testing.T, r *Resolver, q Query) []Target {
	t.Helper()
	list, err := r.Locate(t.Context(), q)
	if err != nil {
		t.Fatalf("Locate(%+v): %v", q.Host, err)
	}
	return list
}

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
