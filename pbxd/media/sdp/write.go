package sdp

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	psdp "github.com/pion/sdp/v3"

	"galilei/pbxd/media"
)

// Origin identifies our side of one session (RFC 8866 section 5.2). A dialog
// keeps its ID; Version grows by one with each description that differs from
// the one before (RFC 3264 section 8).
type Origin struct {
	ID, Version uint64
}

// NewOrigin returns the origin of a new session: a random ID below 2^31, since
// some phones keep it in a signed integer, and version 1.
func NewOrigin() Origin {
	var b [4]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return Origin{ID: uint64(binary.BigEndian.Uint32(b[:]) >> 1), Version: 1}
}

// Next returns the origin of the session's next description.
func (o Origin) Next() Origin { return Origin{o.ID, o.Version + 1} }

// Offer writes the first offer of a session: one audio section with what d,
// the description of the other side, says about the audio, received at at.
// RTCP is received at the port after it. With keys the audio is offered as
// RTP/SAVP only; they are those that we send with, the best first.
func Offer(d *media.Description, o Origin, at netip.AddrPort, keys ...media.Crypto) []byte {
	return write(o, at, []*psdp.MediaDescription{audio(profile(keys), d, d.Formats, d.Direction, at, keys)})
}

// Reoffer writes a later offer to a side whose own last description is prev:
// every section that the session has had stays at its place, as RFC 3264
// section 8 wants it.
func Reoffer(d, prev *media.Description, o Origin, at netip.AddrPort, keys ...media.Crypto) []byte {
	if prev.Audio < 0 {
		prev = &media.Description{Sections: append(prev.Clone().Sections, media.Section{}), Audio: len(prev.Sections)}
	}
	sections := make([]*psdp.MediaDescription, len(prev.Sections))
	for i, s := range prev.Sections {
		if i != prev.Audio {
			sections[i] = refused(s)
			continue
		}
		proto := s.Proto
		if proto == "" || isSecure(proto) != (len(keys) > 0) {
			proto = profile(keys)
		}
		sections[i] = audio(proto, d, d.Formats, d.Direction, at, keys)
	}
	return write(o, at, sections)
}

// Answer writes the answer to offer: the audio section with what d, the
// answer of the other side, says about it, received at at, and every other
// section of the offer refused. The formats are those of d that the offer
// has, and the direction never says more than the offer allows. The audio is
// refused, too, when offer or d has none or they have no format in common, and
// when it is encrypted and there is not exactly one key, of AnswerCrypto;
// Agreed tells that beforehand. A key for audio that was offered without
// encryption but with keys agrees to use them.
func Answer(d, offer *media.Description, o Origin, at netip.AddrPort, keys ...media.Crypto) []byte {
	formats, err := Agreed(d, offer)
	sections := make([]*psdp.MediaDescription, len(offer.Sections))
	for i, s := range offer.Sections {
		if i == offer.Audio && err == nil && (len(keys) == 1 || len(keys) == 0 && !isSecure(s.Proto)) {
			sections[i] = audio(s.Proto, d, formats, offer.Direction.Answer(d.Direction), at, keys)
		} else {
			sections[i] = refused(s)
		}
	}
	return write(o, at, sections)
}

// Agreed returns the formats that an answer of d to offer names, or an error
// that wraps media.ErrNoAudio and says why there are none.
func Agreed(d, offer *media.Description) ([]media.Format, error) {
	if err := offer.Usable(); err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	if err := d.Usable(); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	formats := media.Common(offer.Formats, d.Formats)
	if len(formats) == 0 {
		return nil, fmt.Errorf("%w: none of %d formats offered is among %d answered", media.ErrNoAudio, len(offer.Formats), len(d.Formats))
	}
	return formats, nil
}

func write(o Origin, at netip.AddrPort, sections []*psdp.MediaDescription) []byte {
	addr := at.Addr().Unmap().WithZone("")
	s := psdp.SessionDescription{
		Origin:      psdp.Origin{Username: "-", SessionID: o.ID, SessionVersion: o.Version, NetworkType: "IN", AddressType: addrType(addr), UnicastAddress: addr.String()},
		SessionName: "-",
		ConnectionInformation: &psdp.ConnectionInformation{
			NetworkType: "IN", AddressType: addrType(addr), Address: &psdp.Address{Address: addr.String()},
		},
		TimeDescriptions:  []psdp.TimeDescription{{}},
		MediaDescriptions: sections,
	}
	b, _ := s.Marshal() // appends to a slice; no path of it fails
	return b
}

func audio(proto string, d *media.Description, formats []media.Format, dir media.Direction, at netip.AddrPort, keys []media.Crypto) *psdp.MediaDescription {
	m := &psdp.MediaDescription{MediaName: psdp.MediaName{
		Media: "audio", Port: psdp.RangedPort{Value: int(at.Port())}, Protos: strings.Split(proto, "/"),
	}}
	attr := func(key, value string) { m.Attributes = append(m.Attributes, psdp.NewAttribute(key, value)) }
	for _, f := range formats {
		pt := strconv.Itoa(int(f.PT))
		m.MediaName.Formats = append(m.MediaName.Formats, pt)
		name := fmt.Sprintf("%s %s/%d", pt, f.Name, f.Clock)
		if f.Channels > 1 {
			name += "/" + strconv.Itoa(f.Channels)
		}
		attr("rtpmap", name)
		if f.FMTP != "" {
			attr("fmtp", pt+" "+f.FMTP)
		}
	}
	for _, k := range keys {
		attr("crypto", writeCrypto(k))
	}
	if d.PTime > 0 {
		attr("ptime", strconv.Itoa(d.PTime))
	}
	if d.MaxPTime > 0 {
		attr("maxptime", strconv.Itoa(d.MaxPTime))
	}
	m.Attributes = append(m.Attributes, psdp.NewPropertyAttribute(dir.String()))
	return m
}

// refused mirrors a section with port 0. Its formats stay: the grammar wants
// one, and they mean nothing (RFC 3264 section 6).
func refused(s media.Section) *psdp.MediaDescription {
	formats := s.Formats
	if len(formats) == 0 {
		formats = []string{"0"}
	}
	return &psdp.MediaDescription{MediaName: psdp.MediaName{
		Media: s.Kind, Protos: strings.Split(s.Proto, "/"), Formats: formats,
	}}
}
