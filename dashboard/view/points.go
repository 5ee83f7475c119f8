package view

import (
	"time"

	"logstream/internal/event"
)

// MaxPoints is the most that a history is reduced to.
const MaxPoints = 500

// Point is one observation in a chart.
type Point struct {
	At        time.Time    `json:"t"`
	Status    event.Status `json:"status"`
	LatencyMS float64      `json:"latency_ms"`
}

// Points are what our own check saw within window before now, reduced to at
// most MaxPoints: of each slot of time the worst observation, the slowest
// where several are as bad. Nothing is averaged.
func (f *History) Points(key Key, window time.Duration, now time.Time) []Point {
	s := f.series[key]
	if s == nil {
		return nil
	}
	seen := s.points[s.from(now.Add(-window)):]
	if len(seen) > MaxPoints {
		seen = reduce(seen)
	}
	points := make([]Point, len(seen))
	for i, p := range seen {
		points[i] = Point{time.UnixMicro(p.at).UTC(), p.status, p.latencyMS}
	}
	return points
}

// reduce takes one point of each slot. Slots stand on the epoch, so that a
// point doesn't change its slot as time goes by.
func reduce(seen []point) []point {
	span := seen[len(seen)-1].at - seen[0].at
	width := span/(MaxPoints-1) + 1
	var kept []point
	slot := int64(-1)
	for _, p := range seen {
		if in := p.at / width; in != slot {
			slot = in
			kept = append(kept, p)
		} else if worse(p, kept[len(kept)-1]) {
			kept[len(kept)-1] = p
		}
	}
	return kept
}

func worse(a, b point) bool {
	if badness(a.status) != badness(b.status) {
		return badness(a.status) > badness(b.status)
	}
	return a.latencyMS > b.latencyMS
}

func badness(s event.Status) int {
	switch s {
	case event.Down:
		return 2
	case event.Degraded:
		return 1
	}
	return 0
}
