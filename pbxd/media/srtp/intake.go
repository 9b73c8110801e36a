package srtp

import (
	"encoding/binary"

	"galilei/pbxd/media"
)

// intake takes what the side beneath sends. It is a media.Authenticator.
type intake struct{ e *Endpoint }

// SetPeer does nothing: an intake only takes.
func (intake) SetPeer(media.Endpoint) {}

// WriteRTP takes a packet of the side whatever becomes of it.
func (i intake) WriteRTP(p []byte) { i.TakeRTP(p) }

// WriteRTCP takes a packet of the side whatever becomes of it.
func (i intake) WriteRTCP(p []byte) { i.TakeRTCP(p) }

// TakeRTP decrypts a packet of the side and passes it on. It runs in the one
// goroutine that reads the side's port, and holds the lock while the packet is
// passed on, since that lies in the buffer of the key.
func (i intake) TakeRTP(p []byte) bool {
	if len(p) < 12 || len(p) > maxPacket {
		i.e.stats.refused.Add(1)
		return false
	}
	return i.take(p, binary.BigEndian.Uint32(p[8:]), (*context).openRTP, media.Endpoint.WriteRTP)
}

// TakeRTCP decrypts a packet of the side and passes it on.
func (i intake) TakeRTCP(p []byte) bool {
	if len(p) < 8 || len(p) > maxPacket {
		i.e.stats.refused.Add(1)
		return false
	}
	return i.take(p, binary.BigEndian.Uint32(p[4:]), (*context).openRTCP, media.Endpoint.WriteRTCP)
}

func (i intake) take(p []byte, ssrc uint32, open func(*context, []byte) ([]byte, error), pass func(media.Endpoint, []byte)) bool {
	e := i.e
	if e.plain.Load() {
		if to := e.peer.Load(); to != nil {
			pass(to, p)
		}
		return true
	}
	e.in.Lock()
	defer e.in.Unlock()
	if e.rx == nil {
		e.stats.unkeyed.Add(1)
		return false
	}
	plain, ok := e.rx.try(p, ssrc, open)
	if ok {
		e.previous = nil
	} else if e.previous != nil {
		plain, ok = e.previous.try(p, ssrc, open)
	}
	if !ok {
		e.stats.refused.Add(1)
		return false
	}
	if to := e.peer.Load(); to != nil {
		pass(to, plain)
	}
	return true
}

func (c *context) openRTP(p []byte) ([]byte, error) {
	return c.cipher.DecryptRTP(c.buf[:0], p, &c.rtp)
}

func (c *context) openRTCP(p []byte) ([]byte, error) {
	return c.cipher.DecryptRTCP(c.buf[:0], p, &c.rtcp)
}

// try decrypts p when its source is known or there is room for another.
func (c *context) try(p []byte, ssrc uint32, open func(*context, []byte) ([]byte, error)) ([]byte, bool) {
	if !c.sources.takes(ssrc) {
		return nil, false
	}
	plain, err := open(c, p)
	if err != nil {
		return nil, false
	}
	c.sources.note(ssrc)
	return plain, true
}
