package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"golang.org/x/image/tiff"
)

// corners returns a picture whose top left quarter is red, top right green,
// bottom left blue and bottom right yellow.
func corners(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{A: 255}
			switch left, top := x < w/2, y < h/2; {
			case left && top:
				c.R = 255
			case top:
				c.G = 255
			case left:
				c.B = 255
			default:
				c.R, c.G = 255, 255
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asTIFF(t testing.TB, img image.Image, o *tiff.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tiff.Encode(&b, img, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asGIF returns a GIF whose first frame is img and whose second is black.
func asGIF(t testing.TB, img image.Image) []byte {
	t.Helper()
	first := image.NewPaletted(img.Bounds(), palette.Plan9)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			first.Set(x, y, img.At(x, y))
		}
	}
	second := image.NewPaletted(img.Bounds(), palette.Plan9)
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{first, second}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngChunks writes a PNG of which only the header and the rows are there.
func pngChunks(t testing.TB, w, h, depth, colorType, interlace, rowBytes, rows int) []byte {
	t.Helper()
	out := bytes.NewBufferString("\x89PNG\r\n\x1a\n")
	chunk := func(name string, body []byte) {
		binary.Write(out, binary.BigEndian, uint32(len(body)))
		sum := crc32.NewIEEE()
		for _, part := range [][]byte{[]byte(name), body} {
			out.Write(part)
			sum.Write(part)
		}
		binary.Write(out, binary.BigEndian, sum.Sum32())
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(w))
	header = binary.BigEndian.AppendUint32(header, uint32(h))
	chunk("IHDR", append(header, byte(depth), byte(colorType), 0, 0, byte(interlace)))
	chunk("IDAT", deflated(t, rowBytes*rows))
	chunk("IEND", nil)
	return out.Bytes()
}

// deflated returns n zeros, compressed about 1000 to 1.
func deflated(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for ; n > 0; n -= len(zeros) {
		if _, err := z.Write(zeros[:min(n, len(zeros))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tiffField is one directory entry with one LONG, or as many SHORTs as given.
type tiffField struct {
	tag    uint16
	long   uint32
	shorts []uint16
}

// tiffFile writes a little-endian TIFF with one directory behind data, which
// begins at offset 8.
func tiffFile(data []byte, fs ...tiffField) []byte {
	le := binary.LittleEndian
	out := le.AppendUint32([]byte("II*\x00"), 0)
	out = append(out, data...)
	var dir []byte
	for _, f := range fs {
		if len(f.shorts) == 0 {
			dir = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(dir, f.tag), 4), 1), f.long)
			continue
		}
		at := uint32(len(out))
		for _, s := range f.shorts {
			out = le.AppendUint16(out, s)
		}
		if len(f.shorts) <= 2 {
			var inline [4]byte
			copy(inline[:], out[at:])
			out = out[:at]
			at = le.Uint32(inline[:])
		}
		dir = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(dir, f.tag), 3), uint32(len(f.shorts))), at)
	}
	le.PutUint32(out[4:], uint32(len(out)))
	out = le.AppendUint16(out, uint16(len(fs)))
	out = append(out, dir...)
	return append(out, 0, 0, 0, 0)
}

// segment inserts a JPEG segment behind the start-of-image marker.
func segment(file []byte, marker byte, body []byte) []byte {
	out := append([]byte{0xff, markerSOI, 0xff, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))...)
	return append(append(out, body...), file[2:]...)
}

// exif returns the body of an EXIF segment with an orientation.
func exif(orientation uint16) []byte {
	return append([]byte("Exif\x00\x00"), tiffFile(nil, tiffField{tag: tagOrientation, shorts: []uint16{orientation}})...)
}
