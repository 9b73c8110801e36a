package pbx

import "testing"

// TestTold checks what is said of a parameter that is not on the screen.
func TestTold(t *testing.T) {
	c := office()
	c.Users[1].FirstName, c.Users[1].LastName, c.Users[1].Extension, c.SIP.RingTime = "Eva", "Maier", "112", 1
	c.HuntGroups[0].Members[1].User = AdminID
	c.PermissionGroups = c.PermissionGroups[1:]
	c.Mail.Port = 0
	want := map[string]string{
		"users[1].extension":            "Extension of Eva Maier (112): hides the emergency number 112 of Germany; choose another",
		"sip.ringTime":                  "Ring time: is 1; allowed are 5 to 600",
		"huntGroups[0].members[1].user": "Members of Hotline: admin has no extension that could be called",
		"permissionGroups":              "Permission groups: must contain the predefined group admins",
		"mail.port":                     "SMTP port: is 0; allowed are 1 to 65535",
	}
	for _, f := range Validate(c, Model{}).(*ValidationError).Fields {
		if got := f.Told().Text(); got != want[f.Path] {
			t.Errorf("%s: %q, want %q", f.Path, got, want[f.Path])
		}
		delete(want, f.Path)
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
	for _, path := range []string{"", "[", "users[", "users[9].x", "users[-1]", "users[1].x.y", "x[0].y", "sip", "sip.", "sip.x", "users.x"} {
		c.subject(path) // of any path, no panic
	}
	if got := (FieldError{Path: "x", Rule: Say("is wrong")}).Told().Text(); got != "x: is wrong" {
		t.Errorf("unknown parameter: %q", got)
	}
}

func TestKeepsPassword(t *testing.T) {
	stored := MailSettings{Server: "mail.example.org", Port: 587, Security: "starttls", Method: "xoauth2", UserName: "u1", OAuthTokenURL: "https://a", OAuthClientID: "c1"}
	for name, change := range map[string]func(*MailSettings){
		"server": func(m *MailSettings) { m.Server = "evil.example.org" }, "port": func(m *MailSettings) { m.Port = 25 }, "encryption": func(m *MailSettings) { m.Security = "none" },
		"method": func(m *MailSettings) { m.Method = "plain" }, "account": func(m *MailSettings) { m.UserName = "u2" }, "token": func(m *MailSettings) { m.OAuthTokenURL = "https://b" },
		"client": func(m *MailSettings) { m.OAuthClientID = "c2" }, "plain text": func(m *MailSettings) { m.AllowPlaintextPassword = true },
	} {
		m := stored
		if change(&m); m.KeepsPassword(stored) {
			t.Errorf("%s: the password is kept", name)
		}
		if m.KeepsClientSecret(stored) == (name == "token") {
			t.Errorf("%s: the client secret is kept: %t", name, m.KeepsClientSecret(stored))
		}
	}
	same := stored
	if same.Server, same.SenderName = "MAIL.example.org", "PBX"; !same.KeepsPassword(stored) {
		t.Error("the same account loses its password")
	}
	if was := (MailSettings{AllowPlaintextPassword: true}); !(MailSettings{}).KeepsPassword(was) {
		t.Error("more protection loses the password")
	}
}

func TestKeepCertificate(t *testing.T) {
	a, b := Certificate{ID: "a", Description: "A", Chain: "old"}, Certificate{ID: "b", Description: "B"}
	then, now := Config{Certificates: []Certificate{a}}, Config{Certificates: []Certificate{b, a}, Page: Page{Certificate: "a", SessionIdle: 9}}
	now.Certificates[1].Chain = "new"
	then.KeepCertificate(&now, "")
	if then.Page.Certificate != "a" || len(then.Certificates) != 1 || then.Certificates[0].Chain != "new" || then.Page.SessionIdle != 0 {
		t.Errorf("one that was there: %+v", then)
	}
	now.Page.Certificate = "b"
	then.KeepCertificate(&now, "")
	if then.Page.Certificate != "b" || len(then.Certificates) != 2 || then.Certificates[1].ID != "b" {
		t.Errorf("one that was not there: %+v", then)
	}
	then = Config{}
	then.KeepCertificate(&now, "a")
	if then.Page.Certificate != "b" || len(then.Certificates) != 2 {
		t.Errorf("the one of before the trial: %+v", then)
	}
	now.Page.Certificate = ""
	then.KeepCertificate(&now, "")
	if then.Page.Certificate != "" || len(then.Certificates) != 2 {
		t.Errorf("the device's own: %+v", then)
	}
}
