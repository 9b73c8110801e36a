package boot

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFiles is how many files a role may hold open: a call takes four sockets.
const openFiles = 65536

// sysctls are the kernel's settings that differ from its own, by path below
// /proc/sys.
func sysctls() [][2]string {
	return [][2]string{
		{"net/core/rmem_max", "4194304"}, // a burst of SIP after a power cut waits in the socket
		{"net/core/wmem_max", "4194304"},
		{"net/ipv4/conf/all/accept_redirects", "0"},
		{"net/ipv4/conf/default/accept_redirects", "0"},
		{"kernel/kptr_restrict", "2"},
		{"kernel/dmesg_restrict", "1"},
		{"kernel/unprivileged_bpf_disabled", "1"},
		{"kernel/hung_task_panic", "1"},   // a stuck disk ends in a restart, not in a dead device
		{"user/max_user_namespaces", "0"}, // nobody here needs one; whoever takes a role over would
		{"fs/protected_hardlinks", "1"},
		{"fs/protected_symlinks", "1"},
	}
}

// SetLimits sets the limits that every process inherits from this one, and the
// kernel's settings below sys. A setting that the kernel does not know is told
// to log and is no error.
func SetLimits(sys string, log *slog.Logger) error {
	var errs []error
	// syscall, not unix: only this call makes the Go runtime hand the limit on
	// to the processes that it starts.
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: openFiles, Max: openFiles}); err != nil {
		errs = append(errs, fmt.Errorf("limit open files to %d: %w", openFiles, err))
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		errs = append(errs, fmt.Errorf("switch core dumps off: %w", err))
	}
	return errors.Join(append(errs, writeSettings(sys, log))...)
}

func writeSettings(sys string, log *slog.Logger) error {
	var errs []error
	for _, s := range sysctls() {
		err := writeExisting(filepath.Join(sys, s[0]), s[1])
		switch {
		case errors.Is(err, os.ErrNotExist):
			log.Debug("the kernel lacks a setting", "name", s[0])
		case err != nil:
			errs = append(errs, fmt.Errorf("set %s to %s: %w", s[0], s[1], err))
		}
	}
	return errors.Join(errs...)
}

// writeExisting writes to a file of the kernel's; it makes none.
func writeExisting(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Capacity returns the memory of the machine in bytes and its number of
// processors.
func Capacity() (memory int64, processors int) {
	var si unix.Sysinfo_t
	if err := unix.Sysinfo(&si); err != nil {
		return 0, runtime.NumCPU() // only a bad pointer gets here
	}
	return int64(si.Totalram) * int64(si.Unit), runtime.NumCPU()
}

// ResidentMemory returns the memory that process pid takes, in bytes, as proc
// says. There is none for pid 0.
func ResidentMemory(proc string, pid int) (int64, error) {
	if pid == 0 {
		return 0, nil
	}
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	fields := bytes.Fields(b) // total, resident, ... in pages: proc(5)
	if len(fields) < 2 {
		return 0, fmt.Errorf("memory of process %d: %d fields", pid, len(fields))
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return pages * int64(os.Getpagesize()), nil
}
