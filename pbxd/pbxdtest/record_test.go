package pbxdtest

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"galilei/pbxd"
	"galilei/pbxd/pbx"
	"galilei/pbxd/store"
)

// records waits until there are so many call records and returns them, newest
// first, with their legs.
func (s *System) records(a *Admin, n int) (list []pbx.CallRecord) {
	s.T.Helper()
	var part struct{ Records []pbx.CallRecord }
	s.Eventually(fmt.Sprint(n, " call records"), func() bool {
		a.Do("GET", "/api/v1/call-records", nil, 200, &part)
		return len(part.Records) >= n
	})
	if len(part.Records) != n {
		s.T.Errorf("there are %d call records, want %d", len(part.Records), n)
	}
	for _, r := range part.Records {
		var whole pbx.CallRecord
		a.Do("GET", fmt.Sprint("/api/v1/call-records/", r.ID), nil, 200, &whole)
		list = append(list, whole)
	}
	return list
}

// recordText is a record with the numbers and acts of its legs.
func recordText(r pbx.CallRecord) string {
	list := []string{fmt.Sprintf("%s %s>%s>%s %s", r.Direction, r.Caller.Number, r.Dialled, r.Target.Number, r.Result)}
	for _, l := range r.Legs {
		list = append(list, strings.TrimSpace(l.Party.Number+" "+string(l.Act)))
	}
	return strings.Join(list, ", ")
}

// Whoever is transferred, attended and blind, a call is one record with its legs
// in order (P13), of which the page is told.
func TestTransferredCallIsOneRecord(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, nil)
	admin := s.Login()
	told := admin.facts(t)
	out, in, _, _ := talking(t, s, a, b, "102")
	ask := b.Dial("103", SDP(16502))
	far := c.Ringing()
	far.Answer(SDP(16504))
	ask.Answered()
	b.Answers(func(m *Message) bool {
		over := m != nil && m.Status() == 0 && (m.Method() == "BYE" || m.Method() == "NOTIFY")
		if over {
			b.Reply(m, "", 200, "OK", "", "")
		}
		return over
	})
	in.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:103@%s?Replaces=%s>\r\n", s.SIP, ask.replaces()), "", "")
	b.Response("REFER", 202)
	s.Eventually("101 to talk with 103", func() bool {
		var list []pbx.CallStatus
		admin.Do("GET", "/api/v1/calls", nil, 200, &list)
		return len(list) == 1 && list[0].From == "101" && list[0].With == "103"
	})
	far.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:102@%s>\r\n", s.SIP), "", "") // 103 sends 101 back to 102
	c.Response("REFER", 202)
	back := b.Ringing()
	back.Answer(SDP(16506))
	far.progress("200")
	far.ended()
	out.Hangup()
	nothingLeft(t, s)
	r := s.records(admin, 1)[0]
	if got, want := recordText(r), "internal 101>102>102 answered, 101, 102 transferred, 102 transferred, 103 transferred, 102"; got != want {
		t.Errorf("the record is %s, want %s", got, want)
	}
	for i, l := range r.Legs {
		if l.Began.Before(r.Began) || l.Answered.Before(l.Began) || l.Ended.Before(l.Answered) || l.Ended.After(r.Ended) || i > 0 && l.Began.Before(r.Legs[i-1].Began) {
			t.Errorf("leg %d: %+v in %+v", i, l, r)
		}
	}
	for timeout := time.After(10 * time.Second); ; {
		select {
		case fact := <-told:
			if strings.Contains(fact, `"records"`) {
				return
			}
		case <-timeout:
			t.Fatal("the page is not told of the record")
		}
	}
}

// A call from outside for somebody who is busy and forwards to the outside comes
// and leaves by gateways, in one record.
func TestForwardedCallOverLinesIsOneRecord(t *testing.T) {
	t.Parallel()
	s, a, c, p := withLine(t, nil)
	a.Do("PUT", "/api/v1/users/demo101/calls", map[string]any{"externalBusy": true, "externalBusyNumber": "0030123456"}, 0, nil)
	in := c.call("101", "sip:+4315551234@"+c.At.String(), "")
	p.Ringing().Reply(486, "Busy Here", "")
	out := c.Ringing()
	out.Answer(SDP(30002))
	in.Answered()
	in.Hangup()
	c.Reply(c.Request("BYE"), out.Local, 200, "OK", "", "")
	r := s.records(a, 1)[0]
	if got, want := recordText(r), "in +4315551234>101>+4930123456 answered, +4315551234, 101 forwarded, +4930123456"; got != want {
		t.Errorf("the record is %s, want %s", got, want)
	}
	if r.GatewayIn != c.Gateway || r.GatewayOut != c.Gateway || r.Caller.E164 != "+4315551234" || r.Target.E164 != "+4930123456" || r.Toll != pbx.TollNational || r.Legs[2].Payer != "demo101" {
		t.Errorf("%+v", r)
	}
}

// A PBX that is killed keeps the record of a call that has ended before.
func TestKilledAfterACall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &System{T: t, Dir: dir, Log: &Buffer{}, demo: map[string]string{}}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var user, ext, password, web, sip string
		if n, _ := fmt.Sscanf(lines.Text(), "demo user=%s extension=%s password=%s", &user, &ext, &password); n == 3 {
			s.demo[ext] = password
		}
		if n, _ := fmt.Sscanf(lines.Text(), "ready web=%s sip=%s", &web, &sip); n == 2 {
			s.Web, s.SIP = netip.MustParseAddrPort(strings.TrimPrefix(web, "https://")), netip.MustParseAddrPort(sip)
			break
		}
	}
	if !s.SIP.IsValid() {
		t.Fatal("the PBX does not start")
	}
	admin := s.Login()
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
	call := a.Dial("102", SDP(16000))
	b.Ringing().Answer(SDP(16002))
	call.Answered()
	call.Send("BYE", "")
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)
	ended := time.Now()
	s.records(admin, 1)
	t.Logf("the record could be read %v after the end of the call", time.Since(ended))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	st, err := store.Open(t.Context(), dir, store.Options{Model: pbx.Model{Name: "T640"}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	page, err := st.Records(t.Context(), pbx.RecordQuery{})
	if err != nil || len(page.Records) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if r, err := st.Record(t.Context(), page.Records[0].ID); err != nil || recordText(r) != "internal 101>102>102 answered, 101, 102" {
		t.Errorf("%s, %v", recordText(r), err)
	}
}

// killedDir names the variable that makes this program a PBX with the data of that
// directory, to be killed.
const killedDir = "GALILEI_KILLED_DIR"

// untilKilled runs a PBX.
func untilKilled(dir string) int {
	ctx := context.Background()
	p, err := pbxd.New(ctx, pbxd.Deps{
		Dir: dir, Model: pbx.Model{Name: "T640", MaxUsers: 80}, Host: otherMachine{}, Version: "test", Web: "127.0.0.1:0", SIP: "127.0.0.1:0", SIPTLS: "127.0.0.1:0",
		RTPBind: netip.MustParseAddr("127.0.0.1"), RTPMin: 49000, RTPMax: 49099, ShowDemo: true, Out: os.Stdout, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		err = p.Run(ctx)
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}
