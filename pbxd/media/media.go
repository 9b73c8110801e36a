// Package media describes the audio of a call and joins two sides of it. It
// knows neither SIP nor sockets: package sdp reads and writes the descriptions
// in the syntax of RFC 8866, package rtpio carries the packets.
package media

// Endpoint is one side's audio as the bridge sees it. WriteRTP and WriteRTCP
// send one whole packet towards that side; they may be called from any
// goroutine, never block for longer than a system call, and must not keep or
// change p after they return. What the side itself sends goes to its peer.
type Endpoint interface {
	WriteRTP(p []byte)
	WriteRTCP(p []byte)
	// SetPeer says who gets what this side sends; nil detaches, after which
	// packets are counted and dropped.
	SetPeer(Endpoint)
}

// Authenticator is an Endpoint that can tell whether a packet comes from the
// side itself, since it is encrypted (RFC 3711). It passes on what does and
// reports false of anything else; p is not kept.
type Authenticator interface {
	Endpoint
	TakeRTP(p []byte) bool
	TakeRTCP(p []byte) bool
}

// Bridge lets a and b hear each other. Whatever either was joined with before
// still sends to it until that side is detached, too.
func Bridge(a, b Endpoint) {
	a.SetPeer(b)
	b.SetPeer(a)
}

// Unbridge detaches a and b. Either may be nil: a side that is gone already.
// The caller owns both sides; a side that has been joined with a third one
// since is detached from that.
func Unbridge(a, b Endpoint) {
	if a != nil {
		a.SetPeer(nil)
	}
	if b != nil {
		b.SetPeer(nil)
	}
}
