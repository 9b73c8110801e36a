package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// elfFile makes a small 64-bit ELF file with the named sections, and with a
// program header of each given kind.
func elfFile(kind elf.Type, progs []elf.ProgType, sections map[string]string, names ...string) []byte {
	le := binary.LittleEndian
	strtab := "\x00"
	var body []byte
	headers := make([]elf.Section64, 1, len(names)+2)
	start := uint64(64 + 56*len(progs))
	put := func(name, data string, typ elf.SectionType) {
		headers = append(headers, elf.Section64{Name: uint32(len(strtab)), Type: uint32(typ), Off: start + uint64(len(body)), Size: uint64(len(data)), Addralign: 1})
		strtab += name + "\x00"
		body = append(body, data...)
	}
	for _, n := range names {
		put(n, sections[n], elf.SHT_PROGBITS)
	}
	put(".shstrtab", strtab+".shstrtab\x00", elf.SHT_STRTAB)
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(kind), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Shoff: start + uint64(len(body)),
		Ehsize: 64, Phentsize: 56, Phnum: uint16(len(progs)), Shentsize: 64, Shnum: uint16(len(headers)), Shstrndx: uint16(len(headers) - 1)}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	binary.Write(&b, le, h)
	for _, p := range progs {
		binary.Write(&b, le, elf.Prog64{Type: uint32(p)})
	}
	b.Write(body)
	binary.Write(&b, le, headers)
	return b.Bytes()
}

const testRelease = "6.1.0-test"

// module makes a kernel module with the given lines of .modinfo.
func module(lines ...string) []byte {
	text := strings.Join(append(lines, "vermagic="+testRelease+" SMP mod_unload"), "\x00") + "\x00"
	return elfFile(elf.ET_REL, nil, map[string]string{".modinfo": text}, ".modinfo")
}

// program makes what readBinary accepts, with size more bytes in it.
func program(size int) []byte {
	return elfFile(elf.ET_EXEC, []elf.ProgType{elf.PT_LOAD}, map[string]string{".text": strings.Repeat("\x90", size)}, ".text")
}

// bzImage makes the head of an x86 kernel.
func bzImage(release string) []byte {
	b := make([]byte, 0x4000)
	copy(b, "MZ")
	binary.LittleEndian.PutUint16(b[0x1fe:], 0xaa55)
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(b[0x20e:], 0x3000)
	copy(b[0x3200:], release+" (builder) #1 SMP\x00")
	return b
}

// efiStub makes an EFI program with one section and room for more headers.
func efiStub() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0x600)
	copy(b, "MZ")
	le.PutUint32(b[peOffset:], 0x80)
	pe := b[0x80:]
	copy(pe, "PE\x00\x00")
	le.PutUint16(pe[coffMachine:], machineAMD64)
	le.PutUint16(pe[coffSections:], 1)
	le.PutUint16(pe[coffOptSize:], 240)
	le.PutUint16(pe[22:], 0x0206)
	opt := pe[coffSize:]
	le.PutUint16(opt, pe32Plus)
	le.PutUint32(opt[optSectionAl:], 4096)
	le.PutUint32(opt[optFileAl:], 512)
	le.PutUint32(opt[optImageSize:], 0x2000)
	le.PutUint32(opt[optHeaderSize:], 0x400)
	le.PutUint32(opt[optChecksum:], 0xdeadbeef)
	le.PutUint16(opt[optSubsystem:], efiProgram)
	le.PutUint32(opt[108:], 16) // data directories
	s := opt[240:]
	copy(s, ".text")
	le.PutUint32(s[8:], 0x10)
	le.PutUint32(s[12:], 0x1000)
	le.PutUint32(s[16:], 0x200)
	le.PutUint32(s[20:], 0x400)
	copy(b[0x400:], "\xc3")
	return b
}

// testOptions writes everything that a build needs below a new directory.
func testOptions(t *testing.T) Options {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	mods := "kernel/lib/modules/" + testRelease + "/"
	write("kernel/boot/vmlinuz-"+testRelease, bzImage(testRelease))
	write(mods+"modules.builtin", []byte("kernel/net/packet/af_packet.ko\n"))
	write(mods+"kernel/fs/ext4.ko", module("depends=jbd2"))
	write(mods+"kernel/fs/jbd2.ko", module("depends="))
	return Options{
		Board: "test-board", Version: "v1-2-gabcdef", CommandLine: "console=ttyS0 quiet", Modules: []string{"ext4", "af_packet"},
		SlotMiB: 16, DataMiB: 64,
		Binary:    write("galilei", program(1000)),
		KernelDir: filepath.Join(dir, "kernel"),
		Stub:      write("stub", efiStub()),
		CABundle:  write("roots.pem", []byte("-----BEGIN CERTIFICATE-----\n")),
		Output:    filepath.Join(dir, "disk.img"),
	}
}

// run runs a program of the machine and returns what it prints. Where the
// program is not installed the test is skipped: scripts/test installs it.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		for _, dir := range []string{"/usr/sbin", "/sbin"} {
			if _, statErr := os.Stat(filepath.Join(dir, name)); statErr == nil {
				path, err = filepath.Join(dir, name), nil
			}
		}
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}
