package sipedge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// minSession is the shortest session interval that RFC 4028 section 5 permits.
const minSession = 90 * time.Second

// sessionTimer is what the two sides of a dialog have agreed about signs of
// life (RFC 4028). The zero value is none.
type sessionTimer struct {
	interval time.Duration // 0: none agreed
	ours     bool          // we refresh
	min      time.Duration // longest Min-SE that the far end has asked for
	timer    *time.Timer
	started  time.Time // of the interval
}

// sessionExpires is the value of Session-Expires (RFC 4028 section 4).
type sessionExpires struct {
	interval  time.Duration
	refresher string // "uac", "uas", or "" when not said
}

// parseSessionExpires reads Session-Expires or Min-SE.
func parseSessionExpires(s string) (sessionExpires, error) {
	seconds, params, _ := strings.Cut(s, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(seconds), 10, 31)
	if err != nil {
		return sessionExpires{}, fmt.Errorf("session interval %.40q: %w", s, err)
	}
	x := sessionExpires{interval: time.Duration(n) * time.Second}
	for p := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(p, "=")
		if v = strings.ToLower(strings.TrimSpace(v)); strings.EqualFold(strings.TrimSpace(k), "refresher") && (v == "uac" || v == "uas") {
			x.refresher = v
		}
	}
	return x, nil
}

// sessionField returns the Session-Expires of a message; false when it has
// none that can be read.
func sessionField(m sip.Message) (sessionExpires, bool) {
	for _, name := range []string{"session-expires", "x"} {
		if v := headerValue(m, name); v != "" {
			x, err := parseSessionExpires(v)
			return x, err == nil
		}
	}
	return sessionExpires{}, false
}

func minSE(m sip.Message) time.Duration {
	x, err := parseSessionExpires(headerValue(m, "min-se"))
	if err != nil {
		return 0
	}
	return x.interval
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// sessionWanted is the interval that we ask for.
func (e *Edge) sessionWanted() time.Duration {
	d := time.Duration(e.deps.Config().SIP.SessionExpires) * time.Second
	if d == 0 {
		d = 30 * time.Minute
	}
	return max(d, e.minSession)
}

// offerSessionLocked writes our wish into an INVITE or UPDATE of ours. Once a
// refresher is agreed it stays (RFC 4028 section 7.4).
func (l *leg) offerSessionLocked(req *sip.Request) {
	if !l.line.refreshes() {
		return
	}
	s := &l.session
	value := seconds(max(l.edge.sessionWanted(), s.min))
	switch {
	case s.interval > 0 && s.ours:
		value += ";refresher=uac"
	case s.interval > 0:
		value += ";refresher=uas"
	}
	req.AppendHeader(sip.NewHeader("Session-Expires", value))
	req.AppendHeader(sip.NewHeader("Min-SE", seconds(max(l.edge.minSession, s.min))))
}

// sessionTooShort refuses an INVITE or UPDATE whose session interval is below
// what may be (RFC 4028 section 9); nil when it is not, or over a line without session
// timers.
func (e *Edge) sessionTooShort(req *sip.Request, ln *line) *sip.Response {
	x, ok := sessionField(req)
	if !ok || !ln.refreshes() || x.interval >= e.minSession {
		return nil
	}
	res := e.response(req, 422, reasonPhrase(422))
	res.AppendHeader(sip.NewHeader("Min-SE", seconds(e.minSession)))
	return res
}

// answerSessionLocked writes what is agreed into our 2xx to their INVITE or
// UPDATE, and begins to count (RFC 4028 section 9). A phone that does not know
// session timers is asked for signs of life in another way.
func (l *leg) answerSessionLocked(req *sip.Request, res *sip.Response) {
	x, ok := sessionField(req)
	knows := hasToken(req, "timer", "supported", "k")
	if !knows && !ok || !l.line.refreshes() {
		l.agreeLocked(0, false)
		return
	}
	interval := l.edge.sessionWanted()
	if ok {
		interval = min(interval, x.interval)
	}
	interval = max(interval, minSE(req), l.edge.minSession)
	ours := !knows || x.refresher == "uas"
	role := "uac"
	if ours {
		role = "uas"
	} else {
		res.AppendHeader(sip.NewHeader("Require", "timer"))
	}
	res.AppendHeader(sip.NewHeader("Session-Expires", seconds(interval)+";refresher="+role))
	l.agreeLocked(interval, ours)
}

// sessionAgreedLocked takes what a 2xx to our INVITE or UPDATE says (RFC 4028
// section 7.2).
func (l *leg) sessionAgreedLocked(res *sip.Response) {
	x, ok := sessionField(res)
	if !ok {
		l.agreeLocked(0, false)
		return
	}
	l.agreeLocked(max(x.interval, l.edge.minSession), x.refresher != "uas")
}

// agreeLocked begins a session interval; 0 ends the counting.
func (l *leg) agreeLocked(interval time.Duration, ours bool) {
	s := &l.session
	if s.timer != nil {
		s.timer.Stop()
	}
	s.interval, s.ours, s.started, s.timer = interval, ours, time.Now(), nil
	switch {
	case interval == 0:
	case ours:
		s.timer = time.AfterFunc(interval/2, l.refresh)
	default:
		s.timer = time.AfterFunc(sessionEnd(interval), l.sessionOver)
	}
}

// sessionEnd is when a session that was not refreshed ends: early enough that
// the BYE comes before the other side gives up (RFC 4028 section 10).
func sessionEnd(interval time.Duration) time.Duration {
	return interval - min(32*time.Second, interval/3)
}

// sessionOver ends a session whose refresh has not come.
func (l *leg) sessionOver() {
	l.locked(func() func() {
		s := &l.session
		if l.state != legUp || s.interval == 0 || time.Since(s.started) < sessionEnd(s.interval) {
			return nil
		}
		l.log.Info("phone gave no sign of life: the call ends", "interval", s.interval)
		return l.lostLocked()
	})
}

// refresh gives the sign of life that is ours to give: by UPDATE where the
// phone serves it, else by a re-INVITE that changes nothing.
func (l *leg) refresh() {
	l.locked(func() func() {
		s := &l.session
		if l.state != legUp || s.interval == 0 || !s.ours {
			return nil
		}
		if time.Since(s.started) >= s.interval { // no refresh was taken
			l.log.Info("phone takes no refresh: the call ends", "interval", s.interval)
			return l.lostLocked()
		}
		var err error
		switch {
		case l.clientTx != nil || l.serverTx != nil || l.acked != nil:
			err = errBusyDialog
		case l.servesLocked(sip.UPDATE):
			err = l.refreshByUpdateLocked()
		default:
			err = l.reinviteLocked(l.sent, true)
		}
		if err != nil {
			l.log.Debug("session not refreshed yet", "err", err)
			l.refreshLaterLocked()
		}
		return nil
	})
}

// refreshLaterLocked tries again within what is left of the interval.
func (l *leg) refreshLaterLocked() {
	s := &l.session
	if s.interval == 0 || !s.ours {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(max(s.interval/10, time.Second), l.refresh)
}

// refreshByUpdateLocked sends an UPDATE without a description, with further
// fields.
func (l *leg) refreshByUpdateLocked(fields ...sip.Header) error {
	req := l.requestLocked(sip.UPDATE)
	req.AppendHeader(l.contact())
	req.AppendHeader(sip.NewHeader("Supported", l.line.supported()))
	l.offerSessionLocked(req)
	for _, h := range fields {
		req.AppendHeader(h)
	}
	req.SetBody(nil)
	flow, err := l.wayLocked()
	if err != nil {
		return err
	}
	l.via(req, flow)
	_, err = l.askLocked(req, flow, l.refreshed)
	return err
}

// refreshed takes the answer to an UPDATE that refreshes (RFC 4028 section 10).
func (l *leg) refreshed(res *sip.Response, err error, _ uint32) {
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
		case res.StatusCode < 300:
			l.retargetLocked(res)
			l.sessionAgreedLocked(res)
			return nil
		case res.StatusCode == 405 || res.StatusCode == 501: // whatever its Allow says
			l.serves = slices.DeleteFunc(l.serves, func(m string) bool { return m == "update" })
		}
		l.refreshRefusedLocked(res)
		return nil
	})
}

// refreshRefusedLocked takes a refusal of a refresh, or of another offer of
// ours. Who refuses what concerns the request alone is there all the same (RFC
// 5057 section 5.1), so that the session goes on; who says that the dialog is
// none gives no sign of life.
func (l *leg) refreshRefusedLocked(res *sip.Response) {
	s := &l.session
	if s.interval == 0 || !s.ours {
		return
	}
	switch res.StatusCode {
	case 404, 410, 416, 480, 482, 483, 484, 485, 502, 604:
		l.refreshLaterLocked()
	case 415, 488, 606: // and will the next time
		l.agreeLocked(s.interval, true)
	case 422:
		s.min = min(max(s.min, minSE(res)), maxSession)
		fallthrough
	default:
		s.started = time.Now()
		l.refreshLaterLocked()
	}
}

// maxSession bounds what a phone may ask for with Min-SE.
const maxSession = 24 * time.Hour

// stop ends the counting.
func (s *sessionTimer) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
}
