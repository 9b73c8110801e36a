package sipedge

import (
	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transport"
)

// acknowledge takes an ACK; it counts for our 2xx of its number.
func (l *leg) acknowledge(req *sip.Request, f transport.Flow) {
	l.locked(func() func() {
		if l.acked == nil || req.CSeq().SeqNo != l.ackCSeq {
			return nil
		}
		if l.bareACK && f.Remote.Addr() != l.flow.Remote.Addr() && !l.knownLocked(f) {
			l.log.Info("ACK with an answer left alone: it is from elsewhere", "from", f.String()) // nobody can be asked for a password here
			return nil
		}
		l.acked.Acknowledged()
		l.acked = nil
		if l.state == legEnding {
			if l.byeCause != nil {
				l.byeLocked(*l.byeCause)
			}
			return nil
		}
		if settle := l.reliable.settle; settle != nil {
			l.reliable.settle = nil
			if err := l.reofferLocked(settle, true); err != nil {
				l.log.Info("audio of the answer not offered", "err", err)
			}
		}
		if !l.bareACK {
			return nil
		}
		l.bareACK = false
		return l.answerInACKLocked(req)
	})
}

// answerInACKLocked takes the answer to an offer that our 2xx made (RFC 3261
// section 13.2.1). Without a usable one there is no session.
func (l *leg) answerInACKLocked(req *sip.Request) (then func()) {
	d, err := l.answeredWithLocked(req)
	if err == nil && d != nil {
		_, err = sdp.Agreed(d, &media.Description{Formats: l.sentFmts, Audio: d.Audio, Sections: d.Sections})
	}
	if err != nil || d == nil {
		l.log.Info("call ended: no usable answer to our offer", "err", err)
		l.byeLocked(pbx.CauseIncompatible)
		return func() { l.finish(pbx.CauseIncompatible) }
	}
	before := l.theirs
	l.expectAnswerLocked(d)
	if before != nil && sameAudio(before, d) {
		return nil
	}
	kind := call.EventOffer // the other side follows
	if before == nil {
		kind = call.EventOfferAnswered // the call knows nothing of their codecs yet
	}
	hold := l.holdLocked(d)
	return func() {
		hold()
		l.tell(call.Event{Kind: kind, Description: d})
	}
}
