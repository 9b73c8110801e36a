// Package sdp reads and writes media descriptions in the Session Description
// Protocol (RFC 8866) for the offers and answers of RFC 3264.
//
// What passes from one side to the other is what the audio itself needs:
// formats (rtpmap, fmtp), ptime, maxptime and direction. Nothing else does:
// no session, user or host names, no addresses of the other side, no keys
// (crypto, fingerprint, setup), no ICE, rtcp-mux, rtcp-fb, ssrc or bandwidth.
//
// Profiles: RTP/AVP is used. RTP/AVPF is used, too, and answered as RTP/AVPF
// since an answer must name the profile of the offer (RFC 3264 section 6);
// without rtcp-fb attributes, which do not pass, the two differ only in when
// RTCP may be sent (RFC 4585 section 3.5). Offers are RTP/AVP. RTP/SAVP and
// RTP/SAVPF are used with keys by SDES (RFC 4568) where the caller asks for it
// with ParseSecure and gives keys; every other profile is refused. Of several usable audio sections the
// first is used and the others are refused.
//
// Writing goes through pion/sdp. Reading does not: its parser follows the
// grammar strictly and refuses whole descriptions in which phones offer fax
// (m=image, udptl) or have lines missing or out of order.
package sdp
