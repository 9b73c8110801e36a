package qemutest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
)

// qmp speaks QEMU's machine protocol (docs/interop/qmp-spec of QEMU).
type qmp struct {
	conn net.Conn
	in   *json.Decoder
	mu   sync.Mutex // one command at a time
}

// dialQMP connects and leaves the negotiation mode.
func dialQMP(ctx context.Context, path string) (*qmp, error) {
	conn, err := dialSocket(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("QMP: %w", err)
	}
	q := &qmp{conn: conn, in: json.NewDecoder(conn)}
	var greeting struct{ QMP *struct{} }
	err = q.bounded(ctx, func() error { return q.in.Decode(&greeting) })
	if err == nil && greeting.QMP == nil {
		err = fmt.Errorf("no greeting")
	}
	if err == nil {
		err = q.execute(ctx, "qmp_capabilities")
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("QMP: %w", err)
	}
	return q, nil
}

// bounded runs f, whose reads and writes fail when ctx ends.
func (q *qmp) bounded(ctx context.Context, f func() error) error {
	return withDeadline(ctx, q.conn, f)
}

// execute runs a command and waits for its answer; events are passed over.
func (q *qmp) execute(ctx context.Context, command string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.bounded(ctx, func() error {
		if err := json.NewEncoder(q.conn).Encode(map[string]string{"execute": command}); err != nil {
			return err
		}
		for {
			var m struct {
				Return *json.RawMessage `json:"return"`
				Error  *struct {
					Class string `json:"class"`
					Desc  string `json:"desc"`
				} `json:"error"`
			}
			if err := q.in.Decode(&m); err != nil {
				return err
			}
			switch {
			case m.Error != nil:
				return fmt.Errorf("%s: %s", m.Error.Class, m.Error.Desc)
			case m.Return != nil:
				return nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}
	return nil
}
