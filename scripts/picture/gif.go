//go:build e2e

package main

import (
	"image"
	"image/color"
	"image/gif"
	"os"
	"slices"
	"time"
)

// animation is a GIF of which each frame has only what changed.
type animation struct {
	frames []image.Image
	taken  []time.Time
}

// add adds a frame, unless nothing changed since the last one.
func (a *animation) add(frame image.Image, at time.Time) {
	if n := len(a.frames); n > 0 && changed(a.frames[n-1], frame).Empty() {
		return
	}
	a.frames, a.taken = append(a.frames, frame), append(a.taken, at)
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
	colours := a.palette()
	var out gif.GIF
	nearest := map[color.RGBA]uint8{}
	for i, frame := range a.frames {
		part := frame.Bounds()
		if i > 0 {
			part = changed(a.frames[i-1], frame)
		}
		drawn := image.NewPaletted(part, colours)
		for y := part.Min.Y; y < part.Max.Y; y++ {
			for x := part.Min.X; x < part.Max.X; x++ {
				c := rounded(frame.At(x, y))
				index, known := nearest[c]
				if !known {
					index = uint8(colours.Index(c))
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

// palette are the 256 most frequent colours of all frames: the page has few.
func (a *animation) palette() color.Palette {
	count := map[color.RGBA]int{}
	for _, frame := range a.frames {
		for y := frame.Bounds().Min.Y; y < frame.Bounds().Max.Y; y += 2 {
			for x := frame.Bounds().Min.X; x < frame.Bounds().Max.X; x += 2 {
				count[rounded(frame.At(x, y))]++
			}
		}
	}
	all := make([]color.RGBA, 0, len(count))
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range all[:min(256, len(all))] {
		palette = append(palette, c)
	}
	return palette
}

// rounded is a colour without differences too small to see.
func rounded(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	step := func(v uint32) uint8 { return uint8(v>>8) &^ 3 }
	return color.RGBA{step(r) | 3, step(g) | 3, step(b) | 3, 255}
}
