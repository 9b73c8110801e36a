package image

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrTooBig means that a part of the image is over its limit.
var ErrTooBig = errors.New("too big")

// slotVolumeID and slotLabel are the FAT identity of every slot.
const (
	slotVolumeID = 0x6a111e10
	slotLabel    = "GALILEI"
)

// Options name what goes into an image. Paths are of this machine and leave
// no trace in the image.
type Options struct {
	Board       string   // name of the board, written to /etc/galilei/board
	Version     string   // of the binary, written into the unified kernel image
	CommandLine string   // kernel command line
	Modules     []string // wanted kernel modules, without dependencies
	SlotMiB     int      // size of a slot, 16 to 256 MiB
	DataMiB     int      // size of the data partition, 64 to 65536 MiB
	Binary      string   // path of the static, stripped galilei binary
	KernelDir   string   // directory with the extracted kernel package
	Stub        string   // path of systemd's linuxx64.efi.stub
	CABundle    string   // path of a PEM file with the trusted roots; "" for none
	Output      string   // path of the disk image; replaced when it exists
}

// Report tells what a build put together. Sizes are in bytes.
type Report struct {
	Release       string // of the kernel
	Kernel        int64
	Modules       int // count, dependencies included
	ModulesSize   int64
	Binary        int64
	InitramfsSize int64
	UnifiedKernel int64
	Disk          int64 // length of the file
	DiskUsed      int64 // bytes that are written; the rest are holes
}

// Write prints the report for people, one part on a line.
func (r Report) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, `kernel     %9d bytes, %s
modules    %9d bytes, %d modules
binary     %9d bytes, at most %d
initramfs  %9d bytes, at most %d
UKI        %9d bytes
disk       %9d bytes, %d written
`, r.Kernel, r.Release, r.ModulesSize, r.Modules, r.Binary, MaxBinary, r.InitramfsSize, MaxInitramfs, r.UnifiedKernel, r.Disk, r.DiskUsed)
	if err != nil {
		return fmt.Errorf("print sizes: %w", err)
	}
	return nil
}

// Build makes the disk image. The output appears whole or not at all. Errors
// wrap ErrTooBig, ErrNoModule or ErrStub where that is the reason; with
// ErrTooBig the report has the sizes known so far.
func Build(o Options) (Report, error) {
	var r Report
	if o.SlotMiB < 16 || o.SlotMiB > 256 || o.DataMiB < 64 || o.DataMiB > 65536 {
		return r, fmt.Errorf("build image: slots of %d MiB and data of %d MiB; allowed are 16 to 256 and 64 to 65536", o.SlotMiB, o.DataMiB)
	}
	uki, err := buildUnifiedKernel(o, &r)
	if err != nil {
		return r, fmt.Errorf("build image for %s: %w", o.Board, err)
	}
	slot, err := fatImage(int64(o.SlotMiB)*mib, slotVolumeID, slotLabel, []fatFile{{"/EFI/BOOT/BOOTX64.EFI", uki}})
	if err != nil {
		return r, fmt.Errorf("build image for %s: %w", o.Board, err)
	}
	if err := writeDisk(o, slot, &r); err != nil {
		return r, fmt.Errorf("build image for %s: %w", o.Board, err)
	}
	return r, nil
}

func buildUnifiedKernel(o Options, r *Report) ([]byte, error) {
	k, err := openKernel(o.KernelDir)
	if err != nil {
		return nil, err
	}
	r.Release, r.Kernel = k.release, int64(len(k.vmlinuz))
	initramfs, err := buildInitramfs(o, k, r)
	if err != nil {
		return nil, err
	}
	stub, err := readBounded(o.Stub, maxKernel)
	if err != nil {
		return nil, err
	}
	uki, err := unifiedKernel(stub, []section{
		{".osrel", fmt.Appendf(nil, "ID=galilei\nNAME=Galilei\nVERSION_ID=%q\n", o.Version)},
		{".uname", []byte(k.release)},
		{".cmdline", []byte(o.CommandLine)},
		{".initrd", initramfs},
		{".linux", k.vmlinuz},
	})
	if err != nil {
		return nil, err
	}
	r.UnifiedKernel = int64(len(uki))
	return uki, nil
}

func buildInitramfs(o Options, k *kernel, r *Report) ([]byte, error) {
	binary, err := readBinary(o.Binary)
	r.Binary = int64(len(binary))
	if err != nil {
		return nil, err
	}
	a := newArchive()
	a.file("init", binary, 0o755)
	a.file("etc/galilei/board", []byte(o.Board+"\n"), 0o644)
	a.file("etc/galilei/kernel", []byte(k.release+"\n"), 0o644)
	a.file("etc/hosts", []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644)
	if o.CABundle != "" {
		roots, err := readBounded(o.CABundle, 4*mib)
		if err != nil {
			return nil, err
		}
		a.file(caBundle, roots, 0o644)
	}
	order, err := k.modules.resolve(o.Modules)
	if err != nil {
		return nil, err
	}
	r.Modules = len(order)
	if r.ModulesSize, err = a.modules(k.modules, order); err != nil {
		return nil, err
	}
	packed, err := a.pack()
	if err != nil {
		return nil, err
	}
	if r.InitramfsSize = int64(len(packed)); r.InitramfsSize > MaxInitramfs {
		return nil, fmt.Errorf("initramfs has %d bytes: %w; at most %d are allowed", r.InitramfsSize, ErrTooBig, MaxInitramfs)
	}
	return packed, nil
}

// readBinary reads the binary and makes sure that it can be process 1: an ELF
// program for x86-64 that asks for no dynamic loader, stripped and not over
// MaxBinary.
func readBinary(name string) ([]byte, error) {
	b, err := readBounded(name, 10*MaxBinary)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxBinary {
		return b, fmt.Errorf("binary %s has %d bytes: %w; at most %d are allowed", name, len(b), ErrTooBig, MaxBinary)
	}
	f, err := readELF(b)
	if err != nil {
		return b, fmt.Errorf("binary %s: %w", name, err)
	}
	if kind, machine := elf.Type(f.Type), elf.Machine(f.Machine); machine != elf.EM_X86_64 || kind != elf.ET_EXEC && kind != elf.ET_DYN {
		return b, fmt.Errorf("binary %s is %s for %s; want a program for EM_X86_64", name, kind, machine)
	}
	for _, p := range f.programs {
		if elf.ProgType(p.Type) == elf.PT_INTERP {
			return b, fmt.Errorf("binary %s needs a dynamic loader; build it with CGO_ENABLED=0", name)
		}
	}
	if _, ok := f.section(".symtab"); ok {
		return b, fmt.Errorf("binary %s is not stripped; link it with -s -w", name)
	}
	return b, nil
}

// writeDisk writes the disk beside its final name and renames it.
func writeDisk(o Options, slot []byte, r *Report) (err error) {
	f, err := os.CreateTemp(filepath.Dir(o.Output), filepath.Base(o.Output)+".*")
	if err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	parts, size := layOut(o.SlotMiB, o.DataMiB)
	if err := f.Truncate(size); err != nil {
		return fmt.Errorf("write disk of %d bytes: %w", size, err)
	}
	if err := writeGPT(f, size, parts); err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	written, err := writeSparse(f, slot, parts[0].start)
	if err != nil {
		return fmt.Errorf("write disk: %s: %w", parts[0].name, err)
	}
	if err := f.Chmod(0o644); err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	if err := os.Rename(f.Name(), o.Output); err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	r.Disk, r.DiskUsed = size, written+2*gptTableSize+3*sectorSize
	return nil
}

// writeSparse writes b at offset and leaves out blocks of 64 KiB that are all
// zero: the file has holes there, which read as zeros.
func writeSparse(w io.WriterAt, b []byte, offset int64) (written int64, err error) {
	const block = 64 * int(kib)
	zero := make([]byte, block)
	for at := 0; at < len(b); at += block {
		piece := b[at:min(at+block, len(b))]
		if string(piece) == string(zero[:len(piece)]) {
			continue
		}
		n, err := w.WriteAt(piece, offset+int64(at))
		written += int64(n)
		if err != nil {
			return written, fmt.Errorf("write %d bytes at %d: %w", len(piece), offset+int64(at), err)
		}
	}
	return written, nil
}
