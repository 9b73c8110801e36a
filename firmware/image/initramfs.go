package image

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"
)

// zstdWindow is the compressor's window in bytes. The kernel's decompressor
// accepts at most 8 MiB unless it was configured otherwise.
const zstdWindow = 8 << 20

const (
	loadList = "lib/modules/load"
	caBundle = "etc/ssl/certs/ca-certificates.crt"
)

// archive collects the files of the initramfs. Parents come before their
// children, as the kernel wants them, and every file is written once.
type archive struct {
	records []cpio.Record
	names   map[string]bool
}

func newArchive() *archive {
	a := &archive{names: map[string]bool{}}
	for _, d := range []string{"data", "dev", "etc", "lib", "proc", "run", "sys", "tmp"} {
		a.mkdir(d)
	}
	// The kernel opens /dev/console for process 1 before anything is mounted.
	a.add(cpio.CharDev("dev/console", 0o600, 5, 1))
	a.add(cpio.CharDev("dev/null", 0o666, 1, 3))
	return a
}

func (a *archive) add(r cpio.Record) {
	if !a.names[r.Name] {
		a.names[r.Name] = true
		a.records = append(a.records, r)
	}
}

func (a *archive) mkdir(name string) {
	if name == "." || a.names[name] {
		return
	}
	a.mkdir(path.Dir(name))
	a.add(cpio.Directory(name, 0o755))
}

func (a *archive) file(name string, content []byte, perm uint64) {
	a.mkdir(path.Dir(name))
	a.add(cpio.StaticRecord(content, cpio.Info{Name: name, Mode: cpio.S_IFREG | perm}))
}

// modules adds the named modules and the list of them in load order. It
// returns the bytes that the modules have.
func (a *archive) modules(t *moduleTree, order []string) (size int64, err error) {
	var load strings.Builder
	for _, name := range order {
		b, _, err := t.read(name)
		if err != nil {
			return 0, err
		}
		dst := path.Join("lib/modules", t.release, t.files[name])
		a.file(dst, b, 0o644)
		size += int64(len(b))
		fmt.Fprintln(&load, dst)
	}
	a.file(loadList, []byte(load.String()), 0o644)
	return size, nil
}

// pack returns the archive as compressed newc cpio, without times and owners.
func (a *archive) pack() ([]byte, error) {
	var raw bytes.Buffer
	w := cpio.Newc.Writer(&raw)
	cpio.MakeAllReproducible(a.records)
	if err := cpio.WriteRecords(w, a.records); err != nil {
		return nil, fmt.Errorf("write cpio of %d files: %w", len(a.records), err)
	}
	if err := cpio.WriteTrailer(w); err != nil {
		return nil, fmt.Errorf("write cpio of %d files: %w", len(a.records), err)
	}
	// One encoder at a time: the way that blocks fall must not depend on the
	// number of processors.
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(zstdWindow), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("compress initramfs: %w", err)
	}
	packed := z.EncodeAll(raw.Bytes(), nil)
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress initramfs of %d bytes: %w", raw.Len(), err)
	}
	return packed, nil
}
