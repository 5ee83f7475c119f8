package view

import (
	"cmp"
	"slices"
	"time"

	"logstream/internal/event"
)

// The levels of rollups, as indexes of event.Levels.
const (
	minutes = iota
	hours
	days
	levels
)

// RollupsKept is how far back rollups are remembered, by level: as far as every
// uptime needs them. What else a chart shows is read when it is asked for.
var RollupsKept = [levels]time.Duration{65 * time.Minute, 8 * day, 32 * day}

const day = 24 * time.Hour

// rollup is a record as it is remembered, in 56 bytes: five hundred services have
// a hundred and fifty thousand of them.
type rollup struct {
	start                  int64 // seconds since the epoch
	epoch, revision        int64
	upMS, degradedMS       int32
	downMS, checks         int32
	medianMS, minMS, maxMS float32
	measured               bool
}

// Rollups folds event.Levels. It takes the records in any order, and each as
// often as it comes.
type Rollups struct {
	services map[Key]*[levels]rolled
}

// rolled are the records of one service and level, by start.
type rolled []rollup

// NewRollups is the fold of an empty log.
func NewRollups() *Rollups { return &Rollups{services: map[Key]*[levels]rolled{}} }

// Apply folds one record.
func (f *Rollups) Apply(level int, r event.Rollup) {
	key := Key{r.Host, r.Service}
	s := f.services[key]
	if s == nil {
		s = &[levels]rolled{}
		f.services[key] = s
	}
	s[level].take(level, r)
}

// take adds a record, or has it in place of the one that it supersedes.
func (s *rolled) take(level int, r event.Rollup) {
	if !r.Start.Equal(r.Start.Truncate(event.Levels[level].Length)) {
		return // not of this topic
	}
	ms := func(s float64) int32 { return int32(s*1000 + 0.5) }
	kept := rollup{start: r.Start.Unix(), epoch: r.Epoch, revision: r.Revision, upMS: ms(r.UpS), degradedMS: ms(r.DegradedS), downMS: ms(r.DownS),
		checks: int32(min(r.Checks, 1<<30))}
	if l := r.Latency; l != nil {
		kept.medianMS, kept.minMS, kept.maxMS, kept.measured = float32(l.P50), float32(l.Min), float32(l.Max), true
	}
	at, known := s.from(r.Start)
	switch {
	case !known:
		*s = slices.Insert(*s, at, kept)
	case r.Supersedes((*s)[at].epoch, (*s)[at].revision):
		(*s)[at] = kept
	}
}

// from is the index of the first that begins at or after t, and whether it
// begins at t.
func (s rolled) from(t time.Time) (int, bool) {
	return slices.BinarySearchFunc(s, t.Unix(), func(r rollup, start int64) int { return cmp.Compare(r.start, start) })
}

// after are those that end after t.
func (s rolled) after(t time.Time, length time.Duration) rolled {
	at, _ := s.from(t.Add(-length).Add(time.Second))
	return s[at:]
}

// end is when the newest of them ends; zero where there is none.
func (s rolled) end(length time.Duration) time.Time {
	if len(s) == 0 {
		return time.Time{}
	}
	return time.Unix(s[len(s)-1].start, 0).Add(length)
}

// Tick forgets what is too old.
func (f *Rollups) Tick(now time.Time) {
	for key, s := range f.services {
		left := 0
		for level := range s {
			if at, _ := s[level].from(now.Add(-RollupsKept[level])); at > 0 {
				s[level] = s[level][at:]
			}
			left += len(s[level])
		}
		if left == 0 {
			delete(f.services, key)
		}
	}
}

// Drop forgets a service that was removed.
func (f *Rollups) Drop(key Key) { delete(f.services, key) }

// of are the records of a service, none where nothing was read.
func (f *Rollups) of(key Key) [levels]rolled {
	if s := f.services[key]; s != nil {
		return *s
	}
	return [levels]rolled{}
}

// Known is for how long a service was known not to be DOWN, and to be DOWN.
type Known struct{ Good, Down time.Duration }

func (k Known) all() time.Duration { return k.Good + k.Down }

// Since is what rollups know of the time from an instant on, and until when they
// know it. Buckets of the coarsest level are used as far as there are any, and
// shorter ones after them. A bucket in which the time begins counts by the part of
// it that lies within.
func (f *Rollups) Since(key Key, from time.Time, coarsest int) (known Known, until time.Time) {
	series := f.of(key)
	until = from
	for level := coarsest; level >= minutes; level-- {
		length := event.Levels[level].Length
		for _, r := range series[level].after(until, length) {
			share := 1.0
			if outside := until.Sub(time.Unix(r.start, 0)); outside > 0 {
				share = 1 - float64(outside)/float64(length)
			}
			known.Good += time.Duration(share * float64(r.upMS+r.degradedMS) * float64(time.Millisecond))
			known.Down += time.Duration(share * float64(r.downMS) * float64(time.Millisecond))
		}
		if end := series[level].end(length); end.After(until) {
			until = end
		}
	}
	return known, until
}
