package mail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// post is a device with its server, in virtual time.
type post struct {
	*device
	net    *pipeNet
	server *mailServer
	begin  time.Time
}

// inBubble runs a test in virtual time, with Run in the background.
func inBubble(t *testing.T, run func(t *testing.T, p *post)) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		p := &post{net: n, server: startServer(t, serverOptions{listener: n}, allMethods("anna", "secret word")), begin: time.Now()}
		p.device = newDevice(t, nil, settingsFor(t, n.Addr(), nil), "")
		p.use(n.dial)
		stop := p.start(t)
		synctest.Wait() // its first round has the settings of before the test
		run(t, p)
		stop()
	})
}

func (p *post) use(dial dialFunc) {
	p.reach.dial, p.tokens.reach.dial = dial, dial
}

// start runs the outbox until the returned function or the test ends it.
func (p *post) start(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func (p *post) add(t *testing.T, to string) int64 {
	t.Helper()
	id, err := p.Enqueue(t.Context(), pbx.MailJob{To: to, Subject: "Voice message", Text: "Hello " + to, Kind: pbx.MailKindSystem})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// after lets the given time pass, and everything that happens in it.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (p *post) wantReceivers(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, m := range p.server.got() {
		got = append(got, m.to)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("after %v: server got mails to %q, want %q; log:\n%s", time.Since(p.begin), got, want, p.log)
	}
}

func TestDelivery(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		id := p.add(t, "bob@example.com")
		after(0)
		p.wantReceivers(t, "bob@example.com")
		if j, ok := p.queue.get(id); ok {
			t.Errorf("delivered mail is still queued: %+v", j)
		}
		after(48 * time.Hour)
		p.wantReceivers(t, "bob@example.com")
	})
}

func TestRetrySchedule(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.net.setDown(true)
		id := p.add(t, "bob@example.com")
		after(72 * time.Hour)
		m, h := time.Minute, time.Hour
		want := []time.Duration{0, m, 6 * m, 21 * m, 81 * m, 5*h + 21*m, 17*h + 21*m, 41*h + 21*m}
		if got := p.net.dialled(p.begin); !slices.Equal(got, want) {
			t.Errorf("tried after %v, want %v", got, want)
		}
		j, _ := p.queue.get(id)
		if j.State != "failed" || j.Attempts != 8 || !strings.Contains(j.Reason, "refuses the connection") {
			t.Errorf("got state %s, %d attempts, reason %q, want failed after 8 with a reason", j.State, j.Attempts, j.Reason)
		}
	})
}

func TestServerComesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.net.setDown(true)
		for i := range 100 {
			p.add(t, fmt.Sprintf("user%02d@example.com", i))
		}
		after(2 * time.Minute)
		if got := len(p.net.dialled(p.begin)); got > 3 {
			t.Errorf("a server that is down was asked %d times in 2 minutes for 100 mails", got)
		}
		p.net.setDown(false)
		after(30 * time.Minute)
		if got := len(p.server.got()); got != 100 {
			t.Fatalf("server got %d mails, want 100", got)
		}
		if left, _ := p.queue.MailJobs(t.Context()); len(left) != 0 {
			t.Errorf("%d mails are left", len(left))
		}
		if sessions, _ := p.server.count(); sessions > 4 {
			t.Errorf("%d connections for 100 mails", sessions)
		}
	})
}

func TestGreylisting(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		asked := 0
		p.server.set(func(m *mailServer) {
			m.onRcpt = func(to string) error {
				if to == "grey@example.com" {
					if asked++; asked == 1 {
						return refusal(451, "greylisted, come again")
					}
				}
				return nil
			}
		})
		id := p.add(t, "grey@example.com")
		p.add(t, "bob@example.com")
		after(0)
		p.wantReceivers(t, "bob@example.com")
		if j, _ := p.queue.get(id); j.State != "waiting" || j.Attempts != 1 || !strings.Contains(j.Reason, "greylisted") {
			t.Errorf("got %+v, want it waiting with the server's reason", j)
		}
		after(time.Minute)
		p.wantReceivers(t, "bob@example.com", "grey@example.com")
	})
}

func TestGivesUp(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.server.set(func(m *mailServer) {
			m.onRcpt = func(to string) error {
				if to == "nobody@example.com" {
					return refusal(550, "no such user")
				}
				return nil
			}
		})
		id := p.add(t, "nobody@example.com")
		p.add(t, "bob@example.com")
		after(0)
		p.wantReceivers(t, "bob@example.com")
		j, _ := p.queue.get(id)
		if j.State != "failed" || j.Attempts != 1 || !strings.Contains(j.Reason, "no such user") || !strings.Contains(j.Reason, "Check the receiver's address") {
			t.Errorf("got state %s after %d attempts, reason %q, want it given up at once with what to do", j.State, j.Attempts, j.Reason)
		}
		after(48 * time.Hour)
		if sessions, _ := p.server.count(); sessions > 2 {
			t.Errorf("%d connections, want no more after giving up", sessions)
		}
	})
}

func TestSettingsWakeTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		withLogin := settingsFor(t, p.net.Addr(), func(m *pbx.MailSettings) {
			m.Authentication, m.Method, m.UserName = true, "cram-md5", "anna"
		})
		p.set(withLogin, "wrong word")
		id := p.add(t, "bob@example.com")
		after(0)
		other := p.add(t, "eve@example.com") // comes while the server is left alone
		after(10 * time.Minute)
		if _, logins := p.server.count(); logins != 1 {
			t.Errorf("%d logins with a refused password in 10 minutes, want 1", logins)
		}
		after(2 * time.Hour)
		j, _ := p.queue.get(id)
		if j.State != "waiting" || j.Attempts < 2 {
			t.Fatalf("got %+v, want a refused login to leave mails waiting", j)
		}
		// A change that does not help costs no attempt.
		withLogin.SenderName = "Reception"
		p.set(withLogin, "wrong again")
		p.Configured()
		after(0)
		if again, _ := p.queue.get(id); again.Attempts != j.Attempts {
			t.Errorf("%d attempts after a change of the settings, want %d as before", again.Attempts, j.Attempts)
		}
		p.set(withLogin, "secret word")
		p.Configured()
		after(0)
		p.wantReceivers(t, "bob@example.com", "eve@example.com")
		if _, ok := p.queue.get(other); ok {
			t.Error("a delivered mail is still queued")
		}
	})
}

func TestNeverTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, p *post) {
		p.queue.breakWith(errors.New("disk is full"))
		id := p.add(t, "bob@example.com")
		after(time.Hour)
		p.wantReceivers(t, "bob@example.com")
		p.queue.breakWith(nil)
		after(poll)
		if _, ok := p.queue.get(id); ok {
			t.Error("a delivered mail is still queued")
		}
		p.add(t, "eve@example.com")
		after(0)
		p.wantReceivers(t, "bob@example.com", "eve@example.com")
		p.queue.breakWith(errors.New("disk is full"))
		id = p.add(t, "joe@example.com")
		after(0)
		p.queue.DeleteMail(t.Context(), id) // by the administrator
		p.queue.breakWith(nil)
		p.add(t, "sue@example.com")
		after(0)
		p.wantReceivers(t, "bob@example.com", "eve@example.com", "joe@example.com", "sue@example.com")
	})
}

func TestSameMessageIDAfterDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		p := &post{net: n, server: startServer(t, serverOptions{listener: n}, nil), begin: time.Now()}
		p.device = newDevice(t, nil, settingsFor(t, n.Addr(), nil), "")
		p.use(n.dial)
		p.queue.breakWith(errors.New("process dies"))
		p.add(t, "bob@example.com")
		stop := p.start(t)
		after(0)
		stop()
		p.queue.breakWith(nil)
		queue := p.queue
		p.device = newDevice(t, nil, settingsFor(t, n.Addr(), nil), "")
		p.deps.Queue = queue
		p.use(n.dial)
		stop = p.start(t)
		after(0)
		stop()
		mails := p.server.got()
		if len(mails) != 2 {
			t.Fatalf("got %d mails, want the second copy", len(mails))
		}
		first, second := header(t, mails[0].content, "Message-Id"), header(t, mails[1].content, "Message-Id")
		if first != second || first == "" {
			t.Errorf("got Message-IDs %q and %q, want one", first, second)
		}
		if mails[0].content != mails[1].content {
			t.Errorf("copies differ:\n%s\n%s", mails[0].content, mails[1].content)
		}
	})
}
