package ladder

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func pbxStatus(id string) pbx.CallStatus {
	return pbx.CallStatus{ID: id, From: "101", To: "102", State: pbx.CallRouting, Started: newClock().t}
}

// TestPCAP has tshark read what is written: over UDP, TCP and TLS, IPv4 and
// IPv6, with a message that was cut off.
func TestPCAP(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("no tshark here")
	}
	for _, tt := range []struct{ over, remote, long, source, port string }{
		{"udp", "192.168.0.60:5060", "", "192.168.0.60", "5060"},
		{"udp", "[2001:db8::60]:5062", "", "2001:db8::60", "5062"},
		{"udp", "192.168.0.60:5060", strings.Repeat("x", 9000), "192.168.0.60", "5060"},
		{"tcp", "192.168.0.60:41000", "", "192.168.0.60", "41000"},
		{"tls", "[2001:db8::60]:41000", "", "2001:db8::60", "41000"},
	} {
		c := newClock()
		r := New(c.now, func(peer netip.Addr) netip.Addr {
			if peer.Is4() {
				return netip.MustParseAddr("192.168.0.50")
			}
			return netip.MustParseAddr("2001:db8::50")
		})
		s := &script{r: r, c: c, number: "101", remote: addr(tt.remote), over: tt.over}
		s.calling()
		r.Status(pbxStatus("1"))
		r.Joined("1", "sip:"+s.tag(), "101", "")
		s.says(false, "SIP/2.0 180 Ringing", "2 INVITE", "ft", "", "")
		s.says(false, "SIP/2.0 200 OK", "2 INVITE", "ft", "", "sdp")
		c.after(time.Second)
		s.says(true, "BYE sip:192.168.0.50 SIP/2.0", "3 BYE", "ft", "X-Long: "+tt.long+"\n", "")
		b, err := r.PCAP("1")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "call.pcap")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tshark, "-r", file, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-T", "fields",
			"-e", "sip.Method", "-e", "sip.Status-Code", "-e", "ip.src", "-e", "ipv6.src", "-e", "udp.srcport", "-e", "tcp.srcport", "-e", "_ws.expert.message", "-E", "separator=|")
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(lines) != 8 {
			t.Fatalf("%s %s: tshark reads %d packets of 8\n%s", tt.over, tt.remote, len(lines), out)
		}
		got := ""
		for i, line := range lines {
			f := strings.Split(line, "|")
			got += f[0] + f[1] + " "
			if strings.Contains(strings.ToLower(f[6]), "checksum") || strings.Contains(strings.ToLower(f[6]), "malformed") && tt.long == "" {
				t.Errorf("%s %s: packet %d: %s", tt.over, tt.remote, i, f[6])
			}
			if i == 0 && (f[2]+f[3] != tt.source || f[4]+f[5] != tt.port) {
				t.Errorf("%s %s: the first packet is from %q", tt.over, tt.remote, line)
			}
		}
		if want := "INVITE 401 ACK INVITE 100 180 200 BYE "; got != want {
			t.Errorf("%s %s: tshark reads %q; want %q", tt.over, tt.remote, got, want)
		}
		if strings.Contains(string(b), "dfe56131d") || strings.Contains(string(b), "3b9f0c7d55aa") {
			t.Errorf("%s: the file holds the answer to the challenge, or its nonce", tt.over)
		}
	}
}
