package picture

import (
	"bytes"
	"encoding/binary"
	"image"
)

// JPEG markers (ITU-T T.81 table B.1). Each follows 0xff.
const (
	markerSOF0  = 0xc0 // baseline
	markerSOF2  = 0xc2 // progressive
	markerSOI   = 0xd8
	markerSOS   = 0xda
	markerAPP1  = 0xe1 // EXIF
	markerAPP14 = 0xee // Adobe
)

// jpegMemory bounds the memory of decoding. It takes every place in the file
// that a decoder could read as the frame header of a picture of these
// dimensions and counts the most expensive one, so it does not depend on
// finding the same segments as the decoder.
func jpegMemory(file []byte, c image.Config) (need int64, err error) {
	rgb := mayBeRGB(file)
	for i := 0; ; i++ {
		n := bytes.IndexByte(file[i:], 0xff)
		if n < 0 || i+n+2 > len(file) {
			return need, nil
		}
		i += n
		if m := file[i+1]; m >= markerSOF0 && m <= markerSOF2 {
			need = max(need, frameMemory(file[i+2:], c, m == markerSOF2, rgb))
		}
	}
}

// frameMemory returns the bytes that the decoder holds for a frame whose
// header (T.81 section B.2.2) begins with segment, or 0 when it is not the
// header of a frame of these dimensions.
func frameMemory(segment []byte, c image.Config, progressive, rgb bool) int64 {
	const length, fixed, perComponent = 2, 6, 3
	if len(segment) < length+fixed {
		return 0
	}
	frame := segment[length:]
	height, width := int(binary.BigEndian.Uint16(frame[1:])), int(binary.BigEndian.Uint16(frame[3:]))
	components := int(frame[5])
	if width != c.Width || height != c.Height || components != 1 && components != 3 && components != 4 || len(frame) < fixed+perComponent*components {
		return 0
	}
	type component struct{ id, h, v int }
	var comps []component
	for p := frame[fixed : fixed+perComponent*components]; len(p) > 0; p = p[perComponent:] {
		comps = append(comps, component{int(p[0]), max(1, int(p[1]>>4)), max(1, int(p[1]&15))})
	}
	if components == 1 {
		comps[0].h, comps[0].v = 1, 1 // T.81 section A.2.2
	}
	// Each component has a whole number of blocks in each unit (MCU) of the
	// first one.
	across, down := int64((width-1)/(8*comps[0].h)+1), int64((height-1)/(8*comps[0].v)+1)
	var samples int64
	for _, k := range comps {
		samples += across * down * 64 * int64(k.h) * int64(k.v)
	}
	need := samples
	if progressive {
		need += 4 * samples // coefficients of all blocks, 32 bits each
	}
	named := components == 3 && comps[0].id == 'R' && comps[1].id == 'G' && comps[2].id == 'B'
	if components == 4 || components == 3 && (rgb || named) {
		need += 4 * int64(width) * int64(height) // converted afterwards
	}
	return need
}

// mayBeRGB reports whether an Adobe marker could say that three components are
// not YCbCr.
func mayBeRGB(file []byte) bool {
	const name, transformAt = "Adobe", 11
	for rest := file; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			return false
		}
		if i >= 4 && rest[i-4] == 0xff && rest[i-3] == markerAPP14 && len(rest) > i+transformAt && rest[i+transformAt] == 0 {
			return true
		}
		rest = rest[i+len(name):]
	}
}

// jpegOrientation returns the orientation in the EXIF segment, which comes
// before the first scan, or 1.
func jpegOrientation(file []byte) int {
	const exif = "Exif\x00\x00"
	if len(file) < 2 || file[1] != markerSOI {
		return 1
	}
	for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		if rest[1] == 0xff { // fill byte, T.81 section B.1.1.2
			rest = rest[1:]
			continue
		}
		marker, n := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		if marker == markerSOS || n < 2 || len(rest) < 2+n {
			return 1
		}
		if body, ok := bytes.CutPrefix(rest[4:2+n], []byte(exif)); ok && marker == markerAPP1 {
			return tiffOrientation(body)
		}
		rest = rest[2+n:]
	}
	return 1
}
