// Package testchannel lets a test do to the device what nobody else may: kill
// and hang roles, fill the data partition. It is linked into test images only
// (build tag testcontrol), and its port's name below is how a test proves that
// a release image lacks it.
//
// Its line is a virtio-serial port named org.galilei.test. A command is one
// line, the answer one line of JSON: {"ok":true,...} or {"ok":false,"error":"..."}.
//
//	ping           is the channel there
//	kill ROLE      SIGKILL to the role's process
//	hang ROLE      SIGSTOP
//	wake ROLE      SIGCONT
//	rss ROLE       {"rss":bytes,"pid":n}; ROLE init is process 1
//	fill           fills the data partition up; {"bytes":n}
//	unfill         gives the space back
//	reboot         in order, as the verb of control
//	ps             {"processes":[{"pid":..,"ppid":..,"uid":..,"name":..,"rss":..,"state":..,
//	               "capabilities":..,"bounding":..,"noNewPrivs":..}]}
package testchannel

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// PortName is the name of the virtio-serial port. It also stands in the text of
// an error, which puts it into the binary as it is: the compiler takes a mere
// comparison apart, and the proof by its absence would prove nothing.
const PortName = "org.galilei.test"

// maxCommand bounds one command, in bytes.
const maxCommand = 4096

// Device is what the commands act upon.
type Device interface {
	// SignalRole sends a signal to the process of a role.
	SignalRole(role string, sig syscall.Signal) error
	// RolePID returns the process of a role, 0 when none runs.
	RolePID(role string) (int, error)
	Reboot()
}

// Channel answers the commands.
type Channel struct {
	Device Device
	Proc   string // /proc
	Data   string // directory on the data partition that fill may use
	Log    *slog.Logger
}

// FindPort waits for the port below sys, which is /sys/class/virtio-ports, and
// returns its device below dev.
func FindPort(ctx context.Context, sys, dev string) (string, error) {
	for {
		names, err := filepath.Glob(filepath.Join(sys, "*", "name"))
		if err != nil {
			return "", fmt.Errorf("find test channel: %w", err)
		}
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err == nil && strings.TrimSpace(string(b)) == PortName {
				return filepath.Join(dev, filepath.Base(filepath.Dir(n))), nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("find port "+PortName+": %w", context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Serve opens the port at path and answers until ctx ends. While no test is at
// the other end, the port reads as ended, and Serve waits.
func (c *Channel) Serve(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open test channel: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { f.Close() })
	defer stop()
	defer f.Close()
	for ctx.Err() == nil {
		if err := c.answer(f); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// answer answers the commands of rw until it ends.
func (c *Channel) answer(rw io.ReadWriter) error {
	r := bufio.NewReaderSize(rw, maxCommand)
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test command: %w", err)
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		reply, err := c.do(words)
		if err != nil {
			reply = map[string]any{"ok": false, "error": err.Error()}
		} else {
			reply["ok"] = true
		}
		b, err := json.Marshal(reply)
		if err != nil {
			return fmt.Errorf("answer test command %q: %w", words[0], err)
		}
		if _, err := rw.Write(append(b, '\n')); err != nil {
			return fmt.Errorf("answer test command %q: %w", words[0], err)
		}
	}
}

func (c *Channel) do(words []string) (map[string]any, error) {
	command, role := words[0], ""
	if len(words) > 2 {
		return nil, fmt.Errorf("%s: %d words, at most one follows the command", command, len(words))
	}
	if len(words) == 2 {
		role = words[1]
	}
	c.Log.Info("test command", "command", command, "role", role)
	reply := map[string]any{}
	switch command {
	case "ping":
		return reply, nil
	case "kill":
		return reply, c.Device.SignalRole(role, syscall.SIGKILL)
	case "hang":
		return reply, c.Device.SignalRole(role, syscall.SIGSTOP)
	case "wake":
		return reply, c.Device.SignalRole(role, syscall.SIGCONT)
	case "rss":
		return c.rss(role)
	case "fill":
		n, err := fill(c.Data)
		reply["bytes"] = n
		return reply, err
	case "unfill":
		return reply, unfill(c.Data)
	case "reboot":
		c.Device.Reboot()
		return reply, nil
	case "ps":
		list, err := processes(c.Proc)
		reply["processes"] = list
		return reply, err
	}
	return nil, fmt.Errorf("unknown command %q", command)
}

func (c *Channel) rss(role string) (map[string]any, error) {
	pid := 1
	if role != "init" {
		var err error
		if pid, err = c.Device.RolePID(role); err != nil {
			return nil, err
		}
		if pid == 0 {
			return nil, fmt.Errorf("%s does not run", role)
		}
	}
	p, err := readProcess(c.Proc, pid)
	return map[string]any{"pid": pid, "rss": p.RSS}, err
}
