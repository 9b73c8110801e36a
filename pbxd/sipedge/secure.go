package sipedge

import (
	"errors"
	"fmt"
	"slices"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/media/srtp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transport"
)

var errNotOffered = errors.New("answer has no codec of the offer")

var errNotEncrypted = errors.New("audio without encryption, which the settings require")

// secrecy is how the audio of a leg is encrypted: by SRTP with keys in its
// descriptions (RFC 4568). They could be read where the signalling is not
// encrypted itself, and would then promise what they do not keep (section
// 8.3): such a leg has no wire, and encrypted audio is refused.
type secrecy struct {
	mode    string         // pbx.SRTPOff and so on, as the leg began
	wire    *srtp.Endpoint // nil for a leg that never encrypts
	plain   bool           // agreed, or the phone has refused anything else
	offered []media.Crypto // keys of our last offer
	ours    media.Crypto   // in use; without a suite for none
	theirs  media.Crypto
}

// secrecyOver returns what is done about encryption over f, for a line or a phone
// (nil).
func (e *Edge) secrecyOver(f transport.Flow, ln *line) string {
	mode := e.deps.Config().SIP.SRTP
	if ln != nil {
		mode = ln.settings().SRTP
	}
	if f.Network != "tls" || mode == "" {
		return pbx.SRTPOff
	}
	return mode
}

// described reads the session description of a message, nil when it has none. A
// description without encryption where it is required is an error.
func described(m sip.Message, mode string) (*media.Description, error) {
	body, err := bodyOf(m)
	if body == nil || err != nil {
		return nil, err
	}
	if mode == pbx.SRTPOff {
		return sdp.Parse(body)
	}
	d, err := sdp.ParseSecure(body)
	if err == nil && mode == pbx.SRTPRequired && d.Usable() == nil && len(d.Crypto) == 0 {
		return nil, errNotEncrypted
	}
	return d, err
}

// described reads the session description of a message of the far end, as far as
// its line has that; nil when there is none.
func (l *leg) described(m sip.Message) (*media.Description, error) {
	d, err := described(m, l.secrecy.mode)
	if d == nil || err != nil {
		return d, err
	}
	return l.line.takes(d), nil
}

// usable returns nil when a description has audio with a codec, else an error that
// says why not.
func usable(d *media.Description) error {
	if err := d.Usable(); err != nil {
		return err
	}
	if !slices.ContainsFunc(d.Formats, media.Format.Speech) {
		return fmt.Errorf("%w: no codec of the line", media.ErrNoAudio)
	}
	return nil
}

// answered reads the answer to an offer of ours, nil when there is none; its
// keys must go with those of the offer.
func (l *leg) answeredWithLocked(m sip.Message) (*media.Description, error) {
	d, err := l.described(m)
	if d == nil || err != nil {
		return nil, err
	}
	if err := d.Usable(); err != nil {
		return d, err
	}
	if !slices.ContainsFunc(media.Common(l.sentFmts, d.Formats), media.Format.Speech) {
		return d, errNotOffered
	}
	if len(d.Crypto) > 0 {
		_, _, err = media.AgreedCrypto(l.secrecy.offered, d.Crypto)
	}
	return d, err
}

// offerKeysLocked returns the keys of an offer of ours, none for audio without
// encryption. Keys in use stay: the packets go on as they are.
func (l *leg) offerKeysLocked() []media.Crypto {
	s := &l.secrecy
	switch {
	case s.wire == nil || s.plain:
		s.offered = nil
	case s.ours.Suite != "":
		s.offered = []media.Crypto{s.ours}
	case s.offered == nil:
		s.offered = []media.Crypto{media.NewCrypto(1, media.AES80), media.NewCrypto(2, media.AES32)}
	}
	return s.offered
}

// delayedKeysLocked returns the keys of the offer that a caller left to us. One
// who takes no encryption could not say so any more: unless it is required,
// there is none.
func (l *leg) delayedKeysLocked() []media.Crypto {
	if s := &l.secrecy; s.mode != pbx.SRTPRequired && s.ours.Suite == "" {
		s.plain = true
	}
	return l.offerKeysLocked()
}

// agreeOfferLocked has the audio encrypted as their offer wants it and returns
// the keys of the answer. As long as their key stays ours stays, too.
func (l *leg) agreeOfferLocked(offer *media.Description) []media.Crypto {
	s := &l.secrecy
	if s.wire == nil || len(offer.Crypto) == 0 {
		l.encryptLocked(media.Crypto{}, media.Crypto{})
		return nil
	}
	ours, theirs := s.ours, s.theirs
	i := slices.IndexFunc(offer.Crypto, func(k media.Crypto) bool { return k.Suite == theirs.Suite && k.Key == theirs.Key })
	if i >= 0 {
		ours.Tag, theirs = offer.Crypto[i].Tag, offer.Crypto[i]
	} else {
		ours, theirs, _ = media.AnswerCrypto(offer.Crypto) // it fails only without keys
	}
	l.encryptLocked(ours, theirs)
	return []media.Crypto{ours}
}

// agreeAnswerLocked has the audio encrypted as their answer says, which
// answeredWithLocked has read.
func (l *leg) agreeAnswerLocked(answer *media.Description) {
	ours, theirs, err := media.AgreedCrypto(l.secrecy.offered, answer.Crypto)
	if l.secrecy.wire == nil || err != nil {
		ours, theirs = media.Crypto{}, media.Crypto{}
	}
	l.encryptLocked(ours, theirs)
}

// encryptLocked encrypts with two keys from now on, or with none.
func (l *leg) encryptLocked(ours, theirs media.Crypto) {
	s := &l.secrecy
	s.ours, s.theirs, s.plain = ours, theirs, theirs.Suite == ""
	l.tlsOnly = !s.plain
	switch {
	case s.wire == nil:
	case s.plain:
		s.wire.SetPlain()
	default:
		if err := s.wire.SetKeys(ours, theirs); err != nil {
			l.log.Error("audio not encrypted: keys cannot be used", "err", err) // the parser has checked them
		}
	}
}

// expectOfferLocked takes their offer as the description that counts.
func (l *leg) expectOfferLocked(offer *media.Description) {
	if offer.Usable() == nil {
		l.agreeOfferLocked(offer)
	}
	l.expectLocked(offer)
}

// expectAnswerLocked takes their answer as the description that counts.
func (l *leg) expectAnswerLocked(answer *media.Description) {
	if answer.Usable() == nil {
		l.agreeAnswerLocked(answer)
	}
	l.expectLocked(answer)
}
