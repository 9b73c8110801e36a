package pbx

func czechia() Country {
	return Country{
		Code: "CZ", Name: "Czechia", LocalName: "Česko", Language: "en",
		TimeZones:   []string{"Europe/Prague"},
		CallingCode: "420", NationalPrefix: "", InternationalPrefix: "00",
		NumberingNotes: "All nine digits are always dialled.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"900", "905", "906", "908", "909", "976"}, PremiumShort: []string{"118"}},
		Emergency: []Emergency{
			{"112", "European emergency number", EmergencyRescue},
			{"150", "Fire brigade", EmergencyRescue},
			{"155", "Ambulance", EmergencyRescue},
			{"156", "Municipal police", EmergencyRescue},
			{"158", "Police", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               interrupted(425, 330, 330, 660, 660),
			Ringback:           interrupted(425, 1000, 4000),
			Busy:               interrupted(425, 330, 330),
			Congestion:         interrupted(425, 165, 165),
			CallWaiting:        interrupted(425, 330, 9000),
			SpecialInformation: rising(950, 1400, 1800, 330, 30, 1000),
		},
		Ringing:  Ringing{25, []int{1000, 4000}},
		Station:  StationLine{Impedance600},
		Exchange: ExchangeLine{Impedance: ImpedanceTBR21, CurrentLimit: true},
		Recording: Recording{RecordingAnnounce,
			"A company must tell the other party before it records a call.", srcGDPRNotice},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "libphonenumber short number metadata (emergency numbers)", srcRinging, srcExchange},
	}
}

// denmark: 114 is the police's number for what is not urgent.
func denmark() Country {
	return Country{
		Code: "DK", Name: "Denmark", LocalName: "Danmark", Language: "en",
		TimeZones:   []string{"Europe/Copenhagen"},
		CallingCode: "45", NationalPrefix: "", InternationalPrefix: "00",
		NumberingNotes: "All eight digits are always dialled.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"90"}, PremiumShort: []string{"118"}},
		Emergency: []Emergency{
			{"112", "Police, fire brigade and ambulance", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			Ringback:           interrupted(425, 1000, 4000),
			Busy:               interrupted(425, 500, 500),
			Congestion:         interrupted(425, 200, 200),
			CallWaiting:        interrupted(425, 200, 600, 200, 3000, 200, 200, 200).times(1),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 1000),
		},
		Ringing:  Ringing{25, []int{1000, 4000}},
		CallerID: CallerID{Standard: CallerIDDTMF, When: CallerIDBeforeRing},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAll,
			"A company needs the consent of the customer before it records a call.", "Datatilsynet, decision of 11 April 2019; " + srcGDPRNotice},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "AOSP emergency number data", srcRinging, srcExchange, srcCallerID},
	}
}

// sweden: the special dial tone is marked as the national standard in the tone
// tables.
func sweden() Country {
	return Country{
		Code: "SE", Name: "Sweden", LocalName: "Sverige", Language: "en",
		TimeZones:   []string{"Europe/Stockholm"},
		CallingCode: "46", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "Area codes and numbers vary in length.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"649", "900", "939", "944", "99"}, PremiumShort: []string{"118", "72"}},
		Emergency: []Emergency{
			{"112", "Police, fire brigade and ambulance", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			StutterDial:        interrupted(425, 320, 20),
			Ringback:           interrupted(425, 1000, 5000),
			Busy:               interrupted(425, 250, 250),
			Congestion:         interrupted(425, 250, 750),
			CallWaiting:        interrupted(425, 200, 500, 200, 9100),
			SpecialInformation: rising(950, 1400, 1800, 332, 24, 2024).times(5),
		},
		Ringing:  Ringing{25, []int{1000, 5000}},
		CallerID: CallerID{Standard: CallerIDDTMF, When: CallerIDBeforeRing},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAnnounce,
			"A party to a call may record it, but a company must tell the other party before.", "Brottsbalken 4:9 a; " + srcGDPRNotice},
		Sources: []string{srcTonesTable, srcNumbering, srcPremium, "AOSP emergency number data", srcRinging, srcExchange, srcCallerID},
	}
}
