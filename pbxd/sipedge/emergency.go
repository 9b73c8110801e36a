package sipedge

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// Bounds of emergency calls of phones that have not shown whose they are. Beyond
// them a password is asked for, as for any other call, so that a flood takes
// neither the lines nor the emergency calls of phones that have one.
const (
	unknownEach    = 4               // calls at a time of one address
	unknownAll     = 32              // calls at a time
	unknownBurst   = 30              // calls of one address that may begin at once
	unknownRefill  = time.Second * 2 // until one more may
	unknownSources = 1024            // addresses that are remembered
)

// askedTime is for how long a phone that was asked for its password in an
// emergency, and has not given it, is not asked again.
const askedTime = 10 * time.Minute

// strangers counts the emergency calls of phones that have not shown whose they
// are.
type strangers struct {
	mu    sync.Mutex
	calls int
	from  map[netip.Addr]*stranger
	asked map[netip.AddrPort]time.Time // by the monotonic clock
}

// stranger is one address.
type stranger struct {
	calls int
	spent int       // calls that have begun lately
	at    time.Time // up to when what was spent has been given back
}

func newStrangers() *strangers {
	return &strangers{from: map[netip.Addr]*stranger{}, asked: map[netip.AddrPort]time.Time{}}
}

// enter takes a call of an address, unless it has too many or there are too many.
func (s *strangers) enter(a netip.Addr, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.from[a]
	if x == nil {
		if len(s.from) >= unknownSources {
			s.forgetLocked(now)
		}
		if len(s.from) >= unknownSources {
			return false
		}
		x = &stranger{at: now}
		s.from[a] = x
	}
	x.refill(now)
	if s.calls >= unknownAll || x.calls >= unknownEach || x.spent >= unknownBurst {
		return false
	}
	s.calls++
	x.calls++
	x.spent++
	return true
}

// leave gives back the place of a call.
func (s *strangers) leave(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.from[a]; x != nil && x.calls > 0 {
		x.calls--
		s.calls--
	}
}

func (x *stranger) refill(now time.Time) {
	if back := int(now.Sub(x.at) / unknownRefill); back >= x.spent {
		x.spent, x.at = 0, now
	} else {
		x.spent -= back
		x.at = x.at.Add(time.Duration(back) * unknownRefill)
	}
}

// forgetLocked forgets addresses from which there is nothing to count.
func (s *strangers) forgetLocked(now time.Time) {
	for a, x := range s.from {
		if x.refill(now); x.calls == 0 && x.spent == 0 {
			delete(s.from, a)
		}
	}
}

// ask reports whether a phone that is registered is to be asked for its password:
// once, so that one that does not give it is not asked when it calls again.
func (s *strangers) ask(at netip.AddrPort, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if when, was := s.asked[at]; was && now.Sub(when) < askedTime {
		return false
	}
	if len(s.asked) >= unknownSources {
		for a, when := range s.asked {
			if now.Sub(when) >= askedTime {
				delete(s.asked, a)
			}
		}
	}
	if len(s.asked) >= unknownSources {
		return false
	}
	s.asked[at] = now
	return true
}

// shown says that a phone has given its password.
func (s *strangers) shown(at netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asked, at)
}

// emergencyNumber returns the emergency number that an INVITE is for: a number of
// the country, also after the digit for an outside line, as user of a SIP URI or in
// a tel URI (RFC 3966), or the service of a URN (RFC 5031).
func emergencyNumber(cfg *pbx.Config, req *sip.Request) (number string, ok bool) {
	if req.Method != sip.INVITE {
		return "", false
	}
	var e pbx.Emergency
	if req.Recipient.Scheme == "urn" {
		country, _ := pbx.CountryByCode(cfg.Locale.Country)
		kind, service, _ := strings.Cut(req.Recipient.Raw(), ":")
		if e, ok = country.EmergencyService(service); !ok || !strings.EqualFold(kind, "service") {
			return "", false
		}
		return e.Number, true
	}
	digits := dialled(req)
	if e, ok = cfg.Emergency(digits); !ok && len(digits) < 32 { // 1-1-2 is written so in RFC 3966
		e, ok = cfg.Emergency(withoutSeparators(digits))
	}
	return e.Number, ok
}

// whoCalls returns the user whose phone sends an INVITE; unknown says that it is an
// emergency call from a local network and the phone has not shown whose it is. When
// ok is false the request has been answered.
//
// A phone whose registration came from just where the INVITE comes from has a
// password and is asked for it, so that those who help see its number. It is not
// asked again when it does not give it.
func (e *Edge) whoCalls(tx *transaction.Server, req *sip.Request) (u *pbx.User, unknown, ok bool) {
	cfg, remote := e.deps.Config(), tx.Flow().Remote
	if _, urgent := emergencyNumber(cfg, req); !urgent || !cfg.SIP.IsLocal(remote.Addr()) {
		u, ok = e.authenticate(tx, req)
		return u, false, ok
	}
	user, v := e.digest.check(req, func(name string) (pbx.Secret, bool) { return e.password(cfg, name) })
	if v == authGood {
		e.strangers.shown(remote)
		tx.Flow().Trust()
		return cfg.UserByExtension(user), false, true
	}
	if v != authWrong && e.registrar.at(tx.Flow()) != "" && e.strangers.ask(remote, time.Now()) {
		e.challenge(tx, req, v)
		return nil, false, false
	}
	return nil, true, true
}

// stranger is the caller of an emergency call whose phone has not shown whose it
// is.
func (e *Edge) stranger(f transport.Flow, req *sip.Request) call.Incoming {
	number, _ := emergencyNumber(e.deps.Config(), req)
	in := call.Incoming{Unknown: true, Digits: number, Caller: call.Party{Name: f.Remote.Addr().String()}, Likely: e.registrar.near(f, req.From().Address.User)}
	if u := e.deps.Config().UserByExtension(req.From().Address.User); u != nil {
		in.Claims = u.Extension
	}
	return in
}

// at returns the extension that has registered over a flow; "" for none.
func (r *registrar) at(f transport.Flow) (ext string) {
	for _, g := range r.fromAddr(f.Remote.Addr()) {
		if g.Transport == f.Network && g.Source == f.Remote.String() {
			return g.Extension
		}
	}
	return ""
}

// near returns the extension that a phone at the far end of a flow probably has: one
// that has registered over it, else the one that it calls itself among those from
// its address, else the only one from there. "" when none is.
func (r *registrar) near(f transport.Flow, calls string) (ext string) {
	if ext = r.at(f); ext != "" {
		return ext
	}
	for _, g := range r.fromAddr(f.Remote.Addr()) {
		switch {
		case g.Extension == calls:
			return calls
		case ext == "":
			ext = g.Extension
		case ext != g.Extension:
			ext = "-"
		}
	}
	return strings.TrimPrefix(ext, "-")
}

// fromAddr returns the registrations that came from an address.
func (r *registrar) fromAddr(a netip.Addr) (list []pbx.Registration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ext := range r.byExt {
		for _, b := range r.validLocked(ext) {
			if source, err := netip.ParseAddrPort(b.Source); err == nil && source.Addr() == a {
				list = append(list, b.Registration)
			}
		}
	}
	return list
}
