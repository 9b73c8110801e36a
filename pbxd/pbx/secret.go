package pbx

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Secret is text that never reaches a log: it prints, and is written as JSON,
// as "***". It is read from JSON as the text that it is.
type Secret string

const hidden = "***"

// Format prints *** for every verb, also the numeric ones.
func (Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, hidden) }
func (Secret) String() string               { return hidden }
func (Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// Reveal returns the text itself. The caller must have a reason.
func (s Secret) Reveal() string { return string(s) }

// NewSIPPassword returns 20 random characters of an alphabet without look-alikes
// (116 bits).
func NewSIPPassword() Secret {
	const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	b := make([]byte, 0, 20)
	var r [64]byte
	for {
		rand.Read(r[:]) // never fails since Go 1.24
		for _, c := range r {
			if n := int(c) & 63; n < len(alphabet) { // rejection keeps the choice uniform
				if b = append(b, alphabet[n]); len(b) == cap(b) {
					return Secret(b)
				}
			}
		}
	}
}

// NewID returns a stable identifier that is never given twice.
func NewID() string { return strings.ToLower(rand.Text()[:16]) }

// DeviceKey seals secrets at rest. It never leaves the device.
type DeviceKey [32]byte

// NewDeviceKey makes a random key.
func NewDeviceKey() (k DeviceKey) {
	rand.Read(k[:])
	return k
}

// Serial returns 12 capital letters and digits that name the device whose key
// this is, for devices that have no serial number of their own. It tells
// nothing about the key.
func (k DeviceKey) Serial() string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // without I, L, O and U, which are misread
	sum := sha256.Sum256(append([]byte("galilei serial v1\n"), k[:]...))
	serial := make([]byte, 12)
	for i := range serial {
		serial[i] = digits[sum[i]&31]
	}
	return string(serial)
}

// Format prints *** for every verb, also the numeric ones.
func (DeviceKey) Format(f fmt.State, _ rune)   { io.WriteString(f, hidden) }
func (DeviceKey) String() string               { return hidden }
func (DeviceKey) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (DeviceKey) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// Sealed is a secret encrypted with the device key: "x1:" and the base64 of
// nonce and XChaCha20-Poly1305 ciphertext.
type Sealed string

const sealedPrefix = "x1:"

// ErrSealed says that a sealed secret was not made by this device's key for
// this purpose, or was damaged.
var ErrSealed = errors.New("secret cannot be opened with this device's key")

// Seal encrypts s. purpose is bound to the result: Open must name the same.
func (k DeviceKey) Seal(purpose string, s Secret) Sealed {
	aead, _ := chacha20poly1305.NewX(k[:]) // the key has the right length
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(s)+aead.Overhead())
	rand.Read(nonce)
	return Sealed(sealedPrefix + base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(s), []byte(purpose))))
}

// Open decrypts what Seal made for the same purpose.
func (k DeviceKey) Open(purpose string, sealed Sealed) (Secret, error) {
	text, ok := strings.CutPrefix(string(sealed), sealedPrefix)
	b, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		return "", fmt.Errorf("open %s: %w", purpose, ErrSealed)
	}
	aead, _ := chacha20poly1305.NewX(k[:])
	if len(b) < aead.NonceSize() {
		return "", fmt.Errorf("open %s: %d bytes: %w", purpose, len(b), ErrSealed)
	}
	plain, err := aead.Open(nil, b[:aead.NonceSize()], b[aead.NonceSize():], []byte(purpose))
	if err != nil {
		return "", fmt.Errorf("open %s: %w", purpose, ErrSealed)
	}
	return Secret(plain), nil
}

// SIPPasswordPurpose is the purpose under which a user's SIP password is
// sealed: moving the value to another user makes it unreadable.
func SIPPasswordPurpose(userID string) string { return "sip-password/" + userID }
