package pbx

import "time"

// Spoken is what was spoken on behalf of a user over a gateway to numbers of a
// class.
type Spoken struct {
	User    string // ID
	Gateway string // ID
	Class   TollClass
	Talk    time.Duration
}

// TollState is what a user or a gateway has used up of the limits of calls.
type TollState struct {
	Calls   int           // to the outside, that go on now
	Foreign time.Duration // spoken today, calls that go on included
	Premium time.Duration // likewise
}

// Spoken returns what was spoken today to numbers of a class whose minutes are
// limited; 0 of others.
func (s TollState) Spoken(class TollClass) time.Duration {
	switch class {
	case TollForeign:
		return s.Foreign
	case TollPremium:
		return s.Premium
	}
	return 0
}

// UserMinutes returns how many minutes a user may speak in a day to numbers of a
// class; 0 is any number.
func (t *Toll) UserMinutes(class TollClass) int {
	return minutesOf(class, t.ForeignMinutes, t.PremiumMinutes)
}

// GatewayMinutes returns how many minutes may be spoken in a day over a gateway to
// numbers of a class; 0 is any number.
func (t *Toll) GatewayMinutes(class TollClass) int {
	return minutesOf(class, t.GatewayForeignMinutes, t.GatewayPremiumMinutes)
}

func minutesOf(class TollClass, foreign, premium int) int {
	switch class {
	case TollForeign:
		return foreign
	case TollPremium:
		return premium
	}
	return 0
}

// User decides whether a user, named as people know it, may begin one more call to
// a number of a class: what there is to say, and why not, or 0.
func (t *Toll) User(name string, class TollClass, s TollState) (said []Message, refused Cause) {
	if t.UserCalls > 0 && s.Calls >= t.UserCalls {
		return []Message{Say("{name} has {n} calls to the outside; at most {max} are allowed", "name", name, "n", s.Calls, "max", t.UserCalls)}, CauseUserBusy
	}
	most, spoken := t.UserMinutes(class), minutes(s.Spoken(class))
	if most == 0 {
		return nil, 0
	}
	said = append(said, UserSpoke(name, class, spoken, most))
	if spoken >= most {
		return append(said, LimitReached()), CauseNotAuthorised
	}
	return said, 0
}

// Gateway decides whether one more call to a number of a class may go over a
// gateway, by name: what there is to say, and whether it may.
func (t *Toll) Gateway(name string, class TollClass, s TollState) (said []Message, may bool) {
	most, spoken := t.GatewayMinutes(class), minutes(s.Spoken(class))
	if most == 0 {
		return nil, true
	}
	said = append(said, GatewayCarried(name, class, spoken, most))
	if spoken >= most {
		return append(said, LimitReached()), false
	}
	return said, true
}

// minutes are the whole minutes of a time.
func minutes(d time.Duration) int { return int(d / time.Minute) }

// UserSpoke says how much of a limit a user has used up.
func UserSpoke(name string, class TollClass, n, most int) Message {
	if class == TollPremium {
		return Say("{name} has spoken {n} of {max} minutes to premium numbers today", "name", name, "n", n, "max", most)
	}
	return Say("{name} has spoken {n} of {max} minutes to other countries today", "name", name, "n", n, "max", most)
}

// GatewayCarried says how much of its limit was spoken over a gateway.
func GatewayCarried(name string, class TollClass, n, most int) Message {
	if class == TollPremium {
		return Say("{n} of {max} minutes to premium numbers were spoken over {gateway} today", "gateway", name, "n", n, "max", most)
	}
	return Say("{n} of {max} minutes to other countries were spoken over {gateway} today", "gateway", name, "n", n, "max", most)
}

// LimitReached says that a limit is used up.
func LimitReached() Message { return Say("The limit of the day is reached") }

// TollAlarm tells of a limit of minutes that is almost or wholly used up today.
type TollAlarm struct {
	User    string // ID; "" of a gateway's limit
	Gateway string // ID; "" of a user's limit
	Class   TollClass
	Spoken  int  // minutes
	Limit   int  // minutes
	Reached bool // the limit: further calls are refused
}

// Who is the name of the user or gateway, as it is now.
func (a *TollAlarm) Who(c *Config) string {
	if u := c.UserByID(a.User); u != nil {
		return u.Label()
	}
	if g := c.GatewayByID(a.Gateway); g != nil {
		return g.Name
	}
	return a.User + a.Gateway
}

// Said says how much was spoken.
func (a *TollAlarm) Said(c *Config) Message {
	if a.Gateway != "" {
		return GatewayCarried(a.Who(c), a.Class, a.Spoken, a.Limit)
	}
	return UserSpoke(a.Who(c), a.Class, a.Spoken, a.Limit)
}

// Warning says to administrators how much was spoken, and what follows.
func (a *TollAlarm) Warning(c *Config) Message {
	who := a.Who(c)
	switch {
	case !a.Reached:
		return a.Said(c)
	case a.Gateway != "" && a.Class == TollPremium:
		return Say("{n} of {max} minutes to premium numbers were spoken over {gateway} today: it takes no more such calls until midnight, or until you raise the limit", "gateway", who, "n", a.Spoken, "max", a.Limit)
	case a.Gateway != "":
		return Say("{n} of {max} minutes to other countries were spoken over {gateway} today: it takes no more such calls until midnight, or until you raise the limit", "gateway", who, "n", a.Spoken, "max", a.Limit)
	case a.Class == TollPremium:
		return Say("{name} has spoken {n} of {max} minutes to premium numbers today: more such calls are refused until midnight, or until you raise the limit", "name", who, "n", a.Spoken, "max", a.Limit)
	}
	return Say("{name} has spoken {n} of {max} minutes to other countries today: more such calls are refused until midnight, or until you raise the limit", "name", who, "n", a.Spoken, "max", a.Limit)
}

// Label is what people call a user: name and number.
func (u *User) Label() string {
	if u.Extension == "" {
		return u.DisplayName()
	}
	return u.DisplayName() + " (" + u.Extension + ")"
}
