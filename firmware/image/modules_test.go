package image

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func testTree(t *testing.T, modules map[string][]byte) *moduleTree {
	t.Helper()
	fsys := fstest.MapFS{"modules.builtin": {Data: []byte("kernel/net/unix/unix.ko\nkernel/net/packet/af-packet.ko\n")}}
	for name, b := range modules {
		fsys["kernel/drivers/"+name+".ko"] = &fstest.MapFile{Data: b}
	}
	tree, err := indexModules(testRelease, fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestResolve(t *testing.T) {
	tree := testTree(t, map[string][]byte{
		"virtio":         module("depends=virtio-ring"),
		"virtio_ring":    module("depends="),
		"virtio-rng":     module("depends=virtio,virtio_ring"),
		"ext4":           module("depends=jbd2", "softdep=pre: crc32c"),
		"jbd2":           module("depends=", "softdep=pre: absent"),
		"crc32c_generic": module("alias=crc32c", "alias=crypto-crc32c"),
		"crc32c-intel":   module("alias=crc32c"),
		"snd":            module("softdep=pre: virtio unix post: snd-late"),
		"snd_late":       module("depends=", "softdep=pre: snd"),
	})
	for _, c := range []struct{ wanted, want string }{
		{"", ""},
		{"virtio_rng", "virtio_ring virtio virtio_rng"},
		{"virtio-rng virtio", "virtio_ring virtio virtio_rng"},
		{"virtio virtio_rng", "virtio_ring virtio virtio_rng"},
		{"ext4", "jbd2 crc32c_generic crc32c_intel ext4"},
		{"unix af_packet", ""},
		{"snd", "virtio_ring virtio snd snd_late"},
		{"snd_late", "virtio_ring virtio snd snd_late"},
	} {
		got, err := tree.resolve(strings.Fields(c.wanted))
		if c.wanted == "snd_late" {
			// The circle snd_late -> snd -> snd_late is cut: snd comes first.
			if err != nil || slices.Index(got, "snd") > slices.Index(got, "snd_late") {
				t.Errorf("resolve(%q) = %q, %v", c.wanted, got, err)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("resolve(%q) = %q, %v; want %q", c.wanted, got, err, c.want)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	tree := testTree(t, map[string][]byte{
		"a":     module("depends=b"),
		"b":     module("depends=a"),
		"needs": module("depends=gone"),
		"text":  []byte("not ELF"),
		"other": elfFile(1, nil, map[string]string{".modinfo": "vermagic=6.1.0-other SMP\x00"}, ".modinfo"),
		"bare":  elfFile(1, nil, map[string]string{".text": "x"}, ".text"),
	})
	for _, c := range []struct {
		wanted, message string
		is              error
	}{
		{"a", "depends on itself", nil},
		{"needs", "needed by needs: module gone", ErrNoModule},
		{"x y", "module y", ErrNoModule},
		{"text", "module text", nil},
		{"other", `built for kernel "6.1.0-other"`, nil},
		{"bare", "no .modinfo", nil},
	} {
		_, err := tree.resolve(strings.Fields(c.wanted))
		if err == nil || !strings.Contains(err.Error(), c.message) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("resolve(%q): error %v, want one with %q", c.wanted, err, c.message)
		}
	}
}

func TestIndexRefuses(t *testing.T) {
	for _, c := range []struct {
		fsys    fstest.MapFS
		message string
	}{
		{fstest.MapFS{}, "kernel"},
		{fstest.MapFS{"kernel/a.ko.xz": {}}, "1 compressed"},
		{fstest.MapFS{"kernel/a.ko": {}}, "modules.builtin"},
	} {
		if _, err := indexModules(testRelease, c.fsys); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("indexModules: error %v, want one with %q", err, c.message)
		}
	}
}

func FuzzParseModinfo(f *testing.F) {
	f.Add(module("depends=a,b", "softdep=pre: c post: d", "alias=e"))
	f.Add(elfFile(2, nil, map[string]string{".text": "x"}, ".text"))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseModinfo(b)
		if err != nil {
			return
		}
		for _, d := range slices.Concat(m.depends, m.pre, m.post) {
			if d == "" || strings.ContainsAny(d, "-\x00") {
				t.Errorf("module name %q", d)
			}
		}
	})
}
