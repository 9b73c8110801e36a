package dialplan

import (
	"testing"

	"galilei/pbxd/pbx"
)

// Signs are orders to the provider, such as to forward the line: only a rule that
// names them sends them there.
func TestSignsToTheProvider(t *testing.T) {
	for _, tt := range []struct {
		pattern, digits string
		taken           bool
	}{
		{"0", "0*21*0900123456#", false}, {"^0(.*)", "0030#1", false}, {"^0", "0030123", true},
		{`^0\*21\*[0-9]+#$`, "0*21*030123456#", true}, {"^0[0-9*#]+", "0030#1", true},
	} {
		c := office(t, lines, func(c *pbx.Config) { c.OutboundRoutes[0].Pattern = tt.pattern })
		d := Decide(c, Query{Caller: Caller{UserID: "demo101"}, Digits: tt.digits})
		if taken := d.Kind == Outside; taken != tt.taken {
			t.Errorf("%s by %s: %s, want taken %v", tt.digits, tt.pattern, told(d), tt.taken)
		}
	}
}
