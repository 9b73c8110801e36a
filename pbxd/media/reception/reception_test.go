package reception

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
			var r Stream
			now := time.Unix(1000, 0)
			for _, s := range tt.seqs {
				r.Add(&rtp.Header{SSRC: 7, SequenceNumber: s}, 8000, now)
			}
			if got := r.Missing(); got != tt.want {
				t.Errorf("missing %d, want %d", got, tt.want)
			}
		})
	}
}

func TestReceptionNewSource(t *testing.T) {
	var r Stream
	now := time.Unix(1000, 0)
	for _, s := range []uint16{1, 2, 5} {
		r.Add(&rtp.Header{SSRC: 7, SequenceNumber: s}, 8000, now)
	}
	for _, s := range []uint16{40000, 40001, 40003} {
		r.Add(&rtp.Header{SSRC: 8, SequenceNumber: s}, 8000, now)
	}
	if got := r.Missing(); got != 3 {
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
	var r Stream
	start := time.Unix(1000, 0)
	want := 0.0
	for i := range 500 {
		r.Add(&rtp.Header{SSRC: 7, SequenceNumber: uint16(i), Timestamp: 4294960000 + uint32(i)*frame}, clock, start.Add(arrive(i)))
		if i > 0 {
			want += (5 - want) / 16 // |D| is 5 ms each time
		}
	}
	got := r.Jitter().Seconds() * 1000
	if got < want-0.2 || got > want+0.2 {
		t.Errorf("jitter %.3f ms, want %.3f", got, want)
	}
}

func TestReceptionSteadyHasNoJitter(t *testing.T) {
	var r Stream
	start := time.Unix(1000, 0)
	for i := range 100000 { // 2000 s: rounding must not add up, the time stamp wraps
		r.Add(&rtp.Header{SSRC: 7, SequenceNumber: uint16(i), Timestamp: uint32(4294900000 + i*160)}, 8000, start.Add(time.Duration(i)*20*time.Millisecond))
	}
	if got := r.Jitter(); got != 0 {
		t.Errorf("jitter %v, want 0", got)
	}
	if got := r.Missing(); got != 0 {
		t.Errorf("missing %d, want 0", got)
	}
}

func TestReportBlock(t *testing.T) {
	var r Stream
	if _, ok := r.Report(); ok {
		t.Error("a report on nothing")
	}
	now := time.Unix(1000, 0)
	for s := range uint16(100) {
		if s%10 != 5 { // every tenth is lost
			r.Add(&rtp.Header{SSRC: 7, SequenceNumber: 65500 + s}, 8000, now)
		}
	}
	b, ok := r.Report()
	if !ok || b.SSRC != 7 || b.LastSequenceNumber != 65599 || b.TotalLost != 10 || b.FractionLost != 25 {
		t.Errorf("report %+v, want 10 of 100 lost, a fraction of 25/256, highest 65599", b)
	}
	for s := range uint16(50) {
		r.Add(&rtp.Header{SSRC: 7, SequenceNumber: 64 + s}, 8000, now)
	}
	if b, _ = r.Report(); b.FractionLost != 0 || b.TotalLost != 10 || b.LastSequenceNumber != 1<<16+64+49 {
		t.Errorf("report %+v, want none lost since the last one", b)
	}
}
