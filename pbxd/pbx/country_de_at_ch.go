package pbx

// germany: the tones are the list's first variants (I), those of digital
// exchanges. 116117 (doctors on call) and 115 (authorities) are no emergency
// numbers. The recall key takes in the short flash of phones for private
// exchanges and the long one of the public network.
func germany() Country {
	return Country{
		Code: "DE", Name: "Germany", LocalName: "Deutschland", Language: "de",
		TimeZones:   []string{"Europe/Berlin"},
		CallingCode: "49", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "Area codes and numbers vary in length. Local calls need no area code from most lines.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"10", "118", "12", "137", "138", "19", "900"}, PremiumShort: []string{"118"}},
		Emergency: []Emergency{
			{"110", "Police", EmergencyRescue},
			{"112", "Fire brigade and ambulance", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			StutterDial:        continuous(425, 400),
			Ringback:           interrupted(425, 1000, 4000),
			Busy:               interrupted(425, 480, 480),
			Congestion:         interrupted(425, 240, 240),
			CallWaiting:        interrupted(425, 200, 200, 200, 5000),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 1000),
		},
		Ringing:  Ringing{25, []int{1000, 4000}},
		CallerID: CallerID{Standard: CallerIDETSI, When: CallerIDBetweenRings},
		Flash:    FlashTime{80, 310},
		Station:  StationLine{ImpedanceZR115},
		Exchange: ExchangeLine{Impedance: ImpedanceZR120, CurrentLimit: true, SlowRelease: true},
		Recording: Recording{RecordingAll,
			"Recording a call without the consent of everybody on it is a criminal offence.", "StGB § 201"},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "BNetzA, number ranges (0)10 carrier selection, (0)12, (0)137, (0)138, (0)19, (0)900, 118xy (premium numbers)", "TKG § 164, Notrufverordnung (emergency numbers)", srcRinging, srcExchange,
			srcCallerID, "Deutsche Telekom 1 TR 110-1 (analogue lines)"},
	}
}

// austria: 420 Hz is the list's value; gateways are also delivered with
// 450 Hz. The regulator
// lists nine emergency numbers, help lines among them.
func austria() Country {
	return Country{
		Code: "AT", Name: "Austria", LocalName: "Österreich", Language: "de",
		TimeZones:   []string{"Europe/Vienna"},
		CallingCode: "43", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "Area codes and numbers vary in length.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"86", "89", "900", "901", "930", "931", "939"}, PremiumShort: []string{"118"}},
		Emergency: []Emergency{
			{"112", "European emergency number", EmergencyRescue},
			{"122", "Fire brigade", EmergencyRescue},
			{"128", "Gas leaks", EmergencyRescue},
			{"133", "Police", EmergencyRescue},
			{"140", "Mountain rescue", EmergencyRescue},
			{"141", "Doctors on call", EmergencySupport},
			{"142", "Telephone counselling", EmergencySupport},
			{"144", "Ambulance", EmergencyRescue},
			{"147", "Help line for children and young people", EmergencySupport},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(420),
			StutterDial:        continuous(380, 420),
			Ringback:           interrupted(420, 1000, 5000),
			Busy:               interrupted(420, 400, 400),
			Congestion:         interrupted(420, 200, 200),
			CallWaiting:        interrupted(420, 40, 1960),
			SpecialInformation: rising(950, 1450, 1850, 330, 0, 1000),
		},
		Ringing:  Ringing{50, []int{1000, 5000}},
		Station:  StationLine{ImpedanceZR115},
		Exchange: ExchangeLine{Impedance: ImpedanceZR120, CurrentLimit: true, SlowRelease: true},
		Recording: Recording{RecordingAll,
			"A secret recording violates the right to one's own word, and passing one on is a criminal offence: ask everybody for consent.", "StGB § 120, ABGB § 16"},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "RTR, Öffentliche Kurzrufnummern für Notrufdienste; KEM-V 2009 §§ 17 to 22", srcRinging, srcExchange},
	}
}

// switzerland: 142 (victim support) joins the support numbers once the
// ordinance that names it is in force.
func switzerland() Country {
	return Country{
		Code: "CH", Name: "Switzerland", LocalName: "Schweiz", Language: "de",
		TimeZones:   []string{"Europe/Zurich"},
		CallingCode: "41", NationalPrefix: "0", InternationalPrefix: "00",
		NumberingNotes: "The area code with its 0 is always dialled, for local calls, too.",
		OutsideLine:    "0",
		Destinations:   Destinations{Premium: []string{"900", "901", "906"}, PremiumShort: []string{"18"}},
		Emergency: []Emergency{
			{"112", "European emergency number", EmergencyRescue},
			{"117", "Police", EmergencyRescue},
			{"118", "Fire brigade", EmergencyRescue},
			{"143", "Telephone counselling", EmergencySupport},
			{"144", "Ambulance", EmergencyRescue},
			{"145", "Poisoning", EmergencySupport},
			{"147", "Help line for children and young people", EmergencySupport},
			{"1414", "Air rescue (Rega)", EmergencyRescue},
		},
		Companding: "alaw", ISDN: "etsi",
		Tones: Tones{
			Dial:               continuous(425),
			StutterDial:        interruptedSum([]int{425, 340}, 1100, 1100),
			Ringback:           interrupted(425, 1000, 4000),
			Busy:               interrupted(425, 500, 500),
			Congestion:         interrupted(425, 200, 200),
			CallWaiting:        interrupted(425, 200, 200, 200, 4000),
			SpecialInformation: rising(950, 1400, 1800, 330, 0, 1000),
		},
		Ringing:  Ringing{25, []int{1000, 4000}},
		Station:  StationLine{ImpedanceTBR21},
		Exchange: etsiExchangeLine(),
		Recording: Recording{RecordingAll,
			"Recording needs the consent of everybody on the call; in business, calls about orders, bookings and reservations are exempt.", "StGB Art. 179ter and 179quinquies"},
		Sources: []string{srcTones2003, srcNumbering, srcPremium, "FDV (SR 784.101.1), emergency services; AOSP emergency number data", srcRinging, srcExchange},
	}
}
