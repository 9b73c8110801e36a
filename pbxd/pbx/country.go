package pbx

import (
	"reflect"
	"slices"
	"sort"
	"strings"
)

// Country is what the device takes from the country in which it stands:
// numbering, emergency numbers, tones, analogue line parameters and the rule
// for recording calls. Profiles are data with sources; a field that is empty
// has none, and its documentation says what then holds.
type Country struct {
	Code                string       `json:"code" title:"Code" doc:"ISO 3166-1 alpha-2 code" minLength:"2" maxLength:"2" pattern:"^[A-Z]{2}$" patternDescription:"the two capital letters of a country (ISO 3166-1)"`
	Name                string       `json:"name" title:"Country" doc:"English name"`
	LocalName           string       `json:"localName" title:"Own name" doc:"Name in the language of the country"`
	Language            string       `json:"language" title:"Language" doc:"Suggested language of announcements and of the page" enum:"en,de,fr,it,es,nl,pl"`
	TimeZones           []string     `json:"timeZones" title:"Time zones" doc:"IANA time zones of the country, the suggested one first" minItems:"1"`
	CallingCode         string       `json:"callingCode" title:"Country code" doc:"ITU-T E.164 country code without prefix, for example 49" pattern:"^[1-9][0-9]{0,2}$" patternDescription:"digits"`
	NationalPrefix      string       `json:"nationalPrefix" title:"National prefix" doc:"Digits before a national number that are not part of it; empty where there are none" pattern:"^[0-9]*$" patternDescription:"digits"`
	InternationalPrefix string       `json:"internationalPrefix" title:"International prefix" doc:"Digits before a country code" pattern:"^[0-9]+$" patternDescription:"digits"`
	NumberingNotes      string       `json:"numberingNotes" title:"Numbering" doc:"What an administrator should know about numbers in this country"`
	OutsideLine         string       `json:"outsideLine" title:"Outside line" doc:"Suggested digit for an outside line" pattern:"^[0-9]$" patternDescription:"digits"`
	Destinations        Destinations `json:"destinations" title:"Expensive numbers" doc:"Which numbers count as premium numbers or as those of other countries"`
	Emergency           []Emergency  `json:"emergency" title:"Emergency numbers" doc:"Numbers that every phone may always call and that no extension may take" minItems:"1"`
	Companding          string       `json:"companding" title:"Companding" doc:"ITU-T G.711 law of the public network" enum:"alaw,ulaw"`
	ISDN                string       `json:"isdn" title:"ISDN protocol" doc:"Layer 3 protocol of the public ISDN; empty where this device has none that fits" enum:",etsi"`
	Tones               Tones        `json:"tones" title:"Tones" doc:"Tones that a caller hears"`
	Ringing             Ringing      `json:"ringing" title:"Ringing" doc:"Ringing of analogue phones"`
	CallerID            CallerID     `json:"callerId" title:"Caller ID" doc:"How an analogue phone is told who calls"`
	Flash               FlashTime    `json:"flash" title:"Recall key" doc:"Interruption of the loop that counts as the recall (R, flash) key"`
	Station             StationLine  `json:"station" title:"Analogue phones" doc:"Electrical parameters of the ports for phones (FXS)"`
	Exchange            ExchangeLine `json:"exchange" title:"Analogue lines" doc:"Electrical parameters of the ports for outside lines (FXO)"`
	Recording           Recording    `json:"recording" title:"Recording calls" doc:"Who must agree or know when a call is recorded"`
	Sources             []string     `json:"sources" title:"Sources" doc:"Where the values come from" minItems:"1"`
}

// Kinds of Emergency.
const (
	// EmergencyRescue numbers answer for police, fire, ambulance and
	// rescue. Such a call may take the line of another call.
	EmergencyRescue = "rescue"
	// EmergencySupport numbers are help lines and fault services that the
	// regulator lists as emergency numbers, too. They are always allowed,
	// but do not take the line of another call.
	EmergencySupport = "support"
)

// Emergency is one emergency number.
type Emergency struct {
	Number  string `json:"number" title:"Number" doc:"Digits to dial, without the digit for an outside line" pattern:"^[0-9]{2,6}$" patternDescription:"digits"`
	Service string `json:"service" title:"Service" doc:"Who answers"`
	Kind    string `json:"kind" title:"Kind" doc:"rescue: may take the line of another call; support: always allowed, takes no line from another call" enum:"rescue,support"`
}

// Rules of Recording.
const (
	RecordingAll      = "all"      // every party must agree
	RecordingAnnounce = "announce" // the other party must be told before
)

// Recording is the rule for recording calls, as orientation for the
// administrator and not as legal advice.
type Recording struct {
	Rule   string `json:"rule" title:"Rule" doc:"all: every party must agree; announce: the other party must be told before" enum:"all,announce"`
	Text   string `json:"text" title:"Explanation" doc:"The rule in one sentence"`
	Source string `json:"source" title:"Source" doc:"Law that the rule comes from"`
}

// profile makes the profile of one country.
type profile struct {
	code string
	make func() Country
}

func profiles() []profile {
	return []profile{
		{"AT", austria}, {"BE", belgium}, {"CZ", czechia}, {"DK", denmark}, {"FR", france}, {"DE", germany}, {"IT", italy},
		{"NL", netherlands}, {"PL", poland}, {"ES", spain}, {"SE", sweden}, {"CH", switzerland}, {"GB", unitedKingdom}, {"US", unitedStates},
	}
}

// Countries returns the country profiles sorted by English name. The caller
// may modify what it gets.
func Countries() []Country {
	var all []Country
	for _, p := range profiles() {
		all = append(all, p.make())
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// CountryByCode returns the profile with that ISO 3166-1 alpha-2 code in
// capitals. Each call asks for it, so that no other is made.
func CountryByCode(code string) (Country, bool) {
	for _, p := range profiles() {
		if p.code == code {
			return deepCopy(reflect.ValueOf(p.make())).Interface().(Country), true // so that its lists are written as [] when they are empty
		}
	}
	return Country{}, false
}

// IsEmergency reports whether number, dialled without the digit for an
// outside line, is an emergency number of either kind.
func (c Country) IsEmergency(number string) bool {
	return slices.ContainsFunc(c.Emergency, func(e Emergency) bool { return e.Number == number })
}

// EmergencyPrefixedBy returns the emergency number that ext would stand in
// the way of: one that ext equals or, failing that, begins. No extension and
// no function code may do so, because the digits of an emergency call would
// then already reach somebody else. One that begins with an emergency number
// and goes on, as 1121 does in Germany, is allowed: who dials 112 and stops
// gets the emergency call, since an emergency number is compared as a whole and
// before anything else.
func (c Country) EmergencyPrefixedBy(ext string) (Emergency, bool) {
	if ext == "" {
		return Emergency{}, false
	}
	found := -1
	for i, e := range c.Emergency {
		if e.Number == ext {
			return e, true
		}
		if found < 0 && strings.HasPrefix(e.Number, ext) {
			found = i
		}
	}
	if found < 0 {
		return Emergency{}, false
	}
	return c.Emergency[found], true
}
