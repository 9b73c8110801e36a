package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"

	"galilei/pbxd/pbx"
)

func TestDeviceGoesDown(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		stopped := make(chan struct{})
		p.use(func(ctx context.Context, _, _ string) (net.Conn, error) {
			close(stopped)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		id := p.add(t, "bob@example.com")
		<-stopped
		t.Cleanup(func() { // after Run has ended
			if j, _ := p.queue.get(id); j.Attempts != 0 || j.State != "waiting" {
				t.Errorf("got %+v, want going down to cost no attempt", j)
			}
		})
	})
}

func TestEnqueueRefuses(t *testing.T) {
	server := settingsFor(t, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}, nil)
	d := newDevice(t, nil, server, "") // not running
	job := pbx.MailJob{To: "bob@example.com", Subject: "x"}
	for name, c := range map[string]struct {
		change func(*pbx.MailJob)
		want   error
	}{
		"text":       {func(j *pbx.MailJob) { j.Text = strings.Repeat("x", MaxText+1) }, ErrTooLarge},
		"attachment": {func(j *pbx.MailJob) { j.Attachments = []pbx.MailAttachment{{Data: make([]byte, MaxAttachments+1)}} }, ErrTooLarge},
		"files":      {func(j *pbx.MailJob) { j.Attachments = make([]pbx.MailAttachment, maxFiles+1) }, ErrTooLarge},
	} {
		j := job
		c.change(&j)
		if _, err := d.Enqueue(t.Context(), j); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	j := job
	j.To = "bob@example.com, eve@example.com"
	_, err := d.Enqueue(t.Context(), j)
	wantFault(t, err, StepRecipient, FaultAddress)
	for range MaxWaiting {
		if _, err := d.Enqueue(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Enqueue(t.Context(), job); !errors.Is(err, ErrQueueFull) {
		t.Errorf("got %v, want %v", err, ErrQueueFull)
	}
	server.Enabled = false
	d.set(server, "")
	if _, err := d.Enqueue(t.Context(), job); !errors.Is(err, ErrDisabled) {
		t.Errorf("got %v, want %v", err, ErrDisabled)
	}
}

func TestDisabledWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.net.setDown(true)
		p.add(t, "bob@example.com")
		after(0)
		off := settingsFor(t, p.net.Addr(), func(m *pbx.MailSettings) { m.Enabled = false })
		p.set(off, "")
		p.Configured()
		p.net.setDown(false)
		after(time.Hour)
		p.wantReceivers(t)
		off.Enabled = true
		p.set(off, "")
		after(poll) // also when nobody tells of the change
		p.wantReceivers(t, "bob@example.com")
	})
}

func TestServerTakesFewMailsAConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		taken := 0
		p.server.set(func(m *mailServer) {
			m.onMail = func(string) error {
				if taken++; taken%3 == 0 {
					return refusal(421, "enough for now")
				}
				return nil
			}
		})
		p.net.setDown(true)
		for i := range 6 { // all are there when the first connection is made
			p.add(t, fmt.Sprintf("user%d@example.com", i))
		}
		after(0)
		p.net.setDown(false)
		after(time.Minute)
		if got := len(p.server.got()); got != 6 {
			t.Errorf("server got %d mails at once, want 6; log:\n%s", got, p.log)
		}
	})
}

func TestClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		p := &post{net: n, server: startServer(t, serverOptions{listener: n}, nil), begin: time.Now()}
		p.device = newDevice(t, nil, settingsFor(t, n.Addr(), nil), "")
		p.use(n.dial)
		id := p.add(t, "bob@example.com")
		if err := p.queue.MailFailed(t.Context(), id, 2, time.Now().AddDate(10, 0, 0), "no answer"); err != nil {
			t.Fatal(err)
		}
		stop := p.start(t)
		after(poll)
		stop()
		p.wantReceivers(t, "bob@example.com")
	})
}

func TestKeepsFewFailed(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.server.set(func(m *mailServer) { m.onRcpt = func(string) error { return refusal(550, "no") } })
		for range keepFailed + 20 {
			p.add(t, "nobody@example.com")
		}
		last := p.add(t, "nobody@example.com")
		after(2 * tidyEvery)
		jobs, _ := p.queue.MailJobs(t.Context())
		if len(jobs) != keepFailed {
			t.Errorf("%d mails that were given up, want %d", len(jobs), keepFailed)
		}
		if _, ok := p.queue.get(last); !ok {
			t.Error("the newest was forgotten first")
		}
		p.queue.age(keepFailedIn)
		after(2 * tidyEvery)
		if jobs, _ = p.queue.MailJobs(t.Context()); len(jobs) != 0 {
			t.Errorf("%d mails that were given up over 30 days ago", len(jobs))
		}
	})
}

func TestPanicGivesOneMailUp(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		first := true
		p.use(func(ctx context.Context, network, address string) (net.Conn, error) {
			if first {
				first = false
				panic("a defect")
			}
			return p.net.dial(ctx, network, address)
		})
		id := p.add(t, "bob@example.com")
		p.add(t, "eve@example.com")
		after(0)
		p.wantReceivers(t, "eve@example.com")
		if j, _ := p.queue.get(id); j.State != "failed" {
			t.Errorf("got state %s, want failed", j.State)
		}
	})
}

func TestServerGoingDownIsNoFaultOfTheMail(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		asked := 0
		p.server.set(func(m *mailServer) {
			m.onRcpt = func(string) error { asked++; return refusal(421, "going down") }
		})
		for i := range 5 {
			p.add(t, fmt.Sprintf("user%d@example.com", i))
		}
		after(0)
		if asked > 2 { // Run may begin before all five are queued
			t.Errorf("a server that is going down was asked %d times for 5 mails", asked)
		}
		p.server.set(func(m *mailServer) { m.onRcpt = nil })
		after(2 * time.Minute)
		if got := len(p.server.got()); got != 5 {
			t.Errorf("server got %d mails, want 5", got)
		}
	})
}

// TestRepeatedCommandIsCleaned has a server repeat the login in a line that is no answer.
func TestRepeatedCommandIsCleaned(t *testing.T) {
	const password = "Tr0ub4dor&3 staple"
	m := settingsFor(t, rawServer(t, func(c net.Conn, next func() (string, bool)) {
		c.Write([]byte("220 hello\r\n"))
		next()
		c.Write([]byte("250-mail.test\r\n250 AUTH PLAIN\r\n"))
		command, _ := next()
		c.Write([]byte("?? " + command + " " + password + "\r\n"))
		hang(c, next)
	}), func(m *pbx.MailSettings) {
		m.Authentication, m.UserName, m.AllowPlaintextPassword = true, "anna", true
	})
	d := newDevice(t, nil, m, "")
	err := d.Send(t.Context(), m, password, testMessage("bob@example.com"))
	wantFault(t, err, StepLogin, FaultNotSMTP)
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := fmt.Sprintf("%v %#v", e, e); strings.Contains(text, password) || strings.Contains(text, b64([]byte("\x00anna\x00"+password))) {
			t.Errorf("secret in %s", text)
		}
	}
	if !strings.Contains(err.Error(), mask) {
		t.Errorf("got %q, want the line with the secrets masked", err)
	}
}

// TestSecretsStayHidden has a server that repeats the command that it refuses.
func TestSecretsStayHidden(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		const password = "Tr0ub4dor&3 staple"
		p.server.set(func(m *mailServer) {
			m.methods = map[string]func() sasl.Server{"PLAIN": func() sasl.Server {
				return &stepwise{steps: []func([]byte) ([]byte, bool, error){func(b []byte) ([]byte, bool, error) {
					return nil, false, refusal(535, "no: "+fmt.Sprintf("AUTH PLAIN %s / %s", b64(b), strings.ReplaceAll(string(b), "\x00", " ")))
				}}}
			}}
		})
		p.set(settingsFor(t, p.net.Addr(), func(m *pbx.MailSettings) {
			m.Authentication, m.UserName, m.AllowPlaintextPassword = true, "anna", true
		}), password)
		id := p.add(t, "bob@example.com")
		after(0)
		j, _ := p.queue.get(id)
		result, err := p.Test(t.Context(), p.config.Mail.MailSettings, Typed{}, "bob@example.com")
		wantFault(t, err, StepLogin, FaultLogin)
		said := j.Reason + p.log.String() + err.Error() + fmt.Sprintf("%+v", result)
		if !strings.Contains(j.Reason, "535") {
			t.Errorf("got reason %q, want the server's code", j.Reason)
		}
		for _, form := range []string{password, b64([]byte(password)), b64([]byte("\x00anna\x00" + password)), "Tr0ub4dor"} {
			if strings.Contains(said, form) {
				t.Errorf("%q in:\n%s", form, said)
			}
		}
	})
}
