package peer

import (
	"fmt"
	"regexp"
	"strconv"
)

// CallStats is what a phone counted during one call.
type CallStats struct {
	Sent, Received             int // RTP packets
	SendErrors, ReceivedErrors int

	// Of the packets that were sent and received, those that the receivers'
	// RTCP reports call lost in the middle of the stream (RFC 3550 section 6.4.1);
	// -1 when the call was too short for a report. What is sent before the other
	// side listens, or after it has hung up, is missing in Received and not lost.
	SentLost, ReceivedLost int
}

// Stats returns the counts of every call that has ended, in order of their
// ends (baresip prints them when rtp_stats is on).
func (b *Baresip) Stats() ([]CallStats, error) {
	return parseStats(b.Log())
}

func parseStats(log string) ([]CallStats, error) {
	block := regexp.MustCompile(`audio +Transmit: +Receive:\npackets: +(\d+) +(\d+)\navg\. bitrate:.*\nerrors: +(\d+) +(\d+)(?:\npkt\.report:.*\nlost: +(-?\d+) +(-?\d+))?`)
	list := []CallStats{}
	for _, m := range block.FindAllStringSubmatch(log, -1) {
		var s CallStats
		for i, p := range []*int{&s.Sent, &s.Received, &s.SendErrors, &s.ReceivedErrors, &s.SentLost, &s.ReceivedLost} {
			if m[i+1] == "" {
				*p = -1
				continue
			}
			n, err := strconv.Atoi(m[i+1])
			if err != nil {
				return nil, fmt.Errorf("call %d: count %q: %w", len(list), m[i+1], err)
			}
			*p = n
		}
		list = append(list, s)
	}
	return list, nil
}
