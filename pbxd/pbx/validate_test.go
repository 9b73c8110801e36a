package pbx

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	user := func(name, ext string) User {
		return User{ID: name, UserSettings: UserSettings{Name: name, Extension: ext}}
	}
	tests := []struct {
		name   string
		change func(*Config)
		path   string // empty: valid
		rule   string
	}{
		{"factory", func(*Config) {}, "", ""},
		{"administrator without a phone", func(c *Config) {
			c.Users = append(c.Users, User{ID: "b", UserSettings: UserSettings{Name: "boss"}, Admin: true})
		}, "", ""},
		{"user without a phone", func(c *Config) { c.Users = append(c.Users, user("x1", "")) }, "users[4].extension", "is needed; only administrators may have none"},
		{"short name", func(c *Config) { c.Users[1].Name = "x" }, "users[1].user", "1 characters; at least 2"},
		{"long name", func(c *Config) { c.Users[1].Name = strings.Repeat("x", 51) }, "users[1].user", "at most 50"},
		{"name of 50", func(c *Config) { c.Users[1].Name = strings.Repeat("x", 50) }, "", ""},
		{"capital in name", func(c *Config) { c.Users[1].Name = "Anna" }, "users[1].user", "lowercase"},
		{"newline in name", func(c *Config) { c.Users[1].Name = "anna\n" }, "users[1].user", "control character"},
		{"same name", func(c *Config) { c.Users[2].Name = "demo101" }, "users[2].user", "already in use"},
		{"same extension", func(c *Config) { c.Users[2].Extension = "101" }, "users[2].extension", "already the extension of demo101"},
		{"same ID", func(c *Config) { c.Users[2].ID = "demo101" }, "users[2].id", "same as that of demo101"},
		{"no ID", func(c *Config) { c.Users[2].ID = "" }, "users[2].id", "at least 1"},
		{"ID with a slash", func(c *Config) { c.Users[2].ID = "a/b" }, "users[2].id", "lowercase letters and digits"},
		{"letters in extension", func(c *Config) { c.Users[1].Extension = "10a" }, "users[1].extension", "digits"},
		{"digits of another script", func(c *Config) { c.Users[1].Extension = "\u0661\u0662" }, "users[1].extension", "digits"},
		{"extension of 11", func(c *Config) { c.Users[1].Extension = "12345678901" }, "users[1].extension", "at most 10"},
		{"first name of 50 letters that take 100 bytes", func(c *Config) { c.Users[1].FirstName = strings.Repeat("\u00fc", 50) }, "", ""},
		{"first name of 51", func(c *Config) { c.Users[1].FirstName = strings.Repeat("\u00fc", 51) }, "users[1].firstName", "51 characters"},
		{"bad UTF-8", func(c *Config) { c.Users[1].LastName = "a\xff" }, "users[1].lastName", "UTF-8"},
		{"C1 control character", func(c *Config) { c.Users[1].LastName = "a\u0085b" }, "users[1].lastName", "control character"},
		{"text turned around", func(c *Config) { c.Users[1].LastName = "a\u202eb" }, "users[1].lastName", "control character"},
		{"isolate", func(c *Config) { c.Users[1].FirstName = "\u2066b" }, "users[1].firstName", "control character"},
		{"name of the device", func(c *Config) { c.Users[1].Name = "system" }, "users[1].user", "the device itself"},
		{"no admin", func(c *Config) { c.Users = c.Users[1:] }, "users", "administrator admin"},
		{"admin is none", func(c *Config) { c.Users[0].Admin, c.Users[0].Extension, c.Users[1].Admin = false, "100", true }, "users", "administrator admin"},
		{"host name", func(c *Config) { c.Network.Hostname = "-pbx" }, "network.hostname", "lowercase"},
		{"no host name", func(c *Config) { c.Network.Hostname = "" }, "network.hostname", "at least 1"},
		{"mode", func(c *Config) { c.Network.Mode = "static,dhcp" }, "network.mode", "one of static, dhcp"},
		{"no mode", func(c *Config) { c.Network.Mode = "dhc" }, "network.mode", "one of"},
		{"no address", func(c *Config) { c.Network.Address = "" }, "network.address", "is needed"},
		{"no address with DHCP", func(c *Config) { c.Network.Mode, c.Network.Address = "dhcp", "" }, "", ""},
		{"address without length", func(c *Config) { c.Network.Address = "192.168.0.50" }, "network.address", "prefix length"},
		{"IPv6", func(c *Config) { c.Network.Address = "fd00::1/64" }, "network.address", "IPv4"},
		{"network's own", func(c *Config) { c.Network.Address = "192.168.0.0/24" }, "network.address", "broadcast"},
		{"broadcast", func(c *Config) { c.Network.Address = "192.168.0.127/25" }, "network.address", "broadcast"},
		{"loopback", func(c *Config) { c.Network.Address = "127.0.0.1/8" }, "network.address", "not an address for a device"},
		{"multicast", func(c *Config) { c.Network.Address = "224.0.0.5/24" }, "network.address", "not an address for a device"},
		{"prefix too long", func(c *Config) { c.Network.Address = "192.168.0.50/31" }, "network.address", "8 to 30"},
		{"gateway", func(c *Config) { c.Network.Gateway = "192.168.0.1" }, "", ""},
		{"gateway elsewhere", func(c *Config) { c.Network.Gateway = "192.168.1.1" }, "network.gateway", "192.168.0.0/24"},
		{"gateway is itself", func(c *Config) { c.Network.Gateway = "192.168.0.50" }, "network.gateway", "another address"},
		{"gateway is broadcast", func(c *Config) { c.Network.Gateway = "192.168.0.255" }, "network.gateway", "another address"},
		{"gateway is a name", func(c *Config) { c.Network.Gateway = "router" }, "network.gateway", "IP address"},
		{"four name servers", func(c *Config) { c.Network.DNS = []string{"1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"} }, "network.dns", "at most 3"},
		{"name server", func(c *Config) { c.Network.DNS = []string{"9.9.9.9", "x"} }, "network.dns[1]", "IP address"},
		{"empty name server", func(c *Config) { c.Network.DNS = []string{""} }, "network.dns[0]", "empty"},
		{"local network", func(c *Config) { c.SIP.LocalNetworks = []string{"10.0.0.1"} }, "sip.localNetworks[0]", "prefix length"},
		{"ring time", func(c *Config) { c.SIP.RingTime = 601 }, "sip.ringTime", "is 601; allowed are 5 to 600"},
		{"ring time 600", func(c *Config) { c.SIP.RingTime = 600 }, "", ""},
		{"expires crossed", func(c *Config) { c.SIP.MinExpires, c.SIP.MaxExpires = 120, 119 }, "sip.minExpires", "longest registration, 119 s"},
		{"TLS port of the page", func(c *Config) { c.SIP.TLSPort = 443 }, "sip.tlsPort", "another service"},
		{"TLS port", func(c *Config) { c.SIP.TLSPort = 5062 }, "", ""},
		{"external address", func(c *Config) { c.SIP.ExternalAddress = "2001:db8::1" }, "", ""},
		{"external address with zone", func(c *Config) { c.SIP.ExternalAddress = "fe80::1%eth0" }, "sip.externalAddress", "IP address"},
		{"external address 0.0.0.0", func(c *Config) { c.SIP.ExternalAddress = "0.0.0.0" }, "sip.externalAddress", "not an address"},
		{"odd port", func(c *Config) { c.Media.RTPPortMin = 20001 }, "media.rtpPortMin", "even"},
		{"three ports", func(c *Config) { c.Media.RTPPortMin, c.Media.RTPPortMax = 20000, 20002 }, "media.rtpPortMax", "four ports"},
		{"four ports", func(c *Config) { c.Media.RTPPortMin, c.Media.RTPPortMax = 20000, 20003 }, "", ""},
		{"too many users", func(c *Config) {
			for i := range 3 {
				c.Users = append(c.Users, user(fmt.Sprint("u", i), fmt.Sprint(200+i)))
			}
		}, "users", "6 users with an extension; a T5 has at most 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Factory(Defaults{})
			tt.change(c)
			err := Validate(c, Model{Name: "T5", MaxUsers: 5})
			var ve *ValidationError
			switch {
			case tt.path == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.path != "" && !errors.As(err, &ve):
				t.Errorf("accepted; want %s %s", tt.path, tt.rule)
			case tt.path != "":
				if len(ve.Fields) != 1 || ve.Fields[0].Path != tt.path || !strings.Contains(ve.Fields[0].Rule.Text(), tt.rule) {
					t.Errorf("%+v; want %s %s", ve.Fields, tt.path, tt.rule)
				}
			}
		})
	}
}

func TestValidateTellsAll(t *testing.T) {
	c := Factory(Defaults{})
	c.SIP.RingTime, c.Network.Mode, c.Users[1].Extension = 1, "x", "x"
	var ve *ValidationError
	if err := Validate(c, Model{}); !errors.As(err, &ve) || len(ve.Fields) < 3 {
		t.Fatalf("%v", err)
	}
	for _, path := range []string{"sip.ringTime", "network.mode", "users[1].extension"} {
		if !strings.Contains(ve.Error(), path) {
			t.Errorf("%q does not name %s", ve.Error(), path)
		}
	}
}

func FuzzValidateAndDiff(f *testing.F) {
	for _, c := range []*Config{Factory(Defaults{}), {}} {
		text, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"users":[{"id":"","user":""},{"id":"","user":""},{"id":"users"}],"network":{"mode":"static","address":"0.0.0.0/0"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Config
		if json.Unmarshal(text, &c) != nil {
			return
		}
		if err := Validate(&c, Model{Name: "T", MaxUsers: 3}); err == nil {
			if changes := Diff(&c, c.Clone()); len(changes) != 0 {
				t.Errorf("a clone differs: %+v", changes)
			}
		}
		Diff(Factory(Defaults{}), &c)
		Diff(&c, nil)
	})
}

func BenchmarkValidate(b *testing.B) {
	c := Factory(Defaults{})
	for i := range 636 {
		c.Users = append(c.Users, User{ID: fmt.Sprint("u", i), UserSettings: UserSettings{Name: fmt.Sprint("user", i), Extension: fmt.Sprint(2000 + i)}})
	}
	for b.Loop() {
		if err := Validate(c, Model{}); err != nil {
			b.Fatal(err)
		}
	}
}
