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
}

// Stats returns the counts of every call that has ended, in order of their
// ends (baresip prints them when rtp_stats is on).
func (b *Baresip) Stats() ([]CallStats, error) {
	return parseStats(b.Log())
}

func parseStats(log string) ([]CallStats, error) {
	block := regexp.MustCompile(`audio +Transmit: +Receive:\npackets: +(\d+) +(\d+)\navg\. bitrate:.*\nerrors: +(\d+) +(\d+)`)
	list := []CallStats{}
	for _, m := range block.FindAllStringSubmatch(log, -1) {
		var s CallStats
		for i, p := range []*int{&s.Sent, &s.Received, &s.SendErrors, &s.ReceivedErrors} {
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
