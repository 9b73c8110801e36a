// Package license reads and writes licences. A licence says how many users one
// device may have and until when. It is a text file that people can read and
// mail:
//
//	{
//	  "license": {
//	    "model": "T640",
//	    "serial": "7K3Q9F2MABCD",
//	    "users": 60,
//	    "expires": "2027-12-31",
//	    "issued": "2026-11-23",
//	    "customer": "Example GmbH"
//	  },
//	  "signature": "base64 of 64 bytes"
//	}
//
// Dates are RFC 3339 full-dates in UTC; the day named by expires is the last
// one that is licensed, and an empty expires means no end. The signature is
// Ed25519 (RFC 8032) over these bytes, so that the layout of the JSON does not
// matter:
//
//	galilei license v1\n
//	model:T640\n
//	serial:7K3Q9F2MABCD\n
//	users:60\n
//	expires:2027-12-31\n
//	issued:2026-11-23\n
//	customer:Example GmbH\n
//
// No value contains a control character, so no two licences have the same
// bytes. The public key is a line of the board file.
package license

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxSize is the size of a licence file in bytes.
const MaxSize = 16 << 10

// MaxUsers is the highest number of users in a licence.
const MaxUsers = 10_000

// purpose keeps a signature from being taken for one of something else.
const purpose = "galilei license v1\n"

// clockSet is the first year in which the clock is believed. A device without
// battery starts in 1970.
const clockSet = 2024

// License is what a vendor grants to one device.
type License struct {
	Model    string `json:"model"`    // as printed on the front, for example "T640"
	Serial   string `json:"serial"`   // 4 to 32 capital letters and digits
	Users    int    `json:"users"`    // users with an extension, 1 to MaxUsers
	Expires  string `json:"expires"`  // last licensed day in UTC, 2006-01-02; "" for no end
	Issued   string `json:"issued"`   // day of the signature, 2006-01-02
	Customer string `json:"customer"` // 1 to 200 characters
}

// file is the form in which a licence is stored and mailed.
type file struct {
	License   License `json:"license"`
	Signature []byte  `json:"signature"`
}

// Parse reads a licence and checks its signature with the vendor's key. It
// does not say whether the licence is for this device or still valid; CheckFor
// does. The errors for people are NotLicenseError, SignatureError and, without
// a key, NoVendorError.
func Parse(text []byte, key ed25519.PublicKey) (License, error) {
	if len(key) == 0 {
		return License{}, NoVendorError{}
	}
	if len(key) != ed25519.PublicKeySize {
		return License{}, fmt.Errorf("check licence: public key has %d bytes, not %d", len(key), ed25519.PublicKeySize)
	}
	if len(text) > MaxSize {
		return License{}, NotLicenseError{fmt.Errorf("%d bytes, more than %d", len(text), MaxSize)}
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))) // some editors begin with this mark
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		return License{}, NotLicenseError{err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return License{}, NotLicenseError{errors.New("text after the closing brace")}
	}
	if err := f.License.validate(); err != nil {
		return License{}, NotLicenseError{err}
	}
	if len(f.Signature) != ed25519.SignatureSize || !ed25519.Verify(key, f.License.signed(), f.Signature) {
		return License{}, SignatureError{}
	}
	return f.License, nil
}

// Sign returns the licence file of l. The error says which value is wrong.
func Sign(l License, key ed25519.PrivateKey) ([]byte, error) {
	if err := l.validate(); err != nil {
		return nil, fmt.Errorf("sign licence: %w", err)
	}
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("sign licence: private key has %d bytes, not %d", len(key), ed25519.PrivateKeySize)
	}
	text, err := json.MarshalIndent(file{l, ed25519.Sign(key, l.signed())}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("sign licence: %w", err)
	}
	return append(text, '\n'), nil
}

// signed returns the bytes under the signature.
func (l License) signed() []byte {
	return fmt.Appendf(nil, "%smodel:%s\nserial:%s\nusers:%d\nexpires:%s\nissued:%s\ncustomer:%s\n",
		purpose, l.Model, l.Serial, l.Users, l.Expires, l.Issued, l.Customer)
}

// validate returns everything that is wrong with l, joined.
func (l License) validate() error {
	var errs []error
	refuse := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(regexp.MustCompile(`^[A-Z0-9]{1,16}$`).MatchString(l.Model), "model %q is not 1 to 16 capital letters and digits", l.Model)
	refuse(regexp.MustCompile(`^[A-Z0-9]{4,32}$`).MatchString(l.Serial), "serial %q is not 4 to 32 capital letters and digits", l.Serial)
	refuse(l.Users >= 1 && l.Users <= MaxUsers, "users is %d; allowed are 1 to %d", l.Users, MaxUsers)
	issued, err := time.Parse(time.DateOnly, l.Issued)
	refuse(err == nil, "issued %q is not a date such as 2026-11-23", l.Issued)
	if l.Expires != "" {
		expires, expiresErr := time.Parse(time.DateOnly, l.Expires)
		refuse(expiresErr == nil, "expires %q is not a date such as 2027-12-31", l.Expires)
		refuse(err != nil || expiresErr != nil || !expires.Before(issued), "expires %s is before issued %s", l.Expires, l.Issued)
	}
	n := utf8.RuneCountInString(l.Customer)
	refuse(n >= 1 && n <= 200, "customer has %d characters; allowed are 1 to 200", n)
	refuse(utf8.ValidString(l.Customer) && !strings.ContainsFunc(l.Customer, unicode.IsControl), "customer contains a control character")
	return errors.Join(errs...)
}

// CheckFor says whether l holds on a device at a time: nil, ModelError,
// SerialError or ExpiredError. A clock that was never set expires nothing.
func (l License) CheckFor(model, serial string, now time.Time) error {
	switch {
	case l.Model != model:
		return ModelError{Licensed: l.Model, Device: model}
	case l.Serial != NormalSerial(serial):
		return SerialError{Licensed: l.Serial, Device: NormalSerial(serial)}
	case l.expired(now):
		return ExpiredError{l.Expires}
	}
	return nil
}

func (l License) expired(now time.Time) bool {
	if l.Expires == "" || now.Year() < clockSet {
		return false
	}
	last, err := time.Parse(time.DateOnly, l.Expires)
	return err != nil || !now.Before(last.AddDate(0, 0, 1))
}
