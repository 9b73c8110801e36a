package boot

import (
	"fmt"
	"os"
	"strings"
)

// CommandLine is what the kernel was started with: words, and words with a
// value.
type CommandLine map[string]string

// ReadCommandLine reads the kernel's command line from path, /proc/cmdline.
func ReadCommandLine(path string) (CommandLine, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read kernel command line: %w", err)
	}
	c := CommandLine{}
	for _, word := range strings.Fields(string(b)) {
		name, value, _ := strings.Cut(word, "=")
		c[name] = value
	}
	return c, nil
}

// Has reports whether the word is there, with or without a value.
func (c CommandLine) Has(word string) bool {
	_, ok := c[word]
	return ok
}
