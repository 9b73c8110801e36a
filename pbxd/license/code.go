package license

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// NormalSerial returns a serial number in the form in which licences carry
// it: capital letters and digits only.
func NormalSerial(serial string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, serial)
}

// Code returns what a person reads to the vendor for a licence: the model, the
// serial number in groups of four and two characters that tell a typing
// mistake, for example T640-7K3Q-9F2M-ABCD-D8.
func Code(model, serial string) string {
	serial = NormalSerial(serial)
	parts := []string{model}
	for group := range slices.Chunk([]byte(serial), 4) {
		parts = append(parts, string(group))
	}
	return strings.Join(append(parts, checkDigits(model, serial)), "-")
}

// ParseCode returns the model and the serial number of a code. Case and spaces
// do not matter.
func ParseCode(code string) (model, serial string, err error) {
	parts := strings.Split(strings.ToUpper(strings.Join(strings.Fields(code), "")), "-")
	if len(parts) < 3 {
		return "", "", fmt.Errorf("licence code %q has %d parts; a model, a serial number and two check characters are needed", code, len(parts))
	}
	last := len(parts) - 1
	model, serial = parts[0], NormalSerial(strings.Join(parts[1:last], ""))
	if parts[last] != checkDigits(model, serial) {
		return "", "", fmt.Errorf("licence code %q has a typing mistake; compare it with the screen of the device", code)
	}
	return model, serial, nil
}

// checkDigits returns two characters, so that one code in 1024 that is
// mistyped passes.
func checkDigits(model, serial string) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // without I, L, O and U
	sum := sha256.Sum256([]byte(model + "-" + serial))
	return string([]byte{alphabet[sum[0]%32], alphabet[sum[1]%32]})
}
