package image

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
)

// Geometry of the file system of a slot. FAT16 with clusters of 4 KiB covers
// the 16 to 256 MiB that a slot may have; its table is a quarter of what FAT32
// needs, and the firmware follows the table cluster by cluster when it loads
// the kernel.
const (
	sectorSize     = 512
	clusterSectors = 8
	clusterSize    = clusterSectors * sectorSize
	reserved       = 8 // sectors before the first table; the boot sector is the first
	rootEntries    = 512
	rootSectors    = rootEntries * dirEntry / sectorSize
	dirEntry       = 32

	// A volume with fewer clusters is FAT12, one with more is FAT32
	// (Microsoft FAT specification, "FAT Type Determination").
	minFAT16 = 4085
	maxFAT16 = 65524

	endOfChain = 0xffff

	attrVolume = 0x08
	attrDir    = 0x10
	attrFile   = 0x20

	// 1 January 1980, the first day that FAT knows: images are reproducible.
	fatDate = 1<<5 | 1
)

// fatFile is a file of a slot. The path is absolute, with '/', and every part
// of it is an 8.3 name in capitals: long names are not written.
type fatFile struct {
	path string
	data []byte
}

// fatNode is a directory or a file while the image is laid out.
type fatNode struct {
	name     string // 11 bytes, padded with spaces
	dir      bool
	data     []byte
	children []*fatNode
	cluster  uint16
}

// fatImage returns a FAT16 file system of size bytes with the files, each in
// one piece. Equal arguments give equal bytes: the volume identifier is given
// and every time is 1 January 1980.
func fatImage(size int64, volumeID uint32, label string, files []fatFile) ([]byte, error) {
	if size%clusterSize != 0 || size < 16*mib || size > 256*mib {
		return nil, fmt.Errorf("make FAT16: size %d; allowed are 16 to 256 MiB in steps of %d bytes", size, clusterSize)
	}
	if label == "" || len(label) > 11 || !shortName.MatchString(label) {
		return nil, fmt.Errorf("make FAT16: label %q is not 1 to 11 capitals and digits", label)
	}
	root := &fatNode{dir: true}
	for _, f := range files {
		if err := root.place(f); err != nil {
			return nil, fmt.Errorf("make FAT16: %w", err)
		}
	}
	v := newFATVolume(size)
	if v.clusters < minFAT16 || v.clusters > maxFAT16 {
		return nil, fmt.Errorf("make FAT16: size %d makes %d clusters; allowed are %d to %d", size, v.clusters, minFAT16, maxFAT16)
	}
	if len(root.children)+1 > rootEntries {
		return nil, fmt.Errorf("make FAT16: %d entries in the root; it holds %d", len(root.children)+1, rootEntries)
	}
	if err := v.allocate(root); err != nil {
		return nil, fmt.Errorf("make FAT16 of %d bytes: %w", size, err)
	}
	v.bootSector(volumeID, label)
	v.table()
	rootDir := v.b[v.rootAt:]
	putEntry(rootDir, fmt.Sprintf("%-11s", label), attrVolume, 0, 0)
	v.directory(rootDir[dirEntry:], root)
	return v.b, nil
}

var (
	shortName = regexp.MustCompile(`^[A-Z0-9_-]+$`)
	namePart  = regexp.MustCompile(`^([A-Z0-9_-]{1,8})(?:\.([A-Z0-9_-]{1,3}))?$`)
)

// place puts f into the tree below the root, with the directories on its way.
func (n *fatNode) place(f fatFile) error {
	rest, ok := strings.CutPrefix(f.path, "/")
	if !ok {
		return fmt.Errorf("path %q is not absolute", f.path)
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		m := namePart.FindStringSubmatch(p)
		if m == nil {
			return fmt.Errorf("path %q: %q is no 8.3 name", f.path, p)
		}
		name := fmt.Sprintf("%-8s%-3s", m[1], m[2])
		last := i == len(parts)-1
		next := n.child(name)
		switch {
		case next == nil:
			next = &fatNode{name: name, dir: !last}
			n.children = append(n.children, next)
		case last || !next.dir:
			return fmt.Errorf("path %q: %q is there twice", f.path, p)
		}
		n = next
	}
	n.data = f.data
	return nil
}

func (n *fatNode) child(name string) *fatNode {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// fatVolume is the image and where its parts begin, in bytes.
type fatVolume struct {
	b         []byte
	fatSize   int // sectors of one table
	rootAt    int
	dataAt    int
	clusters  int
	chainEnds []int // last cluster of each chain; chains are contiguous and start behind one another
}

func newFATVolume(size int64) *fatVolume {
	v := &fatVolume{b: make([]byte, size)}
	sectors := int(size / sectorSize)
	// The table must have an entry for every cluster that is left when the
	// table itself is taken off; counting it for all sectors is a little more
	// than needed, which is allowed.
	v.fatSize = ((sectors/clusterSectors+2)*2 + sectorSize - 1) / sectorSize
	v.rootAt = (reserved + 2*v.fatSize) * sectorSize
	v.dataAt = v.rootAt + rootSectors*sectorSize
	v.clusters = (len(v.b) - v.dataAt) / clusterSize
	return v
}

// allocate gives every directory and file below n its clusters, in order.
func (v *fatVolume) allocate(n *fatNode) error {
	for _, c := range n.children {
		need := (len(c.data) + clusterSize - 1) / clusterSize
		if c.dir {
			if need = 1; len(c.children)+2 > clusterSize/dirEntry {
				return fmt.Errorf("directory %q has %d entries; it holds %d", c.name, len(c.children), clusterSize/dirEntry-2)
			}
		}
		if need == 0 {
			continue // an empty file has no cluster
		}
		first := v.next()
		if first+need > v.clusters+2 {
			return fmt.Errorf("%q of %d bytes needs %d clusters, %d of %d are free", c.name, len(c.data), need, v.clusters+2-first, v.clusters)
		}
		c.cluster = uint16(first)
		v.chainEnds = append(v.chainEnds, first+need-1)
		copy(v.b[v.at(c.cluster):], c.data)
		if c.dir {
			if err := v.allocate(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// next returns the first cluster that is not in a chain; clusters count from 2.
func (v *fatVolume) next() int {
	if len(v.chainEnds) == 0 {
		return 2
	}
	return v.chainEnds[len(v.chainEnds)-1] + 1
}

func (v *fatVolume) at(cluster uint16) int { return v.dataAt + (int(cluster)-2)*clusterSize }

// directory writes the entries of n's children to b and their directories.
func (v *fatVolume) directory(b []byte, n *fatNode) {
	for i, c := range n.children {
		entry := b[i*dirEntry:]
		if !c.dir {
			putEntry(entry, c.name, attrFile, c.cluster, uint32(len(c.data)))
			continue
		}
		putEntry(entry, c.name, attrDir, c.cluster, 0)
		sub := v.b[v.at(c.cluster):]
		putEntry(sub, ".          ", attrDir, c.cluster, 0)
		putEntry(sub[dirEntry:], "..         ", attrDir, n.cluster, 0) // 0 means the root
		v.directory(sub[2*dirEntry:], c)
	}
}

func putEntry(b []byte, name string, attr byte, cluster uint16, size uint32) {
	le := binary.LittleEndian
	copy(b[:11], name)
	b[11] = attr
	le.PutUint16(b[16:], fatDate) // made
	le.PutUint16(b[18:], fatDate) // read
	le.PutUint16(b[24:], fatDate) // written
	le.PutUint16(b[26:], cluster)
	le.PutUint32(b[28:], size)
}

// table writes both allocation tables.
func (v *fatVolume) table() {
	for i := range 2 {
		b := v.b[(reserved+i*v.fatSize)*sectorSize:]
		put := func(n, value int) { binary.LittleEndian.PutUint16(b[2*n:], uint16(value)) }
		put(0, 0xfff8) // the media byte again
		put(1, endOfChain)
		at := 2
		for _, end := range v.chainEnds {
			for ; at < end; at++ {
				put(at, at+1)
			}
			put(at, endOfChain)
			at++
		}
	}
}

// bootSector writes the BIOS parameter block. Sectors per track, heads and
// hidden sectors mean nothing to UEFI; hidden sectors stay 0 so that the same
// image fits either slot.
func (v *fatVolume) bootSector(volumeID uint32, label string) {
	le := binary.LittleEndian
	b := v.b
	copy(b, "\xeb\x3c\x90GALILEI ")
	le.PutUint16(b[11:], sectorSize)
	b[13] = clusterSectors
	le.PutUint16(b[14:], reserved)
	b[16] = 2 // tables
	le.PutUint16(b[17:], rootEntries)
	sectors := len(v.b) / sectorSize
	if sectors < 1<<16 {
		le.PutUint16(b[19:], uint16(sectors))
	} else {
		le.PutUint32(b[32:], uint32(sectors))
	}
	b[21] = 0xf8 // fixed disk
	le.PutUint16(b[22:], uint16(v.fatSize))
	le.PutUint16(b[24:], 63)
	le.PutUint16(b[26:], 255)
	b[36] = 0x80
	b[38] = 0x29 // the next three fields are there
	le.PutUint32(b[39:], volumeID)
	copy(b[43:54], fmt.Sprintf("%-11s", label))
	copy(b[54:62], "FAT16   ")
	b[510], b[511] = 0x55, 0xaa
}
