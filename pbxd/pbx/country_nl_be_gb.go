package pbx

func netherlands() Country {
	return Country{
		Code: "NL", Name: "Netherlands", LocalName: "Nederland", Language: "nl",
		TimeZones:   []string{"Europe/Amsterdam"},
		CallingCode: "31", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "Numbers have ten digits with the 0.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"900", "906", "909"}, PremiumShort: []string{"18"}},
		Emergency: []Emergency{
			{"112", "Police, fire brigade and ambulance", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			StutterDial:        interrupted(425, 500, 50),
			Ringback:           interrupted(425, 1000, 4000),
			Busy:               interrupted(425, 500, 500),
			Congestion:         interrupted(425, 250, 250),
			CallWaiting:        interrupted(425, 500, 9500),
			SpecialInformation: rising(950, 1400, 1800, 333, 0, 1000),
		},
		Ringing:  Ringing{25, []int{1000, 4000}},
		CallerID: CallerID{Standard: CallerIDDTMF, When: CallerIDBeforeRing},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAnnounce,
			"A party to a call may record it, but a company must tell the other party before.", "Wetboek van Strafrecht art. 139a and 139c; " + srcGDPRNotice},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "AOSP emergency number data", srcRinging, srcExchange, srcCallerID},
	}
}

// belgium: 101 is the police, a number that many systems elsewhere give to
// their first extension. For caller ID, tables of gateways say DTMF; the
// specification of Proximus is that of FSK (EN 300 659), and wins.
func belgium() Country {
	return Country{
		Code: "BE", Name: "Belgium", LocalName: "België, Belgique, Belgien", Language: "nl",
		TimeZones:   []string{"Europe/Brussels"},
		CallingCode: "32", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "The area code with its 0 is always dialled, for local calls, too. 100 and 101 are emergency numbers: begin extensions with another number.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"702", "703", "704", "706", "707", "90"}, PremiumShort: []string{"1204", "121", "1234", "130", "131", "1404", "141"}},
		Emergency: []Emergency{
			{"100", "Fire brigade and ambulance", EmergencyRescue},
			{"101", "Police", EmergencyRescue},
			{"112", "European emergency number", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			StutterDial:        interrupted(425, 1000, 250),
			Ringback:           interrupted(425, 1000, 3000),
			Busy:               interrupted(425, 500, 500),
			Congestion:         interrupted(425, 167, 167),
			CallWaiting:        interrupted(1400, 175, 175, 175, 3500),
			SpecialInformation: rising(900, 1400, 1800, 330, 0, 1000),
		},
		Ringing:  Ringing{25, []int{1000, 3000}},
		CallerID: CallerID{Standard: CallerIDETSI},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAnnounce,
			"A business call may be recorded as evidence when all parties are told before of the recording, its purpose and how long it is kept.", "Act of 13 June 2005 on electronic communications art. 128; " + srcGDPRNotice},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "BIPT, Numéros et services d'urgence; act of 13 June 2005 art. 107", srcRinging, srcExchange, "Proximus user network interface specification, subscriber line protocol for display (caller ID)"},
	}
}

// unitedKingdom: tones of BT SIN 350, with which the ITU list agrees. 101,
// 105 and 111 are no emergency numbers.
func unitedKingdom() Country {
	return Country{
		Code: "GB", Name: "United Kingdom", LocalName: "United Kingdom", Language: "en",
		TimeZones:   []string{"Europe/London"},
		CallingCode: "44", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "Local calls need no area code in most areas.",
		OutsideLine:    "9",
		Destinations:   Destinations{Premium: []string{"70", "871", "872", "873", "90", "91", "98"}, PremiumShort: []string{"118"}},
		Emergency: []Emergency{
			{"999", "Police, fire brigade, ambulance and coastguard", EmergencyRescue},
			{"112", "European emergency number, answered as 999", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial: continuous(350, 440),
			StutterDial: Tone{Bursts: []Burst{
				{Frequencies: []int{350, 440}, On: 750},
				{Frequencies: []int{440}, On: 750},
			}},
			Ringback:           interruptedSum([]int{400, 450}, 400, 200, 400, 2000),
			Busy:               interrupted(400, 375, 375),
			Congestion:         interrupted(400, 400, 350, 225, 525),
			CallWaiting:        interrupted(400, 100, 4000),
			SpecialInformation: rising(950, 1400, 1800, 330, 15, 1000),
			Confirmation:       continuous(1400),
		},
		Ringing:  Ringing{25, []int{400, 200, 400, 2000}},
		CallerID: CallerID{Standard: CallerIDBT, When: CallerIDBeforeRing, Alert: "reversal+dt-as"},
		Station:  StationLine{ImpedanceBTLine},
		Exchange: ExchangeLine{Impedance: ImpedanceBT, CurrentLimit: true, SlowRelease: true},
		Recording: Recording{RecordingAnnounce,
			"A business may record its calls when it has made all reasonable efforts to tell everybody on them.", "Investigatory Powers (Interception by Businesses etc. for Monitoring and Record-keeping Purposes) Regulations 2018; UK GDPR Art. 13"},
		Sources: []string{"BT SIN 350 (tones)", srcTones2003, srcNumbering, srcPremium, "Ofcom General Conditions A3 (999 and 112)", srcRinging, srcExchange, "BT SIN 227 and 242 (caller ID)"},
	}
}
