package sdp

import (
	"encoding/base64"
	"strconv"
	"strings"

	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// maxKeys is how many keys of an offer are read.
const maxKeys = 8

// isSecure reports whether a profile is one of SRTP with keys in the
// description: not UDP/TLS/RTP/SAVP, whose keys come by DTLS.
func isSecure(proto string) bool { return proto == "RTP/SAVP" || proto == "RTP/SAVPF" }

// profile returns the profile to offer.
func profile(keys []media.Crypto) string {
	if len(keys) > 0 {
		return "RTP/SAVP"
	}
	return "RTP/AVP"
}

// readCryptos returns the keys in attrs that can be used.
func readCryptos(attrs []string) (keys []media.Crypto) {
	for _, a := range attrs {
		if value, ok := strings.CutPrefix(a, "crypto:"); ok && len(keys) < maxKeys {
			if k, ok := readCrypto(value); ok {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// readCrypto reads TAG SUITE inline:KEY[|LIFETIME][|MKI:LENGTH] [PARAMETERS]
// (RFC 4568 section 9.1). Not used are lines with an MKI, which may hold
// several keys, and with parameters that change what is encrypted: an unknown
// one makes the line invalid (section 6.3.7), WSH is a hint.
func readCrypto(value string) (k media.Crypto, ok bool) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return k, false
	}
	tag, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil || len(f[0]) > 9 {
		return k, false
	}
	k.Tag, k.Suite = int(tag), media.Suite(f[1])
	if k.Suite != media.AES80 && k.Suite != media.AES32 {
		return k, false
	}
	for _, p := range f[3:] {
		if !strings.HasPrefix(p, "WSH=") && !strings.HasPrefix(p, "-") {
			return k, false
		}
	}
	text, ok := strings.CutPrefix(f[2], "inline:")
	text, rest, _ := strings.Cut(text, "|")
	if !ok || strings.ContainsAny(rest, ":;") {
		return k, false
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(key) != media.CryptoKeySize {
		return k, false
	}
	k.Key = pbx.Secret(key)
	return k, true
}

// writeCrypto writes the value of an a=crypto line.
func writeCrypto(k media.Crypto) string {
	return strconv.Itoa(k.Tag) + " " + string(k.Suite) + " inline:" + base64.StdEncoding.EncodeToString([]byte(k.Key.Reveal()))
}
