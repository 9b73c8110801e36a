// Package boards knows the boards that Galilei runs on. What a board has is
// data: one TOML file per board, compiled into the binary. Nothing is found
// out from the processor architecture or by probing.
//
// A board with a [kernel] section boots from an image; one without is hosted:
// it runs beside other programs on a developer's machine.
package boards

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed *.toml
var files embed.FS

// Default is the board that is built and run when none is named.
const Default = "qemu-t640"

// ErrUnknown means that there is no board of that name.
var ErrUnknown = errors.New("unknown board")

// Board is what one board has and which settings it brings for a first start.
type Board struct {
	Name            string  `toml:"-"`                // name of the file without ".toml"
	Model           string  `toml:"model"`            // as printed on the front: T640 or T440
	MaxUsers        int     `toml:"max_users"`        // users with an extension, 0 to 10000; 0 means no limit
	LicenseRequired bool    `toml:"license_required"` // users can be added and changed only with a licence
	LicenseKey      string  `toml:"license_key"`      // vendor's public Ed25519 key, base64 of 32 bytes; "" takes no licence
	Network         Network `toml:"network"`
	Kernel          *Kernel `toml:"kernel"` // nil on a hosted board
	Image           *Image  `toml:"image"`  // nil on a hosted board
}

// Network is how the board reaches its phones before anybody has set it up.
type Network struct {
	Mode            string   `toml:"mode"`              // "static" (the factory address) or "dhcp"
	Interfaces      []string `toml:"interfaces"`        // LAN ports by kernel name, the first is the main one; none on a hosted board
	ExternalAddress string   `toml:"external_address"`  // IP address at which phones reach the board through address translation; "" for its own
	NoLocalNetworks bool     `toml:"no_local_networks"` // every phone comes through address translation
	RTPPortMin      int      `toml:"rtp_port_min"`      // first UDP port for audio, even, 1024 to 65534; 0 for the parameter's default
	RTPPortMax      int      `toml:"rtp_port_max"`      // last UDP port for audio; 0 when RTPPortMin is 0
}

// Kernel is what the board's kernel is told and which modules it needs.
type Kernel struct {
	CommandLine     string   `toml:"command_line"`     // printable ASCII, at most 2047 bytes
	Modules         []string `toml:"modules"`          // wanted modules in load order, without dependencies
	Console         string   `toml:"console"`          // serial console below /dev, for example ttyS0
	Watchdog        string   `toml:"watchdog"`         // watchdog below /dev, "" for none
	WatchdogSeconds int      `toml:"watchdog_seconds"` // time until the watchdog resets the board, 5 to 300 s; 0 without watchdog
}

// Image is the size of the board's flash. Sizes are in MiB.
type Image struct {
	SlotMiB int `toml:"slot_mib"` // each of the two slots, 16 to 256
	DataMiB int `toml:"data_mib"` // data partition of a new image, 64 to 65536
}

// Hosted reports whether the board runs as a plain program on a developer's
// machine and has no kernel of its own.
func (b Board) Hosted() bool { return b.Kernel == nil }

// Names returns the names of all boards in alphabetical order.
func Names() []string {
	paths, err := fs.Glob(files, "*.toml")
	if err != nil {
		return nil // only a malformed pattern gets here, and this one is constant
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(p, ".toml")
	}
	slices.Sort(paths)
	return paths
}

// Load returns the board of that name. The error wraps ErrUnknown and lists
// the names there are when there is none.
func Load(name string) (Board, error) {
	if !slices.Contains(Names(), name) {
		return Board{}, fmt.Errorf("load board %q: %w; there are %s", name, ErrUnknown, strings.Join(Names(), ", "))
	}
	text, err := files.ReadFile(name + ".toml")
	if err != nil {
		return Board{}, fmt.Errorf("load board %q: %w", name, err)
	}
	b, err := parse(name, string(text))
	if err != nil {
		return Board{}, fmt.Errorf("load board %q: %w", name, err)
	}
	return b, nil
}

// parse decodes and checks one board file. A key that Board does not have is
// an error: it is a typing mistake, or a wish that nobody would fulfil.
func parse(name, text string) (Board, error) {
	b := Board{Name: name}
	md, err := toml.Decode(text, &b)
	if err != nil {
		return Board{}, fmt.Errorf("decode: %w", err)
	}
	if extra := md.Undecoded(); len(extra) > 0 {
		return Board{}, fmt.Errorf("decode: %d unknown keys, the first is %q", len(extra), extra[0])
	}
	if err := b.validate(); err != nil {
		return Board{}, err
	}
	return b, nil
}
