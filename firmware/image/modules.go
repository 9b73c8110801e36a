package image

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// ErrNoModule means that a wanted module is neither in the kernel tree nor
// built into the kernel.
var ErrNoModule = errors.New("no such kernel module")

// maxModule bounds what is read of one module file, in bytes. The largest one
// of Debian's kernel has 9 MB.
const maxModule = 64 << 20

// modinfo is what a module says about itself in its .modinfo section.
type modinfo struct {
	depends []string // modules whose symbols it uses
	pre     []string // modules or aliases to load before it, when they exist
	post    []string // modules or aliases to load after it, when they exist
	aliases []string
	version string // vermagic's first word: the kernel release it was built for
}

// parseModinfo reads the .modinfo section of the ELF file b, a list of
// key=value strings that end with a zero byte each.
func parseModinfo(b []byte) (modinfo, error) {
	f, err := readELF(b)
	if err != nil {
		return modinfo{}, fmt.Errorf("read module of %d bytes: %w", len(b), err)
	}
	s, ok := f.section(".modinfo")
	if !ok {
		return modinfo{}, fmt.Errorf("read module of %d bytes: no .modinfo section inside it", len(b))
	}
	data, err := f.content(s)
	if err != nil {
		return modinfo{}, fmt.Errorf("read .modinfo: %w", err)
	}
	var m modinfo
	for entry := range strings.SplitSeq(string(data), "\x00") {
		key, value, _ := strings.Cut(entry, "=")
		switch key {
		case "depends":
			for d := range strings.SplitSeq(value, ",") {
				if d != "" {
					m.depends = append(m.depends, canonical(d))
				}
			}
		case "softdep":
			m.addSoftdep(value)
		case "alias":
			m.aliases = append(m.aliases, canonical(value))
		case "vermagic":
			m.version, _, _ = strings.Cut(value, " ")
		}
	}
	return m, nil
}

// addSoftdep reads "pre: a b post: c" as modprobe.d(5) describes it.
func (m *modinfo) addSoftdep(value string) {
	var list *[]string
	for word := range strings.FieldsSeq(value) {
		switch {
		case word == "pre:":
			list = &m.pre
		case word == "post:":
			list = &m.post
		case list != nil:
			*list = append(*list, canonical(word))
		}
	}
}

// canonical is the name as the kernel knows the module: '-' and '_' are the
// same, and '_' is written.
func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

// moduleTree is one kernel's modules, /lib/modules/RELEASE of its package.
type moduleTree struct {
	release string
	fsys    fs.FS
	files   map[string]string // canonical name => path of the .ko file in fsys
	builtin map[string]bool   // canonical names of what is compiled into the kernel
	info    map[string]modinfo
	aliases map[string][]string // alias => canonical names; nil until first asked for
}

// openModules indexes the modules below dir, which is named after the release.
func openModules(dir string) (*moduleTree, error) {
	return indexModules(path.Base(dir), os.DirFS(dir))
}

func indexModules(release string, fsys fs.FS) (*moduleTree, error) {
	t := &moduleTree{release: release, fsys: fsys, files: map[string]string{}, builtin: map[string]bool{}, info: map[string]modinfo{}}
	compressed := 0
	err := fs.WalkDir(fsys, "kernel", func(p string, d fs.DirEntry, err error) error {
		switch base := path.Base(p); {
		case err != nil:
			return err
		case d.Type().IsRegular() && strings.HasSuffix(base, ".ko"):
			t.files[canonical(strings.TrimSuffix(base, ".ko"))] = p
		case strings.Contains(base, ".ko."):
			compressed++
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("index modules of %s: %w", release, err)
	}
	if len(t.files) == 0 {
		return nil, fmt.Errorf("index modules of %s: no .ko file found, %d compressed ones cannot be used", release, compressed)
	}
	list, err := fs.ReadFile(fsys, "modules.builtin")
	if err != nil {
		return nil, fmt.Errorf("index modules of %s: %w", release, err)
	}
	for p := range strings.FieldsSeq(string(list)) {
		t.builtin[canonical(strings.TrimSuffix(path.Base(p), ".ko"))] = true
	}
	return t, nil
}

// read returns the file of the module and what it says about itself.
func (t *moduleTree) read(name string) ([]byte, modinfo, error) {
	p := t.files[name]
	st, err := fs.Stat(t.fsys, p)
	if err != nil {
		return nil, modinfo{}, fmt.Errorf("module %s: %w", name, err)
	}
	if st.Size() > maxModule {
		return nil, modinfo{}, fmt.Errorf("module %s: file has %d bytes; at most %d are read", name, st.Size(), maxModule)
	}
	b, err := fs.ReadFile(t.fsys, p)
	if err != nil {
		return nil, modinfo{}, fmt.Errorf("module %s: %w", name, err)
	}
	m, err := parseModinfo(b)
	if err != nil {
		return nil, modinfo{}, fmt.Errorf("module %s: %w", name, err)
	}
	return b, m, nil
}

func (t *moduleTree) modinfo(name string) (modinfo, error) {
	if m, ok := t.info[name]; ok {
		return m, nil
	}
	_, m, err := t.read(name)
	if err != nil {
		return modinfo{}, err
	}
	// A module of another build is refused by the kernel at boot, where
	// nobody sees it.
	if m.version != t.release {
		return modinfo{}, fmt.Errorf("module %s: is built for kernel %q, not %q", name, m.version, t.release)
	}
	t.info[name] = m
	return m, nil
}

// providers returns the modules that a soft dependency means: the one of that
// name, else all that have it as an alias. None is no error, as with modprobe.
func (t *moduleTree) providers(name string) ([]string, error) {
	if t.builtin[name] {
		return nil, nil
	}
	if _, ok := t.files[name]; ok {
		return []string{name}, nil
	}
	if t.aliases == nil {
		t.aliases = map[string][]string{}
		for _, m := range slices.Sorted(maps.Keys(t.files)) {
			_, info, err := t.read(m)
			if err != nil {
				return nil, err
			}
			for _, a := range info.aliases {
				if !slices.Contains(t.aliases[a], m) {
					t.aliases[a] = append(t.aliases[a], m)
				}
			}
		}
	}
	return t.aliases[name], nil
}

// resolve returns the wanted modules and all that they need, each once, in
// an order in which they load. Modules that are built into the kernel are left
// out. It fails with ErrNoModule, naming every wanted one that is nowhere.
func (t *moduleTree) resolve(wanted []string) ([]string, error) {
	r := resolver{tree: t, state: map[string]visit{}}
	var errs []error
	for _, name := range wanted {
		if err := r.add(canonical(name)); err != nil {
			errs = append(errs, err)
		}
	}
	return r.order, errors.Join(errs...)
}

type visit int

const (
	entered visit = iota + 1
	placed
)

type resolver struct {
	tree  *moduleTree
	state map[string]visit
	order []string
}

func (r *resolver) add(name string) error {
	switch {
	case r.state[name] == placed:
		return nil
	case r.state[name] == entered:
		return fmt.Errorf("module %s: depends on itself", name)
	case r.tree.builtin[name]:
		return nil
	case r.tree.files[name] == "":
		return fmt.Errorf("module %s: %w in %s", name, ErrNoModule, r.tree.release)
	}
	r.state[name] = entered
	m, err := r.tree.modinfo(name)
	if err != nil {
		return err
	}
	for _, d := range m.depends {
		if err := r.add(d); err != nil {
			return fmt.Errorf("needed by %s: %w", name, err)
		}
	}
	if err := r.addSoft(name, m.pre); err != nil {
		return err
	}
	r.state[name] = placed
	r.order = append(r.order, name)
	return r.addSoft(name, m.post)
}

// addSoft adds what softdep lines name. A circle of soft dependencies is cut
// where it closes: they are wishes about the order.
func (r *resolver) addSoft(of string, names []string) error {
	for _, n := range names {
		found, err := r.tree.providers(n)
		if err != nil {
			return fmt.Errorf("soft dependency %s of %s: %w", n, of, err)
		}
		for _, p := range found {
			if r.state[p] == entered {
				continue
			}
			if err := r.add(p); err != nil {
				return fmt.Errorf("soft dependency %s of %s: %w", n, of, err)
			}
		}
	}
	return nil
}
