package slots

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// memory is a bootstate partition in memory whose power may fail.
type memory struct {
	b      [2 * blockSize]byte
	writes int // until the power fails; negative: never
	torn   int // bytes of the last write that reach the medium
}

var errPower = errors.New("power failed")

func (m *memory) ReadAt(p []byte, off int64) (int, error) { return copy(p, m.b[off:]), nil }
func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if m.writes == 0 {
		return copy(m.b[off:], p[:m.torn]), errPower
	}
	m.writes--
	return copy(m.b[off:], p), nil
}
func (m *memory) Sync() error { return nil }

func open(t *testing.T, m *memory) *BootState {
	t.Helper()
	b, err := Open(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBlankThenWritten(t *testing.T) {
	m := &memory{writes: -1}
	b := open(t, m)
	if !b.Blank() || b.Valid() || b.DataComplete() {
		t.Errorf("new record: blank %t, valid %t, complete %t", b.Blank(), b.Valid(), b.DataComplete())
	}
	for _, complete := range []bool{false, true} {
		if err := b.SetDataComplete(complete); err != nil {
			t.Fatal(err)
		}
		if b = open(t, m); b.Blank() || !b.Valid() || b.DataComplete() != complete {
			t.Errorf("read back: blank %t, valid %t, complete %t, want complete %t", b.Blank(), b.Valid(), b.DataComplete(), complete)
		}
	}
}

func TestEitherCopyAloneSaysThatDataIsComplete(t *testing.T) {
	for lost := range copies {
		m := &memory{writes: -1}
		b := open(t, m)
		for _, complete := range []bool{false, true} {
			if err := b.SetDataComplete(complete); err != nil {
				t.Fatal(err)
			}
		}
		m.b[lost*blockSize+headerSize+3] ^= 1
		if b := open(t, m); !b.Valid() || !b.DataComplete() {
			t.Errorf("without copy %d: valid %t, complete %t", lost, b.Valid(), b.DataComplete())
		}
	}
}

func TestPowerCutInAWriteLeavesTheOldOrTheNewRecord(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		m := &memory{writes: -1}
		b := open(t, m)
		if err := b.SetDataComplete(false); err != nil {
			t.Fatal(err)
		}
		m.writes, m.torn = rnd.IntN(copies), rnd.IntN(blockSize)
		if err := b.SetDataComplete(true); !errors.Is(err, errPower) {
			t.Fatalf("got %v, want %v", err, errPower)
		}
		if got := open(t, m); !got.Valid() || got.Blank() {
			t.Fatalf("cut in write %d after %d bytes: no valid record", m.writes, m.torn)
		}
	}
}

func FuzzOpen(f *testing.F) {
	good, err := encode(State{Sequence: 7, DataComplete: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[:100], good[:10])
	f.Add([]byte{}, []byte(magic+"\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		m := &memory{writes: -1}
		copy(m.b[:blockSize], one)
		copy(m.b[blockSize:], two)
		b := open(t, m)
		if b.Blank() && b.Valid() {
			t.Error("both blank and valid")
		}
		if err := b.SetDataComplete(true); err != nil {
			t.Fatal(err)
		}
		if b = open(t, m); !b.DataComplete() {
			t.Error("what was written is not what is read")
		}
	})
}
