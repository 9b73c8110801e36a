package qemutest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// dialSocket connects to a unix socket that QEMU is about to open.
func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// withDeadline runs f; the end of ctx makes its reads and writes on conn fail.
func withDeadline(ctx context.Context, conn net.Conn, f func() error) error {
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // fails only on a closed one
	defer stop()
	err := f()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// channel is the test control channel of a test image.
type channel struct {
	conn net.Conn
	in   *bufio.Reader
	mu   sync.Mutex // one command at a time
}

// reply is what the channel answers, all commands together.
type reply struct {
	OK        bool      `json:"ok"`
	Error     string    `json:"error"`
	PID       int       `json:"pid"`
	RSS       int64     `json:"rss"`   // bytes
	Bytes     int64     `json:"bytes"` // that fill has taken
	Processes []process `json:"processes"`
}

type process struct {
	PID          int    `json:"pid"`
	PPID         int    `json:"ppid"`
	UID          int    `json:"uid"`
	Name         string `json:"name"`
	State        string `json:"state"`
	RSS          int64  `json:"rss"`
	Capabilities string `json:"capabilities"` // permitted, hexadecimal
	Bounding     string `json:"bounding"`     // hexadecimal
	NoNewPrivs   bool   `json:"noNewPrivs"`
}

// do runs one command, such as "kill pbxd".
func (c *channel) do(ctx context.Context, command string) (r reply, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = withDeadline(ctx, c.conn, func() error {
		if _, err := fmt.Fprintln(c.conn, command); err != nil {
			return err
		}
		line, err := c.in.ReadString('\n')
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return fmt.Errorf("answer %q: %w", line, err)
		}
		if !r.OK {
			return fmt.Errorf("refused: %s", strings.TrimSpace(r.Error))
		}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("test channel: %s: %w", command, err)
	}
	return r, nil
}
