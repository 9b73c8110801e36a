package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"galilei/init/internal/boot"
	"galilei/init/internal/control"
	"galilei/init/internal/supervise"
)

// Status gathers what is known of the device.
func (d *device) Status() control.Status {
	now := d.network.now()
	d.mu.Lock()
	s := control.Status{
		Version: version, Board: d.board.Name, Slot: d.slot, Memory: d.memory,
		Uptime:    boot.SinceKernelStart().Seconds(),
		Interface: now.iface, Source: string(now.plan.Source),
		Addresses: []string{}, Roles: []control.Role{},
	}
	roles := slices.Clone(d.roles)
	d.mu.Unlock()
	for _, p := range d.network.addresses() {
		s.Addresses = append(s.Addresses, p.String())
	}
	for _, r := range roles {
		st := r.Status()
		rss, err := boot.ResidentMemory("/proc", st.PID)
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ESRCH) {
			d.log.Warn("memory of role", "role", st.Name, "error", err)
		}
		s.Roles = append(s.Roles, control.Role{
			Name: st.Name, State: string(st.State), PID: st.PID, Restarts: st.Restarts,
			Seconds: time.Since(st.Since).Seconds(), LastExit: st.LastExit, RSS: rss,
		})
	}
	return s
}

// roleChanged keeps the console's status line true.
func (d *device) roleChanged(st supervise.Status) {
	if st.Name == "pbxd" && st.State != supervise.Ready {
		d.mu.Lock()
		d.readyLine, d.announced = "", false
		d.mu.Unlock()
	}
	d.showStatus()
}

// pbxReady takes the line that pbxd printed when calls could be made.
func (d *device) pbxReady(line string) {
	d.mu.Lock()
	d.readyLine = line
	d.mu.Unlock()
	d.showStatus()
}

// showStatus prints the status line when it is another than the last, and the
// ready line once the PBX is ready and has an address.
func (d *device) showStatus() {
	pbx := "none"
	if r := d.role("pbxd"); r != nil {
		pbx = string(r.Status().State)
	}
	plan := d.network.now().plan
	address := "none"
	if plan.Address.IsValid() {
		address = plan.Address.Addr().String()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	line := fmt.Sprintf("status version=%s slot=%s address=%s (%s) pbx=%s", version, d.slot, address, plan.Source, pbx)
	if line != d.lastLine {
		d.lastLine = line
		d.console.Printf("%s", line)
	}
	if d.readyLine != "" && !d.announced && plan.Address.IsValid() {
		d.announced = true
		web, sip := servicesAt(plan.Address.Addr(), d.readyLine)
		d.console.Line(fmt.Sprintf("galilei ready version=%s slot=%s address=%s web=%s sip=%s boot=%.2fs",
			version, d.slot, address, web, sip, boot.SinceKernelStart().Seconds()))
	}
}

// servicesAt says where the web page and SIP are reached at addr, given the
// line "ready web=https://HOST:PORT sip=HOST:PORT" of pbxd, whose hosts are
// those it listens at.
func servicesAt(addr netip.Addr, ready string) (web, sip string) {
	web, sip = "https://"+addr.String(), addr.String()+":5060"
	for _, word := range strings.Fields(ready) {
		if v, ok := strings.CutPrefix(word, "web="); ok {
			if u, err := url.Parse(v); err == nil && u.Port() != "" && u.Port() != "443" {
				web += ":" + u.Port()
			}
		}
		if v, ok := strings.CutPrefix(word, "sip="); ok {
			if i := strings.LastIndexByte(v, ':'); i >= 0 {
				if _, err := strconv.ParseUint(v[i+1:], 10, 16); err == nil {
					sip = addr.String() + v[i:]
				}
			}
		}
	}
	return web, sip
}
