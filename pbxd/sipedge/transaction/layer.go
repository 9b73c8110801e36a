// Package transaction is the transaction layer of RFC 3261 section 17 with
// the corrections of RFC 6026: the four state machines, their timers, and the
// matching of responses, CANCEL and ACK. It takes sipgo's messages and
// transport's flows. A finished transaction keeps nothing but its key and the
// octets that a retransmission needs.
package transaction

import (
	"container/list"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/sipedge/transport"
)

// Timer values of RFC 3261 section 17.1.1.1 and table 4.
const (
	T1       = 500 * time.Millisecond // estimated round trip
	T2       = 4 * time.Second        // longest retransmission interval
	T4       = 5 * time.Second        // longest time that a message stays in the network
	Lifetime = 64 * T1                // timers B, D, F, H, J, L, M
)

// ringNet ends an INVITE, sent or received, that nobody has ended: longer than
// any phone may ring.
const ringNet = 15 * time.Minute

// maxCompleted bounds the answered requests that are remembered for their
// retransmissions. Beyond it the oldest is forgotten: at 1,500 requests a
// second that is after six seconds, when nearly all retransmissions are over.
const maxCompleted = 10_000

// MaxTransactions bounds what requests can make us hold. Beyond it new
// requests are dropped and their sender retransmits.
const MaxTransactions = 50_000

// Errors that end a client transaction without a final response.
var (
	ErrTimeout   = errors.New("no answer within 32 s")
	ErrTransport = errors.New("transport failed")
)

// Sender writes messages; *transport.Layer is one.
type Sender interface {
	Send(f transport.Flow, m []byte) error
}

// User is the transaction user (RFC 3261 section 5): it gets every request
// that starts a transaction. Its methods must not block.
type User interface {
	// Request gets a new request other than ACK and CANCEL.
	Request(tx *Server, req *sip.Request)
	// ACK gets the acknowledgement of a 2xx, retransmissions included.
	ACK(req *sip.Request, f transport.Flow)
}

// Layer holds the transactions.
type Layer struct {
	send Sender
	user User
	log  *slog.Logger

	mu      sync.Mutex
	clients map[string]*Client
	servers map[string]*Server
	done    *list.List // of *Server: completed, other than INVITE, oldest first
	closed  bool
}

// New returns a layer that writes to send and hands requests to user.
func New(send Sender, user User, log *slog.Logger) *Layer {
	return &Layer{send: send, user: user, log: log, clients: map[string]*Client{}, servers: map[string]*Server{}, done: list.New()}
}

// Count returns how many client and server transactions are held.
func (l *Layer) Count() (clients, servers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.clients), len(l.servers)
}

// Close ends every transaction without a word to anyone.
func (l *Layer) Close() {
	l.mu.Lock()
	l.closed = true
	clients, servers := l.clients, l.servers
	l.clients, l.servers = map[string]*Client{}, map[string]*Server{}
	l.mu.Unlock()
	for _, c := range clients {
		c.stop()
	}
	for _, s := range servers {
		s.stop()
	}
}

// Message takes what the transport received.
func (l *Layer) Message(m sip.Message, f transport.Flow) {
	switch m := m.(type) {
	case *sip.Response:
		l.response(m)
	case *sip.Request:
		l.request(m, f)
	}
}

// Closed fails the client transactions of a connection that has ended.
func (l *Layer) Closed(f transport.Flow) {
	l.mu.Lock()
	var lost []*Client
	for _, c := range l.clients {
		if c.flow.Same(f) {
			lost = append(lost, c)
		}
	}
	l.mu.Unlock()
	for _, c := range lost {
		c.fail(ErrTransport)
	}
}

func (l *Layer) response(res *sip.Response) {
	branch, _ := res.Via().Params.Get("branch")
	l.mu.Lock()
	c := l.clients[clientKey(branch, res.CSeq().MethodName)]
	l.mu.Unlock()
	if c != nil {
		c.received(res)
	}
}

func (l *Layer) request(req *sip.Request, f transport.Flow) {
	markSource(req, f)
	key := serverKey(req)
	switch req.Method {
	case sip.ACK:
		l.mu.Lock()
		s := l.servers[key]
		l.mu.Unlock()
		if s == nil || !s.acknowledged() {
			l.user.ACK(req, f)
		}
		return
	case sip.CANCEL:
		l.cancel(req, f, key)
		return
	}
	s, isNew := l.server(req, f, key)
	if s == nil {
		return
	}
	if !isNew {
		s.retransmission()
		return
	}
	l.user.Request(s, req)
}

// server returns the transaction of a request, made now if it is new. It
// returns nil when there is no room.
func (l *Layer) server(req *sip.Request, f transport.Flow, key string) (s *Server, isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.servers[key]; s != nil {
		return s, false
	}
	if l.closed || len(l.servers) >= MaxTransactions {
		return nil, false
	}
	s = &Server{layer: l, key: key, flow: f, request: req, invite: req.IsInvite()}
	net := Lifetime
	if s.invite {
		net = ringNet
	}
	s.expiry = time.AfterFunc(net, s.stop)
	l.servers[key] = s
	return s, true
}

// cancel answers a CANCEL and tells the INVITE that it names (RFC 3261 section 9.2).
func (l *Layer) cancel(req *sip.Request, f transport.Flow, key string) {
	l.mu.Lock()
	invite := l.servers[inviteKeyOfCancel(req)]
	l.mu.Unlock()
	s, isNew := l.server(req, f, key)
	if s == nil {
		return
	}
	if !isNew {
		s.retransmission()
		return
	}
	if invite == nil {
		_ = s.Respond(sip.NewResponseFromRequest(req, 481, "Call/Transaction Does Not Exist", nil)) // a lost answer is asked for again
		return
	}
	res := sip.NewResponseFromRequest(req, 200, "OK", nil)
	if tag := invite.toTag(); tag != "" { // the same in both answers (RFC 3261 section 9.2)
		res.To().Params.Add("tag", tag)
	}
	_ = s.Respond(res)
	invite.cancelled(req)
}

func (l *Layer) dropClient(key string) {
	l.mu.Lock()
	delete(l.clients, key)
	l.mu.Unlock()
}

// dropServer forgets a transaction, whose lock is held: it comes before the
// layer's.
func (l *Layer) dropServer(s *Server) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.servers[s.key] != s {
		return
	}
	delete(l.servers, s.key)
	if s.place != nil {
		l.done.Remove(s.place)
	}
}

// completed remembers a transaction whose lock is held as answered, and
// returns one that has to give way, or nil.
func (l *Layer) completed(s *Server) (oldest *Server) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.servers[s.key] != s {
		return nil
	}
	s.place = l.done.PushBack(s)
	if l.done.Len() <= maxCompleted {
		return nil
	}
	oldest = l.done.Remove(l.done.Front()).(*Server)
	delete(l.servers, oldest.key)
	return oldest
}

// markSource writes into the top Via where the request really came from (RFC
// 3261 section 18.2.1, RFC 3581 section 4).
func markSource(req *sip.Request, f transport.Flow) {
	via := req.Via()
	from := f.Remote.Addr().String()
	_, rport := via.Params.Get("rport")
	if rport {
		via.Params.Add("rport", itoa(int(f.Remote.Port())))
	}
	if rport || !strings.EqualFold(strings.Trim(via.Host, "[]"), from) {
		via.Params.Add("received", from)
	}
}

func clientKey(branch string, m sip.RequestMethod) string { return branch + "|" + string(m) }

// serverKey is the matching rule of RFC 3261 section 17.2.3; for a branch
// without the magic cookie it is that of RFC 2543.
func serverKey(req *sip.Request) string {
	m := req.Method
	if m == sip.ACK {
		m = sip.INVITE
	}
	return keyOf(req, m)
}

func inviteKeyOfCancel(req *sip.Request) string { return keyOf(req, sip.INVITE) }

func keyOf(req *sip.Request, m sip.RequestMethod) string {
	via := req.Via()
	branch, _ := via.Params.Get("branch")
	if strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) && len(branch) > len(sip.RFC3261BranchMagicCookie) {
		return branch + "|" + strings.ToLower(via.Host) + ":" + itoa(via.Port) + "|" + string(m)
	}
	fromTag, _ := req.From().Params.Get("tag")
	return "2543|" + req.CallID().Value() + "|" + itoa(int(req.CSeq().SeqNo)) + "|" + fromTag + "|" + branch + "|" +
		req.Recipient.String() + "|" + strings.ToLower(via.Host) + ":" + itoa(via.Port) + "|" + string(m)
}
