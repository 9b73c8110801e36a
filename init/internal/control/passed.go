package control

import (
	"net"
	"sync"
)

// passed is a connection that takes one of the places at the gate until it is
// closed.
type passed struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Close closes the connection and gives its place back.
func (p *passed) Close() error {
	p.once.Do(p.leave)
	return p.Conn.Close()
}
