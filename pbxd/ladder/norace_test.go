//go:build !race

package ladder

// daysCalls are the calls of a day.
const daysCalls = 10_000
