package pbx

// PickupGroup is a set of users who may take each other's calls (F077).
type PickupGroup struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	PickupGroupSettings
}

// PickupGroupSettings are the parameters of a pickup group.
type PickupGroupSettings struct {
	Number  int      `json:"number" title:"ID" doc:"Number of the group, entered in Number/Data of the function key Group pickup. It must be unique." minimum:"1" maximum:"9999" unique:"true"`
	Name    string   `json:"name" title:"Group" doc:"Name of the group. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
	Members []string `json:"members" title:"Members" doc:"Users who may take each other's calls. They need the permission Group pickup." maxItems:"1000" maxLength:"26" ref:"users"`
}

// HuntGroup bundles extensions under one number (F080).
type HuntGroup struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	HuntGroupSettings
}

// HuntGroupSettings are the parameters of a hunt group.
type HuntGroupSettings struct {
	Extension     string       `json:"extension" title:"Extension" doc:"Number of the group: 2 to 10 digits. Calls to it go to the members." minLength:"2" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits" claims:"hunt group"`
	Title         string       `json:"title" title:"Title" doc:"Name of the group. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
	DisplayPrefix string       `json:"displayPrefix" title:"Display prefix" doc:"Shown on the phone before the caller, so that people see that the call is for the group" maxLength:"20"`
	CallScheme    string       `json:"callScheme" title:"Call scheme" doc:"Whether the members ring in their order, each for its own time, or all together until the first answers" enum:"linear,parallel" default:"linear"`
	GroupBusy     bool         `json:"groupBusy" title:"Group busy" doc:"When one member is on the phone the call is not sent on to the next: for a desk phone and a mobile of one person"`
	DoorStation   bool         `json:"doorStation" title:"Door station" doc:"Phones that have one ring with the tone of the door interphone"`
	Members       []HuntMember `json:"members" title:"Members" doc:"Users in the order in which they are called" maxItems:"200"`
	HuntForwarding
}

// HuntForwarding is where a hunt group sends calls on to (F205): for each reason
// the ID of a user or of another hunt group, or "" for nowhere. To the outside
// only users forward, whose rights and limits then hold (F206).
type HuntForwarding struct {
	ForwardInternalAlways   string `json:"forwardInternalAlways" title:"Internal calls: always" doc:"User or hunt group that every internal call goes to; empty: the members ring. To forward to a number outside, choose a user who forwards there." maxLength:"26" ref:"users|huntGroups"`
	ForwardInternalBusy     string `json:"forwardInternalBusy" title:"Internal calls: busy" doc:"User or hunt group that internal calls go to when all members are busy or decline" maxLength:"26" ref:"users|huntGroups"`
	ForwardInternalNoAnswer string `json:"forwardInternalNoAnswer" title:"Internal calls: no answer" doc:"User or hunt group that internal calls go to when no member answers or can be reached" maxLength:"26" ref:"users|huntGroups"`
	ForwardExternalAlways   string `json:"forwardExternalAlways" title:"External calls: always" doc:"User or hunt group that every call from outside goes to; empty: the members ring. To forward to a number outside, choose a user who forwards there." maxLength:"26" ref:"users|huntGroups"`
	ForwardExternalBusy     string `json:"forwardExternalBusy" title:"External calls: busy" doc:"User or hunt group that calls from outside go to when all members are busy or decline" maxLength:"26" ref:"users|huntGroups"`
	ForwardExternalNoAnswer string `json:"forwardExternalNoAnswer" title:"External calls: no answer" doc:"User or hunt group that calls from outside go to when no member answers or can be reached" maxLength:"26" ref:"users|huntGroups"`
	ForwardTime             int    `json:"forwardTime" title:"No answer after" doc:"Time for which members ring until the call counts as not answered, if it is forwarded then; 0: that of the device" unit:"s" minimum:"0" maximum:"600"`
}

// Forwarding returns the ID of the user or hunt group that calls are sent on to
// for a reason, or "".
func (f *HuntForwarding) Forwarding(external bool, reason DiversionReason) string {
	switch {
	case reason == DivertAlways && external:
		return f.ForwardExternalAlways
	case reason == DivertAlways:
		return f.ForwardInternalAlways
	case reason == DivertBusy && external:
		return f.ForwardExternalBusy
	case reason == DivertBusy:
		return f.ForwardInternalBusy
	case reason == DivertNoAnswer && external:
		return f.ForwardExternalNoAnswer
	case reason == DivertNoAnswer:
		return f.ForwardInternalNoAnswer
	}
	return ""
}

// targets are the IDs that f sends calls on to, by JSON name.
func (f *HuntForwarding) targets() map[string]string {
	return map[string]string{
		"forwardInternalAlways": f.ForwardInternalAlways, "forwardInternalBusy": f.ForwardInternalBusy, "forwardInternalNoAnswer": f.ForwardInternalNoAnswer,
		"forwardExternalAlways": f.ForwardExternalAlways, "forwardExternalBusy": f.ForwardExternalBusy, "forwardExternalNoAnswer": f.ForwardExternalNoAnswer,
	}
}

// HuntGroupByID returns the hunt group with that ID, or nil.
func (c *Config) HuntGroupByID(id string) *HuntGroup {
	for i := range c.HuntGroups {
		if c.HuntGroups[i].ID == id {
			return &c.HuntGroups[i]
		}
	}
	return nil
}

// HuntMember is one place in a hunt group (F085, F086).
type HuntMember struct {
	User    string `json:"user" title:"User" doc:"User whose extension is called" minLength:"1" maxLength:"26" ref:"users"`
	Timeout int    `json:"timeout" title:"Timeout" doc:"Time after which a linear group calls the next member" unit:"s" minimum:"1" maximum:"600" default:"5"`
}

// ProvisioningGroup names a set of phones that are given the same settings.
type ProvisioningGroup struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	ProvisioningGroupSettings
}

// ProvisioningGroupSettings are the parameters of a provisioning group.
type ProvisioningGroupSettings struct {
	Name string `json:"name" title:"Name" doc:"Name of the group. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
}
