package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"golang.org/x/image/tiff"
)

// TIFF 6.0 tags and values that say how much memory decoding needs.
const (
	tagBitsPerSample = 258
	tagCompression   = 259
	tagPhotometric   = 262
	tagOrientation   = 274 // 0x0112, the same in EXIF
	tagRowsPerStrip  = 278
	tagTileWidth     = 322
	tagTileLength    = 323

	photometricRGB = 2

	compressionNone = 1
	compressionG3   = 3
	compressionG4   = 4
)

// maxBlocks bounds the strips or tiles of one picture: each one starts a
// decompressor anew.
const maxBlocks = 16384

var errFields = errors.New("TIFF directory cannot be read")

// fields returns the first value of each field with an integer type in the
// first directory (TIFF 6.0 section 2).
func fields(file []byte) (map[uint16]int64, error) {
	if len(file) < 8 {
		return nil, errFields
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(file[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
	default:
		return nil, errFields
	}
	at := int64(order.Uint32(file[4:]))
	if at+2 > int64(len(file)) {
		return nil, errFields
	}
	entries := file[at+2:]
	const entrySize = 12
	n := int(order.Uint16(file[at:]))
	if len(entries) < n*entrySize {
		return nil, errFields
	}
	values := make(map[uint16]int64, n)
	for ; n > 0; n, entries = n-1, entries[entrySize:] {
		var size int64
		switch order.Uint16(entries[2:]) {
		case 1: // BYTE
			size = 1
		case 3: // SHORT
			size = 2
		case 4: // LONG
			size = 4
		}
		count := int64(order.Uint32(entries[4:]))
		if size == 0 || count == 0 {
			continue
		}
		value := entries[8:entrySize]
		if size*count > 4 {
			off := int64(order.Uint32(value))
			if off+size > int64(len(file)) {
				return nil, errFields
			}
			value = file[off:]
		}
		tag := order.Uint16(entries)
		switch size {
		case 1:
			values[tag] = int64(value[0])
		case 2:
			values[tag] = int64(order.Uint16(value))
		case 4:
			values[tag] = int64(order.Uint32(value))
		}
	}
	return values, nil
}

// tiffOrientation returns the orientation of a TIFF file or of an EXIF block,
// which has the same form, or 1.
func tiffOrientation(file []byte) int {
	f, err := fields(file)
	if o := f[tagOrientation]; err == nil && o >= 1 && o <= 8 {
		return int(o)
	}
	return 1
}

// tiffMemory bounds the memory of decoding: the picture, the strip or tile at
// hand and the decompressors that wait for the collector.
func tiffMemory(file []byte, c image.Config) (int64, error) {
	f, err := fields(file)
	if err != nil {
		return 0, err
	}
	width, height := int64(c.Width), int64(c.Height)
	perPixel := int64(1)
	if f[tagBitsPerSample] == 16 {
		perPixel = 2
	}
	if f[tagPhotometric] == photometricRGB {
		perPixel *= 4
	}
	blockWidth, blockHeight := width, height
	if w := f[tagTileWidth]; w != 0 {
		blockWidth, blockHeight = w, f[tagTileLength]
		const minTile, maxTile = 8, 1024 // beyond the picture itself; the decoder's own rules
		if blockWidth < minTile || blockHeight < minTile || blockWidth > max(width+16, maxTile) || blockHeight > max(height+16, maxTile) {
			return 0, fmt.Errorf("tiles of %d x %d pixels", blockWidth, blockHeight)
		}
	} else if r := f[tagRowsPerStrip]; r > 0 && r < height {
		blockHeight = r
	}
	blocks := ((width-1)/blockWidth + 1) * ((height-1)/blockHeight + 1)
	if blocks > maxBlocks {
		return 0, tiff.UnsupportedError(fmt.Sprintf("%d strips or tiles, more than %d", blocks, maxBlocks))
	}
	const growing = 3 // a buffer of twice what is needed, and the half from which it was copied
	picture := perPixel * width * height
	switch f[tagCompression] {
	case 0, compressionNone:
		return picture + int64(len(file)), nil
	case compressionG3, compressionG4: // yield one bit a pixel
		return picture + growing*(blockWidth/8+1)*blockHeight, nil
	}
	// The decoder lets a block inflate to 8 bytes a pixel, whatever it needs.
	const inflated, decompressor = 8, 64 << 10
	live := picture + growing*inflated*blockWidth*blockHeight
	return live + min(live, blocks*decompressor), nil
}
