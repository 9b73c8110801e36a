package rtpio_test

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/media/sdp"
)

// One call: a phone offers, its offer goes to the other phone with our address
// in it, the answer comes back the same way, and the two are joined.
func Example() {
	ports := rtpio.New(netip.MustParseAddr("127.0.0.1"), 24800, 24899, slog.New(slog.DiscardHandler), time.Now)
	defer ports.Close()
	a, err := ports.Open(netip.Addr{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := ports.Open(netip.Addr{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ours := netip.MustParseAddr("127.0.0.1") // or the external address for a phone outside

	offer, err := sdp.Parse([]byte("v=0\r\nc=IN IP4 192.0.2.10\r\nm=audio 4000 RTP/AVP 9 8\r\n")) // INVITE of phone A
	if err != nil || offer.Usable() != nil {
		return // 400, or 488 when there is no audio
	}
	toB := sdp.Offer(offer, sdp.NewOrigin(), netip.AddrPortFrom(ours, b.RTPPort()))

	answer, err := sdp.Parse([]byte("v=0\r\nc=IN IP4 192.0.2.11\r\nm=audio 5000 RTP/AVP 8\r\n")) // 200 of phone B
	if err != nil {
		return
	}
	if _, err := sdp.Agreed(answer, offer); err != nil {
		return // no common codec
	}
	toA := sdp.Answer(answer, offer, sdp.NewOrigin(), netip.AddrPortFrom(ours, a.RTPPort()))

	a.Expect(rtpio.Expecting(offer, answer, netip.MustParseAddr("192.0.2.10"), false))
	b.Expect(rtpio.Expecting(answer, offer, netip.MustParseAddr("192.0.2.11"), false))
	media.Bridge(a, b)

	fmt.Println(len(toB) > 0, len(toA) > 0, ports.InUse())
	media.Unbridge(a, b)
	a.Close()
	b.Close()
	fmt.Println(ports.InUse())
	// Output:
	// true true 2
	// 0
}
