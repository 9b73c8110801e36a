package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

// errELF means that a file is not a whole 64-bit little-endian ELF file.
var errELF = errors.New("not an ELF file that can be read")

// elf64 is a 64-bit little-endian ELF file (System V ABI, chapter 4) as far as
// an image needs it. Only the structures come from debug/elf: its reader
// brings decompression and DWARF, 200 KB in the device's binary.
type elf64 struct {
	elf.Header64
	programs []elf.Prog64
	sections []elf.Section64
	names    []byte
	file     []byte
}

// maxHeaders bounds the program and section headers of one file.
const maxHeaders = 4096

// readELF reads the headers of the ELF file b, which it keeps.
func readELF(b []byte) (*elf64, error) {
	f := &elf64{file: b}
	if err := f.table(0, &f.Header64); err != nil || string(b[:4]) != elf.ELFMAG ||
		elf.Class(f.Ident[elf.EI_CLASS]) != elf.ELFCLASS64 || elf.Data(f.Ident[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return nil, fmt.Errorf("header of %d bytes: %w", len(b), errELF)
	}
	if f.Phnum > maxHeaders || f.Shnum > maxHeaders || f.Phnum > 0 && f.Phentsize != 56 || f.Shnum > 0 && f.Shentsize != 64 {
		return nil, fmt.Errorf("%d programs of %d bytes, %d sections of %d bytes: %w", f.Phnum, f.Phentsize, f.Shnum, f.Shentsize, errELF)
	}
	f.programs, f.sections = make([]elf.Prog64, f.Phnum), make([]elf.Section64, f.Shnum)
	if err := errors.Join(f.table(f.Phoff, f.programs), f.table(f.Shoff, f.sections)); err != nil {
		return nil, fmt.Errorf("%d programs at %d, %d sections at %d: %w", f.Phnum, f.Phoff, f.Shnum, f.Shoff, err)
	}
	if f.Shnum == 0 {
		return f, nil
	}
	if int(f.Shstrndx) >= len(f.sections) {
		return nil, fmt.Errorf("names in section %d of %d: %w", f.Shstrndx, len(f.sections), errELF)
	}
	var err error
	if f.names, err = f.content(f.sections[f.Shstrndx]); err != nil {
		return nil, fmt.Errorf("names of the sections: %w", err)
	}
	return f, nil
}

// table reads v, a structure or slice of them, at an offset of the file.
func (f *elf64) table(at uint64, v any) error {
	size := uint64(binary.Size(v))
	if size == 0 {
		return nil
	}
	if at > uint64(len(f.file)) || size > uint64(len(f.file))-at {
		return errELF
	}
	_, err := binary.Decode(f.file[at:], binary.LittleEndian, v)
	return err
}

// content returns what a section holds. Compressed ones are not read.
func (f *elf64) content(s elf.Section64) ([]byte, error) {
	if elf.SectionType(s.Type) == elf.SHT_NOBITS || elf.SectionFlag(s.Flags)&elf.SHF_COMPRESSED != 0 ||
		s.Off > uint64(len(f.file)) || s.Size > uint64(len(f.file))-s.Off {
		return nil, fmt.Errorf("section of %d bytes at %d in a file of %d: %w", s.Size, s.Off, len(f.file), errELF)
	}
	return f.file[s.Off : s.Off+s.Size], nil
}

// section returns the first section of a name.
func (f *elf64) section(name string) (elf.Section64, bool) {
	for _, s := range f.sections {
		if uint64(s.Name) < uint64(len(f.names)) {
			if n, _, _ := bytes.Cut(f.names[s.Name:], []byte{0}); string(n) == name {
				return s, true
			}
		}
	}
	return elf.Section64{}, false
}
