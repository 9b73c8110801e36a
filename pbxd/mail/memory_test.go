package mail

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestLargeMailMemory bounds what a mail of the largest size takes, in all,
// while it is sent.
func TestLargeMailMemory(t *testing.T) {
	server := rawServer(t, func(c net.Conn, next func() (string, bool)) {
		for _, answer := range []string{"220 hello\r\n", "250 mail.test\r\n", "250 ok\r\n", "250 ok\r\n"} {
			c.Write([]byte(answer))
			next()
		}
		c.Write([]byte("354 go\r\n"))
		io.Copy(io.Discard, c) // allocates nothing that would count
	})
	m := settingsFor(t, server, nil)
	d := newDevice(t, nil, m, "")
	message := testMessage("bob@example.com")
	message.Attachments = []pbx.MailAttachment{{Name: "a.bin", Data: make([]byte, MaxAttachments)}}
	l := d.reach.limits
	l.final = 200 * time.Millisecond // the server never answers the content
	d.limit(l)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wantFault(t, d.Send(t.Context(), m, "", message), StepContent, FaultTimeout)
	runtime.ReadMemStats(&after)
	taken := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d MiB allocated for attachments of %d MiB", taken>>20, MaxAttachments>>20)
	if most := uint64(12 * MaxAttachments); taken > most { // go-mail holds the base64 of one attachment in a buffer that doubles; the race detector doubles all
		t.Errorf("%d bytes allocated, at most %d", taken, most)
	}
}
