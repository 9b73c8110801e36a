// Package srtp encrypts the audio of one side (RFC 3711) with keys that its
// description carried (RFC 4568), so that the rest of the PBX sees plain RTP
// and RTCP.
package srtp

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"galilei/pbxd/media"
)

// maxSources bounds the synchronisation sources for which a side, or who speaks
// to it, makes us keep a state, per key.
const maxSources = 64

// replayWindow is how many packets one may come late by (RFC 3711 section
// 3.3.2 wants 64 or more).
const replayWindow = 128

// maxPacket is the longest packet that is encrypted, octets.
const maxPacket = 1500

// Endpoint is a media.Endpoint that speaks SRTP to the side beneath it, or
// plain RTP once SetPlain says so. Until either is known it drops all packets. All methods may be called from any
// goroutine.
type Endpoint struct {
	inner media.Endpoint
	peer  atomic.Pointer[peer]
	plain atomic.Bool
	stats counters

	keys sync.Mutex // one SetKeys at a time; taken before the others

	// A packet that comes in holds in while it goes on to the peer, whose own
	// out it may need: never hold both of one endpoint.
	out sync.Mutex // guards sending
	tx  *context   // nil before there are keys

	in       sync.Mutex // guards receiving
	rx       *context
	previous *context // before the last change of keys, until a packet comes with the new one
}

// peer boxes an interface value.
type peer struct{ media.Endpoint }

type counters struct{ unkeyed, refused, unsent atomic.Uint64 }

// Dropped counts packets that did not pass.
type Dropped struct {
	Unkeyed uint64 // there were no keys
	Refused uint64 // from the side: forged, repeated, too old or damaged
	Unsent  uint64 // to the side: too long, damaged, or of too many sources
}

// context is what belongs to one key.
type context struct {
	crypto  media.Crypto
	cipher  *srtp.Context
	rtp     rtp.Header
	rtcp    rtcp.Header
	buf     []byte
	sources sources // of RTP, and of RTCP that comes in
	control sources // of RTCP that goes out
}

// sources are those for which there is a state, at most maxSources.
type sources []uint32

// takes reports whether there is a state for ssrc, or room for one.
func (s sources) takes(ssrc uint32) bool { return len(s) < maxSources || slices.Contains(s, ssrc) }

// note remembers that there is a state for ssrc.
func (s *sources) note(ssrc uint32) {
	if !slices.Contains(*s, ssrc) {
		*s = append(*s, ssrc)
	}
}

// New returns an endpoint above inner.
func New(inner media.Endpoint) *Endpoint { return &Endpoint{inner: inner} }

// SetKeys sets the key that we send with and the one that the side sends with,
// as after each offer and answer. One that is as before goes on where it is;
// after a change of the side's key, packets with the old one are taken until
// the first with the new one comes. The error says which key is wrong; then
// neither changes.
func (e *Endpoint) SetKeys(ours, theirs media.Crypto) error {
	e.keys.Lock()
	defer e.keys.Unlock()
	tx, err := e.tx.renew(ours) // only SetKeys changes tx and rx
	if err != nil {
		return fmt.Errorf("key to send with: %w", err)
	}
	rx, err := e.rx.renew(theirs)
	if err != nil {
		return fmt.Errorf("key to receive with: %w", err)
	}
	e.out.Lock()
	e.tx = tx
	e.out.Unlock()
	e.in.Lock()
	if rx != e.rx {
		e.rx, e.previous = rx, e.rx
	}
	e.in.Unlock()
	e.plain.Store(false)
	return nil
}

// SetPlain has packets pass as they are, and forgets all keys: the side has
// agreed to audio without encryption.
func (e *Endpoint) SetPlain() {
	e.keys.Lock()
	defer e.keys.Unlock()
	e.out.Lock()
	e.tx = nil
	e.out.Unlock()
	e.in.Lock()
	e.rx, e.previous = nil, nil
	e.in.Unlock()
	e.plain.Store(true)
}

// renew returns c when it belongs to key, or a new context.
func (c *context) renew(key media.Crypto) (*context, error) {
	if c != nil && c.crypto.Suite == key.Suite && c.crypto.Key == key.Key && c.crypto.MKI == key.MKI { // whatever its tag
		return c, nil
	}
	return newContext(key)
}

func newContext(c media.Crypto) (*context, error) {
	var profile srtp.ProtectionProfile
	switch c.Suite {
	case media.AES80:
		profile = srtp.ProtectionProfileAes128CmHmacSha1_80
	case media.AES32:
		profile = srtp.ProtectionProfileAes128CmHmacSha1_32
	default:
		return nil, fmt.Errorf("%w: suite %.40q", media.ErrNoCrypto, c.Suite)
	}
	key := []byte(c.Key.Reveal())
	if len(key) != media.CryptoKeySize {
		return nil, fmt.Errorf("%w: key of %d octets, not %d", media.ErrNoCrypto, len(key), media.CryptoKeySize)
	}
	cipher, err := srtp.CreateContext(key[:16], key[16:], profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow), srtp.MasterKeyIndicator([]byte(c.MKI)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", media.ErrNoCrypto, err)
	}
	return &context{crypto: c, cipher: cipher, buf: make([]byte, 0, maxPacket+64)}, nil
}

// SetPeer says who gets what the side sends, decrypted; nil detaches.
func (e *Endpoint) SetPeer(p media.Endpoint) {
	if p == nil {
		e.peer.Store(nil)
		e.inner.SetPeer(nil)
		return
	}
	e.peer.Store(&peer{p})
	e.inner.SetPeer(intake{e})
}

// WriteRTP encrypts a packet and sends it to the side.
func (e *Endpoint) WriteRTP(p []byte) {
	if e.plain.Load() {
		e.inner.WriteRTP(p)
		return
	}
	e.out.Lock()
	defer e.out.Unlock()
	c := e.tx
	if c == nil {
		e.stats.unkeyed.Add(1)
		return
	}
	if len(p) < 12 || len(p) > maxPacket || !c.sources.takes(binary.BigEndian.Uint32(p[8:])) {
		e.stats.unsent.Add(1)
		return
	}
	c.sources.note(binary.BigEndian.Uint32(p[8:]))
	b, err := c.cipher.EncryptRTP(c.buf[:0], p, &c.rtp)
	if err != nil {
		e.stats.unsent.Add(1) // counted, not logged: it may happen 50 times a second
		return
	}
	e.inner.WriteRTP(b)
}

// WriteRTCP encrypts a packet and sends it to the side.
func (e *Endpoint) WriteRTCP(p []byte) {
	if e.plain.Load() {
		e.inner.WriteRTCP(p)
		return
	}
	e.out.Lock()
	defer e.out.Unlock()
	c := e.tx
	if c == nil {
		e.stats.unkeyed.Add(1)
		return
	}
	if len(p) < 8 || len(p) > maxPacket || !c.control.takes(binary.BigEndian.Uint32(p[4:])) {
		e.stats.unsent.Add(1)
		return
	}
	c.control.note(binary.BigEndian.Uint32(p[4:]))
	b, err := c.cipher.EncryptRTCP(c.buf[:0], p, &c.rtcp)
	if err != nil {
		e.stats.unsent.Add(1)
		return
	}
	e.inner.WriteRTCP(b)
}

// Dropped returns the packets that did not pass so far.
func (e *Endpoint) Dropped() Dropped {
	return Dropped{Unkeyed: e.stats.unkeyed.Load(), Refused: e.stats.refused.Load(), Unsent: e.stats.unsent.Load()}
}
