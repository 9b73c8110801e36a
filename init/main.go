// Command galilei is the whole telephone system in one binary. Started as
// process 1 it boots the device and starts itself again, without privileges,
// in its other roles; on a developer's machine the first argument names the
// role.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// version is set by the linker: -X main.version=...
var version = "dev"

// role is one thing that the binary can be. main returns the exit status.
type role struct {
	name string
	help string
	main func(args []string) int
}

func roles() []role {
	return []role{
		{"init", "boot the device (process 1 only)", initMain},
		{"pbxd", "the telephone system; --host runs it on this machine", pbxdMain},
		{"dhcp", "DHCP client (started by init)", dhcpMain},
		{"image", "build a disk image", imageMain},
		{"license", "make a vendor's key and sign licences", licenseMain},
	}
}

func main() {
	name, args := roleOf(os.Getpid(), os.Args)
	if i := slices.IndexFunc(roles(), func(r role) bool { return r.name == name }); i >= 0 {
		os.Exit(roles()[i].main(args))
	}
	if name == "version" {
		fmt.Println(version)
		return
	}
	fmt.Fprintf(os.Stderr, "galilei %s\nusage: galilei ROLE [options]\n", version)
	for _, r := range roles() {
		fmt.Fprintf(os.Stderr, "  %-8s %s\n", r.name, r.help)
	}
	os.Exit(2)
}

// roleOf chooses the role: process 1 is init; otherwise argv[0] when it names
// a role, else the first argument.
func roleOf(pid int, argv []string) (name string, args []string) {
	if pid == 1 {
		return "init", argv[1:]
	}
	base := strings.TrimPrefix(filepath.Base(argv[0]), "galilei-")
	if slices.ContainsFunc(roles(), func(r role) bool { return r.name == base && base != "init" }) {
		return base, argv[1:]
	}
	if len(argv) < 2 {
		return "", nil
	}
	return argv[1], argv[2:]
}
