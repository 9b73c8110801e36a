package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits bound what a role may take of the machine. Zero means no limit.
type Limits struct {
	Memory   int64 // bytes, of all processes of the role
	CPUMilli int   // thousandths of one processor
	Tasks    int   // processes and threads
}

// Spec says what a role is and what it may do.
type Spec struct {
	Name   string
	Binary string   // absolute path
	Args   []string // argv, the role's name first
	Env    []string // the whole environment
	Dir    string   // working directory

	UID, GID uint32
	Caps     []uintptr // capabilities that it keeps; every other is out of its reach for good
	Limits   Limits
	Cgroup   string // directory of its control group, made when missing; empty: none

	// ReadyPrefix starts the line of standard output that says the role is
	// ready. Empty: ready once started.
	ReadyPrefix string

	// Silence is how long the role may go without a word to Alive before it
	// counts as hung and is killed; four times as long before it is ready.
	// 0: it is not watched.
	Silence time.Duration

	// Hopeless is an exit status that says that neither a restart of the role
	// nor one of the device can help: the role is tried again now and then,
	// and the watchdog is fed on, so that the device can be looked at.
	// 0: there is none.
	Hopeless int
}

// StartProcess starts the process of s in a session and a control group of its
// own, without the right to gain privileges, and with exactly the capabilities
// of s.
func (r *Reaper) StartProcess(s Spec) (Process, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: pipe for its output: %w", s.Name, err)
	}
	defer in.Close() // the process has its own
	c, err := r.startWriting(s, in)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", s.Name, err), out.Close())
	}
	c.out = out
	return c, nil
}

func (r *Reaper) startWriting(s Spec, out *os.File) (*child, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	attr := &os.ProcAttr{
		Dir:   s.Dir,
		Env:   append([]string{}, s.Env...), // never nil: nil would hand on our own
		Files: []*os.File{null, out, out},
		Sys: &syscall.SysProcAttr{
			Setsid:      true,
			Credential:  &syscall.Credential{Uid: s.UID, Gid: s.GID},
			AmbientCaps: s.Caps,
		},
	}
	if os.Geteuid() != 0 { // a test on a developer's machine
		attr.Sys.Credential, attr.Sys.AmbientCaps = nil, nil
	}
	if s.Cgroup != "" {
		group, err := prepareCgroup(s.Cgroup, s.Limits)
		if err != nil {
			return nil, err
		}
		defer group.Close()
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(group.Fd())
	}
	return r.start(func() (pid int, err error) {
		err = onOwnThread(func() error {
			if err := shedPrivileges(s.Caps); err != nil {
				return err
			}
			p, err := os.StartProcess(s.Binary, s.Args, attr)
			if err != nil {
				return err
			}
			pid = p.Pid
			return p.Release() // the reaper waits, not the os package
		})
		return pid, err
	})
}

// shedPrivileges takes from the calling thread, and so from the process that
// it starts, the right to gain privileges by execve and every capability of
// the bounding set that is not in keep.
func shedPrivileges(keep []uintptr) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	if os.Geteuid() != 0 {
		return nil // nothing to drop, and not allowed to
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if slices.Contains(keep, c) {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err != nil && err != unix.EINVAL { // EINVAL: the kernel is older than this capability
			return fmt.Errorf("drop capability %d from the bounding set: %w", c, err)
		}
	}
	return nil
}

// prepareCgroup makes the control group at dir and writes its limits.
func prepareCgroup(dir string, l Limits) (*os.File, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		return nil, fmt.Errorf("make control group: %w", err)
	}
	const period = 100_000 // microseconds, the kernel's own default
	files := []struct {
		name  string
		limit int64
		value string
	}{
		{"memory.max", l.Memory, strconv.FormatInt(l.Memory, 10)},
		{"cpu.max", int64(l.CPUMilli), fmt.Sprintf("%d %d", l.CPUMilli*period/1000, period)},
		{"pids.max", int64(l.Tasks), strconv.Itoa(l.Tasks)},
	}
	for _, f := range files {
		if f.limit == 0 {
			f.value = "max"
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.value), 0); err != nil {
			return nil, fmt.Errorf("limit control group to %s %q: %w", f.name, f.value, err)
		}
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open control group: %w", err)
	}
	return d, nil
}

// killCgroup kills whatever the role left behind in its control group.
func killCgroup(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0); err != nil {
		return fmt.Errorf("kill control group: %w", err)
	}
	return nil
}
