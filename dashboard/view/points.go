package view

import (
	"math"
	"slices"
	"time"

	"logstream/internal/event"
)

const (
	// MaxPoints is the most that a history is reduced to.
	MaxPoints = 500
	// Longest is the longest window of a history.
	Longest = 366 * day
)

// Point is one observation in a chart, or what several together say: the worst
// status, and the median, least and most of the latencies that were measured.
type Point struct {
	At        time.Time    `json:"t"`
	Status    event.Status `json:"status"`
	LatencyMS float64      `json:"latency_ms"`
	MinMS     *float64     `json:"min_ms"` // null where nothing was measured, because it was DOWN
	MaxMS     *float64     `json:"max_ms"`
	Checks    int64        `json:"checks,omitempty"` // of a point that says what several did
	// How long it was in each status, of a point that is made of rollups.
	UpS       float64 `json:"up_s,omitempty"`
	DegradedS float64 `json:"degraded_s,omitempty"`
	DownS     float64 `json:"down_s,omitempty"`
	// SpanS is how many seconds from At on the point stands for; 0: a single check.
	SpanS float64 `json:"span_s,omitempty"`
}

// sample is what a point is made of: an observation, or a rollup.
type sample struct {
	at                       int64 // microseconds since the epoch
	status                   event.Status
	upMS, degradedMS, downMS int32
	weight                   int32 // checks
	lastsS                   int32 // a rollup's length
	medianMS, minMS, maxMS   float32
	measured                 bool
}

func (p point) sample() sample {
	s := sample{at: p.at, status: p.saw(), weight: 1, medianMS: p.latencyMS, minMS: p.latencyMS, maxMS: p.latencyMS}
	s.measured = s.status != event.Down
	return s
}

func (r rollup) sample() sample {
	s := sample{at: r.start * 1e6, status: event.Unknown, upMS: r.upMS, degradedMS: r.degradedMS, downMS: r.downMS, weight: r.checks,
		medianMS: r.medianMS, minMS: r.minMS, maxMS: r.maxMS, measured: r.measured}
	switch {
	case r.downMS > 0:
		s.status = event.Down
	case r.degradedMS > 0:
		s.status = event.Degraded
	case r.upMS > 0:
		s.status = event.Up
	}
	return s
}

// chartLevel is which rollups a window is made of.
func chartLevel(window time.Duration) int {
	switch {
	case window <= 48*time.Hour:
		return minutes
	case window <= 35*day:
		return hours
	}
	return days
}

// Span is a part of the log that is not remembered: the records of Service on
// Topic from Since on.
type Span struct {
	Key   Key
	Level int
	Since time.Time
}

// Unread is what has to be read before a history can be shown, if anything.
func (f *Fleet) Unread(name string, window time.Duration, now time.Time) (Span, bool) {
	key, is := f.find(name)
	level := chartLevel(window)
	since := now.Add(-window).Truncate(event.Levels[level].Length)
	return Span{key, level, since}, is && since.Before(now.Add(-RollupsKept[level]))
}

// Points are the chart of the service of that name within window before now,
// reduced to at most MaxPoints: what is older from rollups, what is recent from
// our own checks. read are the records of Unread.
func (f *Fleet) Points(name string, window time.Duration, now time.Time, read []event.Rollup) []Point {
	key, _ := f.find(name)
	level := chartLevel(window)
	series := f.rollups.of(key)
	if len(read) > 0 {
		series[level] = nil
		for _, r := range read {
			if r.Host == key.Host {
				series[level].take(level, r)
			}
		}
	}
	return chart(f.history.points(key, now.Add(-window)), series, window, now)
}

// chart puts checks and rollups together.
func chart(checks []point, series [levels]rolled, window time.Duration, now time.Time) []Point {
	level, begin := chartLevel(window), now.Add(-window)
	recent := time.Time{} // until then there are rollups, and checks are shown from then on
	for l := level; l >= minutes; l-- {
		recent = later(recent, series[l].end(event.Levels[l].Length))
	}
	if window <= HistoryKept && len(checks) > 0 { // from the first whole minute that was observed
		recent = time.UnixMicro(checks[0].at).Add(time.Minute - 1).Truncate(time.Minute)
	}
	samples := samplesOf(series, level, begin, recent)
	if len(samples) == 0 {
		recent = begin
	}
	for _, p := range checks {
		if at := time.UnixMicro(p.at); !at.Before(recent) {
			samples = append(samples, p.sample())
		}
	}
	if window <= HistoryKept {
		return reduce(samples, 0)
	}
	return reduce(samples, event.Levels[level].Length)
}

// samplesOf are the rollups that begin within a time: of the coarsest level as
// far as there are any, and shorter ones after them.
func samplesOf(series [levels]rolled, coarsest int, from, until time.Time) []sample {
	var samples []sample
	for level := coarsest; level >= minutes; level-- {
		for _, r := range series[level] {
			if start := time.Unix(r.start, 0); !start.Before(from) && start.Before(until) {
				s := r.sample()
				s.lastsS = int32(event.Levels[level].Length.Seconds())
				samples = append(samples, s)
			}
		}
		from = later(from, series[level].end(event.Levels[level].Length))
	}
	return samples
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// reduce makes one point of each slot of time, width long or as long as it takes
// for MaxPoints. Slots stand on the epoch, so that a sample doesn't change its
// slot as time goes by.
func reduce(samples []sample, width time.Duration) []Point {
	points := []Point{}
	if len(samples) == 0 {
		return points
	}
	slot := width.Microseconds()
	if span := samples[len(samples)-1].at - samples[0].at; len(samples) > MaxPoints || slot > 0 && span/slot >= MaxPoints {
		slot = max(slot, span/(MaxPoints-1)+1)
	}
	for len(samples) > 0 {
		n := 1
		for n < len(samples) && slot > 0 && samples[n].at/slot == samples[0].at/slot {
			n++
		}
		points = append(points, together(samples[:n]))
		samples = samples[n:]
	}
	return points
}

// together is what samples, one at least, say as one point.
func together(samples []sample) Point {
	p := Point{At: time.UnixMicro(samples[0].at).UTC(), Status: event.Unknown}
	var measured []sample
	if n := checksOf(samples); n > 1 {
		p.Checks = n
	}
	last := samples[len(samples)-1]
	p.SpanS = micros(float64(last.at-samples[0].at)/1e6 + float64(last.lastsS))
	least, most := math.Inf(1), 0.0
	for _, s := range samples {
		if badness(s.status) > badness(p.Status) {
			p.Status = s.status
		}
		p.UpS += float64(s.upMS) / 1000
		p.DegradedS += float64(s.degradedMS) / 1000
		p.DownS += float64(s.downMS) / 1000
		if s.measured {
			measured = append(measured, s)
			least, most = min(least, float64(s.minMS)), max(most, float64(s.maxMS))
		} else {
			p.LatencyMS = max(p.LatencyMS, micros(float64(s.medianMS))) // how long it took to see that it is DOWN
		}
	}
	p.UpS, p.DegradedS, p.DownS = micros(p.UpS), micros(p.DegradedS), micros(p.DownS)
	if len(measured) > 0 {
		least, most = micros(least), micros(most)
		p.LatencyMS, p.MinMS, p.MaxMS = micros(median(measured)), &least, &most
	}
	return p
}

func checksOf(samples []sample) (n int64) {
	for _, s := range samples {
		n += int64(s.weight)
	}
	return n
}

// median is the median of the samples' medians, each as often as it had checks.
func median(measured []sample) float64 {
	slices.SortFunc(measured, func(a, b sample) int { return int(math.Float32bits(a.medianMS)) - int(math.Float32bits(b.medianMS)) })
	var all, passed int64
	for _, s := range measured {
		all += int64(max(s.weight, 1))
	}
	for _, s := range measured {
		if passed += int64(max(s.weight, 1)); 2*passed >= all {
			return float64(s.medianMS)
		}
	}
	return 0
}

// micros takes from a number what a shorter one has no room for.
func micros(v float64) float64 { return math.Round(v*1000) / 1000 }

func badness(s event.Status) int {
	switch s {
	case event.Down:
		return 3
	case event.Degraded:
		return 2
	case event.Up:
		return 1
	}
	return 0
}
