//go:build e2e

package main

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"slices"
	"time"
)

const colours = 128 // of the palette: fewer of them make the file smaller

// animation is a GIF of which each frame has only what changed.
type animation struct {
	shots  []shot
	frames []image.Image
	taken  []time.Time
}

type shot struct {
	png []byte
	at  time.Time
}

// add adds a frame. It is decoded later, so that the next one is soon taken.
func (a *animation) add(png []byte, at time.Time) {
	a.shots = append(a.shots, shot{png, at})
}

// decode makes the frames, without those in which nothing changed.
func (a *animation) decode() error {
	for _, s := range a.shots {
		frame, err := png.Decode(bytes.NewReader(s.png))
		if err != nil {
			return err
		}
		if n := len(a.frames); n > 0 && changed(a.frames[n-1], frame).Empty() {
			continue
		}
		a.frames, a.taken = append(a.frames, frame), append(a.taken, s.at)
	}
	return nil
}

// changed is the smallest rectangle outside of which the two are alike.
func changed(before, after image.Image) image.Rectangle {
	var all image.Rectangle
	for y := after.Bounds().Min.Y; y < after.Bounds().Max.Y; y++ {
		for x := after.Bounds().Min.X; x < after.Bounds().Max.X; x++ {
			if before.At(x, y) != after.At(x, y) {
				all = all.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return all
}

// write writes the file: each frame is shown until the next was taken, and the
// last one for three seconds.
func (a *animation) write(path string) error {
	if err := a.decode(); err != nil {
		return err
	}
	palette := a.palette()
	var out gif.GIF
	nearest := map[color.RGBA]uint8{}
	for i, frame := range a.frames {
		part := frame.Bounds()
		if i > 0 {
			part = changed(a.frames[i-1], frame)
		}
		drawn := image.NewPaletted(part, palette)
		for y := part.Min.Y; y < part.Max.Y; y++ {
			for x := part.Min.X; x < part.Max.X; x++ {
				c := opaque(frame.At(x, y))
				index, known := nearest[c]
				if !known {
					index = uint8(palette.Index(c))
					nearest[c] = index
				}
				drawn.SetColorIndex(x, y, index)
			}
		}
		shown := 3 * time.Second
		if i+1 < len(a.frames) {
			shown = a.taken[i+1].Sub(a.taken[i])
		}
		out.Image, out.Delay = append(out.Image, drawn), append(out.Delay, int(shown/(10*time.Millisecond)))
		out.Disposal = append(out.Disposal, gif.DisposalNone)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return gif.EncodeAll(f, &out)
}

// palette are the most frequent colours of all frames, and no two of them alike: the
// page has few, and the rare ones among them say the most.
func (a *animation) palette() color.Palette {
	count := map[color.RGBA]int{}
	for _, frame := range a.frames {
		for y := frame.Bounds().Min.Y; y < frame.Bounds().Max.Y; y += 2 {
			for x := frame.Bounds().Min.X; x < frame.Bounds().Max.X; x += 2 {
				count[opaque(frame.At(x, y))]++
			}
		}
	}
	all := make([]color.RGBA, 0, len(count))
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range all {
		if len(palette) < colours && !slices.ContainsFunc(palette, func(known color.Color) bool { return alike(opaque(known), c) }) {
			palette = append(palette, c)
		}
	}
	return palette
}

// alike says whether two colours look the same in text and lines.
func alike(a, b color.RGBA) bool {
	const most = 6
	near := func(x, y uint8) bool { return max(x, y)-min(x, y) <= most }
	return near(a.R, b.R) && near(a.G, b.G) && near(a.B, b.B)
}

func opaque(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
}
