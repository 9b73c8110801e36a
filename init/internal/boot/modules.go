package boot

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ModuleList is where the packer of the image writes the modules: one path
// relative to the root per line, in load order.
const ModuleList = "lib/modules/load"

// LoadModules loads the modules that ModuleList below root names, in order,
// and calls loaded with the name of each. A module whose hardware is absent
// (ENODEV) and one that is there already are no errors. It goes on after a
// failure and returns every error. A missing list means that the kernel needs
// no modules.
func LoadModules(root string, loaded func(name string)) error {
	list, err := os.Open(filepath.Join(root, ModuleList))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load modules: %w", err)
	}
	defer list.Close()
	var errs []error
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		rel := strings.TrimSpace(lines.Text())
		if rel == "" || strings.HasPrefix(rel, "#") {
			continue
		}
		if err := loadModule(filepath.Join(root, rel)); err != nil {
			errs = append(errs, err)
			continue
		}
		loaded(strings.TrimSuffix(filepath.Base(rel), ".ko"))
	}
	if err := lines.Err(); err != nil {
		errs = append(errs, fmt.Errorf("load modules: read %s: %w", ModuleList, err))
	}
	return errors.Join(errs...)
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("load module: %w", err)
	}
	defer f.Close()
	err = unix.FinitModule(int(f.Fd()), "", 0)
	if err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("load module %s: %w", path, err)
	}
	return nil
}
