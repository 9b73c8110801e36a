package pbx

// france: every number of ARCEP's list of emergency numbers is one here. The
// ITU list gives no congestion tone.
func france() Country {
	return Country{
		Code: "FR", Name: "France", LocalName: "France", Language: "fr",
		TimeZones:   []string{"Europe/Paris"},
		CallingCode: "33", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "All ten digits with the 0 are always dialled. Extensions that begin with 15, 17 or 18 can be confused with emergency numbers while they are dialled.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"81", "82", "89"}, PremiumShort: []string{"118", "32", "33", "34", "35", "36", "37", "38", "39"}},
		Emergency: []Emergency{
			{"15", "Ambulance (SAMU)", EmergencyRescue},
			{"17", "Police and gendarmerie", EmergencyRescue},
			{"18", "Fire brigade", EmergencyRescue},
			{"112", "European emergency number", EmergencyRescue},
			{"114", "Emergency number for deaf and hearing-impaired people", EmergencyRescue},
			{"115", "Social emergency (SAMU social)", EmergencySupport},
			{"116000", "Missing children", EmergencySupport},
			{"116111", "Children in danger (European number)", EmergencySupport},
			{"116117", "Doctors on call", EmergencySupport},
			{"119", "Children in danger", EmergencySupport},
			{"191", "Aeronautical rescue", EmergencyRescue},
			{"196", "Rescue at sea", EmergencyRescue},
			{"197", "Terror and kidnapping alert", EmergencySupport},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(440),
			Ringback:           interrupted(440, 1500, 3500),
			Busy:               interrupted(440, 500, 500),
			CallWaiting:        interrupted(440, 300, 10000),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 0).times(1),
		},
		Ringing:  Ringing{50, []int{1500, 3500}},
		CallerID: CallerID{Standard: CallerIDETSI, When: CallerIDBetweenRings},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAll,
			"Recording private words without the consent of the speaker is a criminal offence; tell every party before.", "Code pénal art. 226-1; " + srcGDPRNotice},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "ARCEP, Liste des numéros d'urgence; décisions 02-1179, 2010-1233, 2016-0172, 2017-1251", srcRinging, srcExchange, srcCallerID},
	}
}

// italy: 1515 and 1530 are public utility numbers by law, but answer for
// fire and for life at sea.
func italy() Country {
	return Country{
		Code: "IT", Name: "Italy", LocalName: "Italia", Language: "it",
		TimeZones:   []string{"Europe/Rome"},
		CallingCode: "39", NationalPrefix: "", InternationalPrefix: "00",
		NumberingNotes: "The 0 that begins a geographic number belongs to it and is dialled from abroad, too.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"0878", "144", "163", "164", "166", "89"}, PremiumShort: []string{"12", "44", "455", "47", "48"}},
		Emergency: []Emergency{
			{"112", "European emergency number", EmergencyRescue},
			{"113", "Police", EmergencyRescue},
			{"114", "Children in danger", EmergencySupport},
			{"115", "Fire brigade", EmergencyRescue},
			{"118", "Ambulance", EmergencyRescue},
			{"1515", "Forest fires", EmergencyRescue},
			{"1530", "Coast guard", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial: interrupted(425, 200, 200, 600, 1000),
			StutterDial: Tone{Bursts: []Burst{
				{Frequencies: []int{470}, On: 400},
				{Frequencies: []int{425}, On: 400},
			}},
			Ringback:           interrupted(425, 1000, 4000),
			Busy:               interrupted(425, 500, 500),
			Congestion:         interrupted(425, 200, 200),
			CallWaiting:        interrupted(425, 400, 100, 250, 100, 150, 14000),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 1000).times(3),
		},
		Ringing:  Ringing{25, []int{1000, 4000}},
		CallerID: CallerID{Standard: CallerIDETSI},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAnnounce,
			"A party to a call may record it, but a company must tell the other party before.", srcGDPRNotice},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "AGCOM deliberation 9/03/CIR and Codice delle comunicazioni elettroniche art. 76 (emergency numbers); ministry's list of emergency and public utility numbers", srcRinging, srcExchange, srcCallerID},
	}
}

// spain: the special information tone is that of E.180 itself. With 0 for an
// outside line, 0 and a Madrid number begin like 091: while digits still come
// in, an emergency number that can be continued is not complete.
func spain() Country {
	return Country{
		Code: "ES", Name: "Spain", LocalName: "España", Language: "es",
		TimeZones:   []string{"Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"},
		CallingCode: "34", NationalPrefix: "", InternationalPrefix: "00",
		NumberingNotes: "All nine digits are always dialled. With 0 for an outside line, calls to numbers that begin with 61, 62, 80, 85, 88, 91 and 92 begin like emergency numbers: analogue phones then wait for the next digit.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"803", "806", "807", "905", "907"}, PremiumShort: []string{"118"}},
		Emergency: []Emergency{
			{"112", "European emergency number", EmergencyRescue},
			{"061", "Ambulance", EmergencyRescue},
			{"062", "Guardia Civil", EmergencyRescue},
			{"080", "Fire brigade (municipal)", EmergencyRescue},
			{"085", "Fire brigade (regional)", EmergencyRescue},
			{"088", "Police (regional)", EmergencyRescue},
			{"091", "National police", EmergencyRescue},
			{"092", "Local police", EmergencyRescue},
			{"1006", "Civil protection", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			Ringback:           interrupted(425, 1500, 3000),
			Busy:               interrupted(425, 200, 200),
			Congestion:         interrupted(425, 200, 200, 200, 200, 200, 600),
			CallWaiting:        interrupted(425, 175, 175, 175, 3500),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 1000),
		},
		Ringing:  Ringing{25, []int{1500, 3000}},
		CallerID: CallerID{Standard: CallerIDETSI},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAnnounce,
			"A party to a call may record it, but a company must tell the other party before.", "Tribunal Constitucional 114/1984; " + srcGDPRNotice},
		Sources: []string{srcTonesTable, srcTonesE180, srcNumbering, srcPremium, "Plan Nacional de Numeración Telefónica, short numbers; AOSP emergency number data", srcRinging, srcExchange, srcCallerID},
	}
}
