package pbx

// Tones are the tones of ITU-T E.180 and E.182 as the networks of a country
// send them.
type Tones struct {
	Dial               Tone `json:"dial" title:"Dial tone" doc:"Dial now"`
	SecondaryDial      Tone `json:"secondaryDial" title:"Second dial tone" doc:"Dial now, after the digit for an outside line; empty: as dial tone"`
	StutterDial        Tone `json:"stutterDial" title:"Special dial tone" doc:"Dial now, and a service is active or a message waits; empty: as dial tone"`
	Ringback           Tone `json:"ringback" title:"Ringing tone" doc:"The other phone rings"`
	Busy               Tone `json:"busy" title:"Busy tone" doc:"The other party is busy"`
	Congestion         Tone `json:"congestion" title:"Congestion tone" doc:"The call cannot be connected; empty: as busy tone"`
	CallWaiting        Tone `json:"callWaiting" title:"Call waiting tone" doc:"During a call: another call waits; empty: none"`
	SpecialInformation Tone `json:"specialInformation" title:"Special information tone" doc:"An announcement follows that explains why the call failed"`
	Confirmation       Tone `json:"confirmation" title:"Confirmation tone" doc:"A function code was accepted; empty: none"`
}

// Tone is a pattern of bursts. The zero Tone is one that is not known.
type Tone struct {
	Bursts         []Burst `json:"bursts" title:"Bursts" doc:"Played one after the other, then again from the first" maxItems:"8"`
	Repeat         int     `json:"repeat,omitempty" title:"Times" doc:"How often the bursts are played; 0: until the tone is stopped"`
	ThenContinuous bool    `json:"thenContinuous,omitempty" title:"Then continuous" doc:"After the last repetition the frequencies of the first burst sound until the tone is stopped"`
	LevelDBm0      int     `json:"levelDbm0,omitempty" title:"Level" unit:"dBm0" doc:"Level of each frequency; 0: not known, then the whole tone has the -10 dBm0 of ITU-T E.180"`
}

// Burst is a sound and the silence after it.
type Burst struct {
	Frequencies []int `json:"frequencies" title:"Frequencies" unit:"Hz" doc:"Frequencies that sound together" minItems:"1" maxItems:"3"`
	On          int   `json:"on" title:"On" unit:"ms" doc:"Duration of the sound; 0: until the tone is stopped"`
	Off         int   `json:"off" title:"Off" unit:"ms" doc:"Silence after the sound"`
}

// Known reports whether the tone is known.
func (t Tone) Known() bool { return len(t.Bursts) > 0 }

// Period returns how long the bursts take once, in ms; 0 for a continuous
// tone.
func (t Tone) Period() (ms int) {
	for _, b := range t.Bursts {
		ms += b.On + b.Off
	}
	return ms
}

// continuous returns a tone without interruption.
func continuous(frequencies ...int) Tone {
	return Tone{Bursts: []Burst{{Frequencies: frequencies}}}
}

// interrupted returns a tone of one frequency with a cadence: on, off, on,
// off and so on, in ms.
func interrupted(frequency int, cadence ...int) Tone {
	return interruptedSum([]int{frequency}, cadence...)
}

// interruptedSum is interrupted with frequencies that sound together. An odd
// cadence ends without silence.
func interruptedSum(frequencies []int, cadence ...int) Tone {
	var t Tone
	for i := 0; i < len(cadence); i += 2 {
		b := Burst{Frequencies: frequencies, On: cadence[i]}
		if i+1 < len(cadence) {
			b.Off = cadence[i+1]
		}
		t.Bursts = append(t.Bursts, b)
	}
	return t
}

// rising returns a special information tone: three frequencies after one
// another, each on for the given time, with the gap between them and the
// silence at the end, all in ms (ITU-T E.180 section 6: 950, 1400 and
// 1800 Hz, 330 ms each, 1000 ms of silence).
func rising(f1, f2, f3, on, gap, silence int) Tone {
	return Tone{Bursts: []Burst{
		{Frequencies: []int{f1}, On: on, Off: gap},
		{Frequencies: []int{f2}, On: on, Off: gap},
		{Frequencies: []int{f3}, On: on, Off: silence},
	}}
}

// times returns t played n times.
func (t Tone) times(n int) Tone {
	t.Repeat = n
	return t
}

// thenContinuous returns t going on without interruption after its
// repetitions.
func (t Tone) thenContinuous() Tone {
	t.ThenContinuous = true
	return t
}

// level returns t with each frequency at that level in dBm0.
func (t Tone) level(dBm0 int) Tone {
	t.LevelDBm0 = dBm0
	return t
}
