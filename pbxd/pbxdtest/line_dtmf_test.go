package pbxdtest

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// conversation is a call between the phone of a branch and its carrier that is up.
type conversation struct {
	out, in             *Call
	phone, provider     *ear
	toPhone, toProvider string // where the device takes audio of the phone and of the provider
}

// talks calls over the gateway. lines are those of the phone's description.
func (b *branch) talks(t *testing.T, lines ...string) *conversation {
	t.Helper()
	home := netip.MustParseAddr("127.0.0.1")
	x := &conversation{phone: listen(t, home), provider: listen(t, home)}
	x.out = b.p.Dial("0030123456", SDP(x.phone.port(), lines...))
	x.in = b.c.Ringing()
	x.toProvider = audioAt(x.in.Invite)
	x.in.Answer(SDP(x.provider.port()))
	x.toPhone = audioAt(x.out.Answered())
	return x
}

func (b *branch) end(x *conversation) {
	b.T.Helper()
	x.out.Hangup()
	b.c.Reply(b.c.Request("BYE"), x.in.Local, 200, "OK", "", "")
}

// Keys go over a gateway in its form, whatever the phone's is, and come from it to
// the phone (F169, T17).
func TestDTMFOverAGateway(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"rfc2833", "info", "inband"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			b := newBranch(t, Options{}, func(g map[string]any) { g["dtmf"], g["codecs"] = mode, []string{"pcma"} })
			for _, phone := range []string{"events", "INFO", "tones"} {
				t.Run("phone with "+phone, func(t *testing.T) {
					b.use(t)
					lines := []string{"a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000"}
					if phone != "events" {
						lines = []string{"a=rtpmap:8 PCMA/8000", "a=rtpmap:101 nothing/8000"}
					}
					x := b.talks(t, lines...)
					if offered := strings.Contains(x.in.Invite.Body, "telephone-event"); offered != (mode == "rfc2833") {
						t.Errorf("telephone-event is offered: %v", offered)
					}
					var info atomic.Pointer[string]
					was := b.c.answers.Load()
					b.c.Answers(func(m *Message) bool {
						if m != nil && m.Start != "" && m.Status() == 0 && m.Method() == "INFO" {
							text := m.Get("Content-Type") + " " + m.Body
							info.Store(&text)
							b.c.Answer(m, 200, "OK", "")
							return true
						}
						return (*was)(m)
					})
					defer b.c.answers.Store(was)
					switch phone {
					case "events":
						x.phone.press(x.toPhone, '5')
					case "INFO":
						x.out.SendWith("INFO", "", "application/dtmf-relay", "Signal=5\r\nDuration=120\r\n")
						b.p.Response("INFO", 200)
					}
					came := func() bool {
						_, events, tones := x.provider.got(0)
						switch mode {
						case "rfc2833":
							return strings.HasPrefix(events, "5")
						case "info":
							text := info.Load()
							return text != nil && strings.HasPrefix(*text, "application/dtmf-relay Signal=5\r\n")
						}
						return strings.HasPrefix(tones, "5")
					}
					b.Eventually("the key at the provider, by "+mode, func() bool {
						if phone == "tones" && !came() {
							x.phone.sing(x.toPhone, '5')
						}
						return came()
					})
					if _, events, _ := x.provider.got(0); mode != "rfc2833" && events != "" {
						t.Errorf("the provider got events %q, too", events)
					}
					if mode != "info" && info.Load() != nil {
						t.Errorf("the provider got %q, too", *info.Load())
					}
					b.end(x)
				})
			}
			t.Run("to the phone", func(t *testing.T) {
				b.use(t)
				x := b.talks(t, "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000")
				switch mode {
				case "rfc2833":
					x.provider.press(x.toProvider, '7')
				case "info":
					x.in.CSeq = 10
					x.in.SendWith("INFO", "", "application/dtmf-relay", "Signal=7\r\nDuration=120\r\n")
					b.c.Response("INFO", 200)
				}
				came := func() bool { _, events, _ := x.phone.got(0); return strings.HasPrefix(events, "7") }
				b.Eventually("the key at the phone", func() bool {
					if mode == "inband" && !came() {
						x.provider.sing(x.toProvider, '7')
					}
					return came()
				})
				b.end(x)
			})
		})
	}
}

// Where audio goes and who may send it: with comedia to its source, at the
// addresses of the signalling, too; else only as the description says (F165).
func TestAudioOfAGateway(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, func(g map[string]any) { g["codecs"] = []string{"pcma"} })
	home := netip.MustParseAddr("127.0.0.1")
	for _, nat := range []string{"yes", "comedia", "force-rport", "no"} {
		b.with(t, nat, func(g map[string]any) { g["nat"] = nat }, func(t *testing.T) {
			phone, named, real := listen(t, home), listen(t, home), listen(t, b.c.At.Addr())
			out := b.p.Dial("0030123456", SDP(phone.port(), "a=rtpmap:8 PCMA/8000"))
			in := b.c.Ringing()
			to := audioAt(in.Invite)
			in.Answer(SDP(named.port()))
			stop := []func(){phone.speak(audioAt(out.Answered()), 0x11), real.speak(to, 0x22)}
			if nat == "yes" || nat == "comedia" {
				b.Eventually("audio at the source of theirs", func() bool { n, _, _ := real.got(0x11); return n > 5 })
				b.Eventually("their audio", func() bool { n, _, _ := phone.got(0x22); return n > 5 })
			} else {
				b.Eventually("audio where the description says", func() bool { n, _, _ := named.got(0x11); return n > 10 })
				stop = append(stop, named.speak(to, 0x33))
				b.Eventually("their audio", func() bool { n, _, _ := phone.got(0x33); return n > 5 })
				if n, _, _ := phone.got(0x22); n > 0 {
					t.Errorf("%d packets came in from an address that nothing names", n)
				}
				if n, _, _ := real.got(0x11); n > 0 {
					t.Errorf("%d packets went to an address that nothing names", n)
				}
			}
			for _, f := range stop {
				f()
			}
			out.Hangup()
			b.c.Reply(b.c.Request("BYE"), in.Local, 200, "OK", "", "")
		})
	}
}
