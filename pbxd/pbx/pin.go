package pbx

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"
)

// PINHash is a PIN as kept in the configuration: FactoryPIN, or
// "argon2id:salt:hash" in base64. Empty accepts no PIN.
type PINHash string

// FactoryPIN stands for the PIN 0000 of a new device or demo user. It is good
// only for a first login from the local network, which must change it (T9).
const FactoryPIN PINHash = "factory"

// Cost of a PIN hash (RFC 9106; the figures of the OWASP password cheat sheet).
const (
	pinMemoryKiB = 19 * 1024
	pinPasses    = 2
	pinLanes     = 1
	pinKeyLen    = 32
	pinSaltLen   = 16
)

// CheckPIN returns the rule that a new PIN breaks, if any (F059, T9).
func CheckPIN(pin string) Message {
	switch {
	case len(pin) < 3 || len(pin) > 10 || strings.ContainsFunc(pin, func(r rune) bool { return r < '0' || r > '9' }):
		return Say("must have 3 to 10 digits")
	case strings.Trim(pin, "0") == "":
		return Say("must not be all zeros")
	}
	return Message{}
}

// PINs hashes and verifies PINs one at a time, so that a flood of logins
// costs at most 19 MiB.
type PINs struct {
	mu sync.Mutex
}

// Hash returns the hash of pin with a new random salt.
func (p *PINs) Hash(pin Secret) PINHash {
	salt := make([]byte, pinSaltLen)
	rand.Read(salt)
	enc := base64.RawStdEncoding
	return PINHash(fmt.Sprintf("argon2id:%s:%s", enc.EncodeToString(salt), enc.EncodeToString(p.key(pin, salt))))
}

// Verify reports whether pin belongs to hash. It takes the same time whether
// hash is valid, empty or the factory's, so that an answer's delay tells
// nothing about whether a user exists.
func (p *PINs) Verify(hash PINHash, pin Secret) bool {
	enc := base64.RawStdEncoding
	rest, ok := strings.CutPrefix(string(hash), "argon2id:")
	s, h, _ := strings.Cut(rest, ":")
	salt, err1 := enc.DecodeString(s)
	want, err2 := enc.DecodeString(h)
	ok = ok && err1 == nil && err2 == nil && len(want) == pinKeyLen && len(salt) == pinSaltLen
	if !ok {
		salt, want = make([]byte, pinSaltLen), make([]byte, pinKeyLen)
	}
	same := subtle.ConstantTimeCompare(p.key(pin, salt), want) == 1
	factory := subtle.ConstantTimeCompare([]byte(pin), []byte("0000")) == 1
	if hash == FactoryPIN {
		return factory
	}
	return ok && same
}

func (p *PINs) key(pin Secret, salt []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return argon2.IDKey([]byte(pin), salt, pinPasses, pinMemoryKiB, pinLanes, pinKeyLen)
}
