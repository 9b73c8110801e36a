package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galilei/firmware/boards"
	"galilei/firmware/image"
)

func TestImageMainUsage(t *testing.T) {
	dir := t.TempDir()
	all := []string{"--binary", "x", "--kernel-dir", dir, "--stub", "x", "-o", filepath.Join(dir, "disk.img")}
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"nothing":        {nil, 2},
		"unknown option": {append([]string{"--slot", "a"}, all...), 2},
		"no output":      {all[:6], 2},
		"extra word":     {append(all[:len(all):len(all)], "more"), 2},
		"no kernel":      {all, 1},
	} {
		if got := imageMain(c.args); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBuildImageBoards(t *testing.T) {
	if _, err := buildImage("t441", image.Options{}); !errors.Is(err, boards.ErrUnknown) {
		t.Errorf("unknown board: %v", err)
	}
	if _, err := buildImage("t640-sim", image.Options{}); err == nil || !strings.Contains(err.Error(), "pbxd --host --board t640-sim") {
		t.Errorf("hosted board: %v", err)
	}
}
