package qemutest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

// insideVariable says to a test process that its parent has prepared its
// network.
const insideVariable = "GALILEI_QEMUTEST_NETWORK"

// TestMain runs the tests in a network namespace of their own: this process
// starts itself there and hands its result on. QEMU, phones and browser, all
// children of the tests, live there too.
func TestMain(m *testing.M) {
	switch os.Getenv(insideVariable) {
	case "own":
		if err := loopbackUp(); err != nil {
			fmt.Fprintln(os.Stderr, "qemutest:", err)
			os.Exit(1)
		}
	case "":
		code, err := runInOwnNetwork()
		if err == nil {
			os.Exit(code)
		}
		fmt.Fprintln(os.Stderr, "qemutest: using the network of this machine:", err)
	}
	os.Exit(m.Run())
}

func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	return nil
}

// runInOwnNetwork returns the exit code of this program, run in a new network
// namespace, and an error when there can be none.
func runInOwnNetwork() (code int, err error) {
	// The child dies with the thread that started it, so that stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Args[0] = os.Args[0]
	c.Env = append(os.Environ(), insideVariable+"=own")
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER // who owns the namespace may set it up
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT) // go test sends SIGQUIT after -timeout
	defer signal.Stop(signals)
	if err := c.Start(); err != nil {
		return 0, fmt.Errorf("new network namespace: %w", err)
	}
	go func() {
		for s := range signals {
			_ = c.Process.Signal(s) // it fails only when the child has ended
		}
	}()
	var exit *exec.ExitError
	if err := c.Wait(); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil // -1 after a signal
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "qemutest:", err)
		return 1, nil
	}
	return 0, nil
}
