package sipedge

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// rack is what a PRACK acknowledges (RFC 3262 section 7.2).
type rack struct {
	rseq   uint32
	cseq   uint32
	method string
}

// parseRAck reads the value of RAck: the numbers of the response and of its
// request, then the method.
func parseRAck(s string) (rack, error) {
	f := strings.Fields(s)
	if len(f) != 3 {
		return rack{}, fmt.Errorf("RAck %.60q has %d parts, want 3", s, len(f))
	}
	rseq, err := parseRSeq(f[0])
	if err != nil {
		return rack{}, fmt.Errorf("RAck %.60q: %w", s, err)
	}
	cseq, err := strconv.ParseUint(f[1], 10, 31)
	if err != nil {
		return rack{}, fmt.Errorf("RAck %.60q: %w", s, err)
	}
	return rack{rseq, uint32(cseq), f[2]}, nil
}

// parseRSeq reads the number of a reliable provisional response, 1 to 2^32-1
// (RFC 3262 section 7.1).
func parseRSeq(s string) (uint32, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("RSeq: %w", err)
	}
	if n == 0 {
		return 0, fmt.Errorf("RSeq is 0, want 1 to %d", uint32(math.MaxUint32))
	}
	return uint32(n), nil
}
