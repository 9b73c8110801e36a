package sipedge

import (
	"galilei/pbxd/call"
	"galilei/pbxd/media"
)

// Straight implements call.Straight: audio of a far end that sends it from the
// address of its description needs no help of ours. Whether that holds is seen
// from the packets that have come.
func (l *leg) Straight() *media.Description {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != legUp || l.theirs == nil || l.theirs.Usable() != nil || l.secrecy.theirs.Suite != "" || l.bareACK || l.acked != nil {
		return nil
	}
	if from := l.port.Stats().Remote; from.Addr().Unmap() != l.theirs.Addr.Unmap() {
		return nil
	}
	return l.theirs
}

// Reroute implements call.Straight.
func (l *leg) Reroute(to *media.Description) {
	l.locked(func() func() {
		before := l.direct
		offer := &media.Description{Direction: media.SendRecv, PTime: to.PTime, MaxPTime: to.MaxPTime, Formats: to.Formats}
		l.direct = to.RTP()
		if err := l.offerLocked(offer); err != nil {
			l.direct = before
			l.log.Info("audio not sent straight", "err", err)
			return func() { l.tell(call.Event{Kind: call.EventOfferRefused}) }
		}
		l.directBefore, l.rerouting = before, true
		return nil
	})
}

// offerOverLocked says that our re-INVITE is over, and whether it was taken: audio
// whose way it was to change goes where it went.
func (l *leg) offerOverLocked(taken bool) {
	if l.rerouting && !taken {
		l.direct = l.directBefore
	}
	l.rerouting = false
}
