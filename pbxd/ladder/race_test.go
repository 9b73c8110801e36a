//go:build race

package ladder

// daysCalls are fewer: the race detector makes each ten times slower.
const daysCalls = 2000
