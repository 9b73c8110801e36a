package sipedge

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
)

// replaces names the dialog whose place a new one takes (RFC 3891 section 6.1).
type replaces struct {
	callID, toTag, fromTag string
	earlyOnly              bool
}

// maxReplaces bounds the value of a Replaces field, octets.
const maxReplaces = 1024

// parseReplaces reads the value of Replaces.
func parseReplaces(s string) (replaces, error) {
	if len(s) > maxReplaces {
		return replaces{}, fmt.Errorf("field Replaces has %d octets, at most %d are read", len(s), maxReplaces)
	}
	id, params, _ := strings.Cut(s, ";")
	r := replaces{callID: strings.TrimSpace(id)}
	for p := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(p, "=")
		v = strings.TrimSpace(v)
		var into *string
		switch strings.ToLower(strings.TrimSpace(k)) {
		case "to-tag":
			into = &r.toTag
		case "from-tag":
			into = &r.fromTag
		case "early-only":
			r.earlyOnly = true
			continue
		default:
			continue
		}
		if *into != "" {
			return replaces{}, fmt.Errorf("field Replaces %.80q has a tag twice", s)
		}
		*into = v
	}
	if r.callID == "" || r.toTag == "" || r.fromTag == "" {
		return replaces{}, fmt.Errorf("field Replaces %.80q lacks the Call-ID or a tag", s)
	}
	return r, nil
}

// replaced finds the leg that a Replaces names. Its tags are those of either
// side: a phone that picks up a call has them from the ringing phone's point of
// view, one that transfers a call has them from its own.
func (e *Edge) replaced(r replaces) *leg {
	for _, tags := range [][2]string{{r.toTag, r.fromTag}, {r.fromTag, r.toTag}} {
		l := e.leg(dialogID{r.callID, tags[0]})
		if l == nil {
			continue
		}
		l.mu.Lock()
		same := l.remoteTag == tags[1]
		l.mu.Unlock()
		if same {
			return l
		}
	}
	return nil
}

// referTo is what a Refer-To asks for (RFC 3515 section 2.1).
type referTo struct {
	target   string    // user part of the URI
	replaces *replaces // of an attended transfer
}

var errReferTo = errors.New("Refer-To cannot be followed")

// parseReferTo reads the URI of Refer-To with the header fields in it (RFC 3261
// section 19.1.1): Replaces is followed, others are not.
func parseReferTo(u *sip.Uri) (referTo, error) {
	if u.Scheme != "sip" && u.Scheme != "sips" && u.Scheme != "tel" {
		return referTo{}, fmt.Errorf("%w: scheme %.20q", errReferTo, u.Scheme)
	}
	if m, ok := u.UriParams.Get("method"); ok && !strings.EqualFold(m, "INVITE") {
		return referTo{}, fmt.Errorf("%w: method %.20q", errReferTo, m)
	}
	user, err := numberOf(u)
	if err != nil {
		return referTo{}, fmt.Errorf("%w: %w", errReferTo, err)
	}
	to := referTo{target: printable(user, 64)}
	if to.target == "" {
		return referTo{}, fmt.Errorf("%w: it names nobody", errReferTo)
	}
	for _, h := range u.Headers {
		if !strings.EqualFold(h.K, "replaces") {
			continue
		}
		if to.replaces != nil {
			return referTo{}, fmt.Errorf("%w: Replaces twice", errReferTo)
		}
		v, err := url.PathUnescape(h.V)
		if err != nil {
			return referTo{}, fmt.Errorf("%w: %w", errReferTo, err)
		}
		r, err := parseReplaces(v)
		if err != nil {
			return referTo{}, fmt.Errorf("%w: %w", errReferTo, err)
		}
		to.replaces = &r
	}
	return to, nil
}

// referredBy returns who asks for a transfer, as it says itself (RFC 3892).
func referredBy(req *sip.Request) call.Party {
	for _, name := range []string{"referred-by", "b"} {
		for _, h := range req.GetHeaders(name) {
			if p, _, ok := partyOf(h.Value()); ok {
				return p
			}
		}
	}
	return call.Party{}
}

// partyOf reads a name-addr or addr-spec with its parameters.
func partyOf(value string) (p call.Party, params sip.HeaderParams, ok bool) {
	var u sip.Uri
	name, err := sip.ParseAddressValue(value, &u, &params)
	if err != nil || u.Scheme != "sip" && u.Scheme != "sips" && u.Scheme != "tel" {
		return call.Party{}, nil, false
	}
	number := u.User
	if u.Scheme == "tel" {
		number, _, _ = strings.Cut(u.Raw(), ";")
	}
	if s, err := url.PathUnescape(number); err == nil {
		number = s
	}
	return call.Party{Number: printable(number, 64), Name: printable(name, 100)}, params, true
}

// replacedBy finds the leg whose place an INVITE wants to take; nil and 0 when
// it wants none, else a status that refuses (RFC 3891 section 3).
func (e *Edge) replacedBy(req *sip.Request) (l *leg, status int) {
	fields := req.GetHeaders("replaces")
	if len(fields) == 0 {
		return nil, 0
	}
	r, err := parseReplaces(fields[0].Value())
	if err != nil || len(fields) > 1 {
		return nil, 400
	}
	if l = e.replaced(r); l == nil {
		return nil, 481
	}
	l.mu.Lock()
	state := l.state
	l.mu.Unlock()
	switch {
	case state == legEnding || state == legEnded:
		return nil, 603
	case state == legUp && r.earlyOnly:
		return nil, 486
	case state == legIncoming: // an early dialog that the far end began
		return nil, 481
	}
	return l, 0
}
