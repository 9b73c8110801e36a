package slots

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The bootstate partition begins with two copies of the record, each in a
// block of its own. A write goes to the older one, so that a loss of power
// leaves the newer one whole:
//
//	0   magic "GALBOOT1"
//	8   length n of the JSON, little endian, 32 bits
//	12  CRC-32 (IEEE) of the JSON, little endian
//	16  the JSON, n bytes
const (
	blockSize  = 4096
	copies     = 2
	headerSize = 16
	maxJSON    = blockSize - headerSize
	magic      = "GALBOOT1"
)

// State is what the record holds.
type State struct {
	Sequence     uint64 `json:"sequence"`     // the higher one is the newer copy
	DataComplete bool   `json:"dataComplete"` // the data partition was formatted to the end
}

// Medium is the bootstate partition.
type Medium interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// BootState is the record on its medium. It is not safe for concurrent use.
type BootState struct {
	medium Medium
	state  State
	valid  bool
	blank  bool
}

// Open reads the record. One that is blank or damaged is no error: Blank and
// Valid tell.
func Open(m Medium) (*BootState, error) {
	b := &BootState{medium: m, blank: true}
	for i := range int64(copies) {
		block := make([]byte, blockSize)
		if _, err := m.ReadAt(block, i*blockSize); err != nil {
			return nil, fmt.Errorf("read bootstate copy %d: %w", i, err)
		}
		if len(bytes.Trim(block, "\x00")) > 0 {
			b.blank = false
		}
		s, err := decode(block)
		if err != nil {
			continue // the other copy speaks for both
		}
		if !b.valid || s.Sequence > b.state.Sequence {
			b.state, b.valid = s, true
		}
	}
	return b, nil
}

// errDamaged means that a copy is not one that was written here.
var errDamaged = errors.New("bootstate copy is damaged")

func decode(block []byte) (State, error) {
	if len(block) < headerSize || string(block[:len(magic)]) != magic {
		return State{}, errDamaged
	}
	n := binary.LittleEndian.Uint32(block[8:])
	if n > maxJSON || int(n) > len(block)-headerSize {
		return State{}, fmt.Errorf("%w: length %d", errDamaged, n)
	}
	text := block[headerSize : headerSize+n]
	if crc32.ChecksumIEEE(text) != binary.LittleEndian.Uint32(block[12:]) {
		return State{}, fmt.Errorf("%w: checksum", errDamaged)
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		return State{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return s, nil
}

func encode(s State) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode bootstate: %w", err)
	}
	if len(text) > maxJSON {
		return nil, fmt.Errorf("encode bootstate: %d bytes, at most %d fit", len(text), maxJSON)
	}
	block := make([]byte, blockSize)
	copy(block, magic)
	binary.LittleEndian.PutUint32(block[8:], uint32(len(text)))
	binary.LittleEndian.PutUint32(block[12:], crc32.ChecksumIEEE(text))
	copy(block[headerSize:], text)
	return block, nil
}

// Blank reports whether both copies are zero, as the factory makes them.
func (b *BootState) Blank() bool { return b.blank }

// Valid reports whether a copy could be read.
func (b *BootState) Valid() bool { return b.valid }

// DataComplete reports whether the data partition was formatted to the end.
func (b *BootState) DataComplete() bool { return b.state.DataComplete }

// SetDataComplete records whether the data partition was formatted to the end,
// in both copies, one after the other: were it in one only, the loss of that
// one would bring back the older word, and with it another formatting.
func (b *BootState) SetDataComplete(complete bool) error {
	next := b.state
	next.DataComplete = complete
	for range copies {
		if err := b.write(next); err != nil {
			return err
		}
	}
	return nil
}

// write puts s into the older copy.
func (b *BootState) write(s State) error {
	s.Sequence = b.state.Sequence + 1
	block, err := encode(s)
	if err != nil {
		return err
	}
	at := int64(s.Sequence%copies) * blockSize
	if _, err := b.medium.WriteAt(block, at); err != nil {
		return fmt.Errorf("write bootstate %d at %d: %w", s.Sequence, at, err)
	}
	if err := b.medium.Sync(); err != nil {
		return fmt.Errorf("sync bootstate %d: %w", s.Sequence, err)
	}
	b.state, b.valid, b.blank = s, true, false
	return nil
}
