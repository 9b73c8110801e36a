package pbx

// Ringing is the ringing current of analogue phones for a call from outside.
type Ringing struct {
	Frequency int   `json:"frequency" title:"Frequency" unit:"Hz" doc:"Frequency of the ringing current" minimum:"15" maximum:"60"`
	Cadence   []int `json:"cadence" title:"Cadence" unit:"ms" doc:"Ring, pause, ring, pause and so on, then again from the start" minItems:"2" maxItems:"8"`
}

// Values of CallerID.Standard.
const (
	CallerIDETSI     = "etsi-fsk" // ETSI EN 300 659-1, V.23 FSK
	CallerIDBT       = "bt-fsk"   // BT SIN 227, V.23 FSK
	CallerIDBellcore = "bell-fsk" // Telcordia GR-30, Bell 202 FSK
	CallerIDDTMF     = "dtmf"     // ETSI EN 300 659-1 annex B
)

// Values of CallerID.When.
const (
	CallerIDBeforeRing   = "before-ring"
	CallerIDBetweenRings = "between-rings"
)

// CallerID is how an analogue phone is told the caller's number.
type CallerID struct {
	Standard string `json:"standard" title:"Standard" doc:"Signalling of the number; empty: not known, ETSI FSK is tried" enum:",etsi-fsk,bt-fsk,bell-fsk,dtmf"`
	When     string `json:"when" title:"When" doc:"Before the first ring, or between the first and the second; empty: not known, between the rings is tried" enum:",before-ring,between-rings"`
	Alert    string `json:"alert" title:"Alert" doc:"What announces data before the first ring: reversal of the polarity, the dual tone 2130 and 2750 Hz (DT-AS), or both; empty: nothing, or not known" enum:",reversal,dt-as,reversal+dt-as"`
}

// FlashTime bounds the interruption of the loop that counts as the recall
// key. A shorter one is a dialling pulse or a disturbance, a longer one hangs
// up. Both are 0 when not known.
type FlashTime struct {
	Min int `json:"min" title:"Shortest" unit:"ms" doc:"Shortest interruption; 0: not known" minimum:"0" maximum:"1500"`
	Max int `json:"max" title:"Longest" unit:"ms" doc:"Longest interruption; 0: not known" minimum:"0" maximum:"1500"`
}

// Terminating impedances: a resistor, or a resistor in series with a resistor
// and a capacitor in parallel. The names are those of the data sheets of line
// chips (Si3210 register 10, Si3050 register 30).
const (
	Impedance600    = "600"           // FCC part 68 and default
	ImpedanceTBR21  = "270+750||150n" // ETSI TBR 21, ES 201 970, ES 203 021
	ImpedanceZR115  = "220+820||115n" // German reference impedance ZR
	ImpedanceZR120  = "220+820||120n" // the nearest that exchange line chips have to ZR
	ImpedanceBT     = "320+1050||230n"
	ImpedanceBTLine = "370+620||310n" // BT's network side
)

// StationLine holds the electrical parameters of a port for an analogue
// phone (FXS).
type StationLine struct {
	Impedance string `json:"impedance" title:"Impedance" doc:"Terminating impedance, in ohm and nF" enum:"600,270+750||150n,220+820||115n,220+820||120n,320+1050||230n,370+620||310n"`
}

// ExchangeLine holds the electrical parameters of a port for an outside line
// (FXO).
type ExchangeLine struct {
	Impedance       string `json:"impedance" title:"Impedance" doc:"Terminating impedance, in ohm and nF" enum:"600,270+750||150n,220+820||115n,220+820||120n,320+1050||230n,370+620||310n"`
	CurrentLimit    bool   `json:"currentLimit" title:"Limit loop current" doc:"The loop current is limited to the 60 mA of TBR 21"`
	HighRingVoltage bool   `json:"highRingVoltage" title:"High ring threshold" doc:"Ringing counts above 19 to 24 V instead of 13 to 17 V"`
	RingerImpedance bool   `json:"ringerImpedance" title:"Ringer impedance" doc:"The impedance of a bell is imitated"`
	SlowRelease     bool   `json:"slowRelease" title:"Slow release" doc:"The loop opens over 3 ms, as ETSI asks, instead of at once"`
}

// etsiExchangeLine returns the parameters that most of Europe shares
// (TBR 21 and ES 203 021).
func etsiExchangeLine() ExchangeLine {
	return ExchangeLine{Impedance: ImpedanceTBR21, CurrentLimit: true, SlowRelease: true}
}
