package outside

import (
	"context"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
	"galilei/pbxd/pbxdtest/provider"
)

// Encryption of the audio over TLS: not at all, offered, and required, with a far
// end that has it, and one that has not.
func TestEncryptedAudioOverProvider(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		srtp, far string
		encrypted bool
		status    int // of a call that does not come about
	}{
		{"offered", "srtp-mand", true, 0},
		{"offered", "", false, 0},
		{"required", "srtp-mand", true, 0},
		{"required", "", false, 488},
		{"off", "", false, 0},
		{"off", "srtp-mand", false, 488},
	} {
		name := tt.srtp + " to one without"
		if tt.far != "" {
			name = tt.srtp + " to one with"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			far := baresip(t, ctx, peer.BaresipOptions{User: "4989555", Tone: 880, AutoAnswer: true, Encryption: tt.far})
			at, ca := behind(t, ctx, addrPort(t, far.Addr()))
			o := open(t, ctx, setup{authority: ca, gateways: []gateway{{id: "main", transport: "tls", at: at, account: provider.Account{User: "49301000"}, change: func(g *pbx.GatewaySettings) { g.SRTP = tt.srtp }}}})
			if tt.status != 0 {
				phone := o.Phone("101", "udp").MustRegister()
				call := phone.Dial("04989555", pbxdtest.SDP(16000))
				res := phone.Final("INVITE")
				call.AckRefusal(res)
				if res.Status() != tt.status {
					t.Errorf("the phone got %s, want %d", res.Start, tt.status)
				}
				o.nothingLeft(t)
				return
			}
			near := o.phone(t, "101", 440)
			must(t, near.Dial(ctx, "04989555"))
			await(t, ctx, near, "CALL_ESTABLISHED")
			hear(t, ctx, near, 880, far, 440)
			must(t, near.Hangup(ctx))
			await(t, ctx, far, "CALL_CLOSED")
			if got := strings.Contains(far.Log(), "audio: SRTP is Enabled"); got != tt.encrypted {
				t.Errorf("the audio is encrypted: %v, want %v", got, tt.encrypted)
			}
			o.nothingLeft(t)
		})
	}
}
