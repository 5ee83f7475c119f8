package rollup

import (
	"time"

	"logstream/internal/event"
)

// bucket is what is known of one service between start and the end of its
// level's length. The durations are whole milliseconds.
type bucket struct {
	start              time.Time
	up, degraded, down time.Duration
	checks             int64
	latency            *event.Latency
}

// bucketOf is what a record says.
func bucketOf(r event.Rollup) *bucket {
	return &bucket{start: r.Start, up: duration(r.UpS), degraded: duration(r.DegradedS), down: duration(r.DownS), checks: r.Checks, latency: r.Latency}
}

// duration is a number of seconds, to the millisecond.
func duration(s float64) time.Duration { return time.Duration(s*1000+0.5) * time.Millisecond }

// add counts time in a status; in any but these three nothing is known.
func (b *bucket) add(status event.Status, lasted time.Duration) {
	switch status {
	case event.Up:
		b.up += lasted
	case event.Degraded:
		b.degraded += lasted
	case event.Down:
		b.down += lasted
	}
}

// observe counts a check of our own.
func (b *bucket) observe(h event.HealthLog) {
	b.checks++
	if h.Status != event.Down {
		b.latency = b.latency.Add(h.LatencyMS)
	}
}

// merge adds a bucket that lies within b.
func (b *bucket) merge(part *bucket) {
	b.up, b.degraded, b.down = b.up+part.up, b.degraded+part.degraded, b.down+part.down
	b.checks += part.checks
	b.latency = b.latency.Merge(part.latency)
}

func (b *bucket) isEmpty() bool { return b.up+b.degraded+b.down == 0 && b.checks == 0 }

// record is b as it is written.
func (b *bucket) record(service string, length time.Duration) event.Rollup {
	unknown := max(0, length-b.up-b.degraded-b.down)
	return event.Rollup{Service: service, Start: b.start.UTC(), UpS: b.up.Seconds(), DegradedS: b.degraded.Seconds(), DownS: b.down.Seconds(),
		UnknownS: unknown.Seconds(), Checks: b.checks, Latency: b.latency}
}
