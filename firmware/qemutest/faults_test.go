package qemutest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/peer"
)

// faults is a test image with two phones, on which faults are inflicted one
// after another. The phones register once, before all of them.
type faults struct {
	*machine
	api      *api          // from killPBX on: a login takes memory, which hostileSIP measures
	one, two *peer.Baresip // 101 and 102, over UDP
}

// TestFaults does to the device what happens in a bad year. Each subtest
// leaves it in order.
func TestFaults(t *testing.T) {
	peer.NeedBaresip(t)
	f := &faults{machine: boot(t, newDisk(t, testImage(t)))}
	f.one = startPhone(t, peer.BaresipOptions{User: "101", Password: f.passwords["101"], Tone: 440})
	f.two = startPhone(t, peer.BaresipOptions{User: "102", Password: f.passwords["102"], Tone: 880})
	for _, fault := range []struct {
		name string
		test func(*faults, *testing.T)
	}{
		{"Unprivileged", (*faults).unprivileged}, {"HostileSIP", (*faults).hostileSIP},
		{"KillPBX", (*faults).killPBX},
		{"KillPBXInACall", (*faults).killInACall}, {"FullDisk", (*faults).fullDisk}, {"HangPBX", (*faults).hangPBX}, {"Reboot", (*faults).reboots},
	} {
		if !t.Run(fault.name, func(t *testing.T) { fault.test(f, t) }) {
			break // what follows would tell nothing
		}
	}
}

// callWorks makes a short call, and checks that both ends hear each other.
func (f *faults) callWorks(t *testing.T) {
	t.Helper()
	f.phonesTalk(t)
	f.api.awaitNoCalls(t)
}

// phonesTalk is callWorks without looking at the status page.
func (f *faults) phonesTalk(t *testing.T) {
	t.Helper()
	const short = 2 * time.Second
	forget(t, f.one, f.two)
	connect(t, f.one, f.two, "102")
	talkUntilHeard(t, short, f.one, f.two)
	hangUp(t, f.one, f.two)
	hears(t, f.one, "101", 880, short)
	hears(t, f.two, "102", 440, short)
}

// registers lets a third phone register and go.
func (f *faults) registers(t *testing.T, transport string) {
	t.Helper()
	p := startPhone(t, peer.BaresipOptions{User: "103", Password: f.passwords["103"], Transport: transport})
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

// unprivileged checks who the roles are and what they can do at most.
func (f *faults) unprivileged(t *testing.T) {
	const netBindService, netRaw = 1 << 10, 1 << 13 // capabilities(7)
	roles := map[string]struct {
		uid  int
		caps uint64
	}{"pbxd": {200, netBindService}, "dhcp": {201, netBindService | netRaw}}
	byPID := map[int]process{}
	for _, p := range f.command(t, "ps").Processes {
		byPID[p.PID] = p
	}
	if len(byPID) != 1+len(roles) || byPID[1].UID != 0 {
		t.Errorf("processes are %+v; want process 1 and those of %d roles", byPID, len(roles))
	}
	for role, want := range roles {
		p, ok := byPID[f.command(t, "rss", role).PID]
		if !ok {
			t.Errorf("%s is not among the processes", role)
			continue
		}
		t.Logf("%s: pid %d, uid %d, capabilities %s, bounding set %s", role, p.PID, p.UID, p.Capabilities, p.Bounding)
		for what, mask := range map[string]string{"capabilities": p.Capabilities, "bounding set": p.Bounding} {
			if got, err := strconv.ParseUint(mask, 16, 64); err != nil || got != want.caps {
				t.Errorf("%s of %s: %q, want %016x (%v)", what, role, mask, want.caps, err)
			}
		}
		if p.UID != want.uid || !p.NoNewPrivs {
			t.Errorf("%s: uid %d, no new privileges: %v; want %d and true", role, p.UID, p.NoNewPrivs, want.uid)
		}
	}
}

// killPBX kills pbxd: it must be back and answering within 2 s, with all that
// it knew.
func (f *faults) killPBX(t *testing.T) {
	f.api = firstLogin(t)
	before, pid := byExtension(f.api.status(t)), f.command(t, "rss", "pbxd").PID
	f.command(t, "kill", "pbxd")
	sip, web := awaitBack(t, f.api)
	t.Logf("after kill -9: SIP answered after %.2f s, /healthz after %.2f s", sip.Seconds(), web.Seconds())
	if limit := 10 * time.Second; sip > limit || web > limit { // 2 s on a machine that does nothing else
		t.Errorf("back after %v and %v, want 2 s, and on a loaded machine %v at most", sip, web, limit)
	}
	if now := f.command(t, "rss", "pbxd").PID; now == pid {
		t.Errorf("process %d answers still", pid)
	}
	f.phonesTalk(t) // at once: nobody has registered again
	f.api.logIn(t, "admin", adminPIN)
	f.api.awaitNoCalls(t)
	if got := byExtension(f.api.status(t)); !reflect.DeepEqual(got, before) {
		t.Errorf("registrations after the kill: %+v, want %+v", got, before)
	}
	f.registers(t, "udp")
}

// killInACall kills pbxd while two people talk: the call is lost, and nothing
// of it stays.
func (f *faults) killInACall(t *testing.T) {
	connect(t, f.one, f.two, "102")
	f.command(t, "kill", "pbxd")
	awaitBack(t, f.api)
	f.api.logIn(t, "admin", adminPIN)
	f.api.awaitNoCalls(t)
	// Their phones hang up to a PBX that knows nothing of the call.
	for _, p := range []*peer.Baresip{f.one, f.two} {
		if err := p.Hangup(t.Context()); err != nil {
			t.Fatal(err)
		}
		await(t, p, "CALL_CLOSED")
	}
	f.callWorks(t)
}

// fullDisk fills the data partition: calls go on, changes are refused and told
// why, and nothing is lost.
func (f *faults) fullDisk(t *testing.T) {
	users := f.api.users(t)
	t.Logf("filled with %d MiB", f.command(t, "fill").Bytes>>20)
	defer f.command(t, "unfill")
	refused := f.fillDatabase(t)
	t.Logf("refused: %v", refused)
	if refused.Status != http.StatusInsufficientStorage || !strings.Contains(refused.Detail, "full") {
		t.Errorf("a change on a full disk is refused with %v; want 507 and the reason", refused)
	}
	users = append(users, f.api.users(t)[len(users):]...) // those that were accepted
	f.registers(t, "udp")
	f.callWorks(t)
	f.command(t, "kill", "pbxd") // it starts on a full disk, too
	ctx, cancel := context.WithTimeout(t.Context(), awaitTime)
	defer cancel()
	if err := awaitSIP(ctx); err != nil {
		t.Fatalf("after a restart on a full disk: %v", err)
	}
	f.phonesTalk(t)
	f.command(t, "unfill")
	awaitBack(t, f.api)
	f.api.logIn(t, "admin", adminPIN)
	if got := f.api.users(t); !reflect.DeepEqual(got, users) {
		t.Errorf("users: %+v, want %+v", got, users)
	}
	f.api.addUser(t, "after-full", "299")
	f.callWorks(t)
}

// fillDatabase adds users until that is refused: the database has some room of
// its own.
func (f *faults) fillDatabase(t *testing.T) *problem {
	t.Helper()
	for i := range 40 {
		u := user{Name: fmt.Sprintf("full-%d", i), FirstName: strings.Repeat("x", 50), LastName: strings.Repeat("y", 50), Extension: strconv.Itoa(300 + i)}
		err := f.api.call(t.Context(), "POST", "/api/v1/users", u, nil)
		var p *problem
		if errors.As(err, &p) {
			return p
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("40 changes were accepted on a full disk")
	return nil
}

// hangPBX stops pbxd without ending it: process 1 must notice, kill it and
// start it again.
func (f *faults) hangPBX(t *testing.T) {
	pid := f.command(t, "rss", "pbxd").PID
	f.command(t, "hang", "pbxd")
	sip, web := awaitBack(t, f.api)
	t.Logf("after hanging: SIP answered after %.2f s, /healthz after %.2f s", sip.Seconds(), web.Seconds())
	if now := f.command(t, "rss", "pbxd").PID; now == pid {
		t.Errorf("process %d answers still", pid)
	}
	f.api.logIn(t, "admin", adminPIN)
	f.callWorks(t)
}

// reboots restarts in good order: all is there again.
func (f *faults) reboots(t *testing.T) {
	f.api.logIn(t, "admin", adminPIN)
	users, before := f.api.users(t), byExtension(f.api.status(t))
	f.reboot(t)
	if f.api.logIn(t, "admin", adminPIN) {
		t.Error("after the reboot the PIN is to be changed again")
	}
	if got := f.api.users(t); !reflect.DeepEqual(got, users) {
		t.Errorf("users: %+v, want %+v", got, users)
	}
	if got := byExtension(f.api.status(t)); !reflect.DeepEqual(got, before) {
		t.Errorf("registrations: %+v, want %+v", got, before)
	}
	f.callWorks(t)
}
