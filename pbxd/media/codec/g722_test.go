package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"slices"
	"testing"
)

// readSamples reads 16 bit little endian samples from testdata.
func readSamples(t testing.TB, name string) []int16 {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, len(raw)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return samples
}

func rawSamples(samples []int16) (raw []byte) {
	for _, s := range samples {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(s))
	}
	return raw
}

func sum(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

// noise is the generator of testdata/reference.py.
func noise(n int) []byte {
	raw := make([]byte, n)
	seed := uint32(1)
	for i := range raw {
		seed = seed*1664525 + 1013904223
		raw[i] = byte(seed >> 24)
	}
	return raw
}

// loudness returns noise, each second one bit louder, up to top bits.
func loudness(seconds, top int) []int16 {
	raw := noise(2 * 16000 * seconds)
	s := make([]int16, len(raw)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(raw[2*i:])) >> (15 - i/16000%top)
	}
	return s
}

// The wanted values were made with spandsp by testdata/reference.py.
func TestG722BitExact(t *testing.T) {
	speech := readSamples(t, "speech.s16")
	coded, err := os.ReadFile("testdata/speech.g722")
	if err != nil {
		t.Fatal(err)
	}
	if got := G722.NewEncoder().Encode(nil, speech); !bytes.Equal(got, coded) {
		i := 0
		for i < len(got) && i < len(coded) && got[i] == coded[i] {
			i++
		}
		t.Errorf("speech: %d bytes, want %d; the first difference is at byte %d", len(got), len(coded), i)
	}

	damaged := G722.NewEncoder().Encode(nil, loudness(28, 14))
	for i := 0; i < len(damaged); i += 97 {
		damaged[i] ^= 1 << (i % 8)
	}
	for _, c := range []struct {
		name, got, want string
	}{
		{"speech decoded", sum(rawSamples(G722.NewDecoder().Decode(nil, coded))),
			"97aa2e230d4b732c09e9635d9ad0b8d1d20e625467f920ce7fe7dc48fafa7a1d"},
		{"noise encoded", sum(G722.NewEncoder().Encode(nil, loudness(32, 16))),
			"2a070883dafb4ba2484f967c6974089042044b086f775ff8d499deb4b9c38ed6"},
		{"damaged decoded", sum(rawSamples(G722.NewDecoder().Decode(nil, damaged))),
			"2d52b09e0b62ef08d0984a522af7e6837a59e249e59f18a1bece1d8d31afef7a"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s; want %s", c.name, c.got, c.want)
		}
	}
}

// State carries on across calls, also when a call ends between two samples
// that share a byte.
func TestG722AnyCut(t *testing.T) {
	speech := readSamples(t, "speech.s16")[:3200]
	whole := G722.NewEncoder().Encode(nil, speech)
	enc := G722.NewEncoder()
	var pieces []byte
	for i, n := 0, 1; i < len(speech); i, n = i+n, n%7+1 {
		pieces = enc.Encode(pieces, speech[i:min(i+n, len(speech))])
	}
	if !bytes.Equal(whole, pieces) {
		t.Error("the encoding depends on where the samples are cut")
	}
	all := G722.NewDecoder().Decode(nil, whole)
	dec := G722.NewDecoder()
	var parts []int16
	for _, b := range whole {
		parts = dec.Decode(parts, []byte{b})
	}
	if !slices.Equal(all, parts) {
		t.Error("the decoding depends on where the payload is cut")
	}
}

// signalToNoise returns how far got, delay samples late, stands above its
// difference to want, in dB.
func signalToNoise(want, got []int16, delay int) float64 {
	var s, n float64
	for i := range len(want) - delay {
		d := float64(got[i+delay]) - float64(want[i])
		s += float64(want[i]) * float64(want[i])
		n += d * d
	}
	return 10 * math.Log10(s/n)
}

func TestCodecsSoundLikeTheirInput(t *testing.T) {
	for _, c := range []struct {
		codec Codec
		delay int     // of encoder and decoder, samples
		atDB  float64 // least signal to noise ratio
	}{{PCMA, 0, 37}, {PCMU, 0, 37}, {G722, 22, 27}} {
		in := sines(c.codec.Rate(), c.codec.Rate(), wave{1020, 8000})
		out := c.codec.NewDecoder().Decode(nil, c.codec.NewEncoder().Encode(nil, in))
		if got := signalToNoise(in[800:], out[800:], c.delay); got < c.atDB {
			t.Errorf("%v: a tone of 1020 Hz comes back at %.1f dB; want at least %.1f", c.codec, got, c.atDB)
		} else {
			t.Logf("%v: %.1f dB", c.codec, got)
		}
	}
}

// The output is limited, never wrapped (clause 4.4): a square wave of full
// scale overshoots at its edges and keeps its sign all the same.
func TestG722Limits(t *testing.T) {
	const half, delay = 32, 22 // samples; 250 Hz
	in := make([]int16, 16000)
	for i := range in {
		in[i] = math.MaxInt16
		if i/half%2 == 1 {
			in[i] = math.MinInt16
		}
	}
	out := G722.NewDecoder().Decode(nil, G722.NewEncoder().Encode(nil, in))
	limited := 0
	for i := 1600; i < len(out); i++ {
		if out[i] == math.MaxInt16 || out[i] == math.MinInt16 {
			limited++
		}
		if at := (i - delay) % half; at > 4 && at < half-4 && (out[i] > 0) != (in[i-delay] > 0) {
			t.Fatalf("sample %d is %d where %d went in", i, out[i], in[i-delay])
		}
	}
	if limited == 0 {
		t.Error("nothing reached full scale")
	}
}
