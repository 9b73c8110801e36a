package peer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Hears waits until half a second that baresip has recorded after the call of
// Hears, in any of its calls, is the tone.
func (b *Baresip) Hears(ctx context.Context, freq float64) (Sound, error) {
	return b.awaitSound(ctx, fmt.Sprintf("%.0f Hz", freq), freq, func(s Sound) bool { return s.Share > 0.97 && s.Level > quietLevel })
}

// HearsSilence waits until half a second that it has recorded after the call,
// so that packets have come, is silence.
func (b *Baresip) HearsSilence(ctx context.Context) (Sound, error) {
	return b.awaitSound(ctx, "silence", 0, func(s Sound) bool { return s.Level < quietLevel })
}

func (b *Baresip) awaitSound(ctx context.Context, what string, freq float64, is func(Sound) bool) (found Sound, err error) {
	ctx, cancel := context.WithTimeout(ctx, audioTime)
	defer cancel()
	tried := map[string]int{} // samples of each recording that are too old or were measured
	for first := true; ; first = false {
		files, err := b.Recordings()
		if err != nil {
			return found, err
		}
		for _, file := range files {
			samples, rate, err := b.recorded(file)
			if err != nil {
				return found, err
			}
			if first {
				tried[file] = len(samples)
				continue
			}
			for step := rate / 10; tried[file]+rate/2 <= len(samples); tried[file] += step {
				half := samples[tried[file] : tried[file]+rate/2]
				found = Sound{Level: Level(half), Share: ToneShare(half, freq*SampleRate/float64(rate))}
				if is(found) {
					return found, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return found, fmt.Errorf("baresip %s waited in vain for %s, heard last %.1f dB with share %.3f: %w%s", b.opts.User, what, found.Level, found.Share, context.Cause(ctx), b.tail())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// recorded returns what is in a recording so far; nothing when baresip has yet
// to write its head.
func (b *Baresip) recorded(file string) ([]int16, int, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) < 64 {
		return nil, SampleRate, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("baresip %s: read recording: %w", b.opts.User, err)
	}
	samples, rate, err := parseWAV(text)
	if err != nil {
		return nil, 0, fmt.Errorf("baresip %s: recording %s: %w", b.opts.User, file, err)
	}
	return samples, rate, nil
}
