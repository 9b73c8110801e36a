package pbx

import "testing"

// Every function that is served is on the card, no other is, and what the card
// says to dial is what the registry finds.
func TestCard(t *testing.T) {
	var codes FunctionCodes
	SetDefaults(&codes)
	on := map[Function]bool{}
	for _, line := range codes.Card() {
		on[line.Function] = true
		if line.Does.IsZero() {
			t.Errorf("%s %s: the card does not say what it does", line.Function, line.Dial)
		}
		digits := line.Dial + line.Ends
		if !line.Then.IsZero() {
			digits = line.Dial + "12"
		}
		if c, _, ok := codes.Match(digits); !ok || c.Function != line.Function {
			t.Errorf("%s is %s, not %s", digits, c.Function, line.Function)
		}
	}
	for _, c := range codes.Codes() {
		if on[c.Function] != c.Function.Served() {
			t.Errorf("%s: on the card %v, served %v", c.Function, on[c.Function], c.Function.Served())
		}
	}
}
