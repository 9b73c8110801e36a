package transaction

import (
	"container/list"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/sipedge/transport"
)

type serverState int

const (
	serverProceeding serverState = iota
	serverAccepted               // INVITE only: a 2xx was sent (RFC 6026 section 7.1)
	serverCompleted
	serverConfirmed // INVITE only: the ACK of a refusal came
	serverTerminated
)

// Server is one server transaction (RFC 3261 section 17.2).
type Server struct {
	layer  *Layer
	key    string
	flow   transport.Flow
	invite bool
	place  *list.Element // among the completed ones; guarded by the layer's lock

	mu       sync.Mutex
	state    serverState
	request  *sip.Request // dropped with the final response
	last     []byte       // last response, for retransmissions
	to       transport.Flow
	timer    *time.Timer // G: retransmission of a final response to INVITE
	expiry   *time.Timer // H, I, J or L; before the final response the net of unanswered requests
	interval time.Duration
	onCancel func(*sip.Request)
	onNoACK  func()
	cancel   *sip.Request // that has come
	tag      string       // of our last response
}

// toTag returns the To tag of our last response, or "".
func (s *Server) toTag() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tag
}

// Flow returns where the request came from.
func (s *Server) Flow() transport.Flow { return s.flow }

// OnCancel has fn called once with the CANCEL that arrives before the final
// response; at once when it has come already.
func (s *Server) OnCancel(fn func(*sip.Request)) {
	s.mu.Lock()
	s.onCancel = fn
	cancel := s.cancel
	live := s.state == serverProceeding
	s.mu.Unlock()
	if cancel != nil && live {
		fn(cancel)
	}
}

// OnNoACK has fn called when nobody acknowledges the 2xx to an INVITE within
// 32 s.
func (s *Server) OnNoACK(fn func()) {
	s.mu.Lock()
	s.onNoACK = fn
	s.mu.Unlock()
}

// Respond sends a response. After a final one nothing more may be sent, but
// that the transaction repeats the same. A 2xx to INVITE is repeated, T1
// doubling to T2, until Acknowledged is called (RFC 3261 section 13.3.1.4).
func (s *Server) Respond(res *sip.Response) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != serverProceeding {
		return fmt.Errorf("respond %d: a final response was sent already", res.StatusCode)
	}
	if res.ContentLength() == nil {
		res.SetBody(nil)
	}
	text := []byte(res.String())
	s.last, s.to = text, s.destination()
	s.tag, _ = res.To().Params.Get("tag")
	if res.StatusCode >= 200 {
		s.finalLocked(res.StatusCode) // may end the transaction and let go of last
	}
	if err := s.layer.send.Send(s.to, text); err != nil {
		return fmt.Errorf("respond %d: %w", res.StatusCode, err)
	}
	return nil
}

// RespondOnce sends a final response and forgets the transaction: a repeated
// request is a new one. It is for answers that cost nothing to give again,
// above all to senders who have not proved who they are (RFC 3261 sections
// 8.2.7 and 26.3.2.4): nothing is held for them and nothing is repeated.
func (s *Server) RespondOnce(res *sip.Response) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != serverProceeding {
		return fmt.Errorf("respond %d: a final response was sent already", res.StatusCode)
	}
	if res.ContentLength() == nil {
		res.SetBody(nil)
	}
	to := s.destination()
	s.terminateLocked()
	if err := s.layer.send.Send(to, []byte(res.String())); err != nil {
		return fmt.Errorf("respond %d: %w", res.StatusCode, err)
	}
	return nil
}

// destination is where responses go.
func (s *Server) destination() transport.Flow {
	return transport.Back(s.flow, s.request.Via())
}

func (s *Server) finalLocked(status int) {
	s.request, s.onCancel, s.cancel = nil, nil, nil
	s.stopTimersLocked()
	reliable := s.flow.Reliable()
	switch {
	case !s.invite:
		s.state = serverCompleted
		if reliable {
			s.terminateLocked()
			return
		}
		s.expiry = time.AfterFunc(Lifetime, s.stop) // J
		if oldest := s.layer.completed(s); oldest != nil {
			go oldest.stop() // takes its own lock, while ours is held
		}
	case status < 300:
		s.state = serverAccepted
		s.interval = T1
		s.timer = time.AfterFunc(T1, s.repeat)
		s.expiry = time.AfterFunc(Lifetime, s.unacknowledged) // L
	default:
		s.state = serverCompleted
		if !reliable {
			s.interval = T1
			s.timer = time.AfterFunc(T1, s.repeat) // G
		}
		s.expiry = time.AfterFunc(Lifetime, s.unacknowledged) // H
	}
}

// repeat sends the final response again: timer G, and the 2xx of section
// 13.3.1.4, which is repeated over every transport.
func (s *Server) repeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != serverCompleted && s.state != serverAccepted || s.timer == nil {
		return
	}
	_ = s.layer.send.Send(s.to, s.last) // timer H or L ends what cannot be sent
	s.interval = min(2*s.interval, T2)
	s.timer.Reset(s.interval)
}

func (s *Server) unacknowledged() {
	s.mu.Lock()
	tell := s.onNoACK
	if s.state != serverAccepted || s.timer == nil {
		tell = nil // a refusal needs no ACK to hold, and a stopped timer means that the ACK came
	}
	s.terminateLocked()
	s.mu.Unlock()
	if tell != nil {
		tell()
	}
}

// Acknowledged ends the repetition of a 2xx: the dialog has seen its ACK.
func (s *Server) Acknowledged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == serverAccepted && s.timer != nil {
		s.timer.Stop()
		s.timer, s.last, s.onNoACK = nil, nil, nil
	}
}

// acknowledged takes an ACK that matches this transaction: it belongs to a
// refusal (section 17.2.1). It reports false for the ACK of a 2xx.
func (s *Server) acknowledged() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case serverCompleted:
		s.state = serverConfirmed
		s.last = nil
		s.stopTimersLocked()
		if s.flow.Reliable() {
			s.terminateLocked()
			return true
		}
		s.expiry = time.AfterFunc(T4, s.stop) // I
		return true
	case serverAccepted:
		return false
	}
	return true
}

// retransmission answers a repeated request as before.
func (s *Server) retransmission() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && (s.state == serverProceeding || s.state == serverCompleted) {
		_ = s.layer.send.Send(s.to, s.last)
	}
}

func (s *Server) cancelled(cancel *sip.Request) {
	s.mu.Lock()
	first := s.cancel == nil
	live := s.state == serverProceeding
	if first && live {
		s.cancel = cancel
	}
	tell := s.onCancel
	s.mu.Unlock()
	if first && live && tell != nil {
		tell(cancel)
	}
}

func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terminateLocked()
}

func (s *Server) terminateLocked() {
	s.state = serverTerminated
	s.stopTimersLocked()
	s.last, s.request, s.onCancel, s.onNoACK, s.cancel = nil, nil, nil, nil, nil
	s.layer.dropServer(s)
}

func (s *Server) stopTimersLocked() {
	for _, t := range []*time.Timer{s.timer, s.expiry} {
		if t != nil {
			t.Stop()
		}
	}
	s.timer, s.expiry = nil, nil
}

func itoa(n int) string { return strconv.Itoa(n) }
