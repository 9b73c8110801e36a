package resolve

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// What a name server says over UDP decides how it is asked next.
func TestHowAServerIsAsked(t *testing.T) {
	z := newZone("a.test 60 A 192.0.2.1")
	good := func(m dnsmessage.Message) ([]byte, error) { return z.answerLocked(m), nil }
	with := func(change func(*dnsmessage.Message)) func(dnsmessage.Message) ([]byte, error) {
		return func(m dnsmessage.Message) ([]byte, error) {
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true}, Questions: m.Questions}
			change(&reply)
			return reply.Pack()
		}
	}
	truncated := with(func(m *dnsmessage.Message) { m.Truncated = true })
	unknown := with(func(m *dnsmessage.Message) { m.RCode = dnsmessage.RCodeNotImplemented })
	forged := func(dnsmessage.Message) ([]byte, error) { return nil, errForged }
	type says []func(dnsmessage.Message) ([]byte, error)
	tests := []struct {
		name string
		says says
		want []string // how it is asked
		ok   bool
	}{
		{"good", says{good}, []string{"udp edns"}, true},
		{"truncated", says{truncated, good}, []string{"udp edns", "tcp edns"}, true},
		{"truncated twice", says{truncated, truncated}, []string{"udp edns", "tcp edns"}, false},
		{"forged", says{forged, good}, []string{"udp edns", "tcp edns"}, true},
		{"forged over TCP", says{forged, forged}, []string{"udp edns", "tcp edns"}, false},
		{"no EDNS0", says{unknown, good}, []string{"udp edns", "udp"}, true},
		{"no EDNS0, truncated", says{unknown, truncated, good}, []string{"udp edns", "udp", "tcp"}, true},
		{"knows nothing", says{unknown, unknown}, []string{"udp edns", "udp"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			r := newTest(t, z)
			r.exchange = func(_ context.Context, _ netip.AddrPort, tcp bool, message []byte, accept func([]byte) bool) ([]byte, error) {
				var m dnsmessage.Message
				if err := m.Unpack(message); err != nil {
					return nil, err
				}
				how := "udp"
				if tcp {
					how = "tcp"
				}
				if len(m.Additionals) == 1 {
					how += " edns"
				}
				asked = append(asked, how)
				if len(asked) > len(tt.says) {
					return nil, errors.New("asked too often")
				}
				answer, err := tt.says[len(asked)-1](m)
				if err == nil && !accept(answer) {
					t.Error("the answer is not accepted")
				}
				return answer, err
			}
			a, err := r.askServer(t.Context(), question{"a.test", dnsmessage.TypeA}, nameServer)
			if !slices.Equal(asked, tt.want) {
				t.Errorf("asked %q, want %q", asked, tt.want)
			}
			if (err == nil && len(a.records) == 1) != tt.ok {
				t.Errorf("%d records, %v", len(a.records), err)
			}
		})
	}
}

func TestRecordsOfOtherNamesAreNotBelieved(t *testing.T) {
	q := question{"a.test", dnsmessage.TypeA}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("a.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	for _, f := range [][]string{{"b.test", "60", "A", "203.0.113.66"}, {"A.test", "60", "A", "192.0.2.1"}, {"b.test", "60", "CNAME", "a.test"}} {
		m.Answers = append(m.Answers, resource(f))
	}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := q.parse(wire)
	if err != nil || len(a.records) != 1 || a.records[0].addr.String() != "192.0.2.1" {
		t.Errorf("%+v, %v", a.records, err)
	}
}
