package media

import (
	"crypto/rand"
	"errors"
	"fmt"

	"galilei/pbxd/pbx"
)

// ErrNoCrypto says that two sides have no key or suite in common.
var ErrNoCrypto = errors.New("no common audio encryption")

// Suite is a crypto suite of SRTP as SDES names it (RFC 4568 section 6.2).
type Suite string

// The suites that Galilei has: AES in counter mode with 128 bits, and an
// authentication tag of 80 or 32 bits.
const (
	AES80 Suite = "AES_CM_128_HMAC_SHA1_80"
	AES32 Suite = "AES_CM_128_HMAC_SHA1_32"
)

// CryptoKeySize is the length of the master key and salt of both suites, octets.
const CryptoKeySize = 16 + 14

// Crypto is the key with which a side encrypts what it sends (RFC 4568).
type Crypto struct {
	Tag   int // 1 to 999999999, as offered; an answer repeats that of the offer
	Suite Suite
	Key   pbx.Secret // CryptoKeySize octets: master key, then master salt
	MKI   string     // octets that each packet names the key by (RFC 3711 section 3.1); mostly none
}

// NewCrypto returns a random key.
func NewCrypto(tag int, suite Suite) Crypto {
	var b [CryptoKeySize]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return Crypto{Tag: tag, Suite: suite, Key: pbx.Secret(b[:])}
}

// AnswerCrypto returns the keys of an answer to the offered ones, of which the
// first is taken: the new one that we send with and the one that we receive
// with. The error wraps ErrNoCrypto.
func AnswerCrypto(offered []Crypto) (ours, theirs Crypto, err error) {
	if len(offered) == 0 {
		return ours, theirs, fmt.Errorf("%w: none offered", ErrNoCrypto)
	}
	theirs = offered[0]
	return NewCrypto(theirs.Tag, theirs.Suite), theirs, nil
}

// AgreedCrypto returns the keys after an answer to an offer of ours: the one
// of the offer that was chosen and that of the answer. The error wraps
// ErrNoCrypto.
func AgreedCrypto(offered, answered []Crypto) (ours, theirs Crypto, err error) {
	if len(answered) != 1 {
		return ours, theirs, fmt.Errorf("%w: %d keys answered, not 1", ErrNoCrypto, len(answered))
	}
	theirs = answered[0]
	for _, c := range offered {
		if c.Tag == theirs.Tag && c.Suite == theirs.Suite {
			return c, theirs, nil
		}
	}
	return ours, theirs, fmt.Errorf("%w: tag %d with %s is none of %d offered", ErrNoCrypto, theirs.Tag, theirs.Suite, len(offered))
}
