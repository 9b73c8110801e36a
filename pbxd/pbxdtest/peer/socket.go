package peer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holdsPort reports whether a process has a socket of network ("udp" or "tcp")
// bound to a port, a listening one for TCP. Trying to bind it would tell as
// much of another process, and could come in the way of this one.
func holdsPort(pid int, network string, port uint16) (bool, error) {
	inodes := map[string]bool{}
	for _, family := range []string{network, network + "6"} {
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, family))
		if err != nil {
			return false, fmt.Errorf("sockets of process %d: %w", pid, err)
		}
		for line := range bytes.Lines(table) {
			f := strings.Fields(string(line))
			if len(f) < 10 {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			at, err := strconv.ParseUint(hex, 16, 16)
			if err == nil && uint16(at) == port && (network == "udp" || f[3] == "0A") { // 0A: listens
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return false, fmt.Errorf("files of process %d: %w", pid, err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && inodes[target] { // else it was closed meanwhile
			return true, nil
		}
	}
	return false, nil
}
