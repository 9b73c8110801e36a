package ladder

import (
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// maxSummary is how many sentences tell of a call at most.
const maxSummary = 16

// summary tells a call in plain words: who called whom, what sent it on, who
// answered after what time, how it ended.
func summary(c *Call, steps []Moment) (list []pbx.Message) {
	switch {
	case c.From == "":
		list = append(list, pbx.Say("Somebody without a number called {number}", "number", c.To))
	case c.FromName == "" || c.FromName == c.From:
		list = append(list, pbx.Say("{from} called {number}", "from", c.From, "number", c.To))
	default:
		list = append(list, pbx.Say("{name} ({from}) called {number}", "name", c.FromName, "from", c.From, "number", c.To))
	}
	told := map[string]bool{}
	for i := range steps {
		s := &steps[i].Step
		told[s.Rule] = true
		if noteworthy(steps, i) && len(list) < maxSummary-3 && s.Message.Text() != list[len(list)-1].Text() {
			list = append(list, s.Message)
		}
	}
	wait := c.Answered.Sub(c.Began)
	switch {
	case !c.Answered.IsZero() && !told["answered"]:
		list = append(list, pbx.Say("Answered after {n} s", "n", seconds(wait)))
	case c.Answered.IsZero() && !c.Ended.IsZero() && !told["ended"]:
		list = append(list, pbx.Say("The call ended after {n} s without an answer", "n", seconds(c.Ended.Sub(c.Began))))
	}
	switch {
	case !c.Answered.IsZero() && !c.Ended.IsZero():
		list = append(list, pbx.Say("They spoke for {n} s", "n", seconds(c.Ended.Sub(c.Answered))))
	case c.Ended.IsZero():
		list = append(list, pbx.Say("The call goes on"))
	}
	return list
}

func seconds(d time.Duration) int { return int(max(d, 0).Round(time.Second) / time.Second) }

// noteworthy reports whether a step belongs into a short account: all that
// happens in a call does, and of the dialplan what sends a call elsewhere or
// ends it.
func noteworthy(steps []Moment, i int) bool {
	s := &steps[i].Step
	switch s.Rule {
	case "outcome", "operator", "group-busy", "do-not-disturb", "loop", "emergency-call", "intercom":
		return true
	case "forward":
		if s.Permission != "" { // who may, not what was done
			return false
		}
		if i+1 < len(steps) && steps[i+1].Rule == "forward" && steps[i+1].Permission != "" {
			i++
			if !steps[i].Granted {
				return false
			}
		}
		return i+1 >= len(steps) || steps[i+1].Rule != "loop"
	case "function-code":
		return s.Before != ""
	case "hunt-group", "extension", "busy", "registered", "emergency", "outside":
		return false
	}
	return !ofDialplan(s)
}

// ofDialplan reports whether the dialplan has looked at something rather than
// something has happened.
func ofDialplan(s *dialplan.Step) bool {
	switch s.Rule {
	case "digits", "ring", "member", "permission", "clir", "pickup", "time", "override-call-forward", "call-waiting", "clip", "function-code":
		return true
	}
	return false
}
