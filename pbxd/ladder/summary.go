package ladder

import (
	"time"

	"galilei/pbxd/pbx"
)

// maxSummary is how many sentences tell of a call at most.
const maxSummary = 16

// summary tells a call in plain words: who calls whom, what sends the call on,
// who answers after ringing for how long, how it ends.
func summary(c *Call, steps []Moment) (list []pbx.Message) {
	switch {
	case c.From == "":
		list = append(list, pbx.Say("Somebody without a number calls {number}", "number", c.To))
	case c.FromName == "" || c.FromName == c.From:
		list = append(list, pbx.Say("{from} calls {number}", "from", c.From, "number", c.To))
	default:
		list = append(list, pbx.Say("{name} ({from}) calls {number}", "name", c.FromName, "from", c.From, "number", c.To))
	}
	told := map[string]bool{}
	speak := func() {
		if !c.Answered.IsZero() && !c.Ended.IsZero() && !told["spoke"] {
			list = append(list, pbx.Say("They speak for {n} s", "n", seconds(c.Ended.Sub(c.Answered))))
		}
		told["spoke"] = true
	}
	rang := c.Began // when who answers began to ring
	for i := range steps {
		s := &steps[i]
		if s.Rule == "ring" {
			rang = s.At
		}
		m := s.Message
		number, named := m.Args["number"]
		switch {
		case s.Rule == "ended":
			if told["ended"] {
				continue
			}
			speak()
		case len(list) >= maxSummary-3 || !noteworthy(steps, i):
			continue
		case s.Rule == "answered" && named:
			m = pbx.Say("{number} answers after {n} s", "number", number, "n", seconds(s.At.Sub(rang)))
		}
		told[s.Rule] = true
		if m.Text() != list[len(list)-1].Text() {
			list = append(list, m)
		}
	}
	switch {
	case c.Ended.IsZero():
		list = append(list, pbx.Say("The call goes on"))
	case !c.Answered.IsZero():
		speak()
	case !told["ended"]:
		list = append(list, pbx.Say("The call ends after {n} s without an answer", "n", seconds(c.Ended.Sub(c.Began))))
	}
	return list
}

func seconds(d time.Duration) int { return int(max(d, 0).Round(time.Second) / time.Second) }

// noteworthy reports whether a step belongs into a short account: what happens
// in a call, and of the dialplan what sends it elsewhere or refuses it.
func noteworthy(steps []Moment, i int) bool {
	s := &steps[i].Step
	if s.Permission != "" { // who may, not what was done
		return false
	}
	switch s.Rule {
	case "answered", "originate", "outcome", "operator", "group-busy", "do-not-disturb", "loop", "park", "transfer", "recall", "release":
		return true
	case "pickup": // that somebody did it, not who may
		_, done := s.Message.Args["other"]
		return done
	case "function-code":
		return s.Before != ""
	case "forward":
		if i+1 < len(steps) && steps[i+1].Rule == "forward" && steps[i+1].Permission != "" {
			if i++; !steps[i].Granted {
				return false
			}
		}
		return i+1 >= len(steps) || steps[i+1].Rule != "loop"
	}
	return false
}
