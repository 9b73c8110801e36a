package csvtable

import (
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func TestFromLatin1(t *testing.T) {
	for c := range 256 {
		if got, want := fromLatin1(byte(c)), charmap.Windows1252.DecodeByte(byte(c)); got != want {
			t.Errorf("byte %02x: got %U, want %U", c, got, want)
		}
	}
}
