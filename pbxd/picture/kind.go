package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/tiff"
)

// kind is one of the formats that are read.
type kind struct {
	name        string
	magic       []string // what a file of this kind begins with
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error)
	memory      func(file []byte, c image.Config) (int64, error) // upper bound of what decode holds at a time, bytes
	orientation func(file []byte) int                            // EXIF orientation, 1 to 8; 1 is upright
}

func kinds() []kind {
	upright := func([]byte) int { return 1 }
	return []kind{
		{"PNG", []string{"\x89PNG\r\n\x1a\n"}, png.DecodeConfig, png.Decode, pngMemory, upright},
		{"GIF", []string{"GIF87a", "GIF89a"}, gif.DecodeConfig, gif.Decode, gifMemory, upright},
		{"JPEG", []string{"\xff\xd8\xff"}, jpeg.DecodeConfig, jpeg.Decode, jpegMemory, jpegOrientation},
		{"TIFF", []string{"II*\x00", "MM\x00*"}, tiff.DecodeConfig, tiff.Decode, tiffMemory, tiffOrientation},
	}
}

// kindOf finds the format by how the file begins.
func kindOf(file []byte) (kind, error) {
	for _, k := range kinds() {
		for _, m := range k.magic {
			if bytes.HasPrefix(file, []byte(m)) {
				return k, nil
			}
		}
	}
	return kind{}, FormatError{}
}

// admit decides from the headers whether the picture is decoded, and returns
// the bytes that this needs.
func (k kind) admit(file []byte) (need int64, err error) {
	defer k.recovered(&err)
	c, err := k.config(bytes.NewReader(file))
	if err != nil {
		return 0, k.explain(err)
	}
	pixels := int64(c.Width) * int64(c.Height) // each fits 32 bits in every format
	if c.Width < 1 || c.Height < 1 || c.Width > MaxSide || c.Height > MaxSide || pixels > MaxPixels {
		return 0, DimensionsError{c.Width, c.Height, MaxPixels / 1e6}
	}
	need, err = k.memory(file, c)
	if err != nil {
		return 0, k.explain(err)
	}
	if need > maxMemory {
		// Rounded down, so that a picture of the size that is named gets in.
		fits := math.Floor(float64(pixels)/1e5*maxMemory/float64(need)) / 10
		return 0, DimensionsError{c.Width, c.Height, fits}
	}
	return need, nil
}

// shrink decodes the file and scales the picture down. What was decoded is
// garbage when it returns.
func (k kind) shrink(ctx context.Context, file []byte) (small *image.RGBA, err error) {
	defer k.recovered(&err)
	img, err := k.decode(&source{ctx, bytes.NewReader(file)})
	if ctx.Err() != nil {
		return nil, interrupted(ctx)
	}
	if err != nil {
		return nil, k.explain(err)
	}
	if img.Bounds().Empty() {
		return nil, DamagedError{k.name, errors.New("no pixels")}
	}
	c, err := k.config(bytes.NewReader(file))
	if err != nil {
		return nil, k.explain(err)
	}
	// The first frame of a GIF may cover a part of its screen; the rest shows through.
	return fit(ctx, img, image.Rect(0, 0, c.Width, c.Height))
}

// interrupted returns why ctx has ended.
func interrupted(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, TimeError{}) {
		return TimeError{}
	}
	return fmt.Errorf("decode picture: %w", ctx.Err())
}

// recovered makes an error of a panic: the decoders are not ours, and what
// they are fed is made to break them.
func (k kind) recovered(err *error) {
	if p := recover(); p != nil {
		*err = DamagedError{k.name, fmt.Errorf("decoder panicked: %v", p)}
	}
}

// explain tells damage from what is merely not supported.
func (k kind) explain(err error) error {
	var (
		pngErr  png.UnsupportedError
		jpegErr jpeg.UnsupportedError
		tiffErr tiff.UnsupportedError
	)
	if errors.As(err, &pngErr) || errors.As(err, &jpegErr) || errors.As(err, &tiffErr) {
		return UnsupportedError{k.name, err}
	}
	return DamagedError{k.name, err}
}

// readSize bounds one read, in bytes. A progressive JPEG can ask for a pass
// over the whole picture with a dozen bytes, so the context is looked at often.
const readSize = 512

// source is a file that ends when its context does.
type source struct {
	ctx  context.Context
	file *bytes.Reader
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.file.Read(p[:min(len(p), readSize)])
}

// ReadAt serves the TIFF decoder, which would otherwise copy the file.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.file.ReadAt(p, off)
}

// pngMemory is 4 bytes a pixel with 8 bits a sample, 8 with 16 bits (a tRNS
// chunk makes that of grey pictures, too) and 1 with a palette, and as much
// again for the passes of an interlaced picture.
func pngMemory(file []byte, c image.Config) (int64, error) {
	const depthAt, colorTypeAt, interlaceAt, end = 24, 25, 28, 29 // after signature, length, type, width, height
	if len(file) < end {
		return 0, io.ErrUnexpectedEOF
	}
	const paletted = 3
	perPixel := int64(4)
	switch {
	case file[colorTypeAt] == paletted:
		perPixel = 1
	case file[depthAt] == 16:
		perPixel = 8
	}
	if file[interlaceAt] != 0 {
		perPixel *= 2
	}
	return perPixel * int64(c.Width) * int64(c.Height), nil
}

// gifMemory is one byte a pixel of the screen, which bounds each frame, and as
// much again to put the rows of an interlaced frame in order.
func gifMemory(_ []byte, c image.Config) (int64, error) {
	return 2 * int64(c.Width) * int64(c.Height), nil
}
