package license

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var example = License{Model: "T640", Serial: "7K3Q9F2MABCD", Users: 60, Expires: "2027-12-31", Issued: "2026-11-23", Customer: "Example GmbH"}

// vendor returns the same key for the same name.
func vendor(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func signed(t testing.TB, l License, k ed25519.PrivateKey) []byte {
	t.Helper()
	text, err := Sign(l, k)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// told is what every error for people has.
type told interface {
	error
	Template() string
	Args() map[string]any
}

func TestRoundTrip(t *testing.T) {
	k := vendor("a")
	forever, quoted := example, example
	forever.Expires = ""
	quoted.Customer = `Müller & "Söhne" <\> 株式会社`
	for _, l := range []License{example, forever, quoted} {
		text := signed(t, l, k)
		if got, err := Parse(text, public(k)); err != nil || got != l {
			t.Errorf("Parse(Sign(%+v)) = %+v, %v", l, got, err)
		}
		// What editors and mail programs do to text leaves a licence whole.
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{compact.String(), strings.ReplaceAll(string(text), "\n", "\r\n"), "\ufeff" + string(text), "\n\n" + string(text) + "\n\n"} {
			if got, err := Parse([]byte(other), public(k)); err != nil || got != l {
				t.Errorf("Parse(%q) = %+v, %v", other, got, err)
			}
		}
	}
}

// The format must stay readable: these bytes are what version 1 signs.
func TestSignedBytes(t *testing.T) {
	want := "galilei license v1\nmodel:T640\nserial:7K3Q9F2MABCD\nusers:60\nexpires:2027-12-31\nissued:2026-11-23\ncustomer:Example GmbH\n"
	if got := string(example.signed()); got != want {
		t.Errorf("signed %q, want %q", got, want)
	}
	file := fmt.Sprintf(`{"signature": %q, "license": {"customer": "Example GmbH", "issued": "2026-11-23", "expires": "2027-12-31", "users": 60, "serial": "7K3Q9F2MABCD", "model": "T640"}}`,
		base64.StdEncoding.EncodeToString(ed25519.Sign(vendor("a"), []byte(want))))
	if got, err := Parse([]byte(file), public(vendor("a"))); err != nil || got != example {
		t.Errorf("Parse = %+v, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	k := vendor("a")
	good := string(signed(t, example, k))
	other, err := json.Marshal(base64.StdEncoding.EncodeToString(ed25519.Sign(k, bytes.TrimPrefix(example.signed(), []byte(purpose)))))
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(good, `"signature": `)
	unprefixed := good[:at] + `"signature": ` + string(other) + "}"

	for _, c := range []struct {
		name, text string
		want       told
	}{
		{"nothing", "", NotLicenseError{}},
		{"text", "Dear customer,", NotLicenseError{}},
		{"null", "null", NotLicenseError{}},
		{"list", "[]", NotLicenseError{}},
		{"cut", good[:len(good)/2], NotLicenseError{}},
		{"twice", good + good, NotLicenseError{}},
		{"too large", good + strings.Repeat(" ", MaxSize), NotLicenseError{}},
		{"unknown field", strings.Replace(good, `"users"`, `"seats"`, 1), NotLicenseError{}},
		{"unknown field outside", strings.Replace(good, `"signature"`, `"comment": "", "signature"`, 1), NotLicenseError{}},
		{"users as text", strings.Replace(good, `60`, `"60"`, 1), NotLicenseError{}},
		{"users as fraction", strings.Replace(good, `60`, `60.5`, 1), NotLicenseError{}},
		{"users beyond int", strings.Replace(good, `60`, `1e300`, 1), NotLicenseError{}},
		{"no users", strings.Replace(good, `60`, `0`, 1), NotLicenseError{}},
		{"date", strings.Replace(good, `2027-12-31`, `31.12.2027`, 1), NotLicenseError{}},
		{"no such day", strings.Replace(good, `2027-12-31`, `2027-02-30`, 1), NotLicenseError{}},
		{"line break in a value", strings.Replace(good, `Example`, `a\nusers:80`, 1), NotLicenseError{}},
		{"signature not base64", strings.Replace(good, `"signature": "`, `"signature": "*`, 1), NotLicenseError{}},
		{"no signature", good[:at] + `"signature": ""}`, SignatureError{}},
		{"short signature", good[:at] + `"signature": "AAAA"}`, SignatureError{}},
		{"more users", strings.Replace(good, `60`, `61`, 1), SignatureError{}},
		{"other serial", strings.Replace(good, `7K3Q`, `7K3R`, 1), SignatureError{}},
		{"no end", strings.Replace(good, `2027-12-31`, ``, 1), SignatureError{}},
		{"users named twice", strings.Replace(good, `"users": 60`, `"users": 60, "users": 80`, 1), SignatureError{}},
		{"another vendor", string(signed(t, example, vendor("b"))), SignatureError{}},
		{"signed for another purpose", unprefixed, SignatureError{}},
	} {
		_, err := Parse([]byte(c.text), public(k))
		if fmt.Sprintf("%T", err) != fmt.Sprintf("%T", c.want) {
			t.Errorf("%s: %T %v, want %T", c.name, err, err, c.want)
		}
	}
	if _, err := Parse([]byte(good), nil); err != (NoVendorError{}) {
		t.Errorf("without a key: %v, want NoVendorError", err)
	}
	if _, err := Parse([]byte(good), public(k)[1:]); err == nil {
		t.Error("a short key checks a licence")
	}
}

func TestEveryBitIsSigned(t *testing.T) {
	k := vendor("a")
	good := signed(t, example, k)
	for i := range good {
		changed := bytes.Clone(good)
		changed[i] ^= 1
		if got, err := Parse(changed, public(k)); err == nil && got != example {
			t.Errorf("with byte %d changed: %+v is accepted", i, got)
		}
	}
}

func TestCheckFor(t *testing.T) {
	forever := example
	forever.Expires = ""
	last := time.Date(2027, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, c := range []struct {
		name          string
		l             License
		model, serial string
		now           time.Time
		want          error
	}{
		{"last second", example, "T640", "7k3q-9f2m-abcd", last, nil},
		{"next second", example, "T640", "7K3Q9F2MABCD", last.Add(time.Second), ExpiredError{"2027-12-31"}},
		{"last second, east of Greenwich", example, "T640", "7K3Q9F2MABCD", last.In(time.FixedZone("", 3600*10)), nil},
		{"clock never set", example, "T640", "7K3Q9F2MABCD", time.Unix(0, 0), nil},
		{"without end", forever, "T640", "7K3Q9F2MABCD", last.AddDate(50, 0, 0), nil},
		{"smaller model", example, "T440", "7K3Q9F2MABCD", last, ModelError{"T640", "T440"}},
		{"another device", example, "T640", "7K3Q9F2MABCE", last, SerialError{"7K3Q9F2MABCD", "7K3Q9F2MABCE"}},
	} {
		if got := c.l.CheckFor(c.model, c.serial, c.now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCode(t *testing.T) {
	for _, serial := range []string{"7K3Q9F2MABCD", "1234", "12345", "abcd-ef01 2345"} {
		code := Code("T640", serial)
		for _, typed := range []string{code, strings.ToLower(code), " " + strings.ReplaceAll(code, "-", " - ") + "\n"} {
			if m, s, err := ParseCode(typed); err != nil || m != "T640" || s != NormalSerial(serial) {
				t.Errorf("ParseCode(%q) = %q, %q, %v", typed, m, s, err)
			}
		}
	}
	code := Code("T640", "7K3Q9F2MABCD")
	if !strings.HasPrefix(code, "T640-7K3Q-9F2M-ABCD-") {
		t.Errorf("code %q", code)
	}
	wrong := 0
	for i := range len(code) - 3 {
		changed := []byte(code)
		if changed[i] = 'Z'; changed[i] == code[i] || code[i] == '-' {
			continue
		}
		if _, _, err := ParseCode(string(changed)); err == nil {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d typing mistakes pass", wrong)
	}
	for _, bad := range []string{"", "T640", "T640-1234", "---"} {
		if _, _, err := ParseCode(bad); err == nil {
			t.Errorf("ParseCode(%q) is accepted", bad)
		}
	}
}

func TestKeys(t *testing.T) {
	private, pub, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePublicKey(pub)
	if err != nil || !p.Equal(k.Public()) {
		t.Errorf("public key %v, %v", p, err)
	}
	if p, err := ParsePublicKey(""); p != nil || err != nil {
		t.Errorf("no public key: %v, %v", p, err)
	}
	for _, bad := range []string{"AAAA", "****", pub + pub} {
		if _, err := ParsePublicKey(bad); err == nil {
			t.Errorf("ParsePublicKey(%q) is accepted", bad)
		}
	}
	for _, bad := range [][]byte{nil, private[:len(private)/2], bytes.ReplaceAll(private, []byte("PRIVATE"), []byte("PUBLIC"))} {
		if _, err := ParsePrivateKey(bad); err == nil {
			t.Errorf("ParsePrivateKey of %d bytes is accepted", len(bad))
		}
	}
	if _, err := Sign(example, nil); err == nil {
		t.Error("Sign without a key")
	}
	if _, err := Sign(License{}, k); err == nil || !strings.Contains(err.Error(), "customer has 0 characters") || !strings.Contains(err.Error(), "model") {
		t.Errorf("Sign of an empty licence: %v, want every value that is wrong", err)
	}
}

func TestSentences(t *testing.T) {
	var seen []string
	for _, e := range []told{NotLicenseError{errors.New("cause")}, SignatureError{}, ModelError{"T640", "T440"}, SerialError{"A", "B"}, ExpiredError{"2027-12-31"}, MissingError{"T640-X"}, NoVendorError{}, UsersError{61, 60}} {
		if s := text(e); strings.ContainsAny(s, "{}") || !strings.HasPrefix(e.Error(), s) {
			t.Errorf("%T: sentence %q, error %q", e, s, e.Error())
		}
		seen = append(seen, e.Template())
	}
	if !slices.Equal(seen, Messages()) {
		t.Errorf("errors say %q, Messages lists %q", seen, Messages())
	}
}

func FuzzParse(f *testing.F) {
	k := vendor("a")
	f.Add(signed(f, example, k))
	f.Add([]byte(`{"license":{},"signature":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Parse(text, public(k))
		if err != nil {
			if _, ok := err.(told); !ok {
				t.Fatalf("no sentence for people: %v", err)
			}
			return
		}
		if l != example {
			t.Fatalf("a licence that was never signed is accepted: %+v", l)
		}
	})
}

func FuzzParseCode(f *testing.F) {
	f.Add(Code("T640", "7K3Q9F2MABCD"))
	f.Fuzz(func(t *testing.T, code string) {
		model, serial, err := ParseCode(code)
		if err != nil {
			return
		}
		if m, s, err := ParseCode(Code(model, serial)); err != nil || m != model || s != serial {
			t.Fatalf("%q becomes %q %q, and that %q %q, %v", code, model, serial, m, s, err)
		}
	})
}
