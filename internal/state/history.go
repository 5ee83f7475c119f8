package state

import (
	"math"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/text"
)

const (
	// HistoryKept is how far back observations are remembered.
	HistoryKept = time.Hour
	// MaxPoints is the most that a history is reduced to.
	MaxPoints = 500
	// MaxUnmanaged is how many names are shown that nobody configured.
	MaxUnmanaged = 1000

	maxPointsKept   = 40_000 // of one service: an hour of checks each 100 ms, and more
	maxObservations = 50
	maxText         = 1000 // bytes of a text from somebody else
	maxNameText     = 256
)

// Point is one observation in a chart.
type Point struct {
	At        time.Time    `json:"t"`
	Status    event.Status `json:"status"`
	LatencyMS float64      `json:"latency_ms"`
}

// Observation is a record of TopicHealth as it is shown. Counted is false for
// one from another time, which is shown and changes nothing.
type Observation struct {
	event.HealthLog
	Counted bool `json:"counted"`
}

// History folds TopicHealth: for each service the last hour of what the
// owner's own check saw, and the newest observations of anybody.
type History struct {
	host   string
	ours   map[string]bool // instances that signed something
	series map[ServiceKey]*series
	// strangers is how many of series are about names that nobody configured.
	strangers int
}

type series struct {
	points []point // of our own check, by time
	levels []int64 // when the owner's levels were observed, in order
	recent []Observation
	heard  time.Time // when the newest record was taken
	last   event.HealthLog
	since  time.Time       // when last began to say what it says
	own    event.HealthLog // the newest of our own check
}

type point struct {
	at        int64 // microseconds since the epoch
	latencyMS float64
	status    event.Status
}

// NewHistory is the fold of an empty log, as seen from host.
func NewHistory(host string) *History {
	return &History{host: host, ours: map[string]bool{}, series: map[ServiceKey]*series{}}
}

// Apply folds one record that the broker took at taken. known says whether a
// service is configured anywhere. It returns the service and what is to be
// shown; false where there is nothing to show: no room for one more unknown
// name, a record of ours about a service that was removed, or one that somebody
// published again: a check and a level are known by when they began.
//
// Records of ours are those that are signed and name a host; what came over
// HTTP names none. A record that uses one of our instances' names without a
// signature is marked as such.
func (f *History) Apply(h event.HealthLog, signed bool, taken time.Time, known func(ServiceKey) bool) (ServiceKey, Observation, bool) {
	ours := signed && h.Host != ""
	key := ServiceKey{f.host, h.Service}
	switch {
	case ours:
		f.ours[h.Instance] = true
		key.Host = h.Host
	case !signed && f.ours[h.Instance]:
		h.Instance += " (unsigned)"
	}
	h.Error, h.Check, h.Instance = text.Clip(text.Line(h.Error), maxText), text.Clip(text.Line(h.Check), maxNameText), text.Clip(text.Line(h.Instance), maxNameText)
	s := f.series[key]
	if s == nil {
		if !known(key) {
			if ours || f.strangers >= MaxUnmanaged {
				return key, Observation{}, false
			}
			f.strangers++
		}
		s = &series{}
		f.series[key] = s
	}
	at := h.Time()
	o := Observation{h, !at.After(taken.Add(tooFarAhead)) && !at.Before(taken.Add(-tooFarBehind))}
	if ours && s.has(o) {
		return key, Observation{}, false
	}
	s.add(o, ours, taken)
	return key, o, true
}

// has says whether a record of ours was read before.
func (s *series) has(o Observation) bool {
	at := o.Time().UnixMicro()
	if !o.Counted {
		return slices.Contains(s.recent, o)
	}
	if o.Check == event.CheckContainer {
		return slices.Contains(s.levels, at)
	}
	_, found := slices.BinarySearchFunc(s.points, at, func(a point, at int64) int { return int(a.at - at) })
	return found
}

func (s *series) add(o Observation, ours bool, taken time.Time) {
	if taken.After(s.heard) {
		s.heard = taken
	}
	if len(s.recent) >= maxObservations {
		s.recent = slices.Delete(s.recent, 0, len(s.recent)-maxObservations+1)
	}
	s.recent = append(s.recent, o)
	if !o.Counted {
		return
	}
	if o.Timestamp >= s.last.Timestamp {
		if o.Status != s.last.Status {
			s.since = o.Time()
		}
		s.last = o.HealthLog
	}
	switch {
	case ours && o.Check == event.CheckContainer:
		s.levels = append(s.levels, o.Time().UnixMicro())
	case ours:
		if o.Timestamp >= s.own.Timestamp {
			s.own = o.HealthLog
		}
		s.insert(point{at: o.Time().UnixMicro(), latencyMS: o.LatencyMS, status: o.Status})
	}
}

// insert keeps the points in order; the same instant twice is the same check.
func (s *series) insert(p point) {
	i, found := slices.BinarySearchFunc(s.points, p.at, func(a point, at int64) int { return int(a.at - at) })
	if found {
		s.points[i] = p
		return
	}
	s.points = slices.Insert(s.points, i, p)
	if len(s.points) > maxPointsKept {
		s.points = s.points[1:]
	}
}

// Tick forgets what is too old, and names that nobody speaks of any more.
func (f *History) Tick(now time.Time, known func(ServiceKey) bool) {
	oldest := now.Add(-HistoryKept)
	f.strangers = 0
	for key, s := range f.series {
		s.points = s.points[s.from(oldest):]
		s.levels = slices.DeleteFunc(s.levels, func(at int64) bool { return at < oldest.UnixMicro() })
		stranger := !known(key)
		switch {
		case s.heard.Before(oldest) && (stranger || len(s.points) == 0):
			delete(f.series, key)
		case stranger:
			f.strangers++
		}
	}
}

// from is the index of the first point at or after t.
func (s *series) from(t time.Time) int {
	i, _ := slices.BinarySearchFunc(s.points, t.UnixMicro(), func(a point, at int64) int { return int(a.at - at) })
	return i
}

// Keys are the services of which anything was heard, by name and host.
func (f *History) Keys() []ServiceKey {
	keys := make([]ServiceKey, 0, len(f.series))
	for key := range f.series {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, ServiceKey.compare)
	return keys
}

// Observations are the newest of anybody, oldest first.
func (f *History) Observations(key ServiceKey) []Observation {
	if s := f.series[key]; s != nil {
		return slices.Clone(s.recent)
	}
	return nil
}

// Own is the newest observation of our own check.
func (f *History) Own(key ServiceKey) (event.HealthLog, bool) {
	if s := f.series[key]; s != nil && s.own.Service != "" {
		return s.own, true
	}
	return event.HealthLog{}, false
}

// Newest is the newest observation of anybody that counted, since when they
// say so, and when anything was last heard.
func (f *History) Newest(key ServiceKey) (last event.HealthLog, since, heard time.Time) {
	if s := f.series[key]; s != nil {
		return s.last, s.since, s.heard
	}
	return event.HealthLog{}, time.Time{}, time.Time{}
}

// Heard says whether anything is remembered of key.
func (f *History) Heard(key ServiceKey) bool { return f.series[key] != nil }

// Drop forgets a service that was removed.
func (f *History) Drop(key ServiceKey) { delete(f.series, key) }

// Points are what our own check saw within window before now, reduced to at
// most MaxPoints: of each slot of time the worst observation, the slowest
// where several are as bad. Nothing is averaged.
func (f *History) Points(key ServiceKey, window time.Duration, now time.Time) []Point {
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

// Uptime is the share, 0 to 1, of the known time within window before now in
// which our own check did not see it DOWN, and how long that known time is; nil
// where nothing is known. An observation speaks until the next one, and for
// fresh at most: after that nobody watched. What the fold doesn't remember is
// not known either.
func (f *History) Uptime(key ServiceKey, window, fresh time.Duration, now time.Time) (*float64, time.Duration) {
	s := f.series[key]
	if s == nil || window > HistoryKept {
		return nil, 0
	}
	begin, end := now.Add(-window).UnixMicro(), now.UnixMicro()
	var known, up int64
	// One observation before the window may speak into it.
	for i := max(s.from(now.Add(-window))-1, 0); i < len(s.points); i++ {
		p := s.points[i]
		until := min(p.at+fresh.Microseconds(), end)
		if i+1 < len(s.points) {
			until = min(until, s.points[i+1].at)
		}
		if lasted := until - max(p.at, begin); lasted > 0 {
			known += lasted
			if p.status != event.Down {
				up += lasted
			}
		}
	}
	if known == 0 {
		return nil, 0
	}
	share := math.Round(float64(up)/float64(known)*1e6) / 1e6
	return &share, time.Duration(known) * time.Microsecond
}
