package resolve

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

const (
	serverTime = 2 * time.Second // for one answer of one server
	rounds     = 2               // that all servers are asked
	maxForged  = 16              // wrong answers until the same is asked over TCP
)

// exchange sends a message to a name server and returns the first that comes back
// and is accepted.
type exchange func(ctx context.Context, server netip.AddrPort, tcp bool, message []byte, accept func([]byte) bool) ([]byte, error)

// errSilent says that a name server has not answered.
var errSilent = errors.New("no answer")

// errForged says that answers come that are not to our question.
var errForged = errors.New("answers to other questions")

// askServers asks one server after the other, those that have just failed last.
// The error wraps ErrNoAnswer.
func (r *Resolver) askServers(ctx context.Context, q question, servers []netip.AddrPort) (answer, error) {
	if len(servers) == 0 {
		return answer{}, fmt.Errorf("%w: none is set", ErrNoAnswer)
	}
	var up, down []netip.AddrPort
	for _, s := range servers {
		if r.servers.down(s) {
			down = append(down, s)
		} else {
			up = append(up, s)
		}
	}
	var failed error
	for range rounds {
		for _, s := range append(up, down...) {
			a, err := r.askServer(ctx, q, s)
			if err == nil {
				r.servers.works(s)
				return a, nil
			}
			if ctx.Err() != nil {
				return answer{}, fmt.Errorf("%w: %w", ErrNoAnswer, ctx.Err())
			}
			failed = err
			// A server that answers costs no time, whatever it says.
			if errors.Is(err, errSilent) && r.servers.fail(s, 0) {
				r.deps.Log.Warn("name server does not answer", "server", s, "name", q.name, "err", err)
			}
		}
	}
	return answer{}, fmt.Errorf("%w for %s: the last of %d said: %w", ErrNoAnswer, q.name, len(servers), failed)
}

// askServer asks one server: over UDP, over TCP what does not fit, and without
// EDNS0 when the server does not know it.
func (r *Resolver) askServer(ctx context.Context, q question, server netip.AddrPort) (answer, error) {
	tcp, edns := false, true
	for range 4 {
		msg, err := r.askOnce(ctx, q, server, tcp, edns)
		if errors.Is(err, errForged) && !tcp {
			tcp = true
			continue
		}
		if err != nil {
			return answer{}, fmt.Errorf("%w: %w", errSilent, err)
		}
		a, truncated, err := q.parse(msg)
		var code refusal
		switch {
		case errors.As(err, &code) && edns && (code == 1 || code == 4): // FORMERR, NOTIMP
			edns = false
		case err != nil:
			return answer{}, err
		case truncated && tcp:
			return answer{}, errors.New("answer truncated over TCP")
		case truncated:
			tcp = true
		default:
			return a, nil
		}
	}
	return answer{}, errors.New("no whole answer in 4 attempts")
}

func (r *Resolver) askOnce(ctx context.Context, q question, server netip.AddrPort, tcp, edns bool) ([]byte, error) {
	var random [2]byte
	_, _ = rand.Read(random[:]) // it never fails
	id := binary.BigEndian.Uint16(random[:])
	message, err := q.packed(id, edns)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	return r.exchange(ctx, server, tcp, message, func(answer []byte) bool { return q.answers(id, answer) })
}

// overNetwork is the exchange over sockets. Each question has a socket of its own
// at a port that the kernel chooses at random, connected, so that only the server
// is heard.
func overNetwork(ctx context.Context, server netip.AddrPort, tcp bool, message []byte, accept func([]byte) bool) ([]byte, error) {
	network := "udp"
	if tcp {
		network = "tcp"
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, server.String())
	if err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if tcp {
		return overTCP(conn, message, accept)
	}
	if _, err := conn.Write(message); err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	buffer := make([]byte, 4096)
	for range maxForged {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, fmt.Errorf("name server: %w", err)
		}
		if accept(buffer[:n]) {
			return buffer[:n], nil
		}
	}
	return nil, fmt.Errorf("name server %s: %w", server, errForged)
}

// overTCP puts the length before each message (RFC 1035 section 4.2.2).
func overTCP(conn net.Conn, message []byte, accept func([]byte) bool) ([]byte, error) {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(message)))
	if _, err := conn.Write(append(out, message...)); err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	answer := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	if !accept(answer) {
		return nil, fmt.Errorf("name server %s: %w", conn.RemoteAddr(), errForged)
	}
	return answer, nil
}

// HasRoute reports whether the kernel has a route to addr. Nothing is sent.
func HasRoute(addr netip.Addr) bool {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 9)))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
