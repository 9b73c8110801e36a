package resolve

import (
	"net/netip"
	"os"
	"strings"
)

// NameServers returns a function that reads the name servers of path, a file as
// resolv.conf(5), each time. A file that names none means one on this host, as it
// does there; one that is not there means none.
func NameServers(path string) func() []netip.AddrPort {
	return func() []netip.AddrPort {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		return nameServers(string(text))
	}
}

func nameServers(text string) []netip.AddrPort {
	var list []netip.AddrPort
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil && len(list) < maxServers {
			list = append(list, netip.AddrPortFrom(addr.Unmap(), 53))
		}
	}
	if len(list) == 0 {
		list = append(list, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53))
	}
	return list
}
