package sipedge

import (
	"fmt"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

// Mailbox counts the voice messages of an extension.
type Mailbox struct {
	New, Old             int
	NewUrgent, OldUrgent int // among them
}

// mailboxSummary writes the state of a mailbox (RFC 3842 section 5.2).
func (e *Edge) mailboxSummary(extension, account string) []byte {
	var m Mailbox
	if e.deps.Mailbox != nil {
		m = e.deps.Mailbox(extension)
	}
	waiting := "no"
	if m.New > 0 {
		waiting = "yes"
	}
	return fmt.Appendf(nil, "Messages-Waiting: %s\r\nMessage-Account: %s\r\nVoice-Message: %d/%d (%d/%d)\r\n", waiting, account, m.New, m.Old, m.NewUrgent, m.OldUrgent)
}

// MailboxChanged has the phones of an extension told of its voice messages:
// those that have subscribed and, unasked, those that have not (RFC 3842
// section 3.3).
func (e *Edge) MailboxChanged(extension string) {
	e.notifier.changed(eventMailbox, extension)
	for _, reg := range e.registrar.contacts(extension) {
		e.mailboxTo(reg)
	}
}

// mailboxTo tells a phone unasked of its voice messages.
func (e *Edge) mailboxTo(reg pbx.Registration) {
	if e.deps.Mailbox == nil {
		return
	}
	asked := e.notifier.where(func(s *subscription) bool { return s.event.name == eventMailbox && s.phone.extension == reg.Extension })
	for _, s := range asked {
		if s.phone.contact == reg.Contact || s.phone.instance != "" && s.phone.instance == reg.Instance {
			return
		}
	}
	d, err := e.towards(reg, call.Party{Number: reg.Extension})
	if err != nil {
		e.deps.Log.Info("phone not told of its voice messages", "extension", reg.Extension, "err", err)
		return
	}
	req := d.requestLocked(sip.NOTIFY)
	req.AppendHeader(d.contact())
	req.AppendHeader(sip.NewHeader("Event", eventMailbox))
	req.AppendHeader(sip.NewHeader("Subscription-State", "active"))
	ct := sip.ContentTypeHeader("application/simple-message-summary")
	req.AppendHeader(&ct)
	req.SetBody(e.mailboxSummary(reg.Extension, d.localParty.Address.String()))
	d.via(req, d.flow)
	if _, err := e.tx.Request(req, d.flow, func(*sip.Response, error) {}); err != nil { // a phone that does not want it refuses
		e.deps.Log.Info("phone not told of its voice messages", "extension", reg.Extension, "err", err)
	}
}
