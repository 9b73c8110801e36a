package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"testing"
)

// TestFirstFrameOnItsScreen: a first frame that covers a part of the screen
// stands at its place, on white, also in a large picture.
func TestFirstFrameOnItsScreen(t *testing.T) {
	for _, scale := range []int{1, 3, 20} {
		frame := image.NewPaletted(image.Rect(50*scale, 0, 100*scale, 40*scale), color.Palette{color.RGBA{255, 0, 0, 255}})
		var b bytes.Buffer
		err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 100 * scale, Height: 80 * scale, ColorModel: color.Palette{color.Black, color.White}}})
		if err != nil {
			t.Fatal(err)
		}
		p, got := decode(t, b.Bytes())
		if side := min(100*scale, Side); p.Width != side || p.Height != side*8/10 || letters(got) != "wrww" {
			t.Errorf("%d times: %d x %d %s, want %d x %d wrww", scale, p.Width, p.Height, letters(got), side, side*8/10)
		}
	}
}

// TestLongAnimation: only the first frame of a GIF is read, however many follow
// and whatever is wrong with them.
func TestLongAnimation(t *testing.T) {
	colors := color.Palette{color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}}
	g := &gif.GIF{}
	for i := range 5000 {
		f := image.NewPaletted(image.Rect(0, 0, 600, 600), colors)
		if i > 0 {
			f = image.NewPaletted(image.Rect(i%590, 0, i%590+9, 9), colors)
			f.Pix[0] = 1
		}
		g.Image, g.Delay = append(g.Image, f), append(g.Delay, 1)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"whole": b.Bytes(), "cut": b.Bytes()[:b.Len()/2], "damaged behind the first frame": append(bytes.Clone(b.Bytes()[:b.Len()/2]), bytes.Repeat([]byte{0x2c, 0xff}, 1000)...)} {
		if p, got := decode(t, file); p.Width != Side || p.Height != Side || letters(got) != "rrrr" {
			t.Errorf("%s: %d x %d %s", name, p.Width, p.Height, letters(got))
		}
	}
}

// TestProgressive: a progressive JPEG is the same picture.
func TestProgressive(t *testing.T) {
	p, img := decode(t, progressive(t))
	if p.Width != 64 || p.Height != 48 {
		t.Errorf("%d x %d", p.Width, p.Height)
	}
	for _, at := range []image.Point{{2, 2}, {61, 45}, {32, 24}} {
		r, g, b, _ := img.At(at.X, at.Y).RGBA()
		if max(r, g, b)-min(r, g, b) > 0x400 || r>>8 < 190 || r>>8 > 194 {
			t.Errorf("%v: got %d %d %d, want 192 grey", at, r>>8, g>>8, b>>8)
		}
	}
}

// progressive returns a progressive JPEG of 64 x 48 pixels, all of them grey
// 192, whose DC coefficients come in two scans (T.81 sections G.1.1 and G.1.2.1).
func progressive(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	out.Write([]byte{0xff, markerSOI})
	put := func(marker byte, body []byte) {
		out.Write(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2)))
		out.Write(body)
	}
	put(0xdb, append([]byte{0}, bytes.Repeat([]byte{16}, 64)...))
	put(markerSOF2, frame(64, 48, 0x11))
	put(0xc4, append(append([]byte{0, 1, 1}, make([]byte, 14)...), 5, 0)) // code 0: five bits follow; code 10: no difference
	put(markerSOS, []byte{1, 1, 0, 0, 0, 0x01})
	bits := "0" + "10000" // 16, which is half of 32 times 16
	for range 8*6 - 1 {
		bits += "10"
	}
	for len(bits)%8 != 0 {
		bits += "1"
	}
	for ; bits != ""; bits = bits[8:] {
		var b byte
		for _, bit := range bits[:8] {
			b = b<<1 | byte(bit-'0')
		}
		out.WriteByte(b)
	}
	put(markerSOS, []byte{1, 1, 0, 0, 0, 0x10})
	out.Write(make([]byte, 6)) // a bit each
	out.Write([]byte{0xff, 0xd9})
	return out.Bytes()
}
