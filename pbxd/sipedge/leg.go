package sipedge

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/media/srtp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

type legState int

const (
	legIncoming legState = iota // their INVITE has no final answer yet
	legOutgoing                 // our INVITE has no final answer yet
	legUp
	legEnding // the call has let go of it; the far end has yet to agree
	legEnded
)

// leg is one SIP dialog as a call.Leg. mu guards all that changes; it is held
// while messages are sent, never while the call is told of an event. Functions
// named ...Locked are called with it held.
type leg struct {
	dialog // guarded by mu, save edge, log and id
	port   *rtpio.Port
	audio  *engine.Side // above port, and the encryption where there may be some

	mu       sync.Mutex
	state    legState
	user     string // extension of the user who acts at the phone
	urgent   bool   // of an emergency call; never changes
	released bool   // the call has let go and hears no more
	notify   func(call.Event)

	serverTx *transaction.Server // their INVITE or re-INVITE that has no final answer yet
	serverRq *sip.Request
	acked    *transaction.Server // their INVITE whose 2xx waits for the ACK
	ackCSeq  uint32              // of that INVITE
	byeCause *pbx.Cause          // why a BYE follows that ACK; nil when none does
	clientTx *transaction.Client // our INVITE that has no final answer yet
	ack      *sentACK            // ACK of our last 2xx, for its retransmissions
	forks    map[string]bool     // tags of other phones behind the contact that answered and were ended
	offerSeq uint32              // of our last re-INVITE
	offerNo  int                 // how many there were
	late     bool                // which brings the audio of a call that was answered without
	quiet    bool                // which the call did not ask for
	expiry   *time.Timer         // when their INVITE ends by itself
	offerEnd *time.Timer         // when our re-INVITE has been without an answer for too long
	probe    *time.Timer         // next look whether they are still there
	signed   time.Time           // their last sign of life beside audio
	heard    uint64              // packets that they had been sent at the last look
	unasked  bool                // the last look found no way to ask

	secrecy  secrecy // its mode never changes
	digits   digits  // to be sent by INFO
	transfer *transfer
	reliable reliability
	session  sessionTimer
	other    call.Party                    // of the call, as those who watch the phone are told
	named    bool                          // the call has said who that is
	unshown  bool                          // and their phone shows somebody else yet
	calling  bool                          // the phone began the call
	held     bool                          // their last description takes no audio
	passed   int                           // hops that the call has come over
	fields   []sip.Header                  // of our first INVITE: who calls, how to ring
	attempt  int                           // how often it was sent
	waits    bool                          // it is a call over a line that nobody has answered yet
	vacated  bool                          // it is none of the calls over its line any more
	out      *outgoing                     // over a line: where it may go yet; nil otherwise
	invited  *media.Description            // of the side that our first INVITE is for
	rseqs    map[string]uint32             // RSeq of their last reliable provisional answer, by tag
	early    map[string]*media.Description // audio that such an answer described, by tag
	seqs     map[string]uint32             // CSeq of the last request of each early dialog over our first INVITE, by tag
	heardBy  string                        // tag of the last provisional answer that described audio

	origin       sdp.Origin
	said                            // our last session description
	before       said               // the one that holds when our re-INVITE is refused
	theirs       *media.Description // their last one
	pending      *media.Description // theirs, of a re-INVITE that is not decided yet
	directBefore netip.AddrPort     // of before the re-INVITE that changes it
	rerouting    bool               // such a one is under way
	direct       netip.AddrPort     // where our descriptions say that audio goes, past the device; not valid: to us
	bareACK      bool               // the ACK of their INVITE must bring an answer (delayed offer)
}

// said is a session description of ours.
type said struct {
	sent     []byte
	sentFmts []media.Format // formats in it
	sentAs   sdp.Origin
}

type sentACK struct {
	flow  transport.Flow
	bytes []byte
	tag   string // of the far end that it acknowledges
	cseq  uint32
}

// locked runs f with the lock held, even if it panics, and then what it returns.
func (l *leg) locked(f func() (then func())) {
	then := func() func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		return f()
	}()
	if then != nil {
		then()
	}
}

// newLeg returns a leg with audio over a line, or to a phone (nil). One of an
// emergency call (urgent) gets audio also when others get none.
func (e *Edge) newLeg(callID string, f transport.Flow, reachedAt netip.AddrPort, state legState, ln *line, urgent bool) (*leg, error) {
	l := &leg{
		dialog: dialog{edge: e, line: ln, id: dialogID{callID, newTag()}, flow: f, seenAt: time.Now(), reachedAt: reachedAt},
		state:  state,
		origin: sdp.NewOrigin(), notify: func(call.Event) {}, urgent: urgent,
	}
	l.log = e.deps.Log.With("leg", l.ID())
	l.secrecy.mode = e.secrecyOver(f, ln)
	if err := l.openAudio(f); err != nil {
		return nil, err
	}
	if !e.add(l) {
		l.closeAudio()
		return nil, fmt.Errorf("leg to %s: shutting down", f)
	}
	return l, nil
}

// openAudio gives the leg a port for audio where its far end reaches it.
func (l *leg) openAudio(f transport.Flow) error {
	open := l.edge.deps.Ports.Open
	if l.urgent {
		open = l.edge.deps.Ports.OpenUrgent
	}
	port, err := open(l.edge.own(f)) // the external address is not this machine's to listen at
	if err != nil {
		return fmt.Errorf("leg to %s: %w", f, err)
	}
	l.port = port
	var sound media.Endpoint = port
	if l.secrecy.mode != pbx.SRTPOff {
		l.secrecy.wire = srtp.New(port)
		sound = l.secrecy.wire
	}
	l.audio = l.edge.deps.Media.Attach(sound, engine.Config{})
	return nil
}

// ID implements call.Leg.
func (l *leg) ID() string { return "sip:" + l.id.localTag }

// Audio implements call.Leg.
func (l *leg) Audio() call.Audio {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.audio
}

// closeAudio ends the audio of the leg.
func (l *leg) closeAudio() {
	l.audio.Close()
	l.port.Close()
}

// tell reports an event unless the call has let go; l.mu must not be held.
func (l *leg) tell(ev call.Event) {
	l.mu.Lock()
	notify, released := l.notify, l.released
	l.mu.Unlock()
	if !released {
		ev.Leg = l
		notify(ev)
	}
}

// watchedLocked has those told who watch the far end's extension.
func (l *leg) watchedLocked() { l.edge.notifier.changed(eventDialog, l.user) }

// finish ends the leg for good and tells the call, unless it has let go. No
// transaction is left waiting for us.
func (l *leg) finish(cause pbx.Cause) { l.finishWith(call.Event{Cause: cause}) }

// finishWith is finish with more to tell.
func (l *leg) finishWith(ended call.Event) {
	cause := ended.Cause
	l.locked(func() func() {
		if l.state == legEnded {
			return nil
		}
		l.state = legEnded
		l.attendedLocked()
		for _, t := range []*time.Timer{l.probe, l.expiry, l.offerEnd, l.reliable.timer, l.out.timing()} {
			if t != nil {
				t.Stop()
			}
		}
		l.session.stop()
		l.refuseTransferLocked(481)
		if l.acked != nil {
			l.acked.Acknowledged()
		}
		if l.clientTx != nil {
			l.clientTx.Cancel(reasonHeader(cause))
		}
		l.answerLocked(487, nil)
		l.acked, l.clientTx, l.pending = nil, nil, nil
		ended.Leg, ended.Kind = l, call.EventEnded
		notify, tell, phone, unknown := l.notify, !l.released, l.user, l.unknown
		l.released = true
		return func() {
			l.closeAudio()
			l.edge.remove(l)
			if unknown.IsValid() {
				l.edge.strangers.leave(unknown)
			}
			l.vacate()
			l.edge.notifier.changed(eventDialog, phone)
			if tell {
				notify(ended)
			}
		}
	})
}

// answerLocked refuses their pending INVITE or re-INVITE, if there is one.
func (l *leg) answerLocked(status int, reason sip.Header) {
	if l.serverTx == nil {
		return
	}
	res := l.edge.response(l.serverRq, status, reasonPhrase(status))
	l.tag(res)
	if reason != nil {
		res.AppendHeader(reason)
	}
	if status == 503 {
		res.AppendHeader(sip.NewHeader("Retry-After", "5"))
	}
	l.edge.send(l.serverTx, res)
	l.serverTx, l.serverRq = nil, nil
}

// Hangup implements call.Leg.
func (l *leg) Hangup(cause pbx.Cause) {
	l.locked(func() func() {
		l.released = true
		switch l.state {
		case legIncoming:
			l.answerLocked(cause.SIPStatus(), reasonHeader(cause))
			return func() { l.finish(cause) }
		case legOutgoing:
			l.state = legEnding
			l.watchedLocked()
			if l.clientTx != nil {
				l.clientTx.Cancel(reasonHeader(cause))
			}
			silent := l.out != nil && !l.out.spoken
			return func() {
				l.closeAudio()
				if silent { // nothing is there that the call would occupy until the INVITE times out
					l.vacate()
				}
			}
		case legUp:
			l.state = legEnding
			l.watchedLocked()
			l.answerLocked(487, nil)
			l.refuseTransferLocked(481)
			if t := l.transfer; t != nil && t.over && t.next != "" && !t.silent {
				l.sendTransferLocked() // the last word comes before the BYE
			}
			if l.acked != nil { // no BYE before their ACK (RFC 3261 section 15)
				l.byeCause = &cause
			} else {
				l.byeLocked(cause)
			}
			return l.closeAudio
		}
		return nil
	})
}
