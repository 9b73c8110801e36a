package qemutest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
)

// maxConsole bounds what is kept of a serial console, in bytes.
const maxConsole = 4 << 20

// console keeps what a machine prints on its serial line.
type console struct {
	mu      sync.Mutex
	text    []byte
	ended   error         // why nothing more will come
	changed chan struct{} // closed and replaced at every change
}

func newConsole() *console { return &console{changed: make(chan struct{})} }

// read takes all that comes until it ends.
func (c *console) read(r io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		c.mu.Lock()
		c.text = append(c.text, bytes.ReplaceAll(buf[:n], []byte("\r"), nil)...)
		if err == nil && len(c.text) > maxConsole {
			err = fmt.Errorf("more than %d bytes", maxConsole)
		}
		c.ended = err
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// end returns the place where the next output goes.
func (c *console) end() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.text)
}

// await waits for a whole line after the place from that matches, and returns
// the match and its groups.
func (c *console) await(ctx context.Context, from int, pattern string) ([]string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("wait for a line of the console: %w", err)
	}
	for {
		c.mu.Lock()
		text, ended, changed := c.text[from:], c.ended, c.changed
		c.mu.Unlock()
		whole := text[:bytes.LastIndexByte(text, '\n')+1]
		for line := range bytes.Lines(whole) {
			if m := re.FindSubmatch(line); m != nil {
				found := make([]string, len(m))
				for i := range m {
					found[i] = string(m[i])
				}
				return found, nil
			}
		}
		if ended != nil {
			return nil, fmt.Errorf("wait for %q on the console: it ended: %w", pattern, ended)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %q on the console: %w", pattern, context.Cause(ctx))
		}
	}
}

// matches returns the groups of all lines so far that match.
func (c *console) matches(pattern *regexp.Regexp) [][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return pattern.FindAllStringSubmatch(string(c.text), -1)
}

// escapes are what the firmware prints to clear the screen and so on.
var escapes = regexp.MustCompile(`\x1b\[[0-9;=?]*[A-Za-z]`)

// tail returns the last lines, for people to read.
func (c *console) tail(lines int) string {
	c.mu.Lock()
	text := escapes.ReplaceAllString(string(c.text), "")
	c.mu.Unlock()
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
