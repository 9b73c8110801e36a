package pbx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	old := Factory(Defaults{})
	old.Users[1].SIPPassword = "x1:old"
	new := old.Clone()
	new.SIP.RingTime = 60
	new.Users[1].SIPPassword = "x1:new"
	new.Users[1].FirstName = ""
	new.Users[2].Name = "ben"
	new.Users[3] = User{ID: "k3", UserSettings: UserSettings{Name: "dora", Extension: "104"}, PIN: "argon2id:a:b"}
	new.Network.DNS = []string{"9.9.9.9"}
	want := []Change{
		{"network.dns[0]", "", "9.9.9.9"},
		{"sip.ringTime", "120", "60"},
		{"users[#demo102].user", "demo102", "ben"},
		{"users[demo101].firstName", "Anna", ""},
		{"users[demo101].sipPasswordSealed", "***", "***"},
		{"users[demo103].extension", "103", ""},
		{"users[demo103].firstName", "Clara", ""},
		{"users[demo103].id", "demo103", ""},
		{"users[demo103].lastName", "Demo", ""},
		{"users[demo103].mustChangePin", "true", ""},
		{"users[demo103].pinHash", "***", ""},
		{"users[demo103].user", "demo103", ""},
		{"users[dora].extension", "", "104"},
		{"users[dora].id", "", "k3"},
		{"users[dora].pinHash", "", "***"},
		{"users[dora].user", "", "dora"},
	}
	if got := Diff(old, new); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := Diff(old, old.Clone()); got == nil || len(got) != 0 {
		t.Errorf("a clone differs: %v", got)
	}
	if got := Diff(nil, old); len(got) < 30 || got[0].Old != "" {
		t.Errorf("%d changes from nothing", len(got))
	}
}

// Rules may share a name, as the two of the manual that are called Local: each has
// its own changes.
func TestDiffOfRulesWithOneName(t *testing.T) {
	old := Factory(Defaults{})
	for _, id := range []string{"r1", "r2"} {
		r := OutboundRoute{ID: id}
		SetDefaults(&r.OutboundRouteSettings)
		r.Rule, r.Pattern = "Local", "^089"
		old.OutboundRoutes = append(old.OutboundRoutes, r)
	}
	new := old.Clone()
	new.OutboundRoutes[0].Pattern = "^[1-9]"
	want := []Change{{"outboundRoutes[Local#r1].pattern", "^089", "^[1-9]"}}
	if got := Diff(old, new); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Diff(old, old.Clone()); len(got) != 0 {
		t.Errorf("a clone differs: %v", got)
	}
}

// A user that takes over a name which was another's ID must not be mixed up
// with it.
func TestDiffKeepsUsersApart(t *testing.T) {
	old := Factory(Defaults{})
	new := old.Clone()
	new.Users[1].Name = "anna"
	new.Users = append(new.Users, User{ID: "zz", UserSettings: UserSettings{Name: "demo101", Extension: "199"}})
	got := Diff(old, new)
	want := []Change{
		{"users[#demo101].user", "demo101", "anna"},
		{"users[demo101].extension", "", "199"},
		{"users[demo101].id", "", "zz"},
		{"users[demo101].user", "", "demo101"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	const text = "hunter2"
	var key DeviceKey
	copy(key[:], text)
	type wrapped struct {
		S Secret
		K DeviceKey
		P *Secret
	}
	s := Secret(text)
	w := wrapped{s, key, &s}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "s", s, "k", key, "w", w, "list", []Secret{s})
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c"} {
		fmt.Fprintf(&log, verb+" "+verb+" "+verb+"\n", s, key, w)
	}
	fmt.Fprint(&log, fmt.Errorf("cannot use %v: %w", s, errors.New(fmt.Sprint(key))))
	text16, text10 := fmt.Sprintf("%x", text), strings.Trim(fmt.Sprint([]byte(text)), "[]")
	for _, form := range []string{text, text16, strings.ToUpper(text16), text10} {
		if strings.Contains(log.String(), form) {
			t.Errorf("the secret shows as %q in\n%s", form, log.String())
		}
	}
	if s.Reveal() != text {
		t.Errorf("Reveal gives %q", s.Reveal())
	}
	var in struct{ S Secret }
	if err := json.Unmarshal([]byte(`{"S":"hunter2"}`), &in); err != nil || in.S.Reveal() != text {
		t.Errorf("read from JSON: %q, %v", in.S.Reveal(), err)
	}
}

func TestSeal(t *testing.T) {
	k := NewDeviceKey()
	if k == (DeviceKey{}) || k == NewDeviceKey() {
		t.Error("keys are not random")
	}
	for _, plain := range []Secret{"", "a", Secret(strings.Repeat("long \u00fc", 1000))} {
		sealed := k.Seal("purpose", plain)
		if strings.Contains(string(sealed), "long") || k.Seal("purpose", plain) == sealed {
			t.Error("sealed text is readable or repeats")
		}
		if got, err := k.Open("purpose", sealed); err != nil || got != plain {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		for name, open := range map[string]func() (Secret, error){
			"other purpose": func() (Secret, error) { return k.Open("purpose2", sealed) },
			"other key":     func() (Secret, error) { return NewDeviceKey().Open("purpose", sealed) },
			"cut":           func() (Secret, error) { return k.Open("purpose", sealed[:len(sealed)-4]) },
			"no prefix":     func() (Secret, error) { return k.Open("purpose", sealed[3:]) },
			"prefix only":   func() (Secret, error) { return k.Open("purpose", sealedPrefix) },
			"no base64":     func() (Secret, error) { return k.Open("purpose", sealedPrefix+"!") },
			"empty":         func() (Secret, error) { return k.Open("purpose", "") },
		} {
			if got, err := open(); !errors.Is(err, ErrSealed) || got != "" {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
	}
}

func TestPINs(t *testing.T) {
	for pin, ok := range map[string]bool{
		"123": true, "0001": true, "1234567890": true, "12": false, "12345678901": false, "": false, "000": false, "0000": false,
		"12a": false, "\u0661\u0662\u0663": false, " 123": false,
	} {
		if got := CheckPIN(pin); (got.IsZero()) != ok {
			t.Errorf("CheckPIN(%q) = %q", pin, got)
		}
	}
	var p PINs
	h := p.Hash("4711")
	if strings.Contains(string(h), "4711") || p.Hash("4711") == h {
		t.Error("the hash tells the PIN, or has no salt")
	}
	for _, tt := range []struct {
		hash PINHash
		pin  Secret
		want bool
	}{
		{h, "4711", true}, {h, "4712", false}, {h, "0000", false}, {h, "", false},
		{FactoryPIN, "0000", true}, {FactoryPIN, "0001", false}, {FactoryPIN, "", false},
		{"", "0000", false}, {"", "", false}, {"argon2id::", "", false}, {h[:len(h)-2], "4711", false}, {"plain:4711", "4711", false},
	} {
		if got := p.Verify(tt.hash, tt.pin); got != tt.want {
			t.Errorf("%q with %q: %v", tt.hash, tt.pin.Reveal(), got)
		}
	}
}

func TestGenerated(t *testing.T) {
	form, id := regexp.MustCompile(`^[a-km-zA-HJ-NP-Z2-9]{20}$`), regexp.MustCompile(`^[a-z0-9]{16}$`)
	seen, letters := map[string]bool{}, map[rune]int{}
	for range 500 {
		p, i := NewSIPPassword().Reveal(), NewID()
		if !form.MatchString(p) || !id.MatchString(i) {
			t.Errorf("password %q, ID %q", p, i)
		}
		if seen[p] || seen[i] {
			t.Error("given twice")
		}
		seen[p], seen[i] = true, true
		for _, r := range p {
			letters[r]++
		}
	}
	// 10,000 letters of 56: 178 each on average, with a deviation of 13.
	for r, n := range letters {
		if n < 178-8*13 || n > 178+8*13 {
			t.Errorf("letter %q comes %d times in 10,000", r, n)
		}
	}
	if len(letters) != 56 {
		t.Errorf("%d different letters, want 56", len(letters))
	}
}

func TestCauses(t *testing.T) {
	seen := map[Cause]bool{}
	for _, r := range causeTable() {
		if seen[r.cause] || r.cause < 1 || r.cause > 127 || r.sip < 400 || r.sip > 699 || r.text == "" {
			t.Errorf("row %+v", r)
		}
		seen[r.cause] = true
		if r.cause.SIPStatus() != r.sip || r.cause.String() != r.text {
			t.Errorf("row %+v is not found", r)
		}
	}
	// What a called phone answers reaches the caller unchanged.
	for _, status := range []int{404, 408, 410, 480, 484, 486, 488, 501, 503, 504, 603} {
		if got := CauseOfSIP(status).SIPStatus(); got != status {
			t.Errorf("%d goes in, %d comes out (cause %d)", status, got, CauseOfSIP(status))
		}
	}
	for status, want := range map[int]Cause{200: 16, 400: 41, 401: 21, 403: 21, 404: 1, 410: 22, 484: 28, 486: 17, 487: 16, 500: 41, 502: 38, 503: 41, 504: 102, 513: 127, 600: 17, 603: 21, 604: 1, 699: 127} {
		if got := CauseOfSIP(status); got != want {
			t.Errorf("%d is cause %d, want %d", status, got, want)
		}
	}
	for status := -1; status < 1000; status++ {
		if c := CauseOfSIP(status); !seen[c] {
			t.Errorf("%d is cause %d, which is not in the table", status, c)
		}
	}
	if Cause(0).String() != "" || Cause(99).String() != "cause 99" || Cause(99).SIPStatus() != 480 {
		t.Error("unknown causes")
	}
}
