package pbx

import (
	"strings"
	"time"
)

// Mail is how the device sends e-mail (F214, F215).
type Mail struct {
	MailSettings
	Password     Sealed `json:"passwordSealed,omitempty"`
	ClientSecret Sealed `json:"clientSecretSealed,omitempty"`
}

// MailSettings are the parameters of e-mail delivery.
type MailSettings struct {
	Enabled                bool   `json:"enabled" title:"E-mail delivery" doc:"Send e-mail: voice messages, faxes, messages of the device"`
	SenderAddress          string `json:"senderAddress" title:"Sender e-mail address" doc:"Address that mails come from" minLength:"1" maxLength:"254" format:"email" default:"noreply@localhost"`
	SenderName             string `json:"senderName" title:"Sender name" doc:"Name that mails come from" maxLength:"100" default:"Galilei PBX"`
	Server                 string `json:"server" title:"SMTP server" doc:"Name or IP address of the mail server" maxLength:"253" format:"host"`
	Port                   int    `json:"port" title:"SMTP port" doc:"Port of the mail server: usually 587 with STARTTLS, 465 with TLS, 25 without" minimum:"1" maximum:"65535" default:"25"`
	Security               string `json:"security" title:"SMTP transport type" doc:"How the connection is protected: not at all, encrypted after STARTTLS, or encrypted from the start" enum:"none,starttls,tls" default:"none"`
	Authentication         bool   `json:"authentication" title:"SMTP authentication" doc:"Log in to the mail server with a user name"`
	Method                 string `json:"method" title:"SMTP authentication type" doc:"How to log in. XOAUTH2 is needed for Microsoft 365 and Google accounts." enum:"plain,login,cram-md5,scram-sha-1,ntlm,xoauth2" default:"plain"`
	UserName               string `json:"userName" title:"SMTP user name" doc:"Name of the account at the mail server" maxLength:"254"`
	AllowPlaintextPassword bool   `json:"allowPlaintextPassword" title:"Password in plain text" doc:"Send the password with PLAIN, LOGIN or XOAUTH2 also when the connection is not encrypted. Everybody in the network can read it then."`
	OAuthTokenURL          string `json:"oauthTokenUrl" title:"OAuth token URL" doc:"Where access tokens are got, for XOAUTH2" maxLength:"500" pattern:"^https?://[^ ]+$" patternDescription:"an address that begins with https://"`
	OAuthClientID          string `json:"oauthClientId" title:"OAuth client ID" doc:"Identifier of the application that is registered with the provider" maxLength:"200"`
	OAuthScope             string `json:"oauthScope" title:"OAuth scope" doc:"Scope to ask for, for example https://outlook.office365.com/.default" maxLength:"500"`
}

// KeepsPassword reports whether a password that is stored for stored may go
// over m: to the same account at the same servers, in the same way and as well
// protected or better.
func (m MailSettings) KeepsPassword(stored MailSettings) bool {
	return strings.EqualFold(m.Server, stored.Server) && m.Port == stored.Port && m.UserName == stored.UserName && m.Security == stored.Security && m.Method == stored.Method &&
		m.OAuthTokenURL == stored.OAuthTokenURL && m.OAuthClientID == stored.OAuthClientID && (stored.AllowPlaintextPassword || !m.AllowPlaintextPassword)
}

// KeepsClientSecret reports whether a client secret that is stored for stored
// may go over m: to the same server.
func (m MailSettings) KeepsClientSecret(stored MailSettings) bool {
	return m.OAuthTokenURL == stored.OAuthTokenURL
}

// Purposes under which the secrets of Mail are sealed.
const (
	MailPasswordPurpose     = "mail-password"      // password, or the refresh token of xoauth2
	MailClientSecretPurpose = "mail-client-secret" // of xoauth2
)

// Kinds of mail.
const (
	MailKindTest   = "test"
	MailKindSystem = "system" // F216: for example that an administrator has changed a user's data
)

// MailJob is one mail that waits to be sent.
type MailJob struct {
	ID          int64            `json:"id" title:"Number" doc:"Number of the mail in the queue"`
	Created     time.Time        `json:"created" title:"Written" doc:"When the mail was written"`
	Next        time.Time        `json:"next" title:"Next attempt" doc:"When it is tried next"`
	Attempts    int              `json:"attempts" title:"Attempts" doc:"How often it was tried"`
	To          string           `json:"to" title:"To" doc:"Address of the receiver"`
	Subject     string           `json:"subject" title:"Subject" doc:"Subject of the mail"`
	Text        string           `json:"-"`
	Kind        string           `json:"kind" title:"Kind" doc:"What the mail is about"`
	State       string           `json:"state" title:"State" doc:"waiting, or failed when it was given up" enum:"waiting,failed"`
	Reason      string           `json:"reason" title:"Reason" doc:"Why the last attempt failed"`
	Attachments []MailAttachment `json:"-"`
}

// MailAttachment is a file that goes with a mail.
type MailAttachment struct {
	Name string `json:"name"`
	Type string `json:"type"` // media type
	Data []byte `json:"data"`
}
