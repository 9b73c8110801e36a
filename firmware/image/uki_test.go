package image

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

func TestUnifiedKernel(t *testing.T) {
	stub := efiStub()
	before := bytes.Clone(stub)
	sections := []section{
		{".cmdline", []byte("quiet")},
		{".initrd", bytes.Repeat([]byte("i"), 5000)},
		{".linux", bytes.Repeat([]byte("k"), 512)},
	}
	got, err := unifiedKernel(stub, sections)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stub, before) {
		t.Error("the stub was changed")
	}
	f, err := pe.NewFile(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Sections) != 4 {
		t.Fatalf("%d sections, want 4", len(f.Sections))
	}
	end := uint32(0)
	for i, s := range f.Sections {
		if s.VirtualAddress%4096 != 0 || s.VirtualAddress < end || s.Offset%512 != 0 || s.Size%512 != 0 {
			t.Errorf("section %s: address %#x after %#x, offset %#x, size %#x", s.Name, s.VirtualAddress, end, s.Offset, s.Size)
		}
		end = s.VirtualAddress + s.VirtualSize
		if i == 0 {
			continue
		}
		data, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		if w := sections[i-1]; s.Name != w.name || !bytes.Equal(data[:s.VirtualSize], w.data) {
			t.Errorf("section %d is %s with %d bytes, want %s with %d", i, s.Name, s.VirtualSize, w.name, len(w.data))
		}
	}
	h := f.OptionalHeader.(*pe.OptionalHeader64)
	if h.SizeOfImage < end || h.SizeOfImage%4096 != 0 || h.CheckSum != 0 || h.SizeOfInitializedData != 512+5120+512 {
		t.Errorf("image %#x for end %#x, checksum %#x, initialized data %d", h.SizeOfImage, end, h.CheckSum, h.SizeOfInitializedData)
	}
}

func TestUnifiedKernelRefuses(t *testing.T) {
	le := binary.LittleEndian
	const opt, table = 0x80 + coffSize, 0x80 + coffSize + 240
	ok := []section{{".linux", []byte("k")}}
	for name, c := range map[string]struct {
		change   func(b []byte) []byte
		sections []section
		stub     bool // the error is ErrStub
	}{
		"empty":              {func([]byte) []byte { return nil }, ok, true},
		"short":              {func(b []byte) []byte { return b[:70] }, ok, true},
		"no MZ":              {func(b []byte) []byte { b[0] = 'X'; return b }, ok, true},
		"no PE":              {func(b []byte) []byte { b[0x80] = 'X'; return b }, ok, true},
		"PE far away":        {func(b []byte) []byte { le.PutUint32(b[peOffset:], 0xffffffff); return b }, ok, true},
		"other machine":      {func(b []byte) []byte { le.PutUint16(b[0x80+coffMachine:], 0xaa64); return b }, ok, true},
		"no EFI":             {func(b []byte) []byte { le.PutUint16(b[opt+optSubsystem:], 3); return b }, ok, true},
		"file alignment 0":   {func(b []byte) []byte { le.PutUint32(b[opt+optFileAl:], 0); return b }, ok, true},
		"section alignment":  {func(b []byte) []byte { le.PutUint32(b[opt+optSectionAl:], 1<<31); return b }, ok, true},
		"headers outside":    {func(b []byte) []byte { le.PutUint32(b[opt+optHeaderSize:], 1<<30); return b }, ok, true},
		"too many sections":  {func(b []byte) []byte { le.PutUint16(b[0x80+coffSections:], 100); return b }, ok, true},
		"section outside":    {func(b []byte) []byte { le.PutUint32(b[table+20:], 0xfffffe00); return b }, ok, true},
		"address outside":    {func(b []byte) []byte { le.PutUint32(b[table+12:], 0xfffff000); return b }, ok, true},
		"no room":            {func(b []byte) []byte { le.PutUint32(b[opt+optHeaderSize:], table+60); return b }, ok, true},
		"something behind":   {func(b []byte) []byte { b[table+sectionHeader] = 1; return b }, ok, true},
		"has it already":     {func(b []byte) []byte { copy(b[table:], ".linux\x00"); return b }, ok, true},
		"twice":              {func(b []byte) []byte { return b }, []section{ok[0], ok[0]}, true},
		"name of nine bytes": {func(b []byte) []byte { return b }, []section{{".ninebyte", []byte("x")}}, false},
		"no data":            {func(b []byte) []byte { return b }, []section{{".linux", nil}}, false},
	} {
		_, err := unifiedKernel(c.change(efiStub()), c.sections)
		if err == nil || errors.Is(err, ErrStub) != c.stub {
			t.Errorf("%s: error %v, want ErrStub %t", name, err, c.stub)
		}
	}
}

func TestBzImageRelease(t *testing.T) {
	if got, err := bzImageRelease(bzImage("6.1.0-56-amd64")); err != nil || got != "6.1.0-56-amd64" {
		t.Errorf("got %q, %v", got, err)
	}
	for message, b := range map[string][]byte{
		"no x86 boot header": []byte("MZ"),
		"EFI stub":           append([]byte("XX"), bzImage("6")[2:]...),
		"is outside":         bzImage("6")[:0x300],
		"no end":             bzImage("6")[:0x3201],
	} {
		if _, err := bzImageRelease(b); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("error %v, want one with %q", err, message)
		}
	}
}

func FuzzUnifiedKernel(f *testing.F) {
	f.Add(efiStub())
	f.Add([]byte("MZ"))
	f.Fuzz(func(t *testing.T, stub []byte) {
		out, err := unifiedKernel(stub, []section{{".cmdline", []byte("quiet")}, {".linux", []byte("kernel")}})
		if err != nil {
			return
		}
		p, err := parsePE(out)
		if err != nil {
			t.Fatalf("what was built is refused: %v", err)
		}
		if p.name(p.sections-1) != ".linux" || p.name(p.sections-2) != ".cmdline" {
			t.Errorf("last sections are %q and %q", p.name(p.sections-2), p.name(p.sections-1))
		}
	})
}
