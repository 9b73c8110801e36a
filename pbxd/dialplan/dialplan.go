// Package dialplan decides where a call goes. It is pure: configuration,
// caller and digits go in, a decision and the steps that led to it come out.
// It does no I/O and reads no clock, so that the same code answers "who would
// ring if".
package dialplan

import (
	"fmt"

	"galilei/pbxd/pbx"
)

// Query is one dialled number and who dialled it.
type Query struct {
	Caller string // extension of the caller
	Digits string // as dialled
}

// Step is one rule that was tried, in words.
type Step struct {
	Rule   string `json:"rule"`
	Result string `json:"result"`
}

// Decision is where a call goes: either Extension is set, or Refuse says why
// it goes nowhere.
type Decision struct {
	Extension string
	Name      string // of the called user
	Refuse    pbx.Cause
	Trace     []Step
}

// Decide routes one call.
func Decide(c *pbx.Config, q Query) Decision {
	var d Decision
	step := func(rule, format string, args ...any) {
		d.Trace = append(d.Trace, Step{rule, fmt.Sprintf(format, args...)})
	}
	if u := c.UserByExtension(q.Digits); u != nil {
		step("extension", "%s is the extension of %s", q.Digits, u.Name)
		d.Extension, d.Name = u.Extension, u.DisplayName()
		return d
	}
	step("extension", "nobody has the extension %q", q.Digits)
	d.Refuse = pbx.CauseUnallocated
	return d
}
