package boards

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	want := []string{"lab", "qemu-t640", "t440-sim", "t640-sim"}
	if got := Names(); !slices.Equal(got, want) {
		t.Fatalf("Names() = %q, want %q", got, want)
	}
	if !slices.Contains(Names(), Default) {
		t.Fatalf("the default board %q does not exist", Default)
	}
}

func TestLoadEveryBoard(t *testing.T) {
	want := map[string]struct {
		model    string
		maxUsers int
		hosted   bool
	}{
		"lab":       {"T640", 0, true},
		"qemu-t640": {"T640", 80, false},
		"t440-sim":  {"T440", 40, true},
		"t640-sim":  {"T640", 80, true},
	}
	for _, name := range Names() {
		b, err := Load(name)
		if err != nil {
			t.Errorf("Load(%q): %v", name, err)
			continue
		}
		w := want[name]
		if b.Name != name || b.Model != w.model || b.MaxUsers != w.maxUsers || b.Hosted() != w.hosted {
			t.Errorf("Load(%q) = name %q model %q users %d hosted %t, want %+v", name, b.Name, b.Model, b.MaxUsers, b.Hosted(), w)
		}
	}
}

func TestLoadQEMU(t *testing.T) {
	b, err := Load("qemu-t640")
	if err != nil {
		t.Fatal(err)
	}
	n := b.Network
	if n.Mode != "dhcp" || n.ExternalAddress != "127.0.0.1" || !n.NoLocalNetworks || n.RTPPortMin != 20000 || n.RTPPortMax != 20039 {
		t.Errorf("network = %+v", n)
	}
	if !strings.Contains(" "+b.Kernel.CommandLine+" ", " console="+b.Kernel.Console+",") {
		t.Errorf("kernel console is not %q: %q", b.Kernel.Console, b.Kernel.CommandLine)
	}
	if len(b.Kernel.Modules) == 0 || b.Kernel.Modules[0] != "i6300esb" {
		t.Errorf("the watchdog's module is not the first of %q", b.Kernel.Modules)
	}
}

// A vendor's build requires a licence; ours do not.
func TestLicense(t *testing.T) {
	for _, name := range Names() {
		if b, err := Load(name); err != nil || b.LicenseRequired || b.LicenseKey != "" {
			t.Errorf("board %s: licence required %t, key %q, %v; want none", name, b.LicenseRequired, b.LicenseKey, err)
		}
	}
	key := strings.Repeat("A", 43) + "="
	b, err := parse("vendor", "license_required = true\nlicense_key = \""+key+"\"\n"+valid)
	if err != nil || !b.LicenseRequired || b.LicenseKey != key {
		t.Errorf("licence required %t, key %q, %v", b.LicenseRequired, b.LicenseKey, err)
	}
}

func TestLoadUnknown(t *testing.T) {
	for _, name := range []string{"", "t640", "../boards/lab", "lab.toml"} {
		if _, err := Load(name); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "t440-sim") {
			t.Errorf("Load(%q) = %v, want ErrUnknown and the list of boards", name, err)
		}
	}
}

const valid = `
model = "T640"
max_users = 80
[network]
mode = "dhcp"
interfaces = ["eth0"]
rtp_port_min = 20000
rtp_port_max = 20039
[kernel]
command_line = "quiet"
modules = ["ext4"]
console = "ttyS0"
watchdog = "watchdog"
watchdog_seconds = 30
[image]
slot_mib = 64
data_mib = 512
`

func TestParseRefuses(t *testing.T) {
	if _, err := parse("valid", valid); err != nil {
		t.Fatalf("the valid file is refused: %v", err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`model = "T640"`, `model = "T641"`, `model "T641"`},
		{`max_users = 80`, `max_users = -1`, "max_users is -1"},
		{`max_users = 80`, `max_user = 80`, `unknown keys, the first is "max_user"`},
		{`max_users = 80`, "license_required = true", "license_key is empty"},
		{`max_users = 80`, `license_key = "AAAA"`, "license_key is not the base64"},
		{`max_users = 80`, `license_key = "` + strings.Repeat("*", 44) + `"`, "license_key is not the base64"},
		{`mode = "dhcp"`, `mode = "auto"`, `network.mode "auto"`},
		{`["eth0"]`, `[]`, "interfaces is empty"},
		{`["eth0"]`, `["eth0", "eth0"]`, "is there twice"},
		{`["eth0"]`, `["../eth0"]`, "no interface name"},
		{`mode = "dhcp"`, "mode = \"dhcp\"\nexternal_address = \"host\"", `external_address "host"`},
		{`rtp_port_min = 20000`, `rtp_port_min = 20001`, "rtp_port_min is 20001"},
		{`rtp_port_max = 20039`, `rtp_port_max = 20000`, "rtp_port_max is 20000"},
		{`rtp_port_max = 20039`, ``, "rtp_port_max is 0"},
		{`"quiet"`, `""`, "command_line has 0 bytes"},
		{`"quiet"`, `"a\nb"`, "printable ASCII"},
		{`["ext4"]`, `["ext4.ko"]`, `"ext4.ko"`},
		{`["ext4"]`, `["ext4", "ext4"]`, "is there twice"},
		{`"ttyS0"`, `"/dev/ttyS0"`, "kernel.console"},
		{`watchdog = "watchdog"`, ``, "without a watchdog"},
		{`watchdog_seconds = 30`, `watchdog_seconds = 1`, "watchdog_seconds is 1"},
		{`slot_mib = 64`, `slot_mib = 8`, "slot_mib is 8"},
		{`data_mib = 512`, `data_mib = 0`, "data_mib is 0"},
		{"[image]\nslot_mib = 64\ndata_mib = 512", ``, "come together"},
		{`[kernel]`, `[kernel`, "decode"},
	} {
		text := strings.Replace(valid, c.old, c.new, 1)
		if text == valid {
			t.Fatalf("%q is not in the valid file", c.old)
		}
		if _, err := parse("x", text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %q for %q: error %v, want one with %q", c.new, c.old, err, c.want)
		}
	}
}
