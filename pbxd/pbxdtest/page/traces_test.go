package page_test

import (
	"bytes"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

// hears returns a socket for audio and its port.
func hears(t *testing.T) (*net.UDPConn, int) {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, c.LocalAddr().(*net.UDPAddr).Port
}

// forwarded has 101 call 102, which is busy and forwards to 103. They talk for
// some seconds; a fifth of what 101 says is lost. during is called meanwhile.
func forwarded(t *testing.T, s *pbxdtest.System, during func()) {
	t.Helper()
	s.As("petra", pin).Do("PUT", "/api/v1/users/demo102/calls", map[string]any{"internalBusy": true, "internalBusyNumber": "103"}, 0, nil)
	a, b, c := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister(), s.Phone("103", "tcp").MustRegister()
	ua, portA := hears(t)
	uc, portC := hears(t)
	call := a.Dial("102", pbxdtest.SDP(portA))
	b.Ringing().Reply(486, "Busy Here", "")
	in := c.Ringing()
	in.Reply(180, "Ringing", "")
	in.Answer(pbxdtest.SDP(portC))
	toA, toC := call.Answered().AudioPort(), in.Invite.AudioPort()
	during()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pbxdtest.Talk(uc, toC, 11*time.Second, 0)
	}()
	pbxdtest.Talk(ua, toA, 11*time.Second, 2)
	<-done
	call.Send("BYE", "")
	c.Reply(c.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)
}

// TestCallTrace has an administrator find out why a call came to 103, read a
// message, see that what 101 said was lost, and take the messages along.
func TestCallTrace(t *testing.T) {
	t.Parallel()
	s := office(t)
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Call traces")
	p.Heading("Call traces")
	p.Sees("No calls are remembered.")
	forwarded(t, s, func() {
		p.Sees("Talking for")
		p.SeesNot(regexp.MustCompile(`Talking for [0-9a-z ]+`).FindString(p.Text())) // it ticks
	})
	p.Sees("Anna Demo → 102") // by itself
	p.Sees("101, 102, 103")
	p.Sees("Talked for")
	shoot(p, "call-traces")
	p.Fill("Number", "77")
	p.Sees("No calls are remembered.")
	p.Fill("Number", "103")
	p.Sees("Anna Demo → 102")
	p.Run("open the call", chromedp.Click(chromedp.CSS(".trace")))
	p.Sees("Anna Demo (101) calls 102.")
	p.Sees("102 is busy.")
	p.Sees("Ben Demo (102) forwards calls to 103 when busy.")
	p.Sees("103 answers after 0 s.")
	p.Sees("101 hangs up.")
	p.Sees("What Anna Demo says")
	p.Sees("What Clara Demo says")
	p.Sees("103 is the extension of Clara Demo")
	arrows := browser.Eval[string](p, "[...document.querySelectorAll('.ladder .what')].map((x) => x.textContent.split(' ')[0]).join(' ')")
	if want := "INVITE 401 ACK INVITE 100 INVITE 486 ACK INVITE 180 180 200 200 ACK ACK BYE 200 BYE 200"; !sameWords(arrows, want) {
		t.Errorf("the ladder has %s; want %s", arrows, want)
	}
	if bad := browser.Eval[string](p, "[...document.querySelectorAll('.arrow.bad .what')].map((x) => x.textContent).join()"); bad != "486 Busy Here" {
		t.Errorf("red are %s", bad)
	}
	if n := browser.Eval[int](p, "document.querySelectorAll('.chart polyline').length"); n != 6 {
		t.Errorf("%d graphs; want 6", n)
	}
	p.Look(1280, 2600, "light") // the whole of it
	shoot(p, "call-trace")
	p.Look(360, 740, "light")
	p.Fits("a call trace at 360 px")
	shoot(p, "call-trace-narrow")
	p.Look(1280, 860, "dark")
	shoot(p, "call-trace-dark")
	p.Look(1280, 860, "light")

	p.Run("choose an arrow by the keyboard", chromedp.Focus(chromedp.CSS(".arrow")))
	p.Keys(kb.ArrowDown + kb.ArrowDown + kb.ArrowDown)
	p.Keys(kb.Enter)
	p.Sees("Authorization: Digest")
	p.Sees("UDP, 127.0.0.1:")
	shoot(p, "call-message")
	if text := p.Text(); !strings.Contains(text, "response=\"*****") {
		t.Errorf("the message is not masked: %q", text)
	}
	p.Press("Close")
	name, file := p.Download(func() { p.Press("Download for Wireshark") })
	if !strings.HasPrefix(name, "call-") || !strings.HasSuffix(name, ".pcap") || !bytes.Contains(file, []byte("SIP/2.0 486 Busy Here")) {
		t.Errorf("downloaded %q with %d bytes", name, len(file))
	}
	p.Press("All calls")
	if got := p.Value("Number"); got != "103" {
		t.Errorf("the list is searched for %q; want 103 as before", got)
	}
	p.Sees("Talked for")
	p.Back()
	p.Sees("Ben Demo (102) forwards calls to 103 when busy.")
	p.Reload() // its address leads to it
	p.Sees("Ben Demo (102) forwards calls to 103 when busy.")
	p.NoTroubles()

	german, words := chromium.Page(t), newEnglish(t)
	logIn(german, s, "petra")
	german.Press("Anrufverläufe")
	german.Sees("Anna Demo → 102")
	words.check(german, t, "call traces")
	german.Run("open the call", chromedp.Click(chromedp.CSS(".trace")))
	german.Sees("Ben Demo (102) leitet Anrufe bei Besetzt an 103 weiter.")
	words.check(german, t, "a call trace")
	german.NoTroubles()
}

// sameWords compares texts word by word in any order.
func sameWords(a, b string) bool {
	count := map[string]int{}
	for _, w := range strings.Fields(a) {
		count[w]++
	}
	for _, w := range strings.Fields(b) {
		count[w]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
