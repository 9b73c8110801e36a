package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// program returns a command that a Debian package of the same name holds, and
// skips the test where it is not installed.
func program(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: scripts/need %s", name, name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.WaitDelay = time.Second
	return cmd
}

// output runs cmd on input.
func output(t *testing.T, cmd *exec.Cmd, input []byte) []byte {
	t.Helper()
	var errors bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", cmd, err, errors.String())
	}
	return out
}

// samplesOf reads 16 bit samples of this machine's order.
func samplesOf(raw []byte) []int16 {
	samples := make([]int16, len(raw)/2)
	for i := range samples {
		samples[i] = int16(binary.NativeEndian.Uint16(raw[2*i:]))
	}
	return samples
}

// An independent receiver hears what the generator sends.
func TestDTMFHeardByMultimon(t *testing.T) {
	const digits = Keys + "5500##**ABCD"
	for name, s := range map[string]signal{
		"as phones send": {low: -9, high: -7, on: 100, pause: 100},
		"shorter":        {low: -12, high: -10, on: 70, pause: 70},
	} {
		raw := rawSamples(s.play(t, 8000, digits, 1))
		wide := output(t, program(t, "sox", "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", "-",
			"-t", "raw", "-r", "22050", "-"), raw)
		var heard strings.Builder
		for line := range strings.Lines(string(output(t, program(t, "multimon-ng", "-q", "-a", "DTMF", "-t", "raw", "-"), wide))) {
			if digit, ok := strings.CutPrefix(strings.TrimSpace(line), "DTMF: "); ok {
				heard.WriteString(digit)
			}
		}
		if heard.String() != digits {
			t.Errorf("%s: multimon-ng heard %s; want %s", name, heard.String(), digits)
		}
	}
}

// The detector hears what an independent generator sends.
func TestDTMFSentBySox(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		var all []int16
		for k := range len(Keys) {
			all = append(all, samplesOf(output(t, program(t, "sox", "-r", fmt.Sprint(rate), "-n", "-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-",
				"synth", "0.05", "sine", fmt.Sprint(rowHz(k/4)), "sine", fmt.Sprint(columnHz(k%4)), "remix", "1,2", "gain", "-10", "pad", "0", "0.05"), nil))...)
		}
		if got, _ := hear(rate, append(all, make([]int16, rate/10)...)); got != Keys {
			t.Errorf("%d Hz: heard %s; want %s", rate, got, Keys)
		}
	}
}

// speakers are voices of espeak-ng that differ in language, pitch and sound.
func speakers() []string {
	var all []string
	for _, voice := range []string{"", "+f1", "+f2", "+f4", "+f5", "+m2", "+m3", "+m5", "+m7", "+croak", "+whisper", "+klatt2"} {
		for _, language := range []string{"en-us", "de", "fr-fr", "it", "es", "nl", "pl", "en-gb"} {
			all = append(all, language+voice)
		}
	}
	return all
}

// TestDTMFTalkOff lets synthetic speakers talk, every second one in the band of a
// telephone, at two levels and counts what they say in digits: at most one in an hour. GALILEI_LONG makes it two hours
// of speech, otherwise it is a few minutes, with none.
func TestDTMFTalkOff(t *testing.T) {
	const text = `Good morning, you have reached the switchboard. Please hold the line, I am putting you through to the
		accounts department now. Our meeting is on Wednesday the twenty-third at a quarter past eleven. Could you spell
		your surname for me? Alpha, bravo, charlie, delta, echo, foxtrot, golf, hotel, india, juliet, kilo, lima, mike,
		november, oscar, papa, quebec, romeo, sierra, tango, uniform, victor, whiskey, x-ray, yankee, zulu. One, two,
		three, four, five, six, seven, eight, nine, zero. Seventeen thousand three hundred and ninety-five. We moved a
		week ago, you know, who knew; our two new rooms are blue. Oh no, the loan is overdue! Aah. Hello? Yes, yes, really.`
	want := 2 * 3600 * time.Second
	allowed := 2
	if os.Getenv("GALILEI_LONG") == "" {
		want, allowed = 4*time.Minute, 0
	}
	var spoken time.Duration
	var said string
	all := speakers()
	for i := 0; spoken < want; i++ {
		voice := all[i*5%len(all)] // 5 and the number of voices have no common factor
		speech := output(t, program(t, "espeak-ng", "-v", voice, "-p", fmt.Sprint(20+i*17%70), "-s", fmt.Sprint(120+i*13%100), "--stdout", text), nil)
		format := []string{"-t", "wav", "-", "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", "-"}
		if i%2 == 1 { // as an old telephone passes it, without what tells speech from digits best
			format = append(format, "sinc", "300-3400")
		}
		raw := output(t, program(t, "sox", append(format, "gain", "-n", "-3")...), speech)
		for _, dB := range []float64{0, -12} {
			samples := samplesOf(raw)
			gain, err := GainDB(dB)
			if err != nil {
				t.Fatal(err)
			}
			gain.Apply(samples)
			digits, _ := hear(8000, PCMA.NewDecoder().Decode(nil, PCMA.NewEncoder().Encode(nil, samples)))
			if digits != "" {
				t.Logf("%s, run %d, %g dB: %s", voice, i, dB, digits)
			}
			said += digits
			spoken += time.Duration(len(samples)) * time.Second / 8000
		}
	}
	t.Logf("%d digits in %v of speech", len(said), spoken.Round(time.Second))
	if len(said) > allowed {
		t.Errorf("heard %s in %v of speech; want at most %d digits", said, spoken.Round(time.Second), allowed)
	}
}
