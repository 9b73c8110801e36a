package supervise

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"sync"
)

// A role's log in memory: its last keptLines lines of at most maxLine bytes.
const (
	keptLines = 200
	maxLine   = 1024
)

// lineRing keeps the last lines of a role.
type lineRing struct {
	mu    sync.Mutex
	lines []string
	next  int // where the next line goes once the ring is full
}

func (r *lineRing) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < keptLines {
		r.lines = append(r.lines, line)
		return
	}
	r.lines[r.next] = line
	r.next = (r.next + 1) % keptLines
}

// all returns the lines, oldest first.
func (r *lineRing) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]string{}, r.lines[r.next:]...), r.lines[:r.next]...)
}

// readLines calls each for every line of src until it ends. A line is cut at
// maxLine bytes, and control characters, which could steer the terminal of
// whoever reads the console, become '?'.
func readLines(src io.Reader, each func(line string)) error {
	r := bufio.NewReaderSize(src, maxLine)
	for {
		part, err := r.ReadSlice('\n')
		line := printable(part)
		for errors.Is(err, bufio.ErrBufferFull) { // drop the rest of a long line
			_, err = r.ReadSlice('\n')
		}
		if line != "" || err == nil {
			each(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func printable(b []byte) string {
	s := strings.ToValidUTF8(strings.TrimRight(string(b), "\r\n"), "?")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
