package sipedge

import (
	"math"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
)

// probeAtMost is how long at most a connected side may send no audio until it is
// asked whether it is still there.
const probeAtMost = 5 * time.Minute

// probeAfter is how long a connected side without a session timer, or with a long
// one, may send no audio until it is asked whether it is still there, and how often then.
// A phone that lost its power says nothing; one on hold or muted answers. With
// the 32 s that an answer has, the call ends within the time that the setting
// of session timers promises.
func (e *Edge) probeAfter() time.Duration { return min(probeAtMost, e.sessionWanted()/2) }

// fellSilent is after how long without audio a side is asked that has spoken, does
// not say that it stops, and hears something: most phones send all the time.
const fellSilent = 30 * time.Second

// upLocked marks the leg as connected.
func (l *leg) upLocked() {
	if l.state != legUp {
		l.state = legUp
		l.attendedLocked()
		l.watchedLocked()
	}
	if l.probe == nil {
		l.signed = l.edge.deps.Now()
		l.probe = time.AfterFunc(min(l.edge.fellSilent, l.edge.probeAfter()), l.look)
	}
}

// comeBack is how long a side whose connection is gone may be silent until it is
// asked, and has to come back over another: as long as one that was asked has to
// answer.
const comeBack = 32 * time.Second

// look asks a silent side for a sign of life with OPTIONS (RFC 3261 section
// 11) within the dialog.
func (l *leg) look() { l.locked(l.lookLocked) }

func (l *leg) lookLocked() (then func()) {
	if l.state != legUp {
		return nil
	}
	stats, after, timer := l.port.Stats(), l.edge.probeAfter(), l.session.interval
	last, spoke, hears := stats.Last, stats.Last.After(l.signed), stats.PacketsOut > l.heard
	l.heard = stats.PacketsOut
	if !spoke {
		last = l.signed
	}
	switch {
	case !l.flow.Alive():
		after = comeBack
	case spoke && hears && l.theirs != nil && l.theirs.Direction.Sends():
		after = min(after, l.edge.fellSilent)
	case timer > 0 && timer <= 2*probeAtMost: // the session timer asks soon enough
		after = math.MaxInt64
	}
	if silent := l.edge.deps.Now().Sub(last); silent >= 0 && silent < after {
		l.unasked = l.unasked && !spoke
		l.probe.Reset(min(after-silent, l.edge.fellSilent))
		return nil
	}
	req := l.requestLocked(sip.OPTIONS)
	req.SetBody(nil)
	flow, err := l.wayLocked()
	if err == nil {
		l.via(req, flow)
		_, err = l.askLocked(req, flow, l.probed)
	}
	switch {
	case err == nil:
		l.unasked = false
	case l.unasked:
		l.log.Info("silent phone cannot be asked: the call ends", "err", err)
		return l.lostLocked()
	default:
		l.log.Info("silent phone not asked", "err", err)
		l.unasked = true
		l.probe.Reset(comeBack)
	}
	return nil
}

// probed takes the answer to OPTIONS: whatever it says, it is a sign of life,
// save that the dialog is not known or nobody answers (section 12.2.1.2).
func (l *leg) probed(res *sip.Response, err error, _ uint32) {
	if err == nil && res.StatusCode < 200 {
		return
	}
	l.locked(func() func() {
		switch {
		case l.state != legUp:
			return nil
		case err != nil || res.StatusCode == 481 || res.StatusCode == 408:
			l.log.Info("phone is gone: the call ends", "err", err)
			return l.lostLocked()
		}
		l.signed = l.edge.deps.Now()
		l.probe.Reset(min(l.edge.fellSilent, l.edge.probeAfter()))
		return nil
	})
}

// phoneID tells which of an extension's registrations is the far end of a leg.
type phoneID struct {
	extension string
	contact   string // URI
	instance  string // RFC 5626, empty when the phone gives none
}

func phoneIDOf(extension string, c *sip.ContactHeader) phoneID {
	id := phoneID{extension: extension, contact: c.Address.String()}
	id.instance = instanceOf(c)
	return id
}

// newer returns the registration of the phone that was made or refreshed after
// since, and when, both by the monotonic clock. When its connection is gone, a
// registration from the same host will do.
func (r *registrar) newer(id phoneID, since time.Time, gone bool) (found pbx.Registration, at time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.validLocked(id.extension) {
		same := id.instance != "" && g.Instance == id.instance || g.Contact == id.contact || gone && sameHost(g.Contact, id.contact)
		refreshed := r.started.Add(g.refreshed)
		if same && refreshed.After(since) && refreshed.After(at) {
			found, at, ok = r.shownLocked(g), refreshed, true
		}
	}
	return found, at, ok
}

func sameHost(a, b string) bool {
	var u, v sip.Uri
	return sip.ParseUri(a, &u) == nil && sip.ParseUri(b, &v) == nil && strings.EqualFold(u.Host, v.Host)
}
