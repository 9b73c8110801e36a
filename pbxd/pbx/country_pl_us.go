package pbx

// poland: every number that the regulator's tables route as an emergency
// number (numer alarmowy) is one here, information lines among them.
func poland() Country {
	return Country{
		Code: "PL", Name: "Poland", LocalName: "Polska", Language: "pl",
		TimeZones:   []string{"Europe/Warsaw"},
		CallingCode: "48", NationalPrefix: "", InternationalPrefix: "00",
		NumberingNotes: "All nine digits are always dialled.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"700", "701", "703", "704", "706", "707", "708"}, PremiumShort: []string{"118"}},
		Emergency: []Emergency{
			{"112", "European emergency number", EmergencyRescue},
			{"984", "Rescue on rivers", EmergencyRescue},
			{"985", "Rescue at sea and in the mountains", EmergencyRescue},
			{"986", "Municipal police", EmergencyRescue},
			{"987", "Crisis management of the region", EmergencySupport},
			{"989", "Health insurance information", EmergencySupport},
			{"991", "Power failures", EmergencySupport},
			{"992", "Gas leaks", EmergencyRescue},
			{"993", "Heating failures", EmergencySupport},
			{"994", "Water failures", EmergencySupport},
			{"995", "Missing children (Child Alert)", EmergencySupport},
			{"996", "Anti-terrorism centre", EmergencySupport},
			{"997", "Police", EmergencyRescue},
			{"998", "Fire brigade", EmergencyRescue},
			{"999", "Ambulance", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			Ringback:           interrupted(425, 1000, 4000),
			Busy:               interrupted(425, 500, 500),
			Congestion:         interrupted(425, 500, 500),
			CallWaiting:        interrupted(425, 150, 150, 150, 4000),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 1000).times(3),
		},
		Ringing:  Ringing{25, []int{1000, 4000}},
		Station:  StationLine{Impedance600},
		Exchange: ExchangeLine{Impedance: Impedance600, HighRingVoltage: true, RingerImpedance: true},
		Recording: Recording{RecordingAnnounce,
			"A party to a call may record it, but a company must tell the other party before.", "Kodeks karny art. 267; " + srcGDPRNotice},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "UKE, Tablice Numerów Kierowania Alarmowego (112, 984 to 987, 989, 991 to 999); regulation on the national numbering plan, Dz.U. 2013 poz. 1281", srcRinging, srcExchange},
	}
}

// unitedStates: levels and the tones that the ITU list does not have are
// those of the Precise Tone Plan (Telcordia GR-506). For the congestion
// (reorder) tone the list says 300 ms on and 200 ms off, GR-506 250 ms each:
// the list is followed. 988, the suicide and crisis lifeline, is no emergency
// number in the sense of 911, but every provider must connect it, and people
// dial it without a digit for an outside line: it counts as support. 112 is
// answered in mobile networks only.
func unitedStates() Country {
	return Country{
		Code: "US", Name: "United States", LocalName: "United States", Language: "en",
		TimeZones: []string{"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
			"America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"},
		CallingCode: "1", NationalPrefix: "1", InternationalPrefix: "011",
		NumberingNotes: "Ten digits with area code, 1 before them for long distance. Federal law (Kari's Law) wants 911 to work without a digit for an outside line, and somebody on site to be notified.",
		OutsideLine:    "9",
		Destinations:   Destinations{Premium: []string{"900"}, PremiumShort: []string{"411"}, Elsewhere: northAmerica()},
		Emergency: []Emergency{
			{"911", "Police, fire brigade and ambulance", EmergencyRescue},
			{"988", "Suicide and crisis lifeline", EmergencySupport},
		},
		Companding: "ulaw", ISDN: "",
		Tones: Tones{
			Dial:               continuous(350, 440).level(-13),
			StutterDial:        interruptedSum([]int{350, 440}, 100, 100).times(10).thenContinuous().level(-13),
			Ringback:           interruptedSum([]int{440, 480}, 2000, 4000).level(-19),
			Busy:               interruptedSum([]int{480, 620}, 500, 500).level(-24),
			Congestion:         interruptedSum([]int{480, 620}, 300, 200).level(-24),
			CallWaiting:        interrupted(440, 300, 10000).times(2).level(-13),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 0).times(1),
			Confirmation:       interruptedSum([]int{350, 440}, 100, 100).times(3).level(-13),
		},
		Ringing:  Ringing{20, []int{2000, 4000}},
		CallerID: CallerID{Standard: CallerIDBellcore, When: CallerIDBetweenRings},
		Flash:    FlashTime{300, 1000},
		Station:  StationLine{Impedance600},
		Exchange: ExchangeLine{Impedance: Impedance600, HighRingVoltage: true},
		Recording: Recording{RecordingAnnounce,
			"Federal law asks for the consent of one party, several states, among them California, for that of all: announce every recording.", "18 U.S.C. § 2511(2)(d); California Penal Code § 632"},
		Sources: []string{srcTones2003, "Telcordia GR-506 (Precise Tone Plan)", srcNumbering, srcPremium, "47 U.S.C. §§ 251(e)(3) and 623 (911, Kari's Law); 47 CFR § 52.200 (988)", srcRinging, srcExchange, "Telcordia GR-30 (caller ID)", "Wikipedia, Hook flash (recall key)"},
	}
}
