package ladder

import (
	"bytes"
	"net/netip"
	"time"
)

// packet is one message as it is kept.
type packet struct {
	at            time.Time
	text          []byte // masked, at most maxText octets
	size          int    // octets on the wire
	ours, oursEnd uint16 // where our own tag stands in text; 0 for none
	network       network
	sent          bool // by us
	local, remote netip.AddrPort
}

// packetCost is what a packet takes beside its text.
const packetCost = 160

// tag is our own tag of the dialog, or nil when the message has none yet.
func (p *packet) tag() []byte { return p.text[p.ours:p.oursEnd] }

// network is what carried a message.
type network uint8

const (
	udp network = iota
	tcp
	tls
)

func networkNamed(name string) network {
	switch name {
	case "tcp":
		return tcp
	case "tls":
		return tls
	}
	return udp
}

func (n network) String() string { return [...]string{"udp", "tcp", "tls"}[n] }

// dialog is all that was said with one Call-ID: the dialog itself, and what
// came before it had both tags, such as a challenge.
type dialog struct {
	callID  string
	packets []packet
	cost    int // octets of packets
	first   int // so many packets at the beginning stay
	leftOut int // packets from the middle that were given up
	calls   int // that it belongs to and that are not packed yet
	last    time.Time
	self    netip.Addr // ours towards the peer, where the socket does not say
}

// add keeps a packet and returns by how much the dialog has grown. Of a long
// one the beginning and the end are kept.
func (d *dialog) add(p packet) (grown int) {
	before := d.cost
	d.packets = append(d.packets, p)
	d.cost += len(p.text) + packetCost
	d.last = p.at
	if d.cost <= maxHead {
		d.first = len(d.packets)
	}
	for d.cost > maxHead+maxTail && d.first < len(d.packets)-1 {
		d.cost -= len(d.packets[d.first].text) + packetCost
		d.packets = append(d.packets[:d.first], d.packets[d.first+1:]...)
		d.leftOut++
	}
	return d.cost - before
}

// clear gives up all packets and returns what they took.
func (d *dialog) clear() (freed int) {
	freed = d.cost
	d.leftOut += len(d.packets)
	d.packets, d.cost, d.first = nil, 0, 0
	return freed
}

// has reports whether one of the messages has a tag of ours.
func (d *dialog) has(tag string) bool {
	for i := range d.packets {
		if string(d.packets[i].tag()) == tag {
			return true
		}
	}
	return false
}

// Capture takes one message as it was received or sent. It keeps none of m.
func (r *Recorder) Capture(over string, local, remote netip.AddrPort, sent bool, m []byte) {
	if r == nil {
		return
	}
	l := look(m[:min(len(m), maxText)])
	if len(l.callID) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dialogs[string(l.callID)]
	if d == nil {
		if !l.request || string(l.method) != "INVITE" || len(l.callID) > 256 {
			return
		}
		d = &dialog{callID: string(l.callID)}
		r.dialogs[d.callID] = d
		r.waiting = append(r.waiting, d)
	}
	p := packet{at: r.now(), size: len(m), network: networkNamed(over), sent: sent, local: local, remote: remote}
	p.text = append(make([]byte, 0, min(len(m), maxText)), m[:min(len(m), maxText)]...)
	own := l.to
	if sent == l.request { // a request of ours, or the answer to one
		own = l.from
	}
	mask(p.text)
	if i := bytes.Index(p.text, own); len(own) > 0 && i >= 0 { // any place will do: only the text counts
		p.ours, p.oursEnd = uint16(i), uint16(i+len(own))
	}
	grown := d.add(p)
	r.held += grown
	r.dialogBytes += grown
	if d.calls == 0 {
		r.waitingBytes += grown
		r.bindWaiting(d, &d.packets[len(d.packets)-1])
		r.trimWaiting()
	}
	r.trim()
}

// bindWaiting gives the dialog to the legs that its newest message names.
func (r *Recorder) bindWaiting(d *dialog, p *packet) {
	for _, at := range r.legs[string(p.tag())] {
		r.bind(at.call, at.leg, d)
	}
}

// bind makes the dialog one of a leg.
func (r *Recorder) bind(c *record, l *leg, d *dialog) {
	if l.dialog != nil {
		return
	}
	l.dialog = d
	if d.calls++; d.calls > 1 {
		return
	}
	r.waitingBytes -= d.cost
	for i, w := range r.waiting {
		if w == d {
			r.waiting = append(r.waiting[:i], r.waiting[i+1:]...)
			break
		}
	}
	if n := len(d.packets); n > 0 && !specified(d.packets[n-1].local) && r.self != nil {
		d.self = r.self(d.packets[n-1].remote.Addr())
	}
}

// specified reports whether an address is one of this device, not that of a
// socket which listens at all of them.
func specified(a netip.AddrPort) bool { return a.IsValid() && !a.Addr().IsUnspecified() }

// trimWaiting forgets the dialogs that have waited the longest for a call when
// they take too much.
func (r *Recorder) trimWaiting() {
	for r.waitingBytes > maxWaiting && len(r.waiting) > 0 {
		r.forgetWaiting()
	}
}

// forgetWaiting forgets the dialog that has waited the longest.
func (r *Recorder) forgetWaiting() {
	d := r.waiting[0]
	r.waiting[0] = nil
	r.waiting = r.waiting[1:]
	r.waitingBytes -= d.cost
	r.clear(d)
	delete(r.dialogs, d.callID)
}

// clear gives up the messages of a dialog and returns what they took.
func (r *Recorder) clear(d *dialog) (freed int) {
	freed = d.clear()
	r.held -= freed
	r.dialogBytes -= freed
	return freed
}
