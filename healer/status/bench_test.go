package status

import (
	"testing"
	"time"
)

// BenchmarkTick is what each service costs ten times a second.
func BenchmarkTick(b *testing.B) {
	s := observe(New(watched(), nil, dawn), sighting{at: 1, who: "own", saw: up}, sighting{at: 2, who: "own", saw: up}, sighting{at: 3, who: "level", saw: up})
	now := clock(3)
	for b.Loop() {
		now = now.Add(time.Nanosecond)
		s.Tick(now)
	}
}
