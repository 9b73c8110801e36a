package sipedge

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/icholy/digest"

	"galilei/pbxd/call"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transport"
)

// alarm fails a test when something is logged as an error.
type alarm struct{ errors *atomic.Pointer[string] }

func (alarm) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (a alarm) WithAttrs([]slog.Attr) slog.Handler             { return a }
func (a alarm) WithGroup(string) slog.Handler                  { return a }
func (a alarm) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(at slog.Attr) bool { text += " " + at.String(); return true })
	a.errors.Store(&text)
	return nil
}

// prey is an edge in the middle of its work: one call that a phone has begun and
// that is up, one that rings at another phone.
type prey struct {
	edge   *Edge
	ports  *rtpio.Ports
	flow   transport.Flow
	errors atomic.Pointer[string]
	began  []call.Incoming
	sent   []byte // the last INVITE
	up     *leg
	ring   *leg
	turns  int
	end    context.CancelFunc
	names  *strings.Replacer
}

const preyPassword = "correct horse"

func newPrey(tb testing.TB, phones netip.AddrPort) *prey {
	tb.Helper()
	p := &prey{}
	key := pbx.NewDeviceKey()
	cfg := &pbx.Config{SIP: pbx.SIP{MinExpires: 60, MaxExpires: 3600, MaxContacts: 5, RingTime: 120, LocalNetworks: []string{"127.0.0.0/8"}}}
	cfg.Locale.Country = "DE"
	for _, ext := range []string{"101", "102"} {
		u := pbx.User{ID: "u" + ext, UserSettings: pbx.UserSettings{Name: "user" + ext, Extension: ext}}
		u.SIPPassword = key.Seal(pbx.SIPPasswordPurpose(u.ID), preyPassword)
		cfg.Users = append(cfg.Users, u)
	}
	log := slog.New(alarm{&p.errors})
	p.ports = rtpio.New(netip.MustParseAddr("127.0.0.1"), 47000, 48999, log, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	var err error
	p.edge, err = New(ctx, Deps{
		Config: func() *pbx.Config { return cfg }, Key: key, Registrations: forgetful{}, Ports: p.ports, Media: engine.New(time.Now, log),
		Publish: func(pbx.Fact) {}, Now: time.Now, Product: "Galilei/test", Log: log,
		Incoming: func(in call.Incoming) func(call.Event) {
			p.began = append(p.began, in)
			return func(call.Event) {}
		},
		Tap: func(_ string, _, _ netip.AddrPort, sent bool, m []byte) {
			if sent && bytes.HasPrefix(m, []byte("INVITE ")) {
				p.sent = bytes.Clone(m)
			}
		},
		Text: func(Text) pbx.Cause { return 0 },
	})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := p.edge.Listen(ctx, "127.0.0.1:0"); err != nil {
		tb.Fatal(err)
	}
	if p.flow, err = p.edge.transport.UDP(phones); err != nil {
		tb.Fatal(err)
	}
	return p
}

type forgetful struct{}

func (forgetful) Registrations(context.Context) ([]pbx.Registration, error) { return nil, nil }
func (forgetful) SaveRegistrations(context.Context, map[string][]pbx.Registration) error {
	return nil
}

func (p *prey) close() {
	p.end()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.edge.Shutdown(ctx)
	p.ports.Close()
}

// take handles one message as if it came over the network.
func (p *prey) take(b []byte) {
	if m, err := p.edge.transport.Parse(b, p.flow); err == nil {
		p.edge.Message(m, p.flow)
	}
}

// authorized returns a request of extension 101 with right credentials.
func (p *prey) authorized(tb testing.TB, method, uri, to, extra, body string) []byte {
	tb.Helper()
	nonce := p.edge.digest.nonce()
	c, err := digest.Digest(&digest.Challenge{Realm: realm, Nonce: nonce, Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: method, URI: uri, Username: "101", Password: preyPassword, Cnonce: "c", Count: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:101@x>;tag=peer\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: 1 %[1]s\r\n"+
		"Contact: <sip:101@%[6]s>\r\nAuthorization: %[7]s\r\nAllow: INVITE, UPDATE, INFO\r\nSupported: timer, 100rel\r\n%[8]sContent-Length: %[9]d\r\n\r\n%[10]s",
		method, uri, newTag(), to, newTag(), p.flow.Remote, c, extra, len(body), body)
}

const preySDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"

// ready sees to it that both calls are there.
func (p *prey) ready(tb testing.TB) {
	tb.Helper()
	ended := func(l *leg) bool {
		if l == nil {
			return true
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.state == legEnded || l.state == legEnding
	}
	if ended(p.up) {
		p.began = nil
		p.take(p.authorized(tb, "INVITE", "sip:102@galilei", "sip:102@galilei", "Content-Type: application/sdp\r\n", preySDP))
		if len(p.began) != 1 {
			tb.Fatalf("%d calls began, want 1", len(p.began))
		}
		p.up = p.began[0].Leg.(*leg)
		p.up.Answer(p.began[0].Offer)
	}
	if ended(p.ring) {
		if len(p.edge.registrar.contacts("101")) == 0 {
			p.take(p.authorized(tb, "REGISTER", "sip:galilei", "sip:101@galilei", "Expires: 3600\r\n", ""))
		}
		legs, err := p.edge.Dial(call.Dial{Extension: "101", Caller: call.Party{Number: "102"}, Offer: ownOffer(), Notify: func(call.Event) {}})
		if err != nil || len(legs) != 1 {
			tb.Fatalf("%d legs, %v; want 1", len(legs), err)
		}
		p.ring = legs[0].(*leg)
	}
	branch, _, _ := strings.Cut(after(string(p.sent), ";branch="), "\r\n")
	branch, _, _ = strings.Cut(branch, ";")
	p.names = strings.NewReplacer("$CALL", p.up.id.callID, "$TAG", p.up.id.localTag, "$RINGS", p.ring.id.callID, "$OURS", p.ring.id.localTag,
		"$BRANCH", branch, "$HOST", p.flow.Remote.String(), "$SDP", preySDP)
}

func after(s, mark string) string {
	_, rest, _ := strings.Cut(s, mark)
	return rest
}

// FuzzEdge gives messages, divided by octets of 0, to an edge with calls. What
// stands for $CALL, $TAG and so on lets them reach into these. Whatever comes,
// nothing panics or is logged as a fault, and no port is held without a leg.
func FuzzEdge(f *testing.F) {
	within := func(method, fields, body string) string {
		if body != "" && !strings.Contains(fields, "Content-Type") {
			fields += "Content-Type: application/sdp\r\n"
		}
		return method + " sip:x SIP/2.0\r\nVia: SIP/2.0/UDP $HOST;branch=z9hG4bK1" + method + "\r\nMax-Forwards: 70\r\nFrom: <sip:101@x>;tag=peer\r\nTo: <sip:102@x>;tag=$TAG\r\n" +
			"Call-ID: $CALL\r\nCSeq: 7 " + method + "\r\nContact: <sip:101@$HOST>\r\n" + fields + "\r\n" + body
	}
	answer := func(status, fields, body string) string {
		if body != "" {
			fields += "Content-Type: application/sdp\r\n"
		}
		return "SIP/2.0 " + status + "\r\nVia: SIP/2.0/UDP x;branch=$BRANCH\r\nFrom: <sip:102@x>;tag=$OURS\r\nTo: <sip:101@x>;tag=b\r\nCall-ID: $RINGS\r\nCSeq: 1 INVITE\r\nContact: <sip:101@$HOST>\r\n" + fields + "\r\n" + body
	}
	emergency := func(uri string) string {
		return "INVITE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP $HOST;branch=z9hG4bK" + uri + "\r\nFrom: <sip:102@x>;tag=1\r\nTo: <" + uri + ">\r\nCall-ID: " + uri + "\r\nCSeq: 1 INVITE\r\n" +
			"Contact: <sip:102@$HOST>\r\nContent-Type: application/sdp\r\nReplaces: $CALL;to-tag=$TAG;from-tag=peer\r\n\r\n$SDP"
	}
	ack := within("ACK", "", "")
	for _, seed := range []string{
		within("BYE", "Reason: Q.850;cause=16\r\n", ""),
		ack + "\x00" + within("INVITE", "", "$SDP") + "\x00" + within("ACK", "", ""),
		within("INVITE", "Session-Expires: 90;refresher=uac\r\nSupported: timer\r\n", "$SDPa=sendonly\r\n"),
		within("INVITE", "", ""),
		within("UPDATE", "Session-Expires: 60\r\n", "") + "\x00" + within("UPDATE", "", "$SDP"),
		within("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\nDuration=160\r\n"),
		within("REFER", "Refer-To: <sip:103@x?Replaces=$CALL%3Bto-tag%3D$TAG%3Bfrom-tag%3Dpeer>\r\nReferred-By: <sip:101@x>\r\n", ""),
		within("SUBSCRIBE", "Event: refer;id=7\r\nExpires: 60\r\n", "") + "\x00" + within("NOTIFY", "Event: dialog\r\nSubscription-State: active\r\n", ""),
		within("PRACK", "RAck: 1 1 INVITE\r\n", "") + "\x00" + within("OPTIONS", "", "") + "\x00" + within("MESSAGE", "Content-Type: text/plain\r\n", "hello"),
		answer("180 Ringing", "Require: 100rel\r\nRSeq: 1\r\n", "") + "\x00" + answer("183 Progress", "Require: 100rel\r\nRSeq: 2\r\n", "$SDP") + "\x00" + answer("200 OK", "Session-Expires: 1800;refresher=uas\r\nRequire: timer\r\n", "$SDP"),
		answer("200 OK", "Record-Route: <sip:p;lr>\r\n", "$SDP") + "\x00" + strings.ReplaceAll(answer("200 OK", "", "$SDP"), "tag=b", "tag=c"),
		answer("422 Session Interval Too Small", "Min-SE: 3600\r\n", ""), answer("488 Not Acceptable Here", "", ""), answer("302 Moved", "Contact: <sip:9@x>\r\n", ""),
		strings.ReplaceAll(answer("486 Busy Here", "Retry-After: 5\r\n", ""), "$BRANCH", "z9hG4bKother"),
		"SUBSCRIBE sip:102@x SIP/2.0\r\nVia: SIP/2.0/UDP $HOST;branch=z9hG4bK9\r\nFrom: <sip:101@x>;tag=1\r\nTo: <sip:102@x>\r\nCall-ID: s\r\nCSeq: 1 SUBSCRIBE\r\nEvent: dialog\r\nContact: <sip:101@$HOST>\r\n\r\n",
		emergency("tel:112") + "\x00" + emergency("urn:service:sos.police"), emergency("sip:0112;phone-context=+49@x;user=phone"), emergency("urn:service:sos.") + "\x00" + emergency("TEL:1-1-2"),
	} {
		f.Add([]byte(seed))
	}
	files, err := filepath.Glob("../pbxdtest/testdata/rfc4475/*.dat")
	if err != nil || len(files) != 49 {
		f.Fatalf("%d messages of RFC 4475, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	phones, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { phones.Close() })
	var p *prey
	f.Cleanup(func() {
		if p != nil {
			p.close()
		}
	})
	f.Fuzz(func(t *testing.T, input []byte) {
		if p == nil || p.turns > 2000 { // transactions live for 32 s, and there is an end to them
			if p != nil {
				p.close()
			}
			p = newPrey(t, phones.LocalAddr().(*net.UDPAddr).AddrPort())
		}
		p.turns++
		p.ready(t)
		for i, m := range strings.Split(p.names.Replace(string(input)), "\x00") {
			if i < 8 {
				p.take([]byte(m))
			}
		}
		for _, in := range p.began {
			if in.Leg != p.up {
				in.Leg.Hangup(pbx.CauseNormalClearing)
			}
		}
		if fault := p.errors.Load(); fault != nil {
			p.errors.Store(nil)
			t.Fatalf("%q is answered by the fault %s", input, *fault)
		}
		if legs, ports := p.edge.Legs(), p.ports.InUse(); ports > legs {
			t.Fatalf("%d ports are held by %d legs", ports, legs)
		}
	})
}
