package rtpio

import (
	"testing"
	"time"

	"github.com/pion/rtp"
)

func TestReceptionLost(t *testing.T) {
	span := func(from, n int) (seqs []uint16) {
		for i := range n {
			seqs = append(seqs, uint16(from+i))
		}
		return seqs
	}
	join := func(parts ...[]uint16) (seqs []uint16) {
		for _, p := range parts {
			seqs = append(seqs, p...)
		}
		return seqs
	}
	tests := []struct {
		name string
		seqs []uint16
		want int64
	}{
		{"none", nil, 0},
		{"in order", span(10, 50), 0},
		{"over the wrap", span(65500, 100), 0},
		{"three missing", join(span(1, 10), span(14, 10)), 3},
		{"missing over the wrap", join(span(65530, 4), span(65538, 10)), 4},
		{"late", []uint16{1, 2, 4, 3, 5}, 0},
		{"twice", []uint16{1, 2, 2, 3}, -1},
		{"one wild number is not counted", join(span(1, 10), []uint16{30000}, span(11, 10)), 0},
		{"restart keeps the losses so far", join(span(1, 10), span(13, 10), span(40000, 10)), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r reception
			now := time.Unix(1000, 0)
			for _, s := range tt.seqs {
				r.add(&rtp.Header{SSRC: 7, SequenceNumber: s}, 8000, now)
			}
			if got := r.missing(); got != tt.want {
				t.Errorf("missing %d, want %d", got, tt.want)
			}
		})
	}
}

func TestReceptionNewSource(t *testing.T) {
	var r reception
	now := time.Unix(1000, 0)
	for _, s := range []uint16{1, 2, 5} {
		r.add(&rtp.Header{SSRC: 7, SequenceNumber: s}, 8000, now)
	}
	for _, s := range []uint16{40000, 40001, 40003} {
		r.add(&rtp.Header{SSRC: 8, SequenceNumber: s}, 8000, now)
	}
	if got := r.missing(); got != 3 {
		t.Errorf("missing %d over two sources, want 2+1", got)
	}
	if r.ssrc != 8 {
		t.Errorf("source %d, want 8", r.ssrc)
	}
}

// TestReceptionJitter checks the formula of RFC 3550 appendix A.8 against one
// in floating point, and its units.
func TestReceptionJitter(t *testing.T) {
	const clock, frame = 8000, 160
	arrive := func(i int) time.Duration { // every second packet is 5 ms late
		return time.Duration(i)*20*time.Millisecond + time.Duration(i%2)*5*time.Millisecond
	}
	var r reception
	start := time.Unix(1000, 0)
	want := 0.0
	for i := range 500 {
		r.add(&rtp.Header{SSRC: 7, SequenceNumber: uint16(i), Timestamp: 4294960000 + uint32(i)*frame}, clock, start.Add(arrive(i)))
		if i > 0 {
			want += (5 - want) / 16 // |D| is 5 ms each time
		}
	}
	got := r.jitterTime().Seconds() * 1000
	if got < want-0.2 || got > want+0.2 {
		t.Errorf("jitter %.3f ms, want %.3f", got, want)
	}
}

func TestReceptionSteadyHasNoJitter(t *testing.T) {
	var r reception
	start := time.Unix(1000, 0)
	for i := range 100000 { // 2000 s: rounding must not add up, the time stamp wraps
		r.add(&rtp.Header{SSRC: 7, SequenceNumber: uint16(i), Timestamp: uint32(4294900000 + i*160)}, 8000, start.Add(time.Duration(i)*20*time.Millisecond))
	}
	if got := r.jitterTime(); got != 0 {
		t.Errorf("jitter %v, want 0", got)
	}
	if got := r.missing(); got != 0 {
		t.Errorf("missing %d, want 0", got)
	}
}
