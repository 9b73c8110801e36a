package web

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

const mailBody = `{"enabled":true,"senderAddress":"pbx@example.org","senderName":"PBX","server":"mail.example.org","port":587,"security":"starttls","authentication":true,"method":"plain","userName":"pbx"`

func TestEmailDelivery(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	var e EmailDelivery
	tag := c.want(200, "GET", "/email-delivery", "", &e).Header.Get("ETag")
	if e.Enabled || e.PasswordSet {
		t.Fatalf("factory: got %+v", e)
	}
	put := func(rest string) *response { // rest replaces fields of mailBody, or adds some
		fields := map[string]any{}
		for _, object := range []string{mailBody + "}", "{" + strings.TrimPrefix(rest, ",") + "}"} {
			if err := json.Unmarshal([]byte(object), &fields); err != nil {
				t.Fatal(err)
			}
		}
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return c.do("PUT", apiPrefix+"/email-delivery", string(text))
	}
	if res := c.do("PUT", apiPrefix+"/email-delivery", mailBody+"}", "If-Match", `"other"`); res.StatusCode != 412 {
		t.Errorf("from another state: got %d, want 412", res.StatusCode)
	}
	res := c.do("PUT", apiPrefix+"/email-delivery", mailBody+`,"password":"geheim-1"}`, "If-Match", tag)
	if res.StatusCode != 200 || strings.Contains(res.text, "geheim") || !strings.Contains(res.text, `"passwordSet":true`) {
		t.Fatalf("set: got %d %s", res.StatusCode, res.text)
	}
	password := func() string {
		cfg, _ := m.Current()
		if cfg.Mail.Password == "" {
			return ""
		}
		p, err := m.Key().Open(pbx.MailPasswordPurpose, cfg.Mail.Password)
		if err != nil {
			t.Fatal(err)
		}
		return p.Reveal()
	}
	if password() != "geheim-1" || m.retried != 1 {
		t.Errorf("password %q; the queue was told %d times", password(), m.retried)
	}
	// Absent: it stays, as long as it goes to the same account.
	if res := put(`,"senderName":"Telephone"`); res.StatusCode != 200 || password() != "geheim-1" {
		t.Errorf("other sender: got %d %s", res.StatusCode, res.text)
	}
	for _, change := range []string{`,"server":"evil.example.org"`, `,"userName":"other"`, `,"port":2525`, `,"security":"none"`, `,"oauthTokenUrl":"https://evil.example.org"`, `,"allowPlaintextPassword":true`} {
		if res := put(change); res.StatusCode != 422 || !strings.Contains(res.text, `"body.password"`) || !strings.Contains(res.text, "needed again") {
			t.Errorf("%s: got %d %s", change, res.StatusCode, res.text)
		}
	}
	if res := put(`,"server":"mail2.example.org","password":"geheim-2"`); res.StatusCode != 200 || password() != "geheim-2" {
		t.Errorf("another server with its password: got %d %s", res.StatusCode, res.text)
	}
	if res := put(`,"server":"mail2.example.org","password":""`); res.StatusCode != 200 || password() != "" {
		t.Errorf("password removed: got %d %s", res.StatusCode, res.text)
	}
	c.refused(t, "PUT", "/email-delivery", strings.Replace(mailBody, "587", "0", 1)+"}", "port", "1 to 65535")
	c.refused(t, "PUT", "/email-delivery", strings.Replace(mailBody, "mail.example.org", "", 1)+"}", "server", "is needed")
	c.refused(t, "PUT", "/email-delivery", mailBody+`,"password":"`+strings.Repeat("x", maxMailSecret+1)+`"}`, "password", "at most 4096")
	for _, r := range m.revisions {
		for _, change := range r.Changes {
			if strings.Contains(change.Old+change.New, "geheim") || strings.Contains(change.Old+change.New, "x1:") {
				t.Errorf("the history shows a secret: %+v", change)
			}
		}
	}
	if n := m.audited("change-email-delivery"); n != 4 {
		t.Errorf("audited %d times, want 4", n)
	}
}

func TestTestMail(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	c.want(503, "POST", "/email-delivery/test", `{"to":"anna@example.org"}`, nil)
	var got MailTest
	refused := errors.New("refused")
	running, goOn := make(chan bool), make(chan bool)
	s.TestMail = func(ctx context.Context, x MailTest) ([]MailStep, error) {
		got = x
		if _, limited := ctx.Deadline(); !limited {
			t.Error("a test mail may take for ever")
		}
		if x.To == "slow@example.org" {
			running <- true
			<-goOn
		}
		connected := MailStep{Step: "connect", OK: true, Text: pbx.Say("is empty")}
		if x.Settings.Server != "mail.example.org" {
			return []MailStep{connected, {Step: "login", Text: pbx.Say("is not known"), Advice: pbx.Say("is empty")}}, refused
		}
		return []MailStep{connected}, nil
	}
	c.want(200, "PUT", "/email-delivery", mailBody+`,"password":"geheim-1"}`, nil)
	var r EmailTestResult
	c.want(200, "POST", "/email-delivery/test", `{"to":"anna@example.org"}`, &r)
	if !r.OK || r.Step != "connect" || got.Settings.Server != "mail.example.org" || got.Password != nil || got.To != "anna@example.org" {
		t.Errorf("stored settings: got %+v, sent %+v", r, got)
	}
	// With typed settings: nothing is stored, and the stored password goes nowhere else.
	other := strings.Replace(mailBody, "mail.example.org", "other.example.org", 1)
	c.refused(t, "POST", "/email-delivery/test", `{"to":"anna@example.org","settings":`+other+`}}`, "settings.password", "needed again")
	_, before := m.Current()
	res := c.want(200, "POST", "/email-delivery/test", `{"to":"anna@example.org","settings":`+other+`,"password":"geheim-2"}}`, &r)
	if r.OK || r.Step != "login" || r.Advice.Message != "is empty" || len(r.Steps) != 2 || *got.Password != "geheim-2" || strings.Contains(res.text, "geheim") {
		t.Errorf("typed settings: got %s, sent %+v", res.text, got)
	}
	c.want(200, "POST", "/email-delivery/test", `{"to":"anna@example.org","settings":`+mailBody+`,"password":"","clientSecret":""}}`, nil)
	if got.Password == nil || *got.Password != "" || got.ClientSecret == nil || *got.ClientSecret != "" {
		t.Errorf("secrets that were taken away are sent as %+v", got)
	}
	c.refused(t, "POST", "/email-delivery/test", `{"to":"anna@example.org","settings":`+strings.Replace(mailBody, `"userName":"`, `"userName":"other-`, 1)+`}}`, "settings.password", "needed again")
	if _, n := m.Current(); n != before {
		t.Error("a test stored the settings")
	}
	c.refused(t, "POST", "/email-delivery/test", `{"to":"nobody"}`, "to", "not an e-mail address")
	c.refused(t, "POST", "/email-delivery/test", `{"to":"a@example.org\r\nBcc: b@example.org"}`, "to", "not an e-mail address")
	c.refused(t, "POST", "/email-delivery/test", `{"to":"anna@example.org","settings":`+strings.Replace(mailBody, "587", "0", 1)+`,"password":"x"}}`, "settings.port", "1 to 65535")
	done := make(chan *response)
	go func() { done <- c.do("POST", apiPrefix+"/email-delivery/test", `{"to":"slow@example.org"}`) }()
	<-running
	c.want(409, "POST", "/email-delivery/test", `{"to":"anna@example.org"}`, nil)
	goOn <- true
	if res := <-done; res.StatusCode != 200 {
		t.Errorf("slow test: got %d %s", res.StatusCode, res.text)
	}
	if n := m.audited("send-test-mail"); n != 4 {
		t.Errorf("audited %d times, want 4", n)
	}
}

func TestMailQueue(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.mails = []pbx.MailJob{{ID: 7, To: "anna@example.org", Subject: "Hello", Text: "private text", State: "failed", Reason: "refused"}}
	res := c.want(200, "GET", "/email-delivery/queue", "", nil)
	if !strings.Contains(res.text, "anna@example.org") || strings.Contains(res.text, "private text") {
		t.Errorf("got %s", res.text)
	}
	c.want(404, "POST", "/email-delivery/queue/8/retry", "", nil)
	told := m.retried
	c.want(204, "POST", "/email-delivery/queue/7/retry", "", nil)
	if m.mails[0].State != "waiting" || m.retried != told+1 || m.audited("retry-mail") != 1 {
		t.Errorf("retried: got %+v, told %d times, audited %d times", m.mails[0], m.retried-told, m.audited("retry-mail"))
	}
	c.want(404, "DELETE", "/email-delivery/queue/8", "", nil)
	c.want(204, "DELETE", "/email-delivery/queue/7", "", nil)
	c.want(404, "DELETE", "/email-delivery/queue/7", "", nil)
}
