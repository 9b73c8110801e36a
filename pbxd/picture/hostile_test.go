package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"golang.org/x/image/tiff"
)

// frame returns the body of a JPEG frame header.
func frame(w, h uint16, sampling ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{8}, h)
	b = append(binary.BigEndian.AppendUint16(b, w), byte(len(sampling)))
	for i, s := range sampling {
		b = append(b, byte(i+1), s, 0)
	}
	return b
}

// headerOnly returns a JPEG that ends behind its frame header.
func headerOnly(marker byte, body []byte) []byte {
	return append(segment([]byte{0xff, markerSOI}, marker, body), 0xff, markerSOS, 0, 2)
}

// rgbTIFF returns a compressed TIFF in one block of the given rows.
func rgbTIFF(w, h, rows uint32, compression uint32, data []byte) []byte {
	return tiffFile(data, tiffField{tag: 256, long: w}, tiffField{tag: 257, long: h}, tiffField{tag: tagBitsPerSample, shorts: []uint16{8, 8, 8}},
		tiffField{tag: tagCompression, long: compression}, tiffField{tag: tagPhotometric, long: 2}, tiffField{tag: 273, long: 8},
		tiffField{tag: 277, long: 3}, tiffField{tag: tagRowsPerStrip, long: rows}, tiffField{tag: 279, long: uint32(len(data))})
}

func TestRefuses(t *testing.T) {
	png, jpg := asPNG(t, corners(64, 48)), asJPEG(t, corners(64, 48))
	gif, tif := asGIF(t, corners(64, 48)), asTIFF(t, corners(64, 48), nil)
	bigFrame := bytes.Clone(gif)
	at := bytes.Index(bigFrame, []byte{0x2c, 0, 0, 0, 0, 64, 0, 48, 0}) // image descriptor
	binary.LittleEndian.PutUint16(bigFrame[at+5:], 60000)
	bigScreen := bytes.Clone(gif)
	binary.LittleEndian.PutUint16(bigScreen[6:], 65535)

	const format, dimensions, damaged, unsupported, tooLarge = "format", "dimensions", "damaged", "unsupported", "too large"
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, format},
		{"text", []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), format},
		{"BMP", []byte("BM\x00\x00\x00\x00"), format},
		{"WebP", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), format},
		{"5 MB and one byte", append(bytes.Clone(png), make([]byte, MaxUpload+1-len(png))...), tooLarge},

		{"PNG cut", png[:len(png)/2], damaged},
		{"PNG signature only", png[:8], damaged},
		{"PNG without pixels", pngChunks(t, 0, 10, 8, 0, 0, 1, 10), damaged},
		{"PNG of 2^31-1 pixels a side", pngChunks(t, 1<<31-1, 1<<31-1, 8, 6, 0, 10, 1), unsupported},
		{"PNG of 100000 pixels a side", pngChunks(t, 100000, 100000, 8, 6, 0, 10, 1), dimensions},
		{"PNG of 6001 pixels", pngChunks(t, 6001, 1, 8, 0, 0, 6002, 1), dimensions},
		{"PNG of 25 MP", pngChunks(t, 5000, 5000, 8, 0, 0, 1, 1), dimensions},
		{"PNG of 24 MP with 16 bits", pngChunks(t, 6000, 4000, 16, 6, 0, 1, 1), dimensions},
		{"PNG of 24 MP interlaced", pngChunks(t, 6000, 4000, 8, 6, 1, 1, 1), dimensions},
		{"PNG that inflates to too much", pngChunks(t, 100, 100, 8, 0, 0, 64<<20, 1), damaged},
		{"PNG that inflates to too little", pngChunks(t, 6000, 4000, 8, 0, 0, 1000, 1), damaged},
		{"PNG with 3 bits a sample", pngChunks(t, 10, 10, 3, 0, 0, 10, 10), unsupported},

		{"GIF cut", gif[:len(gif)/2], damaged},
		{"GIF with a frame beyond its screen", bigFrame, damaged},
		{"GIF with a huge screen", bigScreen, dimensions},
		{"GIF header only", gif[:13], damaged},

		{"JPEG cut", jpg[:len(jpg)/2], damaged},
		{"JPEG without components", headerOnly(markerSOF0, frame(64, 48)), unsupported},
		{"JPEG with two components", headerOnly(markerSOF0, frame(64, 48, 0x11, 0x11)), unsupported},
		{"JPEG without height", headerOnly(markerSOF0, frame(64, 0, 0x11)), dimensions},
		{"JPEG of 65535 pixels a side", headerOnly(markerSOF0, frame(65535, 65535, 0x11, 0x11, 0x11)), dimensions},
		{"JPEG progressive of 16 MP", headerOnly(markerSOF2, frame(4000, 4000, 0x22, 0x11, 0x11)), dimensions},
		{"JPEG CMYK of 16 MP", headerOnly(markerSOF0, frame(4000, 4000, 0x11, 0x11, 0x11, 0x11)), dimensions},
		{"JPEG lossless", headerOnly(0xc3, frame(64, 48, 0x11)), unsupported},

		{"TIFF cut", tif[:len(tif)/2], damaged},
		{"TIFF header only", []byte("II*\x00\x08\x00\x00\x00"), damaged},
		{"TIFF with a directory outside", []byte("MM\x00*\xff\xff\xff\xff\x00\x00\x00\x00"), damaged},
		{"TIFF without pixels", rgbTIFF(0, 10, 10, 1, make([]byte, 30)), damaged},
		{"TIFF of 2^31 pixels a side", rgbTIFF(1<<31, 1<<31, 1, 1, make([]byte, 30)), damaged},
		{"TIFF of 60000 pixels a side", rgbTIFF(60000, 60000, 1, 1, make([]byte, 30)), dimensions},
		{"TIFF of 20 MP in one deflated strip", rgbTIFF(5000, 4000, 4000, 8, deflated(t, 1000)), dimensions},
		{"TIFF that inflates to too little", rgbTIFF(1000, 1000, 1000, 8, deflated(t, 1000)), damaged},
		{"TIFF with damaged LZW", rgbTIFF(1000, 1000, 1000, 5, bytes.Repeat([]byte{0xff}, 50)), damaged},
		{"TIFF with JPEG inside", rgbTIFF(10, 10, 10, 7, make([]byte, 30)), unsupported},
		{"TIFF of 24000 strips", rgbTIFF(8, 6000, 1, 1, make([]byte, 30)), damaged},
		{"TIFF with tiles wider than the picture", tiffFile(nil, tiffField{tag: 256, long: 10}, tiffField{tag: 257, long: 10}, tiffField{tag: tagBitsPerSample, shorts: []uint16{8}},
			tiffField{tag: tagCompression, long: 8}, tiffField{tag: tagPhotometric, long: 1}, tiffField{tag: tagTileWidth, long: 1 << 20}, tiffField{tag: tagTileLength, long: 1 << 20}), damaged},
		{"TIFF with 90000 tiles", tiffFile(nil, tiffField{tag: 256, long: 2400}, tiffField{tag: 257, long: 2400}, tiffField{tag: tagBitsPerSample, shorts: []uint16{8}},
			tiffField{tag: tagCompression, long: 5}, tiffField{tag: tagPhotometric, long: 1}, tiffField{tag: tagTileWidth, long: 8}, tiffField{tag: tagTileLength, long: 8}), unsupported},
	} {
		start := time.Now()
		_, err := NewDecoder().Decode(t.Context(), bytes.NewReader(c.file))
		var got string
		switch err.(type) {
		case nil:
			got = "nothing"
		case FormatError:
			got = format
		case DimensionsError:
			got = dimensions
		case DamagedError:
			got = damaged
		case UnsupportedError:
			got = unsupported
		case TooLargeError:
			got = tooLarge
		}
		if got != c.want {
			t.Errorf("%s: %s (%v), want %s", c.name, got, err, c.want)
			continue
		}
		told := err.(interface {
			Template() string
			Args() map[string]any
		})
		if s := text(told); !slices.Contains(Messages(), told.Template()) || strings.ContainsAny(s, "{}") || !strings.HasPrefix(err.Error(), s) {
			t.Errorf("%s: sentence %q, error %q", c.name, s, err)
		}
		t.Logf("%-40s %8s %v", c.name, time.Since(start).Round(time.Millisecond), err)
	}
}

// A picture of the size that the refusal names is taken.
func TestNamedLimitFits(t *testing.T) {
	big := pngChunks(t, 6000, 4000, 16, 0, 0, 1, 1)
	var e DimensionsError
	if _, err := NewDecoder().Decode(t.Context(), bytes.NewReader(big)); !errors.As(err, &e) {
		t.Fatal(err)
	}
	side := 1000
	for float64((side+1)*(side+1)) <= e.Megapixels*1e6 {
		side++
	}
	if side < 3000 {
		t.Errorf("only %d pixels a side fit", side)
	}
	if _, err := NewDecoder().Decode(t.Context(), bytes.NewReader(pngChunks(t, side, side, 16, 0, 0, 2*side+1, side))); err != nil {
		t.Errorf("%d pixels a side: %v", side, err)
	}
}

// A 12 megapixel photo, also a progressive one, is an ordinary upload.
func TestMemoryOfOrdinaryPhotos(t *testing.T) {
	c := image.Config{Width: 4032, Height: 3024}
	for marker, want := range map[byte]int64{markerSOF0: 4032 * 3024 * 3 / 2, markerSOF2: 4032 * 3024 * 15 / 2} {
		got, err := jpegMemory(headerOnly(marker, frame(4032, 3024, 0x22, 0x11, 0x11)), c)
		if err != nil || got != want || got > maxMemory {
			t.Errorf("marker %#x: %d bytes (%v), want %d", marker, got, err, want)
		}
	}
	rgb := segment(headerOnly(markerSOF0, frame(4032, 3024, 0x11, 0x11, 0x11)), markerAPP14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00"))
	if got, _ := jpegMemory(rgb, c); got != 4032*3024*7 {
		t.Errorf("RGB: %d bytes, want %d", got, 4032*3024*7)
	}
	fax := map[bool]uint32{true: compressionG4, false: 8}
	for ok, compression := range fax {
		file := tiffFile(nil, tiffField{tag: 256, long: 2480}, tiffField{tag: 257, long: 3508}, tiffField{tag: tagCompression, long: compression})
		if got, err := tiffMemory(file, image.Config{Width: 2480, Height: 3508}); err != nil || (got < maxMemory) != ok {
			t.Errorf("one strip with compression %d: %d bytes, %v", compression, got, err)
		}
	}
}

// scans returns a progressive JPEG with many passes over the whole picture,
// each of a few bytes.
func scans(t testing.TB, side uint16, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	out.Write([]byte{0xff, markerSOI})
	put := func(marker byte, body []byte) {
		out.Write(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2)))
		out.Write(body)
	}
	put(markerSOF2, frame(side, side, 0x11, 0x11, 0x11))
	// One code of one bit: a run of 2^14 blocks that end (T.81 section G.1.2.2).
	put(0xc4, append(append([]byte{0x10, 1}, make([]byte, 15)...), 0xe0))
	blocks := (int(side) + 7) / 8 * ((int(side) + 7) / 8)
	scan := make([]byte, (blocks/(1<<14)+1)*15/8+1) // each run is 15 zero bits
	for i := 0; out.Len() < size; i++ {
		put(markerSOS, []byte{1, byte(i%3 + 1), 0, 1, 63, 0})
		out.Write(scan)
	}
	out.Write([]byte{0xff, 0xd9})
	return out.Bytes()
}

func TestManyScansEndWithTheContext(t *testing.T) {
	file := scans(t, 2500, MaxUpload-100)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := NewDecoder().Decode(ctx, bytes.NewReader(file))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a JPEG of %d bytes in scans: %v, want the deadline", len(file), err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("ended %v after the start, want soon after 300 ms", took)
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken line")
	r := io.MultiReader(strings.NewReader("\x89PNG"), iotest.ErrReader(broken))
	if _, err := NewDecoder().Decode(t.Context(), r); !errors.Is(err, broken) || !strings.Contains(err.Error(), "after 4 bytes") {
		t.Errorf("error %v", err)
	}
	if p, err := NewDecoder().Decode(t.Context(), iotest.OneByteReader(bytes.NewReader(asPNG(t, corners(8, 8))))); err != nil || p.Width != 8 {
		t.Errorf("byte by byte: %v", err)
	}
}

// While uploads that stall hold all places, others wait and end with their
// context; when one leaves, the next goes on.
func TestPlacesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDecoder()
		file := asPNG(t, corners(8, 8))
		var writers []*io.PipeWriter
		done := make(chan error, uploads)
		for range uploads {
			r, w := io.Pipe()
			writers = append(writers, w)
			go func() {
				_, err := d.Decode(t.Context(), r)
				done <- err
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := d.Decode(ctx, bytes.NewReader(file)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with all places taken: %v, want the deadline", err)
		}
		writers[0].CloseWithError(errors.New("gone"))
		if err := <-done; err == nil || !strings.Contains(err.Error(), "gone") {
			t.Errorf("stalled upload: %v", err)
		}
		if _, err := d.Decode(t.Context(), bytes.NewReader(file)); err != nil {
			t.Errorf("with a place free: %v", err)
		}
		for _, w := range writers[1:] {
			w.Write(file)
			w.Close()
			if err := <-done; err != nil {
				t.Errorf("slow upload: %v", err)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	img := corners(24, 16)
	for _, file := range [][]byte{asPNG(f, img), asGIF(f, img), asJPEG(f, img), asTIFF(f, img, nil),
		asTIFF(f, img, &tiff.Options{Compression: tiff.Deflate}), segment(asJPEG(f, img), markerAPP1, exif(6)),
		headerOnly(markerSOF2, frame(3000, 3000, 0x22, 0x11, 0x11))} {
		f.Add(file)
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := d.Decode(t.Context(), bytes.NewReader(file))
		if err != nil {
			if _, told := err.(interface{ Template() string }); !told {
				t.Fatalf("no sentence for people: %v", err)
			}
			return
		}
		if p.Width < 1 || p.Width > Side || p.Height < 1 || p.Height > Side || len(p.Hash) != 64 {
			t.Fatalf("result %d x %d, hash %q", p.Width, p.Height, p.Hash)
		}
	})
}
