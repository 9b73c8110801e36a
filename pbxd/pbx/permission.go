package pbx

import "slices"

// Permission is one thing that members of a group may do to, or with, the
// members of another (F089-F096).
type Permission string

// The permissions of the manual (p28, p29).
const (
	PermitCallWaiting        Permission = "call-waiting"
	PermitCallRecording      Permission = "call-recording"
	PermitCallForwarding     Permission = "call-forwarding"
	PermitOverrideForward    Permission = "override-call-forward"
	PermitAutoRecordings     Permission = "manage-automatic-recordings"
	PermitOwnRecordings      Permission = "manage-own-user-recordings"
	PermitOwnQueueRecordings Permission = "manage-own-queue-recordings"
	PermitManualRecordings   Permission = "manage-manual-user-recordings"
	PermitBusyLampField      Permission = "busy-lamp-field"
	PermitCLIP               Permission = "allow-clip"
	PermitCLIR               Permission = "allow-clir"
	PermitDND                Permission = "allow-dnd"
	PermitDirectPickup       Permission = "direct-pickup"
	PermitMonitorOwnQueues   Permission = "monitor-own-queues"
	PermitMonitorQueues      Permission = "monitor-queues"
	PermitQueueLogon         Permission = "queue-logon-logoff"
	PermitForwardQueues      Permission = "call-forward-queues"
	PermitFax                Permission = "fax-server"
	PermitShowGUI            Permission = "show-gui" // applies to a GUI group
	PermitEditContacts       Permission = "edit-global-contacts"
	PermitGroupPickup        Permission = "group-pickup"
	PermitHotDesking         Permission = "hot-desking"
	PermitImpersonate        Permission = "impersonate"
	PermitRingtones          Permission = "ringtone-configuration"
	PermitInternalPhonebook  Permission = "member-of-internal-phonebook"
	PermitSetNightService    Permission = "set-night-answer-service"
	PermitNightStatus        Permission = "night-profile-status"
	PermitPushMessages       Permission = "receive-push-messages"
	PermitIntercom           Permission = "allow-intercom"
	PermitReminder           Permission = "allow-reminder"
	PermitVoicemailSettings  Permission = "allow-voicemail-configuration"
)

// Identifiers of the predefined permission groups (F088). Their membership is
// a fact of the user, and none of them can be deleted.
const (
	GroupAdmins         = "admins"            // users with Admin
	GroupAllHosts       = "allhosts"          // the device itself, for Auto Answer (F098)
	GroupInvisibleUsers = "allinvisibleusers" // users who are hidden from the phonebook, and admin
	GroupAllUsers       = "allusers"          // everybody
	GroupVisibleUsers   = "allvisibleusers"   // users in the phonebook
	GroupAllQueues      = "allqueues"         // every queue
)

// PermissionGroup is a set of users or queues and what they may do. A group
// without permissions is a routing selector (F099).
type PermissionGroup struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	PermissionGroupSettings
}

// PermissionGroupSettings are the parameters of a permission group.
type PermissionGroupSettings struct {
	Name        string            `json:"name" title:"Name" doc:"Name of the group. It must be unique." minLength:"1" maxLength:"50" unique:"true"`
	Type        string            `json:"type" title:"Type" doc:"What the group is assigned to" enum:"user,queue,host" default:"user"`
	Members     []string          `json:"members" title:"Members" doc:"Users of the group. The members of predefined groups follow from the users." maxItems:"10000" maxLength:"26" ref:"users"`
	Permissions []GroupPermission `json:"permissions" title:"Permissions" doc:"What the members may do" maxItems:"500"`
}

// GroupPermission is one permission and the group that it applies to.
type GroupPermission struct {
	Permission Permission `json:"permission" title:"Permission" doc:"What the members may do" enum:"call-waiting,call-recording,call-forwarding,override-call-forward,manage-automatic-recordings,manage-own-user-recordings,manage-own-queue-recordings,manage-manual-user-recordings,busy-lamp-field,allow-clip,allow-clir,allow-dnd,direct-pickup,monitor-own-queues,monitor-queues,queue-logon-logoff,call-forward-queues,fax-server,show-gui,edit-global-contacts,group-pickup,hot-desking,impersonate,ringtone-configuration,member-of-internal-phonebook,set-night-answer-service,night-profile-status,receive-push-messages,allow-intercom,allow-reminder,allow-voicemail-configuration"`
	AppliesTo  string     `json:"appliesTo" title:"Apply to" doc:"Group that the permission applies to; for Show GUI the GUI group. Allow intercom of All hosts towards users, or of users towards All hosts: their phones answer by themselves when they call from this page." minLength:"1" maxLength:"26" ref:"permissionGroups|guiGroups"`
}

// Predefined reports whether g came with the device. Such a group cannot be
// deleted, and its type and members are not set by hand.
func (g *PermissionGroup) Predefined() bool {
	switch g.ID {
	case GroupAdmins, GroupAllHosts, GroupInvisibleUsers, GroupAllUsers, GroupVisibleUsers, GroupAllQueues:
		return true
	}
	return false
}

// fits reports whether a permission can apply to groups of a type. One that is
// not known, or applies to GUI groups, is judged elsewhere.
func (p Permission) fits(groupType string) bool {
	switch p {
	case PermitMonitorOwnQueues, PermitMonitorQueues, PermitQueueLogon, PermitForwardQueues, PermitOwnQueueRecordings:
		return groupType == "queue"
	case PermitCallRecording, PermitAutoRecordings: // of what users and queues talk
		return groupType != "host"
	case PermitIntercom: // hosts, too: auto answer (F098)
		return groupType != "queue"
	case PermitShowGUI:
		return true
	}
	return groupType == "user"
}

// Has reports whether u belongs to the group.
func (g *PermissionGroup) Has(u *User) bool {
	switch g.ID {
	case GroupAdmins:
		return u.Admin
	case GroupInvisibleUsers:
		return u.HideFromPhonebook || u.ID == AdminID
	case GroupAllUsers:
		return true
	case GroupVisibleUsers:
		return !u.HideFromPhonebook && u.ID != AdminID
	case GroupAllHosts, GroupAllQueues:
		return false
	}
	return g.Type == "user" && slices.Contains(g.Members, u.ID)
}

// MembersOf returns the IDs of the users who belong to g, in the order of the
// users.
func (c *Config) MembersOf(g *PermissionGroup) []string {
	ids := []string{}
	for i := range c.Users {
		if g.Has(&c.Users[i]) {
			ids = append(ids, c.Users[i].ID)
		}
	}
	return ids
}

// PermissionGroupByID returns the group with that ID, or nil.
func (c *Config) PermissionGroupByID(id string) *PermissionGroup {
	for i := range c.PermissionGroups {
		if c.PermissionGroups[i].ID == id {
			return &c.PermissionGroups[i]
		}
	}
	return nil
}

// May reports whether u has the permission p towards target: one of u's groups
// grants p and applies it to a group that target belongs to.
func (c *Config) May(u *User, p Permission, target *User) bool {
	for i := range c.PermissionGroups {
		g := &c.PermissionGroups[i]
		for _, gp := range g.Permissions {
			if gp.Permission != p || !g.Has(u) {
				continue
			}
			if to := c.PermissionGroupByID(gp.AppliesTo); to != nil && to.Has(target) {
				return true
			}
		}
	}
	return false
}

// Holds reports whether u has the permission p towards anything: for
// permissions that concern no other user, such as Edit global contacts.
func (c *Config) Holds(u *User, p Permission) bool {
	for i := range c.PermissionGroups {
		g := &c.PermissionGroups[i]
		if g.Has(u) && slices.ContainsFunc(g.Permissions, func(gp GroupPermission) bool { return gp.Permission == p }) {
			return true
		}
	}
	return false
}

// AnswersItself reports whether a phone of u answers by itself when the device
// calls it because u dials in the page: All hosts, the device, and u have Allow
// intercom, either towards the other, and u does not refuse such calls (F098).
func (c *Config) AnswersItself(u *User) bool {
	if u.Calls.RefuseIntercom {
		return false
	}
	for i := range c.PermissionGroups {
		g := &c.PermissionGroups[i]
		for _, p := range g.Permissions {
			to := c.PermissionGroupByID(p.AppliesTo)
			if p.Permission == PermitIntercom && to != nil && (g.ID == GroupAllHosts && to.Has(u) || to.ID == GroupAllHosts && g.Has(u)) {
				return true
			}
		}
	}
	return false
}

// factoryPermissionGroups are the predefined groups with what their members
// may do on a new device.
func factoryPermissionGroups() []PermissionGroup {
	group := func(id, name, kind string, permissions ...GroupPermission) PermissionGroup {
		if permissions == nil {
			permissions = []GroupPermission{}
		}
		return PermissionGroup{id, PermissionGroupSettings{name, kind, []string{}, permissions}}
	}
	to := func(target string, list ...Permission) (granted []GroupPermission) {
		for _, p := range list {
			granted = append(granted, GroupPermission{p, target})
		}
		return granted
	}
	everybody := append(to(GroupAllUsers,
		PermitCallWaiting, PermitCallForwarding, PermitBusyLampField, PermitCLIP, PermitCLIR, PermitDND, PermitGroupPickup, PermitHotDesking,
		PermitRingtones, PermitPushMessages, PermitReminder, PermitVoicemailSettings, PermitOwnRecordings, PermitFax),
		GroupPermission{PermitQueueLogon, GroupAllQueues}, GroupPermission{PermitMonitorOwnQueues, GroupAllQueues}, GroupPermission{PermitShowGUI, GUIGroupUser})
	admins := append(to(GroupAllUsers, PermitImpersonate, PermitEditContacts, PermitSetNightService, PermitNightStatus, PermitManualRecordings, PermitAutoRecordings),
		GroupPermission{PermitMonitorQueues, GroupAllQueues}, GroupPermission{PermitForwardQueues, GroupAllQueues}, GroupPermission{PermitShowGUI, GUIGroupAdmin})
	return []PermissionGroup{
		group(GroupAdmins, "Admins", "user", admins...),
		group(GroupAllHosts, "All hosts", "host"),
		group(GroupInvisibleUsers, "All invisible users", "user"),
		group(GroupAllUsers, "All users", "user", everybody...),
		group(GroupVisibleUsers, "All visible users", "user", to(GroupVisibleUsers, PermitInternalPhonebook)...),
		group(GroupAllQueues, "All queues", "queue"),
	}
}

// MayPickUp reports whether u may take a call that rings at target: by the
// permission for it, or by a pickup group of both (F077, F078). Either may be
// nil.
func (c *Config) MayPickUp(u, target *User) bool {
	if u == nil || target == nil {
		return false
	}
	if c.May(u, PermitDirectPickup, target) {
		return true
	}
	return c.May(u, PermitGroupPickup, u) && slices.ContainsFunc(c.PickupGroups, func(g PickupGroup) bool {
		return slices.Contains(g.Members, u.ID) && slices.Contains(g.Members, target.ID)
	})
}
