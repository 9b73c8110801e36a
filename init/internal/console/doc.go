// Package console writes to the board's serial console: lines with the time
// since the kernel started, never waiting for a reader.
package console
