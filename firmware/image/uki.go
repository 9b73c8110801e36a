package image

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrStub means that the EFI stub is not a file that sections can be added to.
var ErrStub = errors.New("unusable EFI stub")

// A section is one part of a unified kernel image. The stub finds them by
// name (UAPI specification "Unified Kernel Image").
type section struct {
	name string // at most 8 bytes
	data []byte
}

// Offsets into the PE headers, from the Microsoft PE and COFF specification.
const (
	peOffset     = 0x3c // in the DOS header: where the PE signature is
	coffMachine  = 4    // from the PE signature on
	coffSections = 6
	coffOptSize  = 20
	coffSize     = 24 // signature and COFF header

	optMagic       = 0 // from the optional header on (PE32+)
	optInitialized = 8 // SizeOfInitializedData
	optSectionAl   = 32
	optFileAl      = 36
	optImageSize   = 56
	optHeaderSize  = 60
	optChecksum    = 64
	optSubsystem   = 68
	optMin         = 112 // up to the data directories

	sectionHeader = 40

	machineAMD64 = 0x8664
	pe32Plus     = 0x20b
	efiProgram   = 10

	// IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ
	readOnlyData = 0x40000040

	// pageSize is what firmware protects memory by; sections start on it.
	pageSize = 4096
)

// peFile is a PE file whose section table can grow into the unused end of
// its headers.
type peFile struct {
	b         []byte
	pe, opt   int // offsets of the PE signature and the optional header
	table     int // offset of the section table
	sections  int
	fileAl    int
	sectionAl int
	headers   int // SizeOfHeaders: the sections' headers must end before it
	end       int // first free virtual address
}

// parsePE checks the headers of an EFI program for x86-64 and every section's
// bounds. All errors wrap ErrStub.
func parsePE(b []byte) (*peFile, error) {
	le := binary.LittleEndian
	bad := func(format string, args ...any) (*peFile, error) {
		return nil, fmt.Errorf("%w of %d bytes: "+format, append([]any{ErrStub, len(b)}, args...)...)
	}
	if len(b) < peOffset+4 || string(b[:2]) != "MZ" {
		return bad("no DOS header")
	}
	if len(b) > maxKernel {
		return bad("more than %d", maxKernel)
	}
	p := &peFile{b: b, pe: int(le.Uint32(b[peOffset:]))}
	if p.pe > len(b)-coffSize-optMin || string(b[p.pe:p.pe+4]) != "PE\x00\x00" {
		return bad("no PE header at %d", p.pe)
	}
	p.opt = p.pe + coffSize
	optSize := int(le.Uint16(b[p.pe+coffOptSize:]))
	if m, k, s := le.Uint16(b[p.pe+coffMachine:]), le.Uint16(b[p.opt+optMagic:]), le.Uint16(b[p.opt+optSubsystem:]); m != machineAMD64 || k != pe32Plus || s != efiProgram || optSize < optMin {
		return bad("machine %#x, magic %#x, subsystem %d, optional header of %d bytes: no EFI program for x86-64", m, k, s, optSize)
	}
	p.table = p.opt + optSize
	p.sections = int(le.Uint16(b[p.pe+coffSections:]))
	p.fileAl = int(le.Uint32(b[p.opt+optFileAl:]))
	p.sectionAl = int(le.Uint32(b[p.opt+optSectionAl:]))
	p.headers = int(le.Uint32(b[p.opt+optHeaderSize:]))
	if !powerOfTwo(p.fileAl) || p.fileAl > 1<<16 || !powerOfTwo(p.sectionAl) || p.sectionAl > 1<<21 {
		return bad("alignments %d and %d", p.fileAl, p.sectionAl)
	}
	if p.headers > len(b) || p.table+p.sections*sectionHeader > p.headers {
		return bad("%d sections do not fit into headers of %d bytes", p.sections, p.headers)
	}
	for i := range p.sections {
		h := b[p.table+i*sectionHeader:]
		vsize, va := uint64(le.Uint32(h[8:])), uint64(le.Uint32(h[12:]))
		raw, off := uint64(le.Uint32(h[16:])), uint64(le.Uint32(h[20:]))
		if raw != 0 && off+raw > uint64(len(b)) || va+vsize > 1<<30 {
			return bad("section %d with %d bytes at %d, %d bytes of memory at %#x, is outside", i, raw, off, vsize, va)
		}
		p.end = max(p.end, int(va+vsize))
	}
	return p, nil
}

func (p *peFile) name(i int) string {
	h := p.b[p.table+i*sectionHeader:][:8]
	for n, c := range h {
		if c == 0 {
			return string(h[:n])
		}
	}
	return string(h)
}

// add appends one section: its header into the headers' free end, its data at
// the end of the file.
func (p *peFile) add(s section) error {
	le := binary.LittleEndian
	if len(s.name) > 8 || len(s.data) == 0 || len(s.data) > maxKernel {
		return fmt.Errorf("add section %q: %d bytes; the name may have 8 and the data 1 to %d", s.name, len(s.data), maxKernel)
	}
	for i := range p.sections {
		if p.name(i) == s.name {
			return fmt.Errorf("add section %q: %w: has one already", s.name, ErrStub)
		}
	}
	at := p.table + p.sections*sectionHeader
	if at+sectionHeader > p.headers {
		return fmt.Errorf("add section %q: %w: headers of %d bytes are full with %d sections", s.name, ErrStub, p.headers, p.sections)
	}
	h := p.b[at : at+sectionHeader]
	for _, c := range h {
		if c != 0 {
			return fmt.Errorf("add section %q: %w: something lies behind section header %d", s.name, ErrStub, p.sections)
		}
	}
	va := alignUp(p.end, max(p.sectionAl, pageSize))
	off := alignUp(len(p.b), p.fileAl)
	raw := alignUp(len(s.data), p.fileAl)
	copy(h, s.name)
	le.PutUint32(h[8:], uint32(len(s.data)))
	le.PutUint32(h[12:], uint32(va))
	le.PutUint32(h[16:], uint32(raw))
	le.PutUint32(h[20:], uint32(off))
	le.PutUint32(h[36:], readOnlyData)

	grown := make([]byte, off+raw)
	copy(grown, p.b)
	copy(grown[off:], s.data)
	p.b = grown
	p.sections++
	p.end = va + len(s.data)
	le.PutUint16(p.b[p.pe+coffSections:], uint16(p.sections))
	initialized := le.Uint32(p.b[p.opt+optInitialized:])
	le.PutUint32(p.b[p.opt+optInitialized:], initialized+uint32(raw))
	le.PutUint32(p.b[p.opt+optImageSize:], uint32(alignUp(p.end, p.sectionAl)))
	return nil
}

// unifiedKernel adds the sections to the EFI stub and returns the whole. The
// stub is not changed.
func unifiedKernel(stub []byte, sections []section) ([]byte, error) {
	p, err := parsePE(append([]byte(nil), stub...))
	if err != nil {
		return nil, fmt.Errorf("build unified kernel image: %w", err)
	}
	for _, s := range sections {
		if err := p.add(s); err != nil {
			return nil, fmt.Errorf("build unified kernel image: %w", err)
		}
	}
	// UEFI checks it only in drivers; zero says that there is none.
	binary.LittleEndian.PutUint32(p.b[p.opt+optChecksum:], 0)
	return p.b, nil
}

func powerOfTwo(n int) bool { return n > 0 && n&(n-1) == 0 }

func alignUp(n, to int) int { return (n + to - 1) / to * to }
