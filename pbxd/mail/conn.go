package mail

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// limits bound how long a server may take. RFC 5321 section 4.5.3.2 asks for
// minutes, since a busy server makes callers wait.
type limits struct {
	dial  time.Duration // name, connection and, with TLS from the start, handshake
	step  time.Duration // each command until its answer is complete
	block time.Duration // each write of the content
	final time.Duration // end of the content until the answer
	quit  time.Duration
	test  time.Duration // the whole of a test mail, for which somebody waits
	token time.Duration // answer of the OAuth server
}

// deviceLimits are the limits of the product.
func deviceLimits() limits {
	return limits{
		dial: 30 * time.Second, step: 2 * time.Minute, block: 3 * time.Minute, final: 10 * time.Minute,
		quit: 5 * time.Second, test: 60 * time.Second, token: 30 * time.Second,
	}
}

// answerBytes is how much a server may send in one step. The largest honest
// step is a TLS handshake with a long chain, about 20 KiB.
const answerBytes = 256 << 10

// errFlood says that a server sent more than answerBytes in one step.
var errFlood = errors.New("answer is too long")

// boundedConn ends a connection that sends more than a step needs, and gives
// each write of the content time of its own.
type boundedConn struct {
	net.Conn
	left  int           // bytes that may still be read in this step
	block time.Duration // time for one write; 0 keeps the step's deadline
}

// begin starts a step that must end within d.
func (c *boundedConn) begin(d time.Duration) error {
	c.left, c.block = answerBytes, 0
	if err := c.SetDeadline(time.Now().Add(d)); err != nil {
		return fmt.Errorf("set deadline of %v: %w", d, err)
	}
	return nil
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("%w: over %d bytes", errFlood, answerBytes)
	}
	if len(p) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	c.left -= n
	return n, err
}

func (c *boundedConn) Write(p []byte) (int, error) {
	if c.block > 0 {
		if err := c.SetDeadline(time.Now().Add(c.block)); err != nil {
			return 0, fmt.Errorf("set deadline of %v: %w", c.block, err)
		}
	}
	return c.Conn.Write(p)
}
