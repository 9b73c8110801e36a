package pbx

import (
	"slices"
	"time"
)

// Locale is where the device stands and what it speaks.
type Locale struct {
	Country     string `json:"country" title:"Country" doc:"Country whose tones, prefixes and emergency numbers hold" minLength:"2" maxLength:"2" pattern:"^[A-Z]{2}$" patternDescription:"the two capital letters of a country (ISO 3166-1)" default:"DE"`
	Language    string `json:"language" title:"Language" doc:"Language of the device: of announcements, and of this page for users who have chosen none" enum:"en,de" default:"en"`
	AreaCode    string `json:"areaCode" title:"Area code" doc:"Area code of the place without the national prefix, for example 89; empty where it is not known or there is none" maxLength:"6" pattern:"^[0-9]*$" patternDescription:"digits"`
	OutsideLine string `json:"outsideLine" title:"Outside line" doc:"Digit that people dial before a number of the outside; empty: they dial the number alone. Rules for every number and dial commands of the wizard follow a change; others are changed by hand." maxLength:"2" pattern:"^[0-9]*$" patternDescription:"digits" default:"0"`
	TimeZone    string `json:"timeZone" title:"Time zone" doc:"Time zone of the device, for example Europe/Berlin" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_+/-]+$" patternDescription:"the name of a time zone" default:"Europe/Berlin"`
}

// Setup is what the installation wizard has done.
type Setup struct {
	WizardDone bool `json:"wizardDone" title:"Wizard done" doc:"The installation wizard was finished or left; it does not start by itself any more"`
}

// Page holds the settings of the admin page.
type Page struct {
	Certificate string `json:"certificate" title:"Certificate" doc:"Certificate of the page; empty for the one that the device has made" maxLength:"26" ref:"certificates"`
	SessionIdle int    `json:"sessionIdle" title:"Logout when idle" doc:"Time without use after which a login ends" unit:"min" minimum:"5" maximum:"1440" default:"60"`
	SessionLife int    `json:"sessionLife" title:"Longest login" doc:"Time after which a login ends in any case" unit:"h" minimum:"1" maximum:"168" default:"24"`
}

// Retention is how long the device keeps what it has noted.
type Retention struct {
	AuditDays    int `json:"auditDays" title:"Keep the audit log" doc:"Time after which entries of the audit log are deleted. It never holds more than 50,000." unit:"d" minimum:"7" maximum:"3650" default:"365"`
	TextDays     int `json:"textDays" title:"Keep messages" doc:"Time after which text messages of users are deleted. Of each user the newest 100 are kept." unit:"d" minimum:"1" maximum:"365" default:"30"`
	JournalDays  int `json:"journalDays" title:"Keep the journals" doc:"Time after which calls are deleted from the users' journals" unit:"d" minimum:"1" maximum:"3650" default:"180"`
	JournalCalls int `json:"journalCalls" title:"Calls in a journal" doc:"Most calls that the journal of a user holds; older ones are deleted" minimum:"50" maximum:"2000" default:"500"`
	RecordDays   int `json:"recordDays" title:"Keep call records" doc:"Time after which call records are deleted" unit:"d" minimum:"7" maximum:"3650" default:"365"`
	RecordCalls  int `json:"recordCalls" title:"Call records" doc:"Most call records that the device holds; older ones are deleted" minimum:"1000" maximum:"1000000" default:"200000"`
}

// Certificate is a certificate with its key for the page or for TLS (F225).
type Certificate struct {
	ID          string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" minLength:"1" maxLength:"26" pattern:"^[a-z0-9]+$" patternDescription:"lowercase letters and digits"`
	Description string `json:"description" title:"Description" doc:"What the certificate is for" minLength:"1" maxLength:"100" unique:"true"`
	Chain       string `json:"chain" title:"Certificate" doc:"Certificate and those that vouch for it, PEM, the device's own first" minLength:"1" maxLength:"65536" multiline:"true"`
	Key         Sealed `json:"keySealed,omitempty"` // none of the certificate of an authority
}

// KeepCertificate gives c the page's certificate of now, as it is now, and that
// of the ID before, to which a change on trial goes back. It is for going back to
// an older c: a page that browsers cannot open could not be mended with them, so
// that its certificate changes only on trial.
func (c *Config) KeepCertificate(now *Config, before string) {
	c.Page.Certificate = now.Page.Certificate
	c.Certificates = slices.Clone(c.Certificates)
	for _, used := range now.Certificates {
		if used.ID != now.Page.Certificate && used.ID != before {
			continue
		}
		if j := slices.IndexFunc(c.Certificates, func(x Certificate) bool { return x.ID == used.ID }); j >= 0 {
			c.Certificates[j] = used
			continue
		}
		c.Certificates = append(c.Certificates, used)
	}
}

// CertificatePurpose is the purpose under which a certificate's key is sealed.
func CertificatePurpose(id string) string { return "certificate/" + id }

// FunctionCodes are what people dial to switch a feature (features.md 2a). A
// code followed by '*' alone switches off what the code switches on.
type FunctionCodes struct {
	PhoneLogin          string `json:"phoneLogin" title:"Log phone in" doc:"Followed by the extension: logs a phone in; followed by '*': out" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*0"`
	QueueLogin          string `json:"queueLogin" title:"Queue log-on" doc:"Followed by the queue: logs an agent on" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*5"`
	NightService        string `json:"nightService" title:"Night answer service" doc:"Followed by the number of the profile, 1 to 9: on; by 0, or alone: off" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*38"`
	CallWaiting         string `json:"callWaiting" title:"Call waiting" doc:"Switches call waiting" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*92"`
	DoNotDisturb        string `json:"doNotDisturb" title:"Do not disturb" doc:"Switches do not disturb" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*93"`
	ForwardAlways       string `json:"forwardAlways" title:"Forward always" doc:"Followed by a number: forwards every call" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*21"`
	ForwardNoAnswer     string `json:"forwardNoAnswer" title:"Forward on no answer" doc:"Followed by a number: forwards calls that are not answered" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*61"`
	ForwardBusy         string `json:"forwardBusy" title:"Forward on busy" doc:"Followed by a number: forwards calls when busy" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*67"`
	ForwardUnregistered string `json:"forwardUnregistered" title:"Forward without phone" doc:"Followed by a number: forwards calls when no phone is registered" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*62"`
	Voicemail           string `json:"voicemail" title:"Voicemail" doc:"Hears the voicemail box" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*97"`
	GroupPickup         string `json:"groupPickup" title:"Group pickup" doc:"Takes a call that rings in the own pickup group" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*81"`
	DirectPickup        string `json:"directPickup" title:"Direct pickup" doc:"Followed by an extension: takes the call that rings there" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*82"`
	Intercom            string `json:"intercom" title:"Intercom" doc:"Followed by an extension: the phone there answers by itself" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*83"`
	QuickDial           string `json:"quickDial" title:"Quick dial" doc:"Followed by the quick dial of a contact: calls it" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"**"`
	HideNumber          string `json:"hideNumber" title:"Hide number" doc:"Followed by a number: calls it without showing the own number" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*31"`
	Reminder            string `json:"reminder" title:"Reminder" doc:"Followed by hours and minutes: calls at that time" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*34"`
	Park                string `json:"park" title:"Park" doc:"Parks a call that is transferred to it, or takes it back when dialled; 1 to 9 for a place, or an extension, may follow" minLength:"2" maxLength:"5" pattern:"^[0-9*#]+$" patternDescription:"digits, '*' and '#'" default:"*70"`
}

// PendingChange is a change that holds for now and reverts by itself unless
// it is confirmed from the new situation.
type PendingChange struct {
	ID       string    `json:"id" title:"Identifier" doc:"Identifier of the change, needed to confirm it"`
	Section  string    `json:"section" title:"Section" doc:"Part of the configuration that was changed" enum:"page,network"`
	Revision int64     `json:"revision" title:"Revision" doc:"Revision that the change made"`
	Author   string    `json:"author" title:"Author" doc:"Who made the change"`
	Comment  string    `json:"comment" title:"Change" doc:"What was changed, in English or as its author wrote it"`
	Message  Message   `json:"message" title:"Message" doc:"The comment as template and arguments"`
	Begun    time.Time `json:"begun" title:"Since" doc:"When the change took effect"`
	Deadline time.Time `json:"deadline" title:"Until" doc:"When it reverts unless it is confirmed"`
}

// Draft is one uncommitted value of the system settings (F219).
type Draft struct {
	Path   string    `json:"path" title:"Parameter" doc:"Path of the parameter, for example sip.ringTime"`
	Value  string    `json:"value" title:"New value" doc:"Value that is not committed yet, as JSON"`
	Author string    `json:"author" title:"Author" doc:"Who entered it"`
	Time   time.Time `json:"time" title:"Time" doc:"When it was entered"`
}
