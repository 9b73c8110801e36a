package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// NeedMultimon skips the test where multimon-ng or sox, which resamples for it,
// is not installed.
func NeedMultimon(t TB) {
	t.Helper()
	need(t, "multimon-ng")
	need(t, "sox")
}

// Keypad returns the tones of digits (ITU-T Q.23), each for on and followed by
// silence for off.
func Keypad(digits string, on, off time.Duration) (samples []int16) {
	const keys = "123A456B789C*0#D"
	for _, d := range digits {
		k := strings.IndexRune(keys, d)
		if k < 0 {
			continue
		}
		low := Sine([]float64{697, 770, 852, 941}[k/4], 0.25, on)
		for i, s := range Sine([]float64{1209, 1336, 1477, 1633}[k%4], 0.25, on) {
			low[i] += s
		}
		samples = append(append(samples, low...), make([]int16, int(off*SampleRate/time.Second))...)
	}
	return samples
}

// Multimon returns the digits that multimon-ng hears in samples.
func Multimon(ctx context.Context, samples []int16) (string, error) {
	var raw bytes.Buffer
	put(&raw, samples)
	sox := exec.CommandContext(ctx, "sox", "-t", "raw", "-r", fmt.Sprint(SampleRate), "-e", "signed", "-b", "16", "-c", "1", "-", "-t", "raw", "-r", "22050", "-")
	sox.Stdin = &raw
	wide, err := sox.Output()
	if err != nil {
		return "", fmt.Errorf("resample %d samples with sox: %w", len(samples), err)
	}
	// It waits for whole blocks: what comes last would stay in one.
	wide = append(wide, make([]byte, 22050/2*binary.Size(int16(0)))...)
	multimon := exec.CommandContext(ctx, "multimon-ng", "-q", "-a", "DTMF", "-t", "raw", "-")
	multimon.Stdin = bytes.NewReader(wide)
	out, err := multimon.Output()
	if err != nil {
		return "", fmt.Errorf("multimon-ng: %w", err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(out)) {
		if d, ok := strings.CutPrefix(strings.TrimSpace(line), "DTMF: "); ok {
			digits.WriteString(d)
		}
	}
	return digits.String(), nil
}
