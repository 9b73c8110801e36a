package sdp

import (
	"encoding/base64"
	"encoding/binary"
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
// (RFC 4568 section 9.1). Not used are lines with several keys, and with
// parameters that change what is encrypted: an unknown one makes the line
// invalid (section 6.3.7), WSH is a hint.
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
	if !ok {
		return k, false
	}
	for part := range strings.SplitSeq(rest, "|") {
		if strings.ContainsAny(part, ":;") && !readMKI(part, &k) {
			return k, false
		}
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(key) != media.CryptoKeySize {
		return k, false
	}
	k.Key = pbx.Secret(key)
	return k, true
}

// maxMKI is the longest MKI that is used, octets.
const maxMKI = 8

// readMKI reads VALUE:LENGTH, the length in octets (RFC 4568 section 6.1).
func readMKI(text string, k *media.Crypto) bool {
	value, length, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(length, 10, 8)
	v, bad := strconv.ParseUint(value, 10, 64)
	if err != nil || bad != nil || n == 0 || n > maxMKI || n < 8 && v>>(8*n) != 0 || k.MKI != "" {
		return false
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	k.MKI = string(b[8-n:])
	return true
}

// writeCrypto writes the value of an a=crypto line.
func writeCrypto(k media.Crypto) string {
	return strconv.Itoa(k.Tag) + " " + string(k.Suite) + " inline:" + base64.StdEncoding.EncodeToString([]byte(k.Key.Reveal())) + writeMKI(k.MKI)
}

func writeMKI(mki string) string {
	if mki == "" {
		return ""
	}
	var b [8]byte
	copy(b[8-len(mki):], mki)
	return "|" + strconv.FormatUint(binary.BigEndian.Uint64(b[:]), 10) + ":" + strconv.Itoa(len(mki))
}
