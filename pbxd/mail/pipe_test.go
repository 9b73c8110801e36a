package mail

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// pipeNet is a network inside one synctest bubble: connections are pipes.
type pipeNet struct {
	incoming chan net.Conn
	done     chan struct{}
	once     sync.Once

	mu    sync.Mutex
	down  bool
	dials []time.Time
}

func newPipeNet() *pipeNet {
	return &pipeNet{incoming: make(chan net.Conn), done: make(chan struct{})}
}

func (n *pipeNet) Accept() (net.Conn, error) {
	select {
	case c := <-n.incoming:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

func (n *pipeNet) Close() error { n.once.Do(func() { close(n.done) }); return nil }
func (n *pipeNet) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}
}

func (n *pipeNet) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, time.Now())
	down := n.down
	n.mu.Unlock()
	if down {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	select {
	case n.incoming <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *pipeNet) setDown(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
}

// dialled returns how long after begin each connection was tried.
func (n *pipeNet) dialled(begin time.Time) (after []time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, at := range n.dials {
		after = append(after, at.Sub(begin))
	}
	return after
}
