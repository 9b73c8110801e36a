package pbx

import "time"

// Outage is a gateway of which calls are expected that it cannot take.
type Outage struct {
	Gateway string    // ID
	State   LineState // refused, unreachable, or off when its transport is not open
	Since   time.Time
	Reason  Message
	Back    time.Time // when it worked again; zero while it does not
}

// Message says to administrators what is wrong and what to do next, with times in
// the zone of the device.
func (o *Outage) Message(c *Config) Message {
	name, since := o.name(c), o.at(c, o.Since)
	switch {
	case !o.Back.IsZero():
		return Say("The gateway {name} works again since {time}. It was down since {since}.", "name", name, "time", o.at(c, o.Back), "since", since)
	case o.State == LineRefused:
		return Say("The provider has refused the gateway {name} since {since}: {reason}. Check its user and password; if they are right, ask the provider.", "name", name, "since", since, "reason", o.Reason)
	case o.State == LineOff:
		return Say("The gateway {name} has been out of use since {since}: {reason}. Choose another address or port for its transport.", "name", name, "since", since, "reason", o.Reason)
	}
	return Say("The gateway {name} has not been reachable since {since}: {reason}. Check the internet connection and the address of the provider; if they are right, ask the provider.", "name", name, "since", since, "reason", o.Reason)
}

// Subject says the same in a few words.
func (o *Outage) Subject(c *Config) Message {
	if o.Back.IsZero() {
		return Say("The gateway {name} is down", "name", o.name(c))
	}
	return Say("The gateway {name} works again", "name", o.name(c))
}

func (o *Outage) name(c *Config) string {
	if g := c.GatewayByID(o.Gateway); g != nil {
		return g.Name
	}
	return o.Gateway
}

func (o *Outage) at(c *Config, t time.Time) string {
	if zone, err := time.LoadLocation(c.Locale.TimeZone); err == nil {
		t = t.In(zone)
	}
	return t.Format("2006-01-02 15:04")
}
