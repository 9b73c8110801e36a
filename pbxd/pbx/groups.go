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
