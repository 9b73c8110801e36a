package ladder

import "time"

// Point is how one direction has sounded until a time.
type Point struct {
	At        time.Time `json:"at" title:"Time" doc:"End of the interval, the beginning of which is the time before"`
	Loss      float64   `json:"loss" title:"Loss" doc:"Packets that were lost" unit:"%" minimum:"0" maximum:"100"`
	Jitter    float64   `json:"jitter" title:"Jitter" doc:"How unevenly packets came (RFC 3550)" unit:"ms" minimum:"0"`
	RoundTrip int       `json:"roundTrip,omitempty" title:"Round trip" doc:"Time from the device to the side and back; absent while not known" unit:"ms" minimum:"0"`
	Buffer    int       `json:"buffer,omitempty" title:"Buffer" doc:"Delay of the device's jitter buffer; absent when packets pass unchanged" unit:"ms" minimum:"0"`
	R         float64   `json:"r" title:"R" doc:"Rating factor (ITU-T G.107), to 93.2, or 129 for wideband" minimum:"0" maximum:"129"`
	MOS       float64   `json:"mos" title:"MOS" doc:"Mean opinion score (ITU-T G.107)" minimum:"1" maximum:"4.5"`
	Wideband  bool      `json:"wideband,omitempty" title:"Wideband" doc:"R and MOS are on the scale of wideband calls (ITU-T G.107.1)"`
}

// LegQuality is how one side of a call has sounded.
type LegQuality struct {
	Leg
	Codec string  `json:"codec" title:"Codec" doc:"Codec that the side sends; empty when it is not known"`
	From  []Point `json:"from" title:"From the side" doc:"What came from the side, where it sent anything"`
	To    []Point `json:"to" title:"To the side" doc:"How the side heard, where it has said so"`
}

// Quality returns how a call has sounded, by its legs.
func (r *Recorder) Quality(id string) ([]LegQuality, error) {
	_, _, legs, err := r.find(id, false)
	if err != nil {
		return nil, err
	}
	list := []LegQuality{}
	for i := range legs {
		l := &legs[i]
		q := LegQuality{Leg: l.shown(), Codec: l.codec, From: []Point{}, To: []Point{}}
		for j := range l.samples {
			s := &l.samples[j]
			if s.in.known {
				p := s.in.point(s)
				p.Buffer = int(s.buffer)
				q.From = append(q.From, p)
			}
			if s.out.known {
				q.To = append(q.To, s.out.point(s))
			}
		}
		list = append(list, q)
	}
	return list, nil
}

func (h heard) point(s *sample) Point {
	return Point{At: time.UnixMilli(s.at), Loss: float64(h.loss) / 100, Jitter: float64(h.jitter) / 10, RoundTrip: int(s.trip),
		R: float64(h.r) / 100, MOS: float64(h.mos) / 1000, Wideband: h.wide}
}
