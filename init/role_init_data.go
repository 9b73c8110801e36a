package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"galilei/init/internal/boot"
	"galilei/init/internal/console"
	"galilei/init/internal/slots"
	"galilei/init/internal/supervise"
)

// diskTime is how long a partition is waited for: the disk's driver is in, so
// that it comes now or never.
const diskTime = 3 * time.Second

// openData mounts the data partition, made first when it is new. A device
// whose data does not mount runs from memory.
func (d *device) openData() (string, error) {
	detail, err := d.mountData()
	if err != nil {
		d.console.Printf("data partition does not mount: running from memory")
		d.mu.Lock()
		d.memory = true
		d.mu.Unlock()
		detail = "memory"
		if mountErr := boot.MountMemory(dataDir); mountErr != nil {
			err = errors.Join(err, mountErr)
		}
	}
	return detail, errors.Join(err, ownDirectory(pbxdDir, pbxdUID), ownDirectory(initDir, 0))
}

func (d *device) mountData() (string, error) {
	ctx, cancel := context.WithTimeout(d.roleCtx, diskTime)
	defer cancel()
	state, data, err := boot.FindData(ctx, sysBlock, func(disk string) (string, error) { return slotOn(efivars, disk) })
	if err != nil {
		return "", err
	}
	d.console.Printf("data: opening %s, %d MiB; a new one is formatted now", data.Device, data.Size>>20)
	made, err := prepareData(state, data)
	if err != nil {
		return "", err
	}
	if err := boot.MountData(data.Device, dataDir); err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%s, %d MiB", data.Device, data.Size>>20)
	if made {
		detail += ", made anew"
	}
	return detail, nil
}

// slotOn returns the slot of disk that the loader's variable below efivars
// names, "" without that variable. A variable that names no slot of this disk
// is an error.
func slotOn(efivars, disk string) (string, error) {
	f, err := os.Open(disk)
	if err != nil {
		return "", fmt.Errorf("find slot: %w", err)
	}
	defer f.Close()
	slot, err := slots.Running(efivars, f)
	if err != nil || slot == slots.Unknown {
		return "", err
	}
	return slot, nil
}

func prepareData(state, data boot.Partition) (made bool, err error) {
	s, err := os.OpenFile(state.Device, os.O_RDWR, 0)
	if err != nil {
		return false, fmt.Errorf("bootstate: %w", err)
	}
	defer s.Close()
	record, err := slots.Open(s)
	if err != nil {
		return false, err
	}
	f, err := os.OpenFile(data.Device, os.O_RDWR, 0)
	if err != nil {
		return false, fmt.Errorf("data partition: %w", err)
	}
	made, err = boot.PrepareData(f, data.Size, record, boot.FormatExt4)
	return made, errors.Join(err, f.Close())
}

// ownDirectory makes dir for the user alone.
func ownDirectory(dir string, uid int) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("directory of user %d: %w", uid, err)
	}
	if err := errors.Join(os.Chown(dir, uid, uid), os.Chmod(dir, 0o700)); err != nil {
		return fmt.Errorf("directory of user %d: %w", uid, err)
	}
	return nil
}

// startPBX starts the PBX and keeps it running.
func (d *device) startPBX() (string, error) {
	args := []string{
		"pbxd", "--data", pbxdDir, "--board", d.board.Name,
		"--web", ":443", "--web-redirect", ":80", "--sip", ":5060",
		"--control", controlSocket,
	}
	if d.memory {
		args = append(args, "--memory")
	}
	if d.cmdline.Has("galilei.show-demo") {
		args = append(args, "--show-demo")
	}
	memory, processors := boot.Capacity()
	limits := supervise.Limits{
		Memory:   memory * 6 / 10,
		CPUMilli: processors*1000 - 200, // process 1 and the kernel's work keep a fifth of one
		Tasks:    512,
	}
	d.startRole(supervise.Spec{
		Name: "pbxd", Binary: d.binaryOf("pbxd"), Args: args, Dir: "/",
		Env: []string{
			"HOME=" + pbxdDir, "TMPDIR=/tmp",
			fmt.Sprintf("GOMEMLIMIT=%d", limits.Memory*8/10), // collect garbage before the kernel kills
		},
		UID: pbxdUID, GID: pbxdUID,
		Caps:   []uintptr{unix.CAP_NET_BIND_SERVICE},
		Limits: limits,
		Cgroup: cgroupOf("pbxd"), ReadyPrefix: "ready ",
		Silence: pbxdSilence, Hopeless: unusableData,
	}, true, supervise.Events{
		Line:  console.NewMirror(d.console, "pbxd").Line,
		Ready: d.pbxReady,
	})
	return "", nil
}
