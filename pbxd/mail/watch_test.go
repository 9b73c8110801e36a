package mail

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestMendedSettingsLeaveAHangingServer: a server that takes the content and
// then says nothing does not keep the mended settings waiting, and the mail
// keeps its name and its attempts.
func TestMendedSettingsLeaveAHangingServer(t *testing.T) {
	for name, tell := range map[string]bool{"told": true, "by itself": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *post) {
				p.limit(deviceLimits())
				var heard []string
				good := p.reach.dial
				p.use(func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					go func() {
						defer server.Close()
						lines := bufio.NewReader(server)
						next := func() (string, bool) {
							line, err := lines.ReadString('\n')
							heard = append(heard, strings.TrimRight(line, "\r\n"))
							return line, err == nil
						}
						talk("220 hello\r\n", "250 mail.test\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n")(server, next)
					}()
					return client, nil
				})
				id := p.add(t, "bob@example.com")
				p.add(t, "eve@example.com")
				after(2 * time.Minute)
				p.use(good)
				p.set(settingsFor(t, p.net.Addr(), func(m *pbx.MailSettings) { m.SenderName = "Mended" }), "")
				if tell {
					p.Configured()
					after(settle)
				} else {
					after(poll + settle)
				}
				p.wantReceivers(t, "bob@example.com", "eve@example.com")
				first := ""
				for _, line := range heard {
					if line == "." {
						first = header(t, strings.Join(heard[slices.Index(heard, "DATA")+1:], "\r\n"), "Message-Id")
					}
				}
				if again := header(t, p.server.got()[0].content, "Message-Id"); first == "" || first != again {
					t.Errorf("got Message-IDs %q and %q, want one", first, again)
				}
				if !strings.Contains(p.log.String(), fmt.Sprintf(`msg="mail delivered" mail=%d kind=system attempts=1`, id)) {
					t.Errorf("the attempt that was left counts; log:\n%s", p.log)
				}
			})
		})
	}
}

// TestChangeLetsAMailThrough: a mail that is under way when the settings change
// is not sent twice when the server answers soon.
func TestChangeLetsAMailThrough(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.server.set(func(m *mailServer) {
			m.onData = func(string) error { time.Sleep(2 * time.Second); return nil }
		})
		p.add(t, "bob@example.com")
		p.add(t, "eve@example.com")
		after(time.Second)
		p.set(settingsFor(t, p.net.Addr(), func(m *pbx.MailSettings) { m.SenderAddress = "new@example.com" }), "")
		p.Configured()
		after(time.Minute)
		p.wantReceivers(t, "bob@example.com", "eve@example.com")
		if mails := p.server.got(); mails[0].from != "pbx@example.com" || mails[1].from != "new@example.com" {
			t.Errorf("got senders %s and %s", mails[0].from, mails[1].from)
		}
	})
}

// TestRelayDenied: a server that takes mail only for its own addresses loses no
// mail, and gets the rest once the device logs in.
func TestRelayDenied(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.server.set(func(m *mailServer) {
			m.onRcpt = func(to string) error {
				if strings.HasSuffix(to, "@elsewhere.test") && m.logins == 0 {
					return noRelay()
				}
				return nil
			}
		})
		id := p.add(t, "bob@elsewhere.test")
		p.add(t, "eve@example.com")
		after(time.Hour)
		p.wantReceivers(t, "eve@example.com")
		j, _ := p.queue.get(id)
		if j.State != "waiting" || !strings.Contains(j.Reason, "does not let this device send to bob@elsewhere.test") || !strings.Contains(j.Reason, "Switch authentication on") {
			t.Errorf("got %+v, want it waiting with what to do", j)
		}
		p.set(settingsFor(t, p.net.Addr(), func(m *pbx.MailSettings) {
			m.Authentication, m.Method, m.UserName = true, "cram-md5", "anna"
		}), "secret word")
		p.Configured()
		after(0)
		p.wantReceivers(t, "eve@example.com", "bob@elsewhere.test")
	})
}
