package console

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// queueLines bounds what waits for a slow console: at 115200 baud a line of 80
// characters takes 7 ms, so this is about two seconds of it.
const queueLines = 256

// Console takes lines from anyone and writes them in a goroutine of its own.
// When nobody reads the serial line, or it is slow, lines beyond the queue are
// dropped and counted: a console must never stop the device.
type Console struct {
	clock   func() time.Duration // since the kernel started
	queue   chan string
	dropped atomic.Int64

	mu  sync.Mutex
	out io.Writer
}

// New returns a console that writes to out once Run runs. clock tells the time
// since the kernel started.
func New(out io.Writer, clock func() time.Duration) *Console {
	return &Console{clock: clock, queue: make(chan string, queueLines), out: out}
}

// SetOutput moves the console to another device. Lines that wait go there too.
func (c *Console) SetOutput(out io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = out
}

// Printf puts one line, with the time before it, in the queue.
func (c *Console) Printf(format string, args ...any) {
	c.put(fmt.Sprintf("[%6.2f] ", c.clock().Seconds()) + fmt.Sprintf(format, args...))
}

// Line puts one line in the queue as it is.
func (c *Console) Line(line string) { c.put(line) }

func (c *Console) put(line string) {
	select {
	case c.queue <- line + "\n":
	default:
		c.dropped.Add(1)
	}
}

// Run writes the queue until ctx ends, then what is left of it.
func (c *Console) Run(ctx context.Context) error {
	for {
		select {
		case line := <-c.queue:
			if err := c.write(line); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Flush waits until the queue is empty, but not longer than limit.
func (c *Console) Flush(limit time.Duration) {
	end := time.Now().Add(limit)
	for len(c.queue) > 0 && time.Now().Before(end) {
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *Console) write(line string) error {
	c.mu.Lock()
	out := c.out
	c.mu.Unlock()
	if n := c.dropped.Swap(0); n > 0 {
		line = fmt.Sprintf("(%d lines dropped: the console is slow)\n", n) + line
	}
	if _, err := io.WriteString(out, line); err != nil {
		return fmt.Errorf("write to the console: %w", err)
	}
	return nil
}

// Mirror passes the lines of one role on to the console, at most perSecond in
// any second after an allowance of burst.
type Mirror struct {
	console *Console
	prefix  string

	mu      sync.Mutex
	tokens  float64
	last    time.Time
	skipped int
}

// The pace of a Mirror, in lines.
const (
	perSecond = 20
	burst     = 100
)

// NewMirror returns a Mirror that puts role and a colon before each line.
func NewMirror(c *Console, role string) *Mirror {
	return &Mirror{console: c, prefix: role + ": ", tokens: burst, last: time.Now()}
}

// Line passes one line on, or counts it when there are too many.
func (m *Mirror) Line(line string) {
	m.mu.Lock()
	now := time.Now()
	m.tokens = min(burst, m.tokens+now.Sub(m.last).Seconds()*perSecond)
	m.last = now
	if m.tokens < 1 {
		m.skipped++
		m.mu.Unlock()
		return
	}
	m.tokens--
	skipped := m.skipped
	m.skipped = 0
	m.mu.Unlock()
	if skipped > 0 {
		m.console.Printf("%s(%d lines left out)", m.prefix, skipped)
	}
	m.console.Printf("%s%s", m.prefix, line)
}
