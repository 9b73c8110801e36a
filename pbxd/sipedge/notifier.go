package sipedge

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// Bounds of what phones may subscribe to.
const (
	maxSubscriptions       = 4000
	maxSubscriptionsPerExt = 250
	subscriptionTime       = time.Hour // granted when the phone names no time
	lampPause              = 10 * time.Millisecond
)

// The event packages that are served.
const (
	eventDialog   = "dialog"          // RFC 4235
	eventMailbox  = "message-summary" // RFC 3842
	eventPresence = "presence"        // RFC 3856
)

const allowEvents = eventDialog + ", " + eventMailbox + ", " + eventPresence

// notifier holds the subscriptions of phones (RFC 6665 section 4.2). Its lock
// is taken before that of a subscription and after that of a leg.
type notifier struct {
	edge      *Edge
	lostPause time.Duration

	mu     sync.Mutex
	byID   map[dialogID]*subscription
	closed bool
}

func newNotifier(e *Edge) *notifier {
	return &notifier{edge: e, lostPause: lostPause, byID: map[dialogID]*subscription{}}
}

// subscribe takes a SUBSCRIBE outside of any dialog.
func (n *notifier) subscribe(tx *transaction.Server, req *sip.Request) {
	e := n.edge
	u, ok := e.authenticate(tx, req)
	if !ok {
		return
	}
	ev, err := parseEvent(eventValue(req))
	if err != nil || contentTypeOf(ev) == "" {
		res := e.response(req, 489, reasonPhrase(489))
		res.AppendHeader(sip.NewHeader("Allow-Events", allowEvents))
		e.send(tx, res)
		return
	}
	watched := dialled(req)
	if status := n.permit(tx, u, watched, ev, req); status != 0 {
		e.reply(tx, req, status, reasonPhrase(status))
		return
	}
	wanted, tooShort := n.interval(req)
	if tooShort != nil {
		e.send(tx, tooShort)
		return
	}
	s := newSubscription(n, tx, req, u.Extension, watched, ev)
	if !n.add(s) {
		res := e.response(req, 503, reasonPhrase(503))
		res.AppendHeader(sip.NewHeader("Retry-After", "60"))
		e.send(tx, res)
		return
	}
	s.grant(tx, req, wanted)
}

// permit says whether a user may subscribe; 0, or the status that refuses.
func (n *notifier) permit(tx *transaction.Server, u *pbx.User, watched string, ev event, req *sip.Request) int {
	switch {
	case !contactServed(contactOf(req), tx.Flow()):
		return 400
	case !accepts(req, contentTypeOf(ev)):
		return 406
	case n.edge.deps.Config().UserByExtension(watched) == nil:
		return 404
	case !n.may(u, watched, ev):
		return 403
	}
	return 0
}

// may reports whether a user may know of a number: of a mailbox only who hears
// it, of calls who the configuration lets.
func (n *notifier) may(u *pbx.User, watched string, ev event) bool {
	if ev.name == eventMailbox {
		return slices.Contains(u.Boxes(), watched)
	}
	return n.edge.deps.MayWatch == nil || n.edge.deps.MayWatch(u.Extension, watched)
}

// contentTypeOf returns the type of the bodies of an event package, "" of one that
// is not served.
func contentTypeOf(ev event) string {
	switch ev.name {
	case eventDialog:
		return "application/dialog-info+xml"
	case eventMailbox:
		return "application/simple-message-summary"
	case eventPresence:
		return presenceType
	}
	return ""
}

// accepts reports whether the sender takes bodies of a type; one without Accept
// takes the default of the package.
func accepts(req *sip.Request, contentType string) bool {
	list := tokens(req, "accept")
	return len(list) == 0 || slices.ContainsFunc(list, func(t string) bool {
		t, _, _ = strings.Cut(t, ";")
		t = strings.TrimSpace(t)
		return t == contentType || t == "*/*" || t == "application/*"
	})
}

// interval returns for how long a SUBSCRIBE wants to be served, at most as
// long as a registration may be, or the answer that it is too short.
func (n *notifier) interval(req *sip.Request) (time.Duration, *sip.Response) {
	cfg := n.edge.deps.Config().SIP
	wanted := subscriptionTime
	if s, err := strconv.ParseUint(strings.TrimSpace(headerValue(req, "expires")), 10, 32); err == nil {
		wanted = time.Duration(s) * time.Second
	}
	if wanted > 0 && wanted < time.Duration(cfg.MinExpires)*time.Second {
		res := n.edge.response(req, 423, "Interval Too Brief")
		res.AppendHeader(sip.NewHeader("Min-Expires", strconv.Itoa(cfg.MinExpires)))
		return 0, res
	}
	return min(wanted, time.Duration(cfg.MaxExpires)*time.Second), nil
}

// request takes a request within the dialog of a subscription. It reports
// false when there is none.
func (n *notifier) request(tx *transaction.Server, req *sip.Request, id dialogID) bool {
	n.mu.Lock()
	s := n.byID[id]
	n.mu.Unlock()
	if s == nil {
		return false
	}
	s.request(tx, req)
	return true
}

// add enters a subscription; the oldest of an extension that has too many
// gives way.
func (n *notifier) add(s *subscription) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || len(n.byID) >= maxSubscriptions {
		return false
	}
	var oldest *subscription
	count := 0
	for _, o := range n.byID {
		if o.phone.extension != s.phone.extension {
			continue
		}
		count++
		if oldest == nil || o.since.Before(oldest.since) {
			oldest = o
		}
	}
	if count >= maxSubscriptionsPerExt {
		delete(n.byID, oldest.id)
		go oldest.drop() // takes its own lock
	}
	n.byID[s.id] = s
	return true
}

func (n *notifier) remove(s *subscription) {
	n.mu.Lock()
	delete(n.byID, s.id)
	n.mu.Unlock()
}

// where returns the subscriptions that match.
func (n *notifier) where(match func(*subscription) bool) (list []*subscription) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.byID {
		if match(s) {
			list = append(list, s)
		}
	}
	return list
}

// changed has everybody told who watches an extension: its mailbox, or its calls
// by either package. It may be called with a leg's lock held.
func (n *notifier) changed(name, extension string) {
	if extension == "" {
		return
	}
	for _, s := range n.where(func(s *subscription) bool {
		return s.watched == extension && (s.event.name == eventMailbox) == (name == eventMailbox)
	}) {
		s.poke(false)
	}
}

// registered follows the phones of an extension: without any they are gone, and
// one that comes back is told what it has missed.
func (n *notifier) registered(f pbx.Fact) {
	if f.Kind != pbx.FactRegistration {
		return
	}
	for i, s := range n.where(func(s *subscription) bool { return s.phone.extension == f.Extension }) {
		if len(f.Registrations) == 0 {
			s.phoneIsAway()
		} else { // one lamp after the other: a slow connection takes only so much at once
			s.phoneIsBack(time.Duration(i) * lampPause)
		}
	}
	for _, s := range n.where(func(s *subscription) bool { return s.watched == f.Extension && s.event.name == eventPresence }) {
		s.poke(false)
	}
	for _, reg := range f.Registrations {
		if reg.Since.Equal(reg.Refreshed) {
			go n.edge.mailboxTo(reg) // not in the way of the registrar
		}
	}
}

// configured ends what a new configuration does not permit any more.
func (n *notifier) configured(cfg *pbx.Config) {
	for _, s := range n.where(func(*subscription) bool { return true }) {
		u := cfg.UserByExtension(s.phone.extension)
		switch {
		case cfg.UserByExtension(s.watched) == nil:
			s.end("noresource")
		case u == nil || !n.may(u, s.watched, s.event):
			s.end("rejected")
		}
	}
}

func (n *notifier) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	for _, s := range n.where(func(*subscription) bool { return true }) {
		s.drop()
	}
}

func (n *notifier) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.byID)
}
