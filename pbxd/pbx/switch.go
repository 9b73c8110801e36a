package pbx

// QuickDial is one number of a contact as a phone reaches it by its quick dial
// (F107).
type QuickDial struct {
	Number  string // as the contact has it, without spaces and signs
	Name    string // of the contact
	Private bool   // of the caller's own directory
}

// Switch carries out a function that changes what the user sets for the own
// calls: call waiting, do not disturb, the forwardings, the reminder. argument
// is what follows the code. A forwarding is switched for internal and external
// calls alike; without a number each goes where it last went, and one that
// never had a number takes that of the other. The time of a reminder is hours
// and minutes, hhmm. It returns false when f is no such function.
func (c *UserCalls) Switch(f Function, argument string, off bool) bool {
	if reason, diverts := f.Diverts(); diverts {
		c.switchForwarding(reason, argument, !off)
		return true
	}
	switch f {
	case FunctionCallWaiting:
		c.BusyOnBusy = off
	case FunctionDoNotDisturb:
		c.DoNotDisturb = !off
	case FunctionReminder:
		c.Reminder = !off
		if !off && len(argument) == 4 {
			c.ReminderAt = argument[:2] + ":" + argument[2:]
		}
	default:
		return false
	}
	return true
}

func (c *UserCalls) switchForwarding(reason DiversionReason, number string, on bool) {
	inside, _ := c.Forwarding(false, reason)
	outside, _ := c.Forwarding(true, reason)
	for _, external := range []bool{false, true} {
		if !on {
			c.SetForwarding(external, reason, false, "")
			continue
		}
		to := number
		if last, _ := c.Forwarding(external, reason); to == "" && last == "" {
			to = inside + outside // one of them is empty
		}
		c.SetForwarding(external, reason, to+inside+outside != "", to)
	}
}
