package sipedge

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"galilei/pbxd/call"
)

// dialogState is one call of a watched extension as its phone sees it (RFC 4235
// section 4.1).
type dialogState struct {
	id        string // of ours, stable while the call lasts
	callID    string // this and the tags are told only of what may be picked up
	localTag  string // the phone's
	remoteTag string // ours
	direction string // initiator or recipient
	state     string // trying, proceeding, early, confirmed or terminated
	other     call.Party
}

// stateLocked describes a leg to those who watch its phone; false when there is
// nothing to tell any more.
func (l *leg) stateLocked() (dialogState, bool) {
	s := dialogState{
		id: l.edge.nameOf(l), callID: l.id.callID, localTag: l.remoteTag, remoteTag: l.id.localTag, direction: "recipient", other: l.other,
	}
	if l.calling {
		s.direction = "initiator"
	}
	switch {
	case l.state == legUp:
		s.state = "confirmed"
	case l.state == legIncoming:
		s.state = "proceeding"
	case l.state == legOutgoing && l.remoteTag != "":
		s.state = "early"
	case l.state == legOutgoing:
		s.state = "trying"
	default:
		return dialogState{}, false
	}
	return s, true
}

// nameOf names a leg towards those who watch; it tells nothing of the dialog.
func (e *Edge) nameOf(l *leg) string {
	h := hmac.New(sha256.New, e.tagKey[:])
	fmt.Fprintf(h, "watched %q", l.id.localTag)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// callsOf returns the calls of the extension that a subscription watches, in a
// fixed order.
func (e *Edge) callsOf(s *subscription) (list []dialogState) {
	if s.event.name == eventMailbox {
		return nil
	}
	mayPickUp := e.deps.MayPickUp != nil && e.deps.MayPickUp(s.phone.extension, s.watched)
	for _, l := range e.legsWhere(func(*leg) bool { return true }) {
		l.mu.Lock()
		state, ok := l.stateLocked()
		if !mayPickUp || state.state != "early" {
			state.callID, state.localTag, state.remoteTag = "", "", "" // RFC 4235 section 6: who knows them can take the call
		}
		if ok && l.user == s.watched {
			list = append(list, state)
		}
		l.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b dialogState) int { return cmp.Compare(a.id, b.id) })
	return list
}

// withEnded returns the calls with those that were told before and have ended
// since. Phones put a lamp out by the word, not all by the absence.
func withEnded(told, calls []dialogState) []dialogState {
	list := slices.Clone(calls)
	for _, c := range told {
		if !slices.ContainsFunc(calls, func(o dialogState) bool { return o.id == c.id }) {
			c.state = "terminated"
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b dialogState) int { return cmp.Compare(a.id, b.id) })
	return list
}

type xmlDialogInfo struct {
	XMLName xml.Name    `xml:"urn:ietf:params:xml:ns:dialog-info dialog-info"`
	Version string      `xml:"version,attr"`
	State   string      `xml:"state,attr"`
	Entity  string      `xml:"entity,attr"`
	Dialogs []xmlDialog `xml:"dialog"`
}

type xmlDialog struct {
	ID        string          `xml:"id,attr"`
	CallID    string          `xml:"call-id,attr,omitempty"`
	LocalTag  string          `xml:"local-tag,attr,omitempty"`
	RemoteTag string          `xml:"remote-tag,attr,omitempty"`
	Direction string          `xml:"direction,attr"`
	State     string          `xml:"state"`
	Local     xmlParticipant  `xml:"local"`
	Remote    *xmlParticipant `xml:"remote"`
}

type xmlParticipant struct {
	Identity xmlIdentity `xml:"identity"`
	Target   xmlTarget   `xml:"target"`
}

type xmlIdentity struct {
	Display string `xml:"display,attr,omitempty"`
	URI     string `xml:",chardata"`
}

type xmlTarget struct {
	URI string `xml:"uri,attr"`
}

// escaped returns text as XML holds it.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// dialogInfo writes a document of RFC 4235 section 4. It always tells all: not
// every phone adds up partial ones (section 4.3), and a phone has few calls.
func dialogInfo(entity, host, version string, calls []dialogState) []byte {
	doc := xmlDialogInfo{Version: version, State: "full", Entity: entity}
	for _, c := range calls {
		d := xmlDialog{
			ID: c.id, CallID: c.callID, LocalTag: c.localTag, RemoteTag: c.remoteTag, Direction: c.direction, State: c.state,
			Local: xmlParticipant{Identity: xmlIdentity{URI: entity}, Target: xmlTarget{entity}},
		}
		if c.other.Number != "" {
			uri := "sip:" + escapeUser(c.other.Number) + "@" + bracketed(host)
			d.Remote = &xmlParticipant{Identity: xmlIdentity{Display: c.other.Name, URI: uri}, Target: xmlTarget{uri}}
		}
		doc.Dialogs = append(doc.Dialogs, d)
	}
	text, err := xml.Marshal(doc)
	if err != nil {
		return nil // plain strings: they can always be written
	}
	return append([]byte(xml.Header), text...)
}
