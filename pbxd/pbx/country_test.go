package pbx

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zone names are checked against the real list
)

func country(t *testing.T, code string) Country {
	t.Helper()
	c, ok := CountryByCode(code)
	if !ok {
		t.Fatalf("no profile of %s", code)
	}
	return c
}

func TestCountriesTheDeviceKnows(t *testing.T) {
	var names, codes []string
	for _, c := range Countries() {
		names = append(names, c.Name)
		codes = append(codes, c.Code)
	}
	if !slices.IsSorted(names) {
		t.Errorf("not sorted by name: %q", names)
	}
	slices.Sort(codes)
	want := []string{"AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FR", "GB", "IT", "NL", "PL", "SE", "US"}
	if !slices.Equal(codes, want) {
		t.Errorf("codes: got %q, want %q, each once", codes, want)
	}
	for _, code := range []string{"", "de", "UK", "XX", "DEU"} {
		if c, ok := CountryByCode(code); ok {
			t.Errorf("CountryByCode(%q) = %s", code, c.Name)
		}
	}
}

// TestCountriesAreTheCallersOwn: a profile that was modified does not change
// the next one.
func TestCountriesAreTheCallersOwn(t *testing.T) {
	c := country(t, "DE")
	c.Emergency[0].Number, c.TimeZones[0], c.Tones.Busy.Bursts[0].Frequencies[0], c.Ringing.Cadence[0] = "x", "x", 1, 1
	if got := country(t, "DE"); !got.IsEmergency("110") || got.TimeZones[0] != "Europe/Berlin" || got.Tones.Busy.Bursts[0].Frequencies[0] != 425 || got.Ringing.Cadence[0] != 1000 {
		t.Error("the profile of Germany was modified through a copy")
	}
}

func TestCountryProfilesArePlausible(t *testing.T) {
	callingCodes := map[string]string{}
	for _, c := range Countries() {
		t.Run(c.Code, func(t *testing.T) {
			if other := callingCodes[c.CallingCode]; other != "" {
				t.Errorf("country code %s is that of %s, too", c.CallingCode, other)
			}
			callingCodes[c.CallingCode] = c.Code
			for _, z := range c.TimeZones {
				if _, err := time.LoadLocation(z); err != nil || !strings.Contains(z, "/") {
					t.Errorf("time zone %q: %v", z, err)
				}
			}
			if c.Name == "" || c.LocalName == "" || !strings.HasSuffix(c.NumberingNotes, ".") {
				t.Errorf("name %q, own name %q, notes %q", c.Name, c.LocalName, c.NumberingNotes)
			}
			if want := map[bool]string{true: "011", false: "00"}[c.Code == "US"]; c.InternationalPrefix != want {
				t.Errorf("international prefix %q, want %q", c.InternationalPrefix, want)
			}
			if want := map[bool]string{true: "ulaw", false: "alaw"}[c.Code == "US"]; c.Companding != want {
				t.Errorf("companding %q, want %q", c.Companding, want)
			}
			if !strings.HasSuffix(c.Recording.Text, ".") || c.Recording.Source == "" {
				t.Errorf("recording %+v", c.Recording)
			}
			for _, s := range c.Sources {
				if len(s) < 10 {
					t.Errorf("source %q", s)
				}
			}
			checkTones(t, c)
			checkLine(t, c)
		})
	}
}

func checkTones(t *testing.T, c Country) {
	tones := reflect.ValueOf(c.Tones)
	for i := range tones.NumField() {
		name := tones.Type().Field(i).Name
		tone := tones.Field(i).Interface().(Tone)
		for j, b := range tone.Bursts {
			for _, f := range b.Frequencies {
				if f < 300 || f > 2000 {
					t.Errorf("%s: %d Hz", name, f)
				}
			}
			if n := len(b.Frequencies); n < 1 || n > 3 {
				t.Errorf("%s: %d frequencies", name, n)
			}
			if b.On < 0 || b.Off < 0 || b.On > 15000 || b.Off > 15000 {
				t.Errorf("%s: %d ms on, %d ms off", name, b.On, b.Off)
			}
			if b.On == 0 && (len(tone.Bursts) > 1 || b.Off != 0) {
				t.Errorf("%s: burst %d never ends, but something follows it", name, j)
			}
		}
		if tone.Repeat < 0 || tone.ThenContinuous && tone.Repeat == 0 {
			t.Errorf("%s: repeat %d, then continuous %t", name, tone.Repeat, tone.ThenContinuous)
		}
		if tone.LevelDBm0 != 0 && (tone.LevelDBm0 < -40 || tone.LevelDBm0 > -3) {
			t.Errorf("%s: %d dBm0", name, tone.LevelDBm0)
		}
	}
	for name, tone := range map[string]Tone{"ringback": c.Tones.Ringback, "busy": c.Tones.Busy} {
		if p := tone.Period(); p < 300 || p > 7000 {
			t.Errorf("%s: period %d ms", name, p)
		}
	}
	if !c.Tones.Dial.Known() || !c.Tones.SpecialInformation.Known() || len(c.Tones.SpecialInformation.Bursts) != 3 {
		t.Errorf("dial %+v, special information %+v", c.Tones.Dial, c.Tones.SpecialInformation)
	}
	if reflect.DeepEqual(c.Tones.Busy, c.Tones.Ringback) || reflect.DeepEqual(c.Tones.Busy, c.Tones.Dial) {
		t.Error("busy tone sounds like another")
	}
}

func checkLine(t *testing.T, c Country) {
	if f := c.Ringing.Frequency; f < 15 || f > 60 {
		t.Errorf("ringing with %d Hz", f)
	}
	total := 0
	for _, ms := range c.Ringing.Cadence {
		if ms < 200 || ms > 5000 {
			t.Errorf("ringing cadence %v", c.Ringing.Cadence)
		}
		total += ms
	}
	if n := len(c.Ringing.Cadence); n == 0 || n%2 != 0 || total < 3000 || total > 6000 {
		t.Errorf("ringing cadence %v, %d ms", c.Ringing.Cadence, total)
	}
	// The ringing tone tells the caller how the phone rings.
	var tone []int
	for _, b := range c.Tones.Ringback.Bursts {
		tone = append(tone, b.On, b.Off)
	}
	if !slices.Equal(tone, c.Ringing.Cadence) {
		t.Errorf("phones ring %v, callers hear %v", c.Ringing.Cadence, tone)
	}
	if f := c.Flash; f.Min > f.Max || f.Max != 0 && f.Min < 40 {
		t.Errorf("flash %+v", f)
	}
}

// TestCountryEnums: what the tags of a field allow is what the profiles have.
func TestCountryEnums(t *testing.T) {
	for _, c := range Countries() {
		walkParams("", reflect.ValueOf(c), func(path string, f reflect.StructField, v reflect.Value) {
			if enum, ok := f.Tag.Lookup("enum"); ok && !slices.Contains(strings.Split(enum, ","), v.String()) {
				t.Errorf("%s: %s is %q, not one of %s", c.Code, path, v.String(), enum)
			}
			list := []string{v.String()}
			if v.Kind() == reflect.Slice {
				list, _ = v.Interface().([]string)
			}
			for _, text := range list {
				if p, ok := f.Tag.Lookup("pattern"); ok && !regexp.MustCompile(p).MatchString(text) {
					t.Errorf("%s: %s is %q, does not match %s", c.Code, path, text, p)
				}
			}
		})
	}
}

// TestCountryFieldsAreDescribed: the API shows the profiles, so each field
// has a name in camel case, a title and a description.
func TestCountryFieldsAreDescribed(t *testing.T) {
	camel := regexp.MustCompile(`^[a-z][a-z0-9]*([A-Z][a-z0-9]*)*$`)
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		if typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !camel.MatchString(name) || f.Tag.Get("title") == "" || f.Tag.Get("doc") == "" {
				t.Errorf("%s.%s: json %q, title %q, doc %q", typ.Name(), f.Name, name, f.Tag.Get("title"), f.Tag.Get("doc"))
			}
			visit(f.Type)
		}
	}
	visit(reflect.TypeFor[Country]())
	if len(seen) != 12 {
		t.Errorf("%d types: %v", len(seen), slices.Collect(maps.Keys(seen)))
	}
}

func TestCountryJSONRoundTrip(t *testing.T) {
	for _, c := range Countries() {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%s: %v", c.Code, err)
		}
		var back Country
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(c, back) {
			t.Errorf("%s does not survive JSON: %v", c.Code, err)
		}
	}
}

// TestWhatCountryProfilesLack lists every field for which no good source was
// found. Whoever fills one takes it out here.
func TestWhatCountryProfilesLack(t *testing.T) {
	want := map[string]string{
		"AT": "callerId flash tones.confirmation",
		"BE": "callerId.when flash tones.confirmation",
		"CH": "callerId flash tones.confirmation",
		"CZ": "callerId flash tones.confirmation tones.stutterDial",
		"DE": "tones.confirmation",
		"DK": "flash tones.confirmation tones.stutterDial",
		"ES": "callerId.when flash tones.confirmation tones.stutterDial",
		"FR": "flash tones.confirmation tones.congestion tones.stutterDial",
		"GB": "flash",
		"IT": "callerId.when flash tones.confirmation",
		"NL": "flash tones.confirmation",
		"PL": "callerId flash tones.confirmation tones.stutterDial",
		"SE": "flash tones.confirmation",
		"US": "isdn",
	}
	for _, c := range Countries() {
		var lacks []string
		add := func(empty bool, path string) {
			if empty {
				lacks = append(lacks, path)
			}
		}
		add(c.CallerID == CallerID{}, "callerId")
		add(c.CallerID.Standard != "" && c.CallerID.When == "", "callerId.when")
		add(c.Flash == FlashTime{}, "flash")
		add(c.ISDN == "", "isdn")
		add(!c.Tones.CallWaiting.Known(), "tones.callWaiting")
		add(!c.Tones.Confirmation.Known(), "tones.confirmation")
		add(!c.Tones.Congestion.Known(), "tones.congestion")
		add(!c.Tones.StutterDial.Known(), "tones.stutterDial")
		if got := strings.Join(lacks, " "); got != want[c.Code] {
			t.Errorf("%s lacks %q, want %q", c.Code, got, want[c.Code])
		}
		if c.Tones.SecondaryDial.Known() {
			t.Errorf("%s has a second dial tone: list it", c.Code)
		}
	}
}

// The code by which a profile is found is its own.
func TestCountryByCode(t *testing.T) {
	for _, want := range Countries() {
		if got, ok := CountryByCode(want.Code); !ok || got.Name != want.Name {
			t.Errorf("%s finds %q, want %q", want.Code, got.Name, want.Name)
		}
	}
	if _, ok := CountryByCode("XX"); ok {
		t.Error("XX is found")
	}
}
