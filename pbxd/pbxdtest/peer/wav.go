package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"time"
)

// SampleRate is the rate of every recording and tone, in Hz.
const SampleRate = 8000

// maxWAV bounds what ReadWAV takes into memory: an hour of 16-bit samples.
const maxWAV = 2 * SampleRate * 3600

// Sine returns d of a sine of freq Hz; amplitude is 0 to 1 of full scale.
func Sine(freq, amplitude float64, d time.Duration) []int16 {
	samples := make([]int16, int(d*SampleRate/time.Second))
	for i := range samples {
		samples[i] = int16(math.Round(amplitude * math.MaxInt16 * math.Sin(2*math.Pi*freq*float64(i)/SampleRate)))
	}
	return samples
}

// WriteWAV writes a file of 16-bit mono samples at 8 kHz.
func WriteWAV(path string, samples []int16) error { return writeWAV(path, samples, SampleRate) }

func writeWAV(path string, samples []int16, rate int) error {
	var b bytes.Buffer
	size := uint32(2 * len(samples))
	b.WriteString("RIFF")
	put(&b, 36+size)
	b.WriteString("WAVEfmt ")
	put(&b, uint32(16))
	put(&b, uint16(1)) // PCM
	put(&b, uint16(1)) // channels
	put(&b, uint32(rate))
	put(&b, uint32(2*rate)) // bytes a second
	put(&b, uint16(2))      // bytes a frame
	put(&b, uint16(16))     // bits a sample
	b.WriteString("data")
	put(&b, size)
	put(&b, samples)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write tone: %w", err)
	}
	return nil
}

func put(b *bytes.Buffer, v any) {
	binary.Write(b, binary.LittleEndian, v) // a bytes.Buffer never fails, and v has a fixed size
}

// ReadWAV reads a file of 16-bit mono PCM at 8 kHz, at most an hour. A file
// whose writer died, so that its sizes are still zero, is read to its end.
func ReadWAV(path string) ([]int16, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	if info.Size() > maxWAV {
		return nil, fmt.Errorf("read recording %s: %d bytes; at most %d are read", path, info.Size(), maxWAV)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	samples, rate, err := parseWAV(b)
	if err == nil && rate != SampleRate {
		err = fmt.Errorf("rate %d Hz, want %d", rate, SampleRate)
	}
	if err != nil {
		return nil, fmt.Errorf("read recording %s: %w", path, err)
	}
	return samples, nil
}

func parseWAV(b []byte) (samples []int16, rate int, err error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, fmt.Errorf("%d bytes without a RIFF WAVE header", len(b))
	}
	for rest := b[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		whole := min(size, int64(len(rest)))
		switch id {
		case "fmt ":
			if whole < 16 {
				return nil, 0, fmt.Errorf("format chunk of %d bytes", whole)
			}
			format, channels := binary.LittleEndian.Uint16(rest), binary.LittleEndian.Uint16(rest[2:])
			hz, bits := binary.LittleEndian.Uint32(rest[4:]), binary.LittleEndian.Uint16(rest[14:])
			if (format != 1 && format != 0xfffe) || channels != 1 || hz != SampleRate && hz != 2*SampleRate || bits != 16 {
				return nil, 0, fmt.Errorf("format %d, %d channels, %d Hz, %d bits; want PCM, 1, %d Hz or twice that, 16", format, channels, hz, bits, SampleRate)
			}
			rate = int(hz)
		case "data":
			if rate == 0 {
				return nil, 0, fmt.Errorf("data before the format")
			}
			if size == 0 {
				whole = int64(len(rest))
			}
			samples = make([]int16, whole/2)
			for i := range samples {
				samples[i] = int16(binary.LittleEndian.Uint16(rest[2*i:]))
			}
			return samples, rate, nil
		}
		rest = rest[min(size+size&1, int64(len(rest))):]
	}
	return nil, 0, fmt.Errorf("%d bytes without a data chunk", len(b))
}
