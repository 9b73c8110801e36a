package picture

import (
	"context"
	"image"
	stddraw "image/draw"

	"golang.org/x/image/draw"
)

// fit puts img, as it lies on the screen, on white and scales the screen to fit
// into Side by Side pixels. It never enlarges. Large pictures are first averaged to about twice the size:
// the scaler's own memory grows with the height of what it is given, 61 MB for
// 6000 rows.
func fit(ctx context.Context, img image.Image, screen image.Rectangle) (*image.RGBA, error) {
	w, h := screen.Dx(), screen.Dy()
	longest := max(w, h)
	divisor := max(1, longest/(2*Side))
	reduced, err := average(ctx, img, screen, max(1, w/divisor), max(1, h/divisor))
	if err != nil || longest <= Side {
		return reduced, err
	}
	round := func(n int) int { return max(1, (n*Side+longest/2)/longest) }
	out := image.NewRGBA(image.Rect(0, 0, round(w), round(h)))
	draw.CatmullRom.Scale(out, out.Bounds(), reduced, reduced.Bounds(), draw.Src, nil)
	return out, nil
}

// average returns the part from of img on white with w by h pixels, which are
// not more than it has: each is the mean of its share of the source.
func average(ctx context.Context, img image.Image, from image.Rectangle, w, h int) (*image.RGBA, error) {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	band := image.NewRGBA(image.Rect(0, 0, from.Dx(), (from.Dy()-1)/h+1))
	sums := make([][3]uint32, w)
	for y := range h {
		if ctx.Err() != nil {
			return nil, interrupted(ctx)
		}
		top, bottom := y*from.Dy()/h, (y+1)*from.Dy()/h
		rows := image.Rect(0, 0, from.Dx(), bottom-top)
		stddraw.Draw(band, rows, image.White, image.Point{}, stddraw.Src)
		stddraw.Draw(band, rows, img, from.Min.Add(image.Pt(0, top)), stddraw.Over)
		clear(sums)
		for row := range bottom - top {
			pix := band.Pix[row*band.Stride:]
			for x := range w {
				s := &sums[x]
				for i := x * from.Dx() / w * 4; i < (x+1)*from.Dx()/w*4; i += 4 {
					s[0] += uint32(pix[i])
					s[1] += uint32(pix[i+1])
					s[2] += uint32(pix[i+2])
				}
			}
		}
		for x, s := range sums {
			n := uint32((x+1)*from.Dx()/w-x*from.Dx()/w) * uint32(bottom-top)
			p := out.Pix[out.PixOffset(x, y):]
			p[0], p[1], p[2], p[3] = uint8((s[0]+n/2)/n), uint8((s[1]+n/2)/n), uint8((s[2]+n/2)/n), 0xff
		}
	}
	return out, nil
}

// orient turns img upright. The values are those of EXIF: where the first row
// and the first column of what is stored belong (EXIF 2.32 section 4.6.4 A,
// tag 0x0112).
func orient(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	// from returns the place in img of a pixel of the result.
	var from func(x, y int) (int, int)
	switch orientation {
	case 2: // first row at the top, first column at the right
		from = func(x, y int) (int, int) { return w - 1 - x, y }
	case 3: // bottom, right
		from = func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 4: // bottom, left
		from = func(x, y int) (int, int) { return x, h - 1 - y }
	case 5: // first row at the left, first column at the top
		from = func(x, y int) (int, int) { return y, x }
	case 6: // right, top
		from = func(x, y int) (int, int) { return y, h - 1 - x }
	case 7: // right, bottom
		from = func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }
	case 8: // left, bottom
		from = func(x, y int) (int, int) { return w - 1 - y, x }
	default:
		return img
	}
	ow, oh := w, h
	if orientation >= 5 {
		ow, oh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, ow, oh))
	for y := range oh {
		for x := range ow {
			out.SetRGBA(x, y, img.RGBAAt(from(x, y)))
		}
	}
	return out
}
