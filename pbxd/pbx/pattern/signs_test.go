package pattern

import "testing"

func TestNamesSigns(t *testing.T) {
	for source, want := range map[string]bool{
		"": false, "0": false, "^0.*": false, "^(.*)$": false, "0+": false, `\d*`: false, "[0-9]*": false, `\\*`: false,
		`\*21`: true, "#": true, "[0-9*]": true, "^0[*#]": true, `[^*]`: false, `^0[^*#]+`: false, `^0[^\*]`: false, `[^0]*\*`: true, "[^1]#": true,
	} {
		if got := NamesSigns(source); got != want {
			t.Errorf("%q: %v, want %v", source, got, want)
		}
	}
}
