package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"galilei/firmware/boards"
	"galilei/firmware/image"
)

// imageMain builds the disk image of one board.
func imageMain(args []string) int {
	fs := flag.NewFlagSet("image", flag.ContinueOnError)
	board := fs.String("board", boards.Default, "board: "+strings.Join(boards.Names(), ", "))
	o := image.Options{}
	fs.StringVar(&o.Version, "version", version, "version of the binary")
	fs.StringVar(&o.Binary, "binary", "", "galilei binary, static and stripped")
	fs.StringVar(&o.KernelDir, "kernel-dir", "", "directory with the extracted kernel package")
	fs.StringVar(&o.Stub, "stub", "", "systemd's linuxx64.efi.stub")
	fs.StringVar(&o.CABundle, "ca-bundle", "", "PEM file with the trusted roots")
	fs.StringVar(&o.Output, "o", "", "disk image to write")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if fs.NArg() > 0 || o.Binary == "" || o.KernelDir == "" || o.Stub == "" || o.Output == "" {
		fmt.Fprintln(os.Stderr, "usage: galilei image --board NAME --binary FILE --kernel-dir DIR --stub FILE [--version V] [--ca-bundle FILE] -o FILE")
		return 2
	}
	report, err := buildImage(*board, o)
	if report.Binary > 0 {
		err = errors.Join(err, report.Write(os.Stdout))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "galilei image:", err)
		return 1
	}
	return 0
}

// buildImage completes o with what the board's file says.
func buildImage(name string, o image.Options) (image.Report, error) {
	b, err := boards.Load(name)
	if err != nil {
		return image.Report{}, err
	}
	if b.Hosted() {
		return image.Report{}, fmt.Errorf("board %s runs as a program and has no image; use galilei pbxd --host --board %s", name, name)
	}
	o.Board, o.CommandLine, o.Modules = b.Name, b.Kernel.CommandLine, b.Kernel.Modules
	o.SlotMiB, o.DataMiB = b.Image.SlotMiB, b.Image.DataMiB
	return image.Build(o)
}
