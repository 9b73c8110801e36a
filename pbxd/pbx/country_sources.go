package pbx

// Sources that several profiles share. Where sources differ on a tone, the
// ITU list wins; the profile says so. What the tables that transcribe the list
// mark as not in it is left out here.
const (
	srcTones2003  = "ITU-T E.180 (03/1998), list \"Various tones used in national networks\", annex to ITU Operational Bulletin 781 (1 February 2003), as transcribed in the tone tables of Asterisk and DAHDI"
	srcTonesTable = "Tone tables of Asterisk and DAHDI, which name no source for this country"
	srcTonesE180  = "ITU-T E.180/Q.35 (03/1998), sections 2 and 6: level and special information tone"
	srcNumbering  = "ITU-T E.164 national numbering plan; libphonenumber metadata"
	srcPremium    = "libphonenumber metadata: premium rate, personal and short numbers (premium numbers)"
	srcRinging    = "Microsemi VE890 country profiles, release 2.8 (ring frequency, impedance of FXS)"
	srcExchange   = "Skyworks Si3050 and Si3019 data sheet, country settings (FXO); ETSI TBR 21, ES 203 021"
	srcCallerID   = "Cisco IOS command reference, cptone: caller ID standards by country; ETSI EN 300 659-1"
	srcGDPRNotice = "Regulation (EU) 2016/679 (GDPR) Art. 6 and 13"
)
