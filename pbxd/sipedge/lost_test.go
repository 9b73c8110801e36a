package sipedge_test

import (
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// A phone that has not answered a NOTIFY keeps its subscription and is told
// again when it registers: its lamps do not stick after a fault of the network
// (P15). When the subscription expires meanwhile nothing is left of it.
func TestLampAfterLostNotify(t *testing.T) {
	t.Parallel()
	o := newOffice(t, shortest)
	w := o.phone("103").MustRegister()
	w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 600\r\n", "", "")
	notified(w)
	o.edge.LoseNotify()
	w.MustRegister()
	if m := notified(w); !strings.Contains(m.Body, `state="full"`) {
		t.Errorf("after a lost NOTIFY the phone is told\n%s", m)
	}
	o.edge.LoseNotify()
	if n := o.edge.Counts().Subscriptions; n != 1 {
		t.Errorf("%d subscriptions are held, want 1", n)
	}
	x := o.phone("101")
	x.RequestWith("SUBSCRIBE", "102", watch+"Expires: 1\r\n", "", "")
	notified(x)
	o.edge.LoseNotify()
	w.Register(0) // by its user: nothing is to be told any more
	o.unsubscribed()
}

// What a phone has refused it is told again, even when nothing changes any more.
func TestLampAfterRefusedNotify(t *testing.T) {
	t.Parallel()
	o := newOfficeWith(t, func(e *sipedge.Edge) { e.SetLostPause(200 * time.Millisecond) })
	w := o.phone("103")
	w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 600\r\n", "", "")
	w.Reply(w.Request("NOTIFY"), "", 500, "Busy", "", "")
	notified(w)
	w.Silent(1500*time.Millisecond, "what it knows", func(m *pbxdtest.Message) bool { return m.Method() == "NOTIFY" })
}

// The subscriptions of a phone whose connection ends wait for it, though its
// registration went with the connection.
func TestLampAfterLostConnection(t *testing.T) {
	o := newOffice(t)
	told := make(chan *pbxdtest.Message, 8) // a NOTIFY may come before the answer to REGISTER
	register := func() *pbxdtest.Phone {
		w := pbxdtest.NewPhone(t, o.addr, "tcp", "103", o.password)
		w.Answers(func(m *pbxdtest.Message) bool {
			if m.Status() != 0 || m.Method() != "NOTIFY" {
				return false
			}
			w.Reply(m, "", 200, "OK", "", "")
			told <- m
			return true
		})
		w.ContactParams = `;+sip.instance="<urn:uuid:1>";reg-id=1`
		res, _ := w.RequestWith("REGISTER", "103", "Supported: outbound\r\n", "", "")
		if res.Status() != 200 || res.Get("Require") != "outbound" {
			t.Fatalf("REGISTER got\n%s", res)
		}
		return w
	}
	tells := func() *pbxdtest.Message {
		t.Helper()
		select {
		case m := <-told:
			return m
		case <-time.After(wait):
			t.Fatal("no NOTIFY came")
			return nil
		}
	}
	w := register()
	w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 600\r\n", "", "")
	tells()
	w.Close()
	for end := time.Now().Add(wait); o.edge.Registered("103") && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	register()
	if m := tells(); !strings.Contains(m.Body, `state="full"`) {
		t.Errorf("over the new connection the phone is told\n%s", m)
	}
}
