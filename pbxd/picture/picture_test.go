package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"

	"golang.org/x/image/tiff"
)

func decode(t testing.TB, file []byte) (Picture, image.Image) {
	t.Helper()
	p, err := NewDecoder().Decode(t.Context(), bytes.NewReader(file))
	if err != nil {
		t.Fatalf("Decode of %d bytes: %v", len(file), err)
	}
	img, err := jpeg.Decode(bytes.NewReader(p.JPEG))
	if err != nil {
		t.Fatalf("the result is no JPEG: %v", err)
	}
	if sum := sha256.Sum256(p.JPEG); p.Hash != hex.EncodeToString(sum[:]) {
		t.Errorf("Hash = %q, want %x", p.Hash, sum)
	}
	if b := img.Bounds(); p.Width != b.Dx() || p.Height != b.Dy() {
		t.Errorf("says %d x %d, is %v", p.Width, p.Height, b)
	}
	return p, img
}

// letters returns the colours of the four corners, in reading order: r, g, b,
// y, w (white), k (black) or ?.
func letters(img image.Image) string {
	b := img.Bounds()
	x0, x1, y0, y1 := b.Dx()/8, b.Dx()-1-b.Dx()/8, b.Dy()/8, b.Dy()-1-b.Dy()/8
	var s []byte
	for _, p := range []image.Point{{x0, y0}, {x1, y0}, {x0, y1}, {x1, y1}} {
		r, g, bl, _ := img.At(p.X, p.Y).RGBA()
		bits := r>>15<<2 | g>>15<<1 | bl>>15
		s = append(s, "kbg?r?yw"[bits])
	}
	return string(s)
}

func TestEveryFormat(t *testing.T) {
	img := corners(640, 400)
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"PNG", asPNG(t, img)},
		{"GIF, first of two frames", asGIF(t, img)},
		{"JPEG", asJPEG(t, img)},
		{"TIFF", asTIFF(t, img, nil)},
		{"TIFF deflate with predictor", asTIFF(t, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})},
	} {
		p, got := decode(t, c.file)
		if p.Width != 320 || p.Height != 200 || letters(got) != "rgby" {
			t.Errorf("%s: %d x %d with corners %s, want 320 x 200 with rgby", c.name, p.Width, p.Height, letters(got))
		}
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{320, 320, 320, 320},
		{1, 1, 1, 1},         // never enlarged
		{300, 200, 300, 200}, // never enlarged
		{321, 321, 320, 320},
		{640, 480, 320, 240},
		{480, 640, 240, 320},
		{1279, 1279, 320, 320},
		{1280, 720, 320, 180},
		{3000, 2000, 320, 213},
		{6000, 1, 320, 1},
		{1, 6000, 1, 320},
		{6000, 40, 320, 2},
	} {
		if p, _ := decode(t, asPNG(t, image.NewGray(image.Rect(0, 0, c.w, c.h)))); p.Width != c.wantW || p.Height != c.wantH {
			t.Errorf("%d x %d becomes %d x %d, want %d x %d", c.w, c.h, p.Width, p.Height, c.wantW, c.wantH)
		}
	}
}

func TestTransparencyIsWhite(t *testing.T) {
	img := corners(800, 800)
	for i := 3; i < len(img.Pix)/2; i += 4 {
		img.Pix[i] = 0
	}
	if _, got := decode(t, asPNG(t, img)); letters(got) != "wwby" {
		t.Errorf("corners %s, want the upper half white", letters(got))
	}
	if _, got := decode(t, asTIFF(t, img, nil)); letters(got) != "wwby" {
		t.Errorf("TIFF: corners %s, want the upper half white", letters(got))
	}
}

// Every kind of image that a decoder returns is drawn, also one that does not
// begin at the origin.
func TestEveryColorModel(t *testing.T) {
	bounds := image.Rect(7, 5, 707, 505)
	ycc := func(r image.YCbCrSubsampleRatio) image.Image {
		m := image.NewYCbCr(bounds, r)
		for i := range m.Y {
			m.Y[i] = 76
		}
		for i := range m.Cb {
			m.Cb[i], m.Cr[i] = 85, 255
		}
		return m
	}
	filled := func(m draw.Image) image.Image {
		draw.Draw(m, bounds, image.NewUniform(color.RGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
		return m
	}
	for name, img := range map[string]image.Image{
		"RGBA": filled(image.NewRGBA(bounds)), "NRGBA": filled(image.NewNRGBA(bounds)), "RGBA64": filled(image.NewRGBA64(bounds)), "NRGBA64": filled(image.NewNRGBA64(bounds)),
		"CMYK": filled(image.NewCMYK(bounds)), "paletted": filled(image.NewPaletted(bounds, color.Palette{color.White, color.RGBA{255, 0, 0, 255}})),
		"4:4:4": ycc(image.YCbCrSubsampleRatio444), "4:2:2": ycc(image.YCbCrSubsampleRatio422), "4:2:0": ycc(image.YCbCrSubsampleRatio420),
		"4:4:0": ycc(image.YCbCrSubsampleRatio440), "4:1:1": ycc(image.YCbCrSubsampleRatio411), "4:1:0": ycc(image.YCbCrSubsampleRatio410),
	} {
		got, err := fit(t.Context(), img, img.Bounds())
		if err != nil || letters(got) != "rrrr" || got.Bounds() != image.Rect(0, 0, 320, 229) {
			t.Errorf("%s: %v %s, %v", name, got.Bounds(), letters(got), err)
		}
	}
	for name, img := range map[string]draw.Image{"Gray": image.NewGray(bounds), "Gray16": image.NewGray16(bounds)} {
		draw.Draw(img, image.Rect(7, 5, 707, 255), image.White, image.Point{}, draw.Src)
		if got, err := fit(t.Context(), img, img.Bounds()); err != nil || letters(got) != "wwkk" {
			t.Errorf("%s: %s, %v", name, letters(got), err)
		}
	}
}

// A fine pattern must become its mean, not one of its colours.
func TestScalingAverages(t *testing.T) {
	for _, side := range []int{1280, 2000, 3200} {
		img := image.NewGray(image.Rect(0, 0, side, side))
		for i := range img.Pix {
			img.Pix[i] = uint8((i%side + i/side) % 2 * 255)
		}
		_, got := decode(t, asPNG(t, img))
		y, _, _, _ := got.At(160, 160).RGBA()
		if g := int(y >> 8); g < 110 || g > 145 {
			t.Errorf("%d pixels: a checkerboard becomes %d, want about 128", side, g)
		}
	}
}

func TestOrientation(t *testing.T) {
	// What is upright when turned is stored so that each value shows rgby.
	want := []string{"rgby", "rgby", "gryb", "ybgr", "byrg", "rbgy", "bryg", "ygbr", "gyrb", "rgby"}
	plain := asJPEG(t, corners(640, 400))
	for o, corners := range want {
		p, img := decode(t, segment(plain, markerAPP1, exif(uint16(o))))
		w, h := 320, 200
		if o >= 5 && o <= 8 {
			w, h = h, w
		}
		if p.Width != w || p.Height != h || letters(img) != corners {
			t.Errorf("orientation %d: %d x %d %s, want %d x %d %s", o, p.Width, p.Height, letters(img), w, h, corners)
		}
		if bytes.Contains(p.JPEG, []byte("Exif")) {
			t.Errorf("orientation %d: EXIF data is kept", o)
		}
	}
	rgb := make([]byte, 64*40*3)
	for i := range 64 * 20 { // upper half red, lower half black
		rgb[3*i] = 255
	}
	for o, corners := range map[uint16]string{1: "rrkk", 3: "kkrr", 6: "krkr", 8: "rkrk"} {
		file := tiffFile(rgb, tiffField{tag: 256, long: 64}, tiffField{tag: 257, long: 40}, tiffField{tag: tagBitsPerSample, shorts: []uint16{8, 8, 8}},
			tiffField{tag: tagCompression, long: 1}, tiffField{tag: tagPhotometric, long: 2}, tiffField{tag: 273, long: 8},
			tiffField{tag: tagOrientation, shorts: []uint16{o}}, tiffField{tag: 277, long: 3}, tiffField{tag: tagRowsPerStrip, long: 40}, tiffField{tag: 279, long: uint32(len(rgb))})
		if _, img := decode(t, file); letters(img) != corners {
			t.Errorf("TIFF orientation %d: %s, want %s", o, letters(img), corners)
		}
	}
}

func TestMetadataIsDropped(t *testing.T) {
	const secret = "GPS 48.137 11.575"
	file := segment(asJPEG(t, corners(64, 64)), markerAPP1, append(exif(1), secret...))
	file = segment(file, 0xfe, []byte(secret)) // comment
	p, _ := decode(t, file)
	if bytes.Contains(p.JPEG, []byte(secret)) {
		t.Error("metadata of the upload is in the stored picture")
	}
	q, _ := decode(t, asJPEG(t, corners(64, 64)))
	if p.Hash != q.Hash {
		t.Error("metadata changes the stored picture")
	}
}

func TestSubImageOfGIF(t *testing.T) {
	frame := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.White, color.RGBA{255, 0, 0, 255}})
	for i := range frame.Pix {
		frame.Pix[i] = 1
	}
	if p, got := decode(t, asGIF(t, frame)); p.Width != 40 || p.Height != 30 || letters(got) != "rrrr" {
		t.Errorf("%d x %d %s, want 40 x 30 rrrr", p.Width, p.Height, letters(got))
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"JPEG 12 MP", asJPEG(b, corners(4000, 3000))},
		{"PNG 12 MP", asPNG(b, corners(4000, 3000))},
		{"PNG 24 MP", pngChunks(b, 6000, 4000, 8, 6, 0, 6000*4+1, 4000)},
		{"PNG 12 MP of 16 bits", pngChunks(b, 4000, 3000, 16, 6, 0, 4000*8+1, 3000)},
		{"GIF 12 MP", asGIF(b, image.NewPaletted(image.Rect(0, 0, 4000, 3000), color.Palette{color.White}))},
		{"JPEG 0.3 MP", asJPEG(b, corners(640, 480))},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			d := NewDecoder()
			for b.Loop() {
				if _, err := d.Decode(context.Background(), bytes.NewReader(c.file)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
