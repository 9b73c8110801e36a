// Package picture makes the pictures of users and contacts out of what people
// upload: PNG, GIF (its first frame), TIFF and JPEG become one JPEG that fits
// into Side by Side pixels, upright, without metadata, on white.
//
// An upload is the work of a stranger. The format is found from the content,
// dimensions and the memory that decoding will need are known from the headers
// before anything is decoded, one picture is decoded at a time, and decoding
// ends with its context.
package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"runtime/debug"
	"time"
)

// Limits of what is decoded and the form in which it is kept.
const (
	MaxUpload    = 5_000_000        // bytes of a file
	MaxSide      = 6000             // pixels
	MaxPixels    = 24_000_000       // width times height
	MaxTime      = 20 * time.Second // of decoding one picture, waiting not counted
	Side         = 320              // pixels that width and height of the result have at most
	quality      = 85               // of the result's JPEG, 1 to 100
	maxMemory    = 92 << 20         // bytes that decoding one picture may need at a time
	uploads      = 2                // files in memory at a time: one being decoded, one being read
	returnMemory = 16 << 20         // bytes of decoding from which on memory is given back before and after
)

// Picture is the one form in which a picture is stored and sent.
type Picture struct {
	JPEG   []byte // baseline JPEG without metadata
	Width  int    // pixels, 1 to Side
	Height int    // pixels, 1 to Side
	Hash   string // SHA-256 of JPEG, 64 lowercase hexadecimal digits
}

// Decoder decodes one picture at a time, so that many uploads at once need no
// more memory than one: under 120 MB together. The device has one Decoder.
type Decoder struct {
	reading  chan struct{} // a token for each file in memory
	decoding chan struct{} // the token of the one that is decoded
}

// NewDecoder returns a Decoder that is ready.
func NewDecoder() *Decoder {
	return &Decoder{reading: make(chan struct{}, uploads), decoding: make(chan struct{}, 1)}
}

// Decode reads a file of at most MaxUpload bytes from r and makes a Picture of
// it. It waits while others are decoded. The errors for people are
// TooLargeError, FormatError, DimensionsError, DamagedError, UnsupportedError
// and TimeError; others wrap what r or ctx said. The caller bounds the time
// that r takes, for HTTP with a read deadline: a slow one holds one of two
// places.
func (d *Decoder) Decode(ctx context.Context, r io.Reader) (Picture, error) {
	select {
	case d.reading <- struct{}{}:
		defer func() { <-d.reading }()
	case <-ctx.Done():
		return Picture{}, fmt.Errorf("wait to read a picture: %w", ctx.Err())
	}
	file, err := readFile(ctx, r)
	if err != nil {
		return Picture{}, err
	}
	k, err := kindOf(file)
	if err != nil {
		return Picture{}, err
	}
	need, err := k.admit(file)
	if err != nil {
		return Picture{}, err
	}
	select {
	case d.decoding <- struct{}{}:
		defer func() { <-d.decoding }()
	case <-ctx.Done():
		return Picture{}, fmt.Errorf("wait to decode a picture: %w", ctx.Err())
	}
	if need > returnMemory {
		// The collector would otherwise let this picture come on top of the
		// last one before it frees anything.
		debug.FreeOSMemory()
		defer debug.FreeOSMemory()
	}
	limited, cancel := context.WithTimeoutCause(ctx, MaxTime, TimeError{})
	defer cancel()
	small, err := k.shrink(limited, file)
	if err != nil {
		return Picture{}, err
	}
	return encode(orient(small, k.orientation(file)))
}

// readFile reads all of r, at most MaxUpload bytes. The buffer has its full
// size at once: pages that are not written cost nothing, outgrown buffers do.
func readFile(ctx context.Context, r io.Reader) ([]byte, error) {
	buf := make([]byte, 0, MaxUpload+1)
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read picture after %d bytes: %w", len(buf), err)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > MaxUpload:
			return nil, TooLargeError{}
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, fmt.Errorf("read picture after %d bytes: %w", len(buf), err)
		}
	}
}

func encode(img image.Image) (Picture, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return Picture{}, fmt.Errorf("encode picture of %d x %d pixels: %w", img.Bounds().Dx(), img.Bounds().Dy(), err)
	}
	sum := sha256.Sum256(out.Bytes())
	return Picture{out.Bytes(), img.Bounds().Dx(), img.Bounds().Dy(), hex.EncodeToString(sum[:])}, nil
}
