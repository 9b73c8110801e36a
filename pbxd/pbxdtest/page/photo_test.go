package page_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// halves is a picture of 400 by 300 pixels, red on the left and blue on the
// right.
func halves() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	for x := range 400 {
		for y := range 300 {
			c := color.RGBA{220, 20, 20, 255}
			if x >= 200 {
				c = color.RGBA{20, 20, 220, 255}
			}
			img.Set(x, y, c)
		}
	}
	return img
}

// picture writes halves as PNG.
func picture(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, halves()); err != nil {
		t.Fatal(err)
	}
	return written(t, "eva.png", b.Bytes())
}

// photograph writes halves as JPEG with the EXIF orientation 6: the camera was
// held upright, so what is stored on the left is on top.
func photograph(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, halves(), nil); err != nil {
		t.Fatal(err)
	}
	const orientation, short, rotated = 0x0112, 3, 6 // tag, type and value (TIFF 6.0)
	le := binary.LittleEndian
	exif := append([]byte("Exif\x00\x00II*\x00"), 8, 0, 0, 0, 1, 0)
	exif = le.AppendUint16(le.AppendUint16(exif, orientation), short)
	exif = le.AppendUint32(le.AppendUint32(exif, 1), rotated)
	exif = le.AppendUint32(exif, 0)
	app1 := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2)), exif...)
	return written(t, "photo.jpg", slices.Insert(b.Bytes(), 2, app1...)) // behind the start of the image
}

func written(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
