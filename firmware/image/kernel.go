package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxKernel bounds what is read of a kernel or of an EFI stub, in bytes.
const maxKernel = 64 << 20

// kernel is a kernel with its modules as a Debian package has them.
type kernel struct {
	release string // for example 6.1.0-56-amd64
	vmlinuz []byte
	modules *moduleTree
}

// openKernel reads the kernel below dir, an extracted package: exactly one
// directory in lib/modules or usr/lib/modules, and boot/vmlinuz of the same
// release.
func openKernel(dir string) (*kernel, error) {
	found, err := filepath.Glob(filepath.Join(dir, "lib/modules/*"))
	if err != nil {
		return nil, fmt.Errorf("open kernel in %s: %w", dir, err)
	}
	if len(found) == 0 {
		// Debian after the /usr merge.
		found, err = filepath.Glob(filepath.Join(dir, "usr/lib/modules/*"))
		if err != nil {
			return nil, fmt.Errorf("open kernel in %s: %w", dir, err)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("open kernel in %s: found %d module directories, want 1", dir, len(found))
	}
	k := &kernel{release: filepath.Base(found[0])}
	k.vmlinuz, err = readBounded(filepath.Join(dir, "boot", "vmlinuz-"+k.release), maxKernel)
	if err != nil {
		return nil, fmt.Errorf("open kernel in %s: %w", dir, err)
	}
	release, err := bzImageRelease(k.vmlinuz)
	if err != nil {
		return nil, fmt.Errorf("open kernel in %s: %w", dir, err)
	}
	if release != k.release {
		return nil, fmt.Errorf("open kernel in %s: vmlinuz is %q, modules are for %q", dir, release, k.release)
	}
	k.modules, err = openModules(found[0])
	if err != nil {
		return nil, fmt.Errorf("open kernel in %s: %w", dir, err)
	}
	return k, nil
}

// bzImageRelease returns the release that an x86 kernel image says it is. The
// fields are those of the boot protocol (Documentation/arch/x86/boot.rst):
// header magic at 0x202, kernel_version at 0x20e, boot flag at 0x1fe.
func bzImageRelease(b []byte) (string, error) {
	const setupEnd = 0x210
	if len(b) < setupEnd || string(b[0x202:0x206]) != "HdrS" || binary.LittleEndian.Uint16(b[0x1fe:]) != 0xaa55 {
		return "", fmt.Errorf("read kernel of %d bytes: no x86 boot header", len(b))
	}
	if string(b[:2]) != "MZ" {
		return "", fmt.Errorf("read kernel of %d bytes: built without its EFI stub", len(b))
	}
	at := int(binary.LittleEndian.Uint16(b[0x20e:])) + 0x200
	if at >= len(b) {
		return "", fmt.Errorf("read kernel of %d bytes: version string at %d is outside", len(b), at)
	}
	text := b[at:min(len(b), at+256)]
	end := bytes.IndexByte(text, 0)
	if end < 0 {
		return "", fmt.Errorf("read kernel of %d bytes: version string at %d has no end", len(b), at)
	}
	release, _, _ := strings.Cut(string(text[:end]), " ")
	return release, nil
}

// readBounded reads a file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if st.Size() > limit {
		return nil, fmt.Errorf("read %s: has %d bytes; at most %d are allowed", name, st.Size(), limit)
	}
	return os.ReadFile(name)
}
