package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Event is something that happened at the phone.
type Event struct {
	Type      string    `json:"type"`  // for example "CALL_ESTABLISHED"
	Class     string    `json:"class"` // "call", "register", "application" or "other"
	Account   string    `json:"accountaor"`
	Direction string    `json:"direction"` // "incoming" or "outgoing"
	Peer      string    `json:"peeruri"`
	CallID    string    `json:"id"`
	Param     string    `json:"param"` // for "CALL_CLOSED" the reason, for example "404 Not Found"
	At        time.Time `json:"-"`     // when it arrived here
}

// message is what arrives on the control connection: an event or the response
// to a command.
type message struct {
	IsEvent    bool   `json:"event"`
	IsResponse bool   `json:"response"`
	OK         bool   `json:"ok"`
	Data       string `json:"data"`
	Token      string `json:"token"`
	Event
}

// maxNetstring bounds one message, in bytes.
const maxNetstring = 1 << 20

// maxEvents bounds the events that nobody has waited for; the oldest go.
const maxEvents = 10_000

// control speaks the protocol of baresip's module ctrl_tcp: JSON in
// netstrings over one TCP connection.
type control struct {
	conn net.Conn

	mu      sync.Mutex
	events  []Event
	replies map[string]message
	tokens  int
	err     error         // why the connection ended
	changed chan struct{} // closed and replaced when any of the above changes
}

func newControl(conn net.Conn) *control {
	c := &control{conn: conn, replies: map[string]message{}, changed: make(chan struct{})}
	go c.read()
	return c
}

func (c *control) close() { c.conn.Close() }

func (c *control) read() {
	r := bufio.NewReader(c.conn)
	for {
		text, err := readNetstring(r)
		var m message
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		c.mu.Lock()
		switch {
		case err != nil:
			c.err = fmt.Errorf("control connection: %w", err)
		case m.IsEvent:
			m.At = time.Now()
			c.events = append(c.events, m.Event)
			if n := len(c.events); n > maxEvents {
				c.events = slices.Clone(c.events[n-maxEvents/2:])
			}
		case m.IsResponse && m.Token != "":
			c.replies[m.Token] = m
		}
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// readNetstring reads "LENGTH:BYTES,".
func readNetstring(r *bufio.Reader) ([]byte, error) {
	head, err := r.ReadSlice(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(string(head[:len(head)-1]))
	if err != nil || n < 0 || n > maxNetstring {
		return nil, fmt.Errorf("netstring of length %q", head)
	}
	text := make([]byte, n+1)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	if text[n] != ',' {
		return nil, fmt.Errorf("netstring of %d bytes ends with %q, not a comma", n, text[n])
	}
	return text[:n], nil
}

// until calls done under the lock, now and after every change, until it
// reports true, the connection ends, or ctx does.
func (c *control) until(ctx context.Context, done func() bool) error {
	for {
		c.mu.Lock()
		ok, err, changed := done(), c.err, c.changed
		c.mu.Unlock()
		switch {
		case ok:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *control) send(ctx context.Context, name, params, token string) error {
	text, err := json.Marshal(map[string]string{"command": name, "params": params, "token": token})
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.conn.SetWriteDeadline(deadline); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(c.conn, "%d:%s,", len(text), text)
	return err
}

func (c *control) command(ctx context.Context, name, params string) (string, error) {
	c.mu.Lock()
	c.tokens++
	token := strconv.Itoa(c.tokens)
	c.mu.Unlock()
	if err := c.send(ctx, name, params, token); err != nil {
		return "", err
	}
	var reply message
	err := c.until(ctx, func() (ok bool) {
		if reply, ok = c.replies[token]; ok {
			delete(c.replies, token)
		}
		return ok
	})
	if err != nil {
		return "", err
	}
	if !reply.OK {
		return reply.Data, errors.New("refused: " + strings.TrimSpace(reply.Data))
	}
	return reply.Data, nil
}

func (c *control) await(ctx context.Context, types []string) (found Event, passed []string, err error) {
	err = c.until(ctx, func() bool {
		for i, e := range c.events {
			if slices.Contains(types, e.Type) {
				found, c.events = e, slices.Clone(c.events[i+1:])
				return true
			}
			passed = append(passed, e.Type)
		}
		c.events = nil
		return false
	})
	return found, passed, err
}
