package rollup

import (
	"slices"
	"time"
)

// reach is how far apart two signs of life of an owner may be for the time
// between them to count as watched: a level is repeated each 30 s.
const reach = 45 * time.Second

// span is a time in which the owner of an epoch was watching.
type span struct {
	from, to time.Time
	epoch    int64
}

// watched is when owners were watching, by the signs of life that they gave. A
// sign of another epoch continues nothing: between two claims is a restart.
type watched []span

// alive takes a sign of life, in any order.
func (w *watched) alive(at time.Time, epoch int64) {
	for i := len(*w) - 1; i >= 0; i-- {
		s := &(*w)[i]
		if s.epoch != epoch || at.Before(s.from.Add(-reach)) || at.After(s.to.Add(reach)) {
			continue
		}
		s.from, s.to = earlier(s.from, at), later(s.to, at)
		w.join(i)
		return
	}
	*w = append(*w, span{at, at, epoch})
	slices.SortStableFunc(*w, func(a, b span) int { return a.from.Compare(b.from) })
}

// join merges the span at i, which grew, with those of its epoch that it reaches.
func (w *watched) join(i int) {
	grown := (*w)[i]
	*w = slices.DeleteFunc(*w, func(s span) bool {
		if s.epoch != grown.epoch || s.from.After(grown.to.Add(reach)) || s.to.Before(grown.from.Add(-reach)) {
			return false
		}
		grown.from, grown.to = earlier(grown.from, s.from), later(grown.to, s.to)
		return true
	})
	at, _ := slices.BinarySearchFunc(*w, grown.from, func(s span, from time.Time) int { return s.from.Compare(from) })
	*w = slices.Insert(*w, at, grown)
}

// within are the parts of a time that were watched, in order and apart.
func (w watched) within(from, to time.Time) []span {
	var parts []span
	for _, s := range w {
		part := span{later(s.from, from), earlier(s.to, to), s.epoch}
		if n := len(parts); n > 0 {
			part.from = later(part.from, parts[n-1].to) // two owners at once, while one takes over
		}
		if part.from.Before(part.to) {
			parts = append(parts, part)
		}
	}
	return parts
}

// forget drops what ended too long before at to be continued.
func (w *watched) forget(at time.Time) {
	*w = slices.DeleteFunc(*w, func(s span) bool { return s.to.Add(reach).Before(at) })
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
