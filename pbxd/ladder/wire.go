package ladder

import (
	"bytes"
	"slices"
	"time"
)

// SIPMessage is one SIP message of a call as it was on the wire, with secrets
// masked.
type SIPMessage struct {
	At      time.Time `json:"at" title:"Time" doc:"When it was received, or given to the network"`
	Leg     int       `json:"leg" title:"Leg" doc:"Place of its leg in the list, from 0" minimum:"0" maximum:"250"`
	Sent    bool      `json:"sent" title:"Sent" doc:"The device has sent it; otherwise it has received it"`
	Network string    `json:"network" title:"Transport" doc:"What carried it: udp, tcp or tls"`
	Local   string    `json:"local" title:"Device" doc:"Address and port of the device"`
	Remote  string    `json:"remote" title:"Phone" doc:"Address and port of the other side"`
	Start   string    `json:"start" title:"First line" doc:"First line of the message: method and address, or status"`
	Method  string    `json:"method" title:"Method" doc:"Method of the request, or of the one that is answered"`
	Size    int       `json:"size" title:"Size" doc:"Octets on the wire" minimum:"0"`
	Text    string    `json:"text" title:"Message" doc:"The message; what is secret or private is overwritten with *. A long one is cut off."`
}

// SIPMessages are the messages of a call in the order of time.
type SIPMessages struct {
	Legs     []Leg        `json:"legs" title:"Legs" doc:"Who took part, in the order in which they came"`
	Messages []SIPMessage `json:"messages" title:"Messages" doc:"What was said, the oldest first"`
	LeftOut  int          `json:"leftOut" title:"Left out" doc:"Messages in the middle of the call that were not kept, since it had too many" minimum:"0"`
	GivenUp  bool         `json:"givenUp" title:"Given up" doc:"The messages were given up for those of newer calls"`
}

// Messages returns what was said in a call.
func (r *Recorder) Messages(id string) (*SIPMessages, error) {
	call, _, legs, err := r.find(id, true)
	if err != nil {
		return nil, err
	}
	m := &SIPMessages{Legs: []Leg{}, Messages: []SIPMessage{}, GivenUp: !call.Messages}
	for i := range legs {
		m.Legs = append(m.Legs, legs[i].shown())
		m.LeftOut += legs[i].leftOut
	}
	for _, p := range inOrder(legs) {
		start, _ := after(p.text)
		m.Messages = append(m.Messages, SIPMessage{At: p.at, Leg: p.leg, Sent: p.sent, Network: p.network.String(), Local: p.local.String(), Remote: p.remote.String(),
			Start: readable(start), Method: readable(look(p.text).method), Size: p.size, Text: readable(p.text)})
	}
	return m, nil
}

// legPacket is a packet and the place of its leg.
type legPacket struct {
	leg int
	*packet
}

// inOrder returns the packets of all legs in the order of time.
func inOrder(legs []opened) (list []legPacket) {
	for i := range legs {
		for j := range legs[i].packets {
			list = append(list, legPacket{i, &legs[i].packets[j]})
		}
	}
	slices.SortStableFunc(list, func(a, b legPacket) int { return a.at.Compare(b.at) })
	return list
}

// readable is a text of the wire as JSON can hold it.
func readable(text []byte) string { return string(bytes.ToValidUTF8(text, []byte("\uFFFD"))) }
