package media

import (
	"net/netip"
	"time"
)

// Stats is what one side of a call has carried so far. Packets and octets
// count whole RTP packets (header and payload, without UDP and IP).
type Stats struct {
	Remote  netip.AddrPort // the one source that is accepted; not valid until there is one
	Last    time.Time      // arrival of the last accepted RTP packet; zero for none
	Dropped Dropped

	PacketsIn, OctetsIn   uint64 // accepted from the side
	PacketsOut, OctetsOut uint64 // sent to it
	RTCPIn, RTCPOut       uint64 // datagrams

	// Reception of what the side sends, from its RTP headers.
	SSRC   uint32        // synchronisation source now heard; 0 for none yet
	Lost   int64         // packets missing so far, all sources (RFC 3550 A.3); negative when duplicates outnumber losses
	Jitter time.Duration // RFC 3550 A.8; 0 while the clock rate is not known

	// Report is what the side says about its reception of what it is sent.
	Report Report
}

// Report is the last RTCP report block from a side (RFC 3550 section 6.4.1).
type Report struct {
	At           time.Time // zero when no report came
	Lost         int32     // packets missing since the start, as the side counts them
	FractionLost float64   // share lost since its previous report, 0 to 1
	Jitter       uint32    // in time stamp units of what it is sent
}

// Dropped counts packets that were not passed on, by reason.
type Dropped struct {
	Foreign   uint64 // from a source that is not the side's
	Forged    uint64 // encrypted audio that did not authenticate
	Invalid   uint64 // neither RTP nor RTCP, or damaged
	Loop      uint64 // from a port of ours
	Unbridged uint64 // nobody to pass them to
	Unsent    uint64 // to the side: no address known, or the system refused
}
