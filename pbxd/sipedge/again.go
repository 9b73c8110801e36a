package sipedge

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// inviteAgainLocked repeats our first INVITE with the interval that a 422 asks
// for, once (RFC 4028 section 7.3).
func (l *leg) inviteAgainLocked(res *sip.Response) bool {
	wanted := minSE(res)
	if l.session.min != 0 || wanted <= 0 || wanted > maxSession || l.state != legOutgoing {
		return false
	}
	l.session.min = wanted
	return l.inviteOnceMoreLocked()
}

// inviteOtherwiseLocked repeats our first INVITE to a phone that takes none of
// the audio offered without encryption, where that may be.
func (l *leg) inviteOtherwiseLocked() bool {
	s := &l.secrecy
	if l.state != legOutgoing || l.invited == nil || s.mode != pbx.SRTPOffered || s.plain {
		return false
	}
	s.offered = nil
	l.encryptLocked(media.Crypto{}, media.Crypto{})
	return l.inviteOnceMoreLocked()
}

// inviteOnceMoreLocked repeats our first INVITE after a refusal, which ends what
// the one before began.
func (l *leg) inviteOnceMoreLocked() bool {
	l.forgetEarlyLocked()
	if err := l.inviteLocked(l.invited); err != nil {
		l.log.Info("INVITE not sent again", "err", err)
		return false
	}
	if l.out != nil {
		l.out.spoken = false
		l.awaitLocked(time.Duration(l.out.options.NoAnswer) * time.Millisecond)
	}
	return true
}

// forgetEarlyLocked ends the early dialogs of our first INVITE, which is sent again.
func (l *leg) forgetEarlyLocked() {
	l.remoteTag, l.remoteCSeq, l.rseqs, l.early, l.seqs, l.theirs = "", 0, nil, nil, nil, nil
}

// plainlyLocked offers audio without encryption to a phone that has answered the
// call and refused the encrypted audio, where that may be.
func (l *leg) plainlyLocked(res *sip.Response, refused *media.Description) bool {
	s := &l.secrecy
	if s.mode != pbx.SRTPOffered || len(s.offered) == 0 || s.plain || refused == nil {
		return false
	}
	offer := l.invited
	l.encryptLocked(media.Crypto{}, media.Crypto{})
	l.theirs, l.invited, l.fields = refused, nil, nil
	l.sessionAgreedLocked(res)
	l.upLocked()
	if err := l.reofferLocked(offer, true); err != nil {
		l.log.Info("audio without encryption not offered", "err", err)
		return false
	}
	l.late = true
	return true
}
