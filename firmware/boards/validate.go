package boards

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// validate returns everything that is wrong with the board, joined.
func (b Board) validate() error {
	var errs []error
	refuse := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(b.Model == "T640" || b.Model == "T440", "model %q is neither T640 nor T440", b.Model)
	refuse(b.MaxUsers >= 0 && b.MaxUsers <= 10000, "max_users is %d; allowed are 0 to 10000", b.MaxUsers)
	refuse(b.LicenseKey != "" || !b.LicenseRequired, "license_key is empty; a board that requires a licence needs one")
	if b.LicenseKey != "" {
		key, err := base64.StdEncoding.DecodeString(b.LicenseKey)
		refuse(err == nil && len(key) == ed25519.PublicKeySize, "license_key is not the base64 of an Ed25519 key of 32 bytes; galilei license key makes one")
	}
	b.Network.validate(refuse)
	refuse((b.Kernel == nil) == (b.Image == nil), "[kernel] and [image] come together or not at all")
	if b.Kernel != nil {
		refuse(len(b.Network.Interfaces) > 0, "network.interfaces is empty; a board with a kernel needs one")
		b.Kernel.validate(refuse)
	}
	if b.Image != nil {
		refuse(b.Image.SlotMiB >= 16 && b.Image.SlotMiB <= 256, "image.slot_mib is %d; allowed are 16 to 256", b.Image.SlotMiB)
		refuse(b.Image.DataMiB >= 64 && b.Image.DataMiB <= 65536, "image.data_mib is %d; allowed are 64 to 65536", b.Image.DataMiB)
	}
	return errors.Join(errs...)
}

func (n Network) validate(refuse func(ok bool, format string, args ...any)) {
	refuse(n.Mode == "static" || n.Mode == "dhcp", "network.mode %q is neither static nor dhcp", n.Mode)
	// IFNAMSIZ is 16 with the closing zero.
	iface := regexp.MustCompile(`^[a-z][a-z0-9]{0,14}$`)
	for i, name := range n.Interfaces {
		refuse(iface.MatchString(name), "network.interfaces[%d] %q is no interface name", i, name)
		refuse(!slices.Contains(n.Interfaces[:i], name), "network.interfaces[%d] %q is there twice", i, name)
	}
	if n.ExternalAddress != "" {
		a, err := netip.ParseAddr(n.ExternalAddress)
		refuse(err == nil && a.Zone() == "", "network.external_address %q is no IP address", n.ExternalAddress)
	}
	if n.RTPPortMin == 0 && n.RTPPortMax == 0 {
		return
	}
	refuse(n.RTPPortMin >= 1024 && n.RTPPortMin <= 65534 && n.RTPPortMin%2 == 0,
		"network.rtp_port_min is %d; allowed are even ports from 1024 to 65534", n.RTPPortMin)
	refuse(n.RTPPortMax > n.RTPPortMin && n.RTPPortMax <= 65535,
		"network.rtp_port_max is %d; allowed are %d to 65535", n.RTPPortMax, n.RTPPortMin+1)
}

func (k Kernel) validate(refuse func(ok bool, format string, args ...any)) {
	// COMMAND_LINE_SIZE of x86 is 2048 with the closing zero.
	refuse(k.CommandLine != "" && len(k.CommandLine) <= 2047, "kernel.command_line has %d bytes; allowed are 1 to 2047", len(k.CommandLine))
	refuse(!strings.ContainsFunc(k.CommandLine, func(r rune) bool { return r < ' ' || r > '~' }), "kernel.command_line has a character outside printable ASCII")
	module := regexp.MustCompile(`^[a-z0-9][a-z0-9_]*$`)
	for i, m := range k.Modules {
		refuse(module.MatchString(m), "kernel.modules[%d] %q is no module name (lower case, digits and '_')", i, m)
		refuse(!slices.Contains(k.Modules[:i], m), "kernel.modules[%d] %q is there twice", i, m)
	}
	device := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)
	refuse(device.MatchString(k.Console), "kernel.console %q is no device name below /dev", k.Console)
	if k.Watchdog == "" {
		refuse(k.WatchdogSeconds == 0, "kernel.watchdog_seconds is %d without a watchdog", k.WatchdogSeconds)
		return
	}
	refuse(device.MatchString(k.Watchdog), "kernel.watchdog %q is no device name below /dev", k.Watchdog)
	refuse(k.WatchdogSeconds >= 5 && k.WatchdogSeconds <= 300, "kernel.watchdog_seconds is %d; allowed are 5 to 300", k.WatchdogSeconds)
}
