package sipedge_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// info is a dialog-info document as a phone reads it.
type info struct {
	Version int    `xml:"version,attr"`
	State   string `xml:"state,attr"`
	Entity  string `xml:"entity,attr"`
	Dialogs []struct {
		CallID    string `xml:"call-id,attr"`
		LocalTag  string `xml:"local-tag,attr"`
		RemoteTag string `xml:"remote-tag,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
		Remote    struct {
			Identity struct {
				Display string `xml:"display,attr"`
				URI     string `xml:",chardata"`
			} `xml:"identity"`
		} `xml:"remote"`
	} `xml:"dialog"`
}

const watch = "Event: dialog\r\nAccept: application/dialog-info+xml\r\n"

// notified answers the next NOTIFY and returns it.
func notified(p *pbxdtest.Phone) *pbxdtest.Message {
	p.T.Helper()
	m := p.Request("NOTIFY")
	p.Reply(m, "", 200, "OK", "", "")
	return m
}

func dialogInfo(p *pbxdtest.Phone) info {
	p.T.Helper()
	m := notified(p)
	var doc info
	if err := xml.Unmarshal([]byte(m.Body), &doc); err != nil {
		p.T.Fatalf("dialog-info %q: %v", m.Body, err)
	}
	return doc
}

// Somebody who watches an extension is told of its calls as they come and go:
// all of them first, then what changes, never more than once a second (RFC 4235).
func TestBusyLampField(t *testing.T) {
	o := newOffice(t, func(d *sipedge.Deps) { d.MayPickUp = func(_, _ string) bool { return true } })
	b, w := o.phone("102").MustRegister(), o.phone("103")
	res, sub := w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 600\r\n", "", "")
	if res.Status() != 200 || res.Get("Expires") != "600" {
		t.Fatalf("SUBSCRIBE got %s for %s s, want 200 for 600", res.Start, res.Get("Expires"))
	}
	m := notified(w)
	if !strings.HasPrefix(m.Get("Subscription-State"), "active;expires=") || m.Get("Event") != "dialog" {
		t.Errorf("NOTIFY has state %q, event %q", m.Get("Subscription-State"), m.Get("Event"))
	}
	if !strings.Contains(m.Body, `state="full"`) || !strings.Contains(m.Body, `version="0"`) || strings.Contains(m.Body, "<dialog ") {
		t.Errorf("the first state is %q, want full, version 0, no call", m.Body)
	}
	leg := o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101", Name: `A & "B"`}, Offer: pcma()})
	in := b.Ringing()
	in.Reply(180, "Ringing", "")
	doc := dialogInfo(w)
	for len(doc.Dialogs) == 1 && doc.Dialogs[0].State == "trying" {
		doc = dialogInfo(w)
	}
	local, remote := in.Tags()
	if len(doc.Dialogs) != 1 || doc.State != "full" {
		t.Fatalf("told %+v, want one call, in full", doc)
	}
	d := doc.Dialogs[0]
	if d.State != "early" || d.Direction != "recipient" || d.CallID != in.ID || d.LocalTag != local || d.RemoteTag != remote || d.Remote.Identity.Display != `A & "B"` {
		t.Errorf("call is told as %+v, want early, tags %s and %s", d, local, remote)
	}
	before := time.Now()
	in.Answer(pbxdtest.SDP(16002))
	version := doc.Version
	if doc = dialogInfo(w); len(doc.Dialogs) != 1 || doc.Dialogs[0].State != "confirmed" || doc.Version != version+1 {
		t.Errorf("told %+v, want confirmed, version %d", doc, version+1)
	}
	leg.Hangup(pbx.CauseNormalClearing)
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	if doc = dialogInfo(w); len(doc.Dialogs) != 1 || doc.Dialogs[0].State != "terminated" {
		t.Errorf("told %+v, want terminated", doc)
	}
	if d := time.Since(before); d < time.Second {
		t.Errorf("two changes were told within %v, want a second between them", d)
	}
	sub.SendWith("SUBSCRIBE", watch+"Expires: 600\r\n", "", "")
	w.Response("SUBSCRIBE", 200)
	if doc = dialogInfo(w); doc.State != "full" || len(doc.Dialogs) != 0 {
		t.Errorf("after a refresh told %+v, want all, which is nothing", doc)
	}
	sub.SendWith("SUBSCRIBE", watch+"Expires: 0\r\n", "", "")
	w.Response("SUBSCRIBE", 200)
	if m := notified(w); m.Get("Subscription-State") != "terminated;reason=timeout" {
		t.Errorf("after the end the state is %q, want terminated;reason=timeout", m.Get("Subscription-State"))
	}
	o.unsubscribed()
	sub.SendWith("SUBSCRIBE", watch+"Expires: 600\r\n", "", "")
	w.Response("SUBSCRIBE", 481)
}

func (o *office) unsubscribed() {
	o.t.Helper()
	for end := time.Now().Add(wait); o.edge.Counts().Subscriptions > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			o.t.Fatalf("%d subscriptions are left", o.edge.Counts().Subscriptions)
		}
	}
}

func TestSubscriptionIsRefused(t *testing.T) {
	o := newOffice(t, func(d *sipedge.Deps) { d.MayWatch = func(watcher, watched string) bool { return watched != "101" } })
	w := o.phone("103")
	for _, tt := range []struct {
		number, fields string
		want           int
		field, value   string
	}{
		{"102", "Event: reg\r\n", 489, "Allow-Events", "dialog, message-summary, presence"},
		{"102", "", 489, "Allow-Events", "dialog, message-summary, presence"},
		{"101", "Event: presence\r\n", 403, "", ""},
		{"102", "Event: dialog\r\nAccept: text/plain\r\n", 406, "", ""},
		{"999", watch, 404, "", ""},
		{"101", watch, 403, "", ""},
		{"102", "Event: message-summary\r\n", 403, "", ""}, // the mailbox of somebody else
		{"102", watch + "Expires: 5\r\n", 423, "Min-Expires", "60"},
	} {
		res, _ := w.RequestWith("SUBSCRIBE", tt.number, tt.fields, "", "")
		if res.Status() != tt.want || tt.field != "" && res.Get(tt.field) != tt.value {
			t.Errorf("SUBSCRIBE to %s with %q got %s, %s %q; want %d, %q", tt.number, tt.fields, res.Start, tt.field, res.Get(tt.field), tt.want, tt.value)
		}
	}
	if n := o.edge.Counts().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions are held after refusals", n)
	}
}

// One NOTIFY is under way at a time; a refusal that says that the phone knows
// nothing of it ends the subscription.
func TestNotifyWaitsForItsAnswer(t *testing.T) {
	o := newOffice(t)
	o.phone("102").MustRegister()
	w := o.phone("103")
	w.RequestWith("SUBSCRIBE", "102", watch, "", "")
	first := w.Request("NOTIFY")
	o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
	w.Silent(1200*time.Millisecond, "a second NOTIFY before the answer to the first", func(m *pbxdtest.Message) bool {
		return m.Method() == "NOTIFY" && m.Status() == 0 && m.Get("CSeq") != first.Get("CSeq")
	})
	w.Reply(first, "", 200, "OK", "", "")
	second := w.Expect("the change", func(m *pbxdtest.Message) bool { return m.Method() == "NOTIFY" && m.Get("CSeq") != first.Get("CSeq") })
	w.Reply(second, "", 481, "Gone", "", "")
	o.unsubscribed()
}

// Subscriptions follow a phone that comes back by another connection, and end
// when it has no registration left.
func TestSubscriptionFollowsThePhone(t *testing.T) {
	o := newOffice(t)
	o.phone("102").MustRegister()
	old := pbxdtest.NewPhone(t, o.addr, "tcp", "103", o.password)
	old.Contact += ";x=1"
	instance := "sip:103@127.0.0.1:9;transport=tcp"
	old.Contact = instance
	old.MustRegister()
	old.RequestWith("SUBSCRIBE", "102", watch, "", "")
	notified(old)
	old.Close()
	o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
	back := pbxdtest.NewPhone(t, o.addr, "tcp", "103", o.password)
	back.Contact = instance
	back.MustRegister()
	if doc := dialogInfo(back); len(doc.Dialogs) != 1 {
		t.Errorf("the phone that came back was told %+v, want the call", doc)
	}
	back.Register(0)
	o.unsubscribed()
}

// Phones are told of voice messages whether they ask (RFC 3842) or not.
func TestMessageWaiting(t *testing.T) {
	var fresh atomic.Int32
	o := newOffice(t, func(d *sipedge.Deps) {
		d.Mailbox = func(ext string) sipedge.Mailbox {
			if ext != "101" {
				return sipedge.Mailbox{}
			}
			return sipedge.Mailbox{New: int(fresh.Load()), Old: 8}
		}
	})
	a := o.phone("101").MustRegister()
	body := func(n int, waiting string) string {
		return fmt.Sprintf("Messages-Waiting: %s\r\nMessage-Account: sip:101@127.0.0.1\r\nVoice-Message: %d/8 (0/0)\r\n", waiting, n)
	}
	check := func(m *pbxdtest.Message, want string) {
		t.Helper()
		if m.Body != want || m.Get("Event") != "message-summary" || m.Get("Content-Type") != "application/simple-message-summary" {
			t.Errorf("NOTIFY has %q, event %q, type %q; want %q", m.Body, m.Get("Event"), m.Get("Content-Type"), want)
		}
	}
	check(notified(a), body(0, "no")) // it has just registered
	fresh.Store(2)
	o.edge.MailboxChanged("101")
	check(notified(a), body(2, "yes"))
	res, _ := a.RequestWith("SUBSCRIBE", "101", "Event: message-summary\r\n", "", "")
	if res.Status() != 200 {
		t.Fatalf("SUBSCRIBE got %s, want 200", res.Start)
	}
	if m := notified(a); !strings.Contains(m.Body, "Voice-Message: 2/8") {
		t.Errorf("first NOTIFY has %q", m.Body)
	}
	fresh.Store(0)
	o.edge.MailboxChanged("101")
	if m := notified(a); !strings.Contains(m.Body, "Messages-Waiting: no") {
		t.Errorf("NOTIFY has %q, want none waiting", m.Body)
	}
	a.Silent(300*time.Millisecond, "a second NOTIFY unasked", func(m *pbxdtest.Message) bool { return m.Method() == "NOTIFY" })
}
