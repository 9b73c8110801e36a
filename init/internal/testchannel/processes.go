package testchannel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is one line of ps.
type process struct {
	PID   int    `json:"pid"`
	PPID  int    `json:"ppid"`
	UID   int    `json:"uid"`
	Name  string `json:"name"`
	State string `json:"state"` // R, S, D, Z, T: proc(5)
	RSS   int64  `json:"rss"`   // bytes

	Capabilities string `json:"capabilities"` // permitted, a hexadecimal mask: capabilities(7)
	Bounding     string `json:"bounding"`     // that it can ever have
	NoNewPrivs   bool   `json:"noNewPrivs"`   // it cannot gain any by starting a program
}

// processes lists what runs, threads of the kernel left out.
func processes(proc string) ([]process, error) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	list := []process{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, err := readProcess(proc, pid)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			return list, err
		}
		if p.PID != 2 && p.PPID != 2 { // kthreadd and its children
			list = append(list, p)
		}
	}
	return list, nil
}

func readProcess(proc string, pid int) (process, error) {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "status"))
	if err != nil {
		return process{}, fmt.Errorf("process %d: %w", pid, err)
	}
	p := process{PID: pid}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch name {
		case "Name":
			p.Name = strings.TrimSpace(value)
		case "State":
			p.State = fields[0]
		case "PPid":
			p.PPID, err = strconv.Atoi(fields[0])
		case "Uid":
			p.UID, err = strconv.Atoi(fields[0])
		case "CapPrm":
			p.Capabilities = fields[0]
		case "CapBnd":
			p.Bounding = fields[0]
		case "NoNewPrivs":
			p.NoNewPrivs = fields[0] == "1"
		case "VmRSS":
			var kib int64
			kib, err = strconv.ParseInt(fields[0], 10, 64)
			p.RSS = kib << 10
		}
		if err != nil {
			return p, fmt.Errorf("process %d: %s: %w", pid, name, err)
		}
	}
	return p, nil
}
