package sipedge

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/sipedge/transaction"
)

// notifyPause is the shortest time between two NOTIFYs of a subscription (RFC
// 4235 section 3.10). The newest state is what counts; none is lost.
const notifyPause = time.Second

// subscription is one dialog in which a phone is told of a state (RFC 6665).
type subscription struct {
	dialog   // guarded by mu, save edge, log, id and phone
	notifier *notifier
	event    event
	watched  string // extension
	since    time.Time

	mu      sync.Mutex
	expires time.Time
	expiry  *time.Timer
	next    *time.Timer // of the next NOTIFY; nil when none waits
	sentAt  time.Time
	sending bool // a NOTIFY has no answer yet
	dirty   bool // something changed since
	full    bool // the next one tells all
	lost    bool // the phone cannot be reached
	back    bool // it came back while it was told something where it was before
	later   bool // what it has refused is told again later
	ended   string
	over    bool

	version uint32
	told    []dialogState // calls that the phone knows of
	state   string        // presence that it knows of
}

func newSubscription(n *notifier, tx *transaction.Server, req *sip.Request, watcher, watched string, ev event) *subscription {
	e := n.edge
	s := &subscription{
		notifier: n, event: ev, watched: watched, since: time.Now(), full: true,
		dialog: dialog{
			edge: e, id: dialogID{req.CallID().Value(), newTag()}, flow: tx.Flow(), seenAt: time.Now(), reachedAt: reachedAt(req),
			phone: phoneIDOf(watcher, contactOf(req)), remoteCSeq: req.CSeq().SeqNo, target: *contactOf(req).Address.Clone(),
			sips: req.Recipient.Scheme == "sips",
		},
	}
	s.log = e.deps.Log.With("subscription", s.id.localTag)
	s.remoteTag, _ = req.From().Params.Get("tag")
	for _, h := range req.GetHeaders("record-route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			s.routes = append(s.routes, *rr.Address.Clone())
		}
	}
	to, from := req.To(), req.From()
	s.localParty = sip.FromHeader{DisplayName: to.DisplayName, Address: *to.Address.Clone()}
	s.peerParty = sip.ToHeader{DisplayName: from.DisplayName, Address: *from.Address.Clone()}
	return s
}

// grant answers a SUBSCRIBE and has the state told at once (RFC 6665 section
// 4.2.1.1); an interval of 0 asks once, or ends it.
func (s *subscription) grant(tx *transaction.Server, req *sip.Request, interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := s.edge.response(req, 200, "OK")
	if tag, ok := req.To().Params.Get("tag"); !ok || tag == "" {
		s.tag(res)
	}
	res.AppendHeader(s.contact())
	res.AppendHeader(sip.NewHeader("Expires", seconds(interval)))
	s.edge.send(tx, res)
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.expires, s.full = time.Now().Add(interval), true
	s.foundLocked()
	s.sentAt = time.Time{} // each SUBSCRIBE is followed by a NOTIFY at once
	if interval == 0 {
		s.ended = "timeout"
	} else {
		s.expiry = time.AfterFunc(interval, func() { s.expire() })
	}
	s.pokeLocked()
}

// request takes a request within the dialog: a SUBSCRIBE refreshes or ends.
func (s *subscription) request(tx *transaction.Server, req *sip.Request) {
	from, _ := req.From().Params.Get("tag")
	s.mu.Lock()
	known, extension := s.knownLocked(tx.Flow()), s.phone.extension
	s.mu.Unlock()
	if !known && !s.edge.proven(tx, req, extension) {
		return
	}
	s.mu.Lock()
	status := 0
	switch {
	case s.over || s.ended != "" || from != s.remoteTag:
		status = 481
	case req.CSeq().SeqNo <= s.remoteCSeq:
		status = 500
	default:
		s.remoteCSeq = req.CSeq().SeqNo
		s.flow, s.seenAt = tx.Flow(), time.Now()
		s.retargetLocked(req)
	}
	s.mu.Unlock()
	if status == 0 && req.Method != sip.SUBSCRIBE {
		s.edge.send(tx, s.edge.response(req, 405, "Method Not Allowed"))
		return
	}
	if ev, err := parseEvent(eventValue(req)); status == 0 && (err != nil || ev != s.event) {
		status = 489
	}
	if status != 0 {
		s.edge.reply(tx, req, status, reasonPhrase(status))
		return
	}
	interval, tooShort := s.notifier.interval(req)
	if tooShort != nil {
		s.edge.send(tx, tooShort)
		return
	}
	s.grant(tx, req, interval)
}

// expire ends the subscription unless it was refreshed meanwhile.
func (s *subscription) expire() {
	s.mu.Lock()
	refreshed := time.Now().Before(s.expires)
	s.mu.Unlock()
	if !refreshed {
		s.end("timeout")
	}
}

// end tells the phone that nothing more follows, and why (RFC 6665 section
// 4.1.3).
func (s *subscription) end(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.ended != "" {
		return
	}
	s.ended = reason
	if s.lost {
		go s.drop() // nobody can be told
		return
	}
	s.pokeLocked()
}

// drop forgets the subscription without a word.
func (s *subscription) drop() {
	s.mu.Lock()
	s.overLocked()
	s.mu.Unlock()
	s.notifier.remove(s)
}

func (s *subscription) overLocked() {
	s.over = true
	for _, t := range []*time.Timer{s.expiry, s.next} {
		if t != nil {
			t.Stop()
		}
	}
}

// poke has the state told soon; full, the whole of it.
func (s *subscription) poke(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = s.full || full
	s.pokeLocked()
}

func (s *subscription) pokeLocked() {
	s.dirty = true
	if s.over || s.sending || s.next != nil || s.lost {
		return
	}
	s.next = time.AfterFunc(max(0, time.Until(s.sentAt.Add(notifyPause))), s.send)
}

// send sends one NOTIFY; the next waits for its answer.
func (s *subscription) send() {
	calls := s.edge.callsOf(s) // takes the locks of legs, which come first
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = nil
	if s.over || s.sending {
		return
	}
	s.dirty, s.back = false, false
	body := s.bodyLocked(calls)
	if body == nil && s.ended == "" {
		return // nothing that the phone does not know
	}
	s.sentAt = time.Now()
	state := "active;expires=" + seconds(max(time.Second, time.Until(s.expires).Round(time.Second)))
	if s.ended != "" {
		state = "terminated;reason=" + s.ended
	}
	req := s.requestLocked(sip.NOTIFY)
	req.AppendHeader(s.contact())
	req.AppendHeader(sip.NewHeader("Event", s.event.String()))
	req.AppendHeader(sip.NewHeader("Subscription-State", state))
	req.AppendHeader(sip.NewHeader("Allow-Events", allowEvents))
	if body != nil {
		ct := sip.ContentTypeHeader(contentTypeOf(s.event))
		req.AppendHeader(&ct)
	}
	req.SetBody(body)
	flow, err := s.wayLocked()
	if err == nil {
		s.via(req, flow)
		s.sending = true
		last := s.ended != ""
		_, err = s.edge.tx.Request(req, flow, func(res *sip.Response, err error) {
			if err != nil || res.StatusCode >= 200 {
				s.notified(res, err, last)
			}
		})
	}
	if err != nil {
		s.log.Info("NOTIFY not sent", "err", err)
		go s.notified(nil, transaction.ErrTransport, s.ended != "") // not under the lock
	}
}

// bodyLocked writes the state; nil when the phone knows it already.
func (s *subscription) bodyLocked(calls []dialogState) []byte {
	entity := "sip:" + escapeUser(s.watched) + "@" + bracketed(s.localParty.Address.Host)
	if s.event.name == eventMailbox {
		return s.edge.mailboxSummary(s.watched, entity)
	}
	if s.event.name == eventPresence {
		body := presenceInfo(entity, s.edge.Registered(s.watched), calls)
		if !s.full && string(body) == s.state {
			return nil
		}
		s.full, s.state = false, string(body)
		return body
	}
	if !s.full && slices.Equal(s.told, calls) {
		return nil
	}
	body := dialogInfo(entity, s.localParty.Address.Host, strconv.FormatUint(uint64(s.version), 10), withEnded(s.told, calls))
	s.full, s.told = false, calls
	s.version++
	return body
}
