package pbx

import (
	"slices"
	"strconv"
	"time"
)

// InboundRoute says where calls of a gateway group go (F187-F191). Routes of a
// group are tried in their order; without one that holds, the number that was
// called is that of the device.
type InboundRoute struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	InboundRouteSettings
}

// InboundRouteSettings are the parameters of an inbound route.
type InboundRouteSettings struct {
	Rule    string `json:"rule" title:"Rule" doc:"Name of the rule" minLength:"1" maxLength:"50"`
	Group   string `json:"group" title:"Gateway group" doc:"Group whose calls the rule is for" minLength:"1" maxLength:"26" ref:"gatewayGroups"`
	Active  bool   `json:"active" title:"Active" doc:"The rule is used" default:"true"`
	Profile int    `json:"profile" title:"Profile" doc:"Profile of the night answer service in which the rule holds; 0: always" minimum:"0" maximum:"9" default:"0"`
	Window  Window `json:"window" title:"When" doc:"Time in which the rule holds"`
	Pattern string `json:"pattern" title:"Number" doc:"Numbers that are called, as Inbound DIDs of the group leaves them: digits, or a regular expression such as ^(.*)" minLength:"1" maxLength:"200"`
	Target  string `json:"target" title:"Target" doc:"Number of the device that is called instead; $1 is what the first brackets of the pattern found" minLength:"1" maxLength:"100"`
}

// OutboundRoute says which gateway groups a number of the outside goes to, and
// who may call it (F194-F199). Routes are tried in their order.
type OutboundRoute struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	OutboundRouteSettings
}

// OutboundRouteSettings are the parameters of an outbound route.
type OutboundRouteSettings struct {
	Rule      string   `json:"rule" title:"Rule" doc:"Name of the rule" minLength:"1" maxLength:"50"`
	Active    bool     `json:"active" title:"Active" doc:"The rule is used" default:"true"`
	Window    Window   `json:"window" title:"When" doc:"Time in which the rule holds"`
	Pattern   string   `json:"pattern" title:"Number" doc:"Numbers as they are dialled: digits with which they begin, or a regular expression such as ^0[1-9]. One with a plus is compared with the number with its country, too, however it was dialled." minLength:"1" maxLength:"200"`
	UserGroup string   `json:"userGroup" title:"User group" doc:"Permission group whose members the rule is for; empty: everybody" maxLength:"26" ref:"permissionGroups"`
	Groups    []string `json:"groups" title:"Gateway groups" doc:"Groups that the call goes over, each when the one before cannot take it" maxItems:"10" maxLength:"26" ref:"gatewayGroups"`
	Prefix    string   `json:"prefix" title:"Add prefix" doc:"What {prefix} of the dial command stands for" maxLength:"20" pattern:"^[0-9+*#]*$" patternDescription:"digits, '+', '*' and '#'"`
}

// NightService is which profile of the inbound routes holds (F192, F193).
type NightService struct {
	Profile    int      `json:"profile" title:"Active profile" doc:"Profile that holds for everybody; 0: none" minimum:"0" maximum:"9" default:"0"`
	Selectable []string `json:"selectable" title:"Profiles for users" doc:"Profiles that users with the permission may choose" maxItems:"9" enum:"1,2,3,4,5,6,7,8,9"`
}

// UsersMay reports whether users with the permission may choose a profile: one
// that is offered, none (0) where one is, or the one that holds.
func (n *NightService) UsersMay(profile int) bool {
	return profile == 0 && len(n.Selectable) > 0 || profile == n.Profile || slices.Contains(n.Selectable, strconv.Itoa(profile))
}

// Chosen is what a revision that chooses the profile says.
func (n *NightService) Chosen() Message {
	if n.Profile == 0 {
		return Say("Night answer service off")
	}
	return Say("Night answer service: profile {profile}", "profile", n.Profile)
}

// Calendar is a set of holidays.
type Calendar struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	CalendarSettings
}

// CalendarSettings are the parameters of a holiday calendar.
type CalendarSettings struct {
	Name string    `json:"name" title:"Name" doc:"Name of the calendar. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
	Days []Holiday `json:"days" title:"Days" doc:"Holidays" maxItems:"1000"`
}

// Holiday is one entry of a calendar.
type Holiday struct {
	Title string `json:"title" title:"Title" doc:"Name of the holiday" maxLength:"100"`
	From  string `json:"first" title:"First day" doc:"As 2026-12-24, or as 12-24 in every year" minLength:"5" maxLength:"10" pattern:"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$" patternDescription:"a date as 2026-12-24 or 12-24"`
	To    string `json:"last" title:"Last day" doc:"Empty: that day only" maxLength:"10" pattern:"^(([0-9]{4}-)?[0-9]{2}-[0-9]{2})?$" patternDescription:"a date as 2026-12-24 or 12-24"`
}

// Toll limits what calls to the outside may cost when somebody misuses a phone. A
// call counts for the user on whose behalf it leaves: who called, forwarded or
// transferred it. Emergency calls count for nobody.
type Toll struct {
	UserCalls             int `json:"userCalls" title:"Calls of a user" doc:"Calls to the outside that a user may have at a time; 0: any number" minimum:"0" maximum:"100" default:"4"`
	ForeignMinutes        int `json:"foreignMinutes" title:"Foreign minutes" doc:"Minutes to other countries that a user may speak in a day; 0: any number" minimum:"0" maximum:"1440" default:"120"`
	PremiumMinutes        int `json:"premiumMinutes" title:"Premium minutes" doc:"Minutes to premium numbers that a user may speak in a day; 0: any number" minimum:"0" maximum:"1440" default:"15"`
	GatewayForeignMinutes int `json:"gatewayForeignMinutes" title:"Foreign minutes of a gateway" doc:"Minutes to other countries that may be spoken over a gateway in a day; 0: any number" minimum:"0" maximum:"100000" default:"1200"`
	GatewayPremiumMinutes int `json:"gatewayPremiumMinutes" title:"Premium minutes of a gateway" doc:"Minutes to premium numbers that may be spoken over a gateway in a day; 0: any number" minimum:"0" maximum:"100000" default:"60"`
	AlarmPercent          int `json:"alarmPercent" title:"Alarm at" doc:"Part of a limit at which the administrator is told" unit:"%" minimum:"1" maximum:"100" default:"80"`
}

// Holds reports whether a day is one of the calendar's.
func (c *Calendar) Holds(day time.Time) bool {
	return slices.ContainsFunc(c.Days, func(h Holiday) bool { return DaySpan{From: h.From, To: h.To}.Holds(day) })
}

// GatewayGroupByID returns the gateway group with that ID, or nil.
func (c *Config) GatewayGroupByID(id string) *GatewayGroup {
	for i := range c.GatewayGroups {
		if c.GatewayGroups[i].ID == id {
			return &c.GatewayGroups[i]
		}
	}
	return nil
}

// GatewayByID returns the gateway with that ID, or nil.
func (c *Config) GatewayByID(id string) *Gateway {
	for i := range c.Gateways {
		if c.Gateways[i].ID == id {
			return &c.Gateways[i]
		}
	}
	return nil
}
