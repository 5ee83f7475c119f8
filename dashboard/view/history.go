package view

import (
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

const (
	// HistoryKept is how far back observations are remembered.
	HistoryKept = time.Hour
	// MaxUnmanaged is how many names are shown that no configuration defines.
	MaxUnmanaged = 1000

	maxPointsKept   = 40_000 // of one service: an hour of checks each 100 ms, and more
	maxObservations = 50
	maxText         = 1000 // bytes of a text from another program
	maxNameText     = 256
)

// Observation is a record of TopicHealth as it is shown. Counted is false for
// one from another time, which is shown and changes nothing.
type Observation struct {
	event.HealthLog
	Counted bool `json:"counted"`
}

// History folds TopicHealth: for each service the last hour of what the
// owner's own check saw, and the newest observations of all sources.
type History struct {
	host   string
	ours   map[string]bool // instances that signed something
	series map[Key]*series
	// unmanaged is how many of series are about names that no configuration defines.
	unmanaged int
}

type series struct {
	points   []point // of our own check, by time
	levels   []level // what the owner had of its engine, in order
	recent   []Observation
	lastRead time.Time // when the newest record was taken
	last     event.HealthLog
	since    time.Time       // when last began to say what it says
	own      event.HealthLog // the newest of our own check
}

// level is when the engine was observed, by which of its checks.
type level struct {
	at    int64 // microseconds since the epoch
	check string
}

// point is a check of our own in 16 bytes: five hundred services have almost a
// million of them.
type point struct {
	at        int64 // microseconds since the epoch
	latencyMS float32
	badness   uint8 // of what it saw
	extra     bool  // beside the schedule
}

// saw is the status that the check saw.
func (p point) saw() event.Status {
	switch int(p.badness) {
	case badness(event.Down):
		return event.Down
	case badness(event.Degraded):
		return event.Degraded
	}
	return event.Up
}

// NewHistory is the fold of an empty log, as seen from host.
func NewHistory(host string) *History {
	return &History{host: host, ours: map[string]bool{}, series: map[Key]*series{}}
}

// Apply folds one record that the broker took at taken. known says whether a
// service is configured anywhere. It returns the service and what is to be
// shown; false where there is nothing to show: no room for one more unknown
// name, a record of ours about a service that was removed, or one that was
// published again: a check and a level are known by when they began.
//
// Records of ours are those that are signed and name a host; what came over
// HTTP names none. A record that uses one of our instances' names without a
// signature is marked as such.
func (f *History) Apply(h event.HealthLog, signed bool, taken time.Time, known func(Key) bool) (Key, Observation, bool) {
	ours := signed && h.Host != ""
	key := Key{f.host, h.Service}
	switch {
	case ours:
		f.ours[h.Instance] = true
		key.Host = h.Host
	case !signed && f.ours[h.Instance]:
		h.Instance += " (unsigned)"
	}
	h.Error, h.Check, h.Instance = text.Clip(redact.Text(text.Line(h.Error)), maxText), text.Clip(text.Line(h.Check), maxNameText), text.Clip(text.Line(h.Instance), maxNameText)
	s := f.series[key]
	if s == nil {
		if !known(key) {
			if ours || f.unmanaged >= MaxUnmanaged {
				return key, Observation{}, false
			}
			f.unmanaged++
		}
		s = &series{}
		f.series[key] = s
	}
	o := Observation{h, h.Timely(taken)}
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
	if o.IsOfEngine() {
		return slices.Contains(s.levels, level{at, o.Check})
	}
	_, found := slices.BinarySearchFunc(s.points, at, func(a point, at int64) int { return int(a.at - at) })
	return found
}

func (s *series) add(o Observation, ours bool, taken time.Time) {
	if taken.After(s.lastRead) {
		s.lastRead = taken
	}
	if len(s.recent) >= maxObservations {
		s.recent = slices.Delete(s.recent, 0, len(s.recent)-maxObservations+1)
	}
	if n := len(s.recent); n > 0 {
		o.HealthLog = sharing(o.HealthLog, s.recent[n-1].HealthLog)
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
	case ours && o.IsOfEngine():
		s.levels = append(s.levels, level{o.Time().UnixMicro(), o.Check})
	case ours:
		if o.Timestamp >= s.own.Timestamp {
			s.own = o.HealthLog
		}
		s.insert(point{at: o.Time().UnixMicro(), latencyMS: float32(o.LatencyMS), badness: uint8(badness(o.Status)), extra: o.Extra})
	}
}

// sharing is h with the texts of the one before it where they are the same: what is
// remembered of 500 services is half as much by that.
func sharing(h, before event.HealthLog) event.HealthLog {
	for _, of := range [][2]*string{{&h.Service, &before.Service}, {&h.Check, &before.Check}, {&h.Error, &before.Error}, {&h.Instance, &before.Instance},
		{&h.Host, &before.Host}, {&h.Nonce, &before.Nonce}, {(*string)(&h.Status), (*string)(&before.Status)}} {
		if *of[0] == *of[1] {
			*of[0] = *of[1]
		}
	}
	return h
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

// Tick forgets what is too old, and unmanaged services that are no longer observed.
func (f *History) Tick(now time.Time, known func(Key) bool) {
	oldest := now.Add(-HistoryKept)
	f.unmanaged = 0
	for key, s := range f.series {
		s.points = s.points[s.from(oldest):]
		s.levels = slices.DeleteFunc(s.levels, func(l level) bool { return l.at < oldest.UnixMicro() })
		unmanaged := !known(key)
		switch {
		case s.lastRead.Before(oldest) && (unmanaged || len(s.points) == 0):
			delete(f.series, key)
		case unmanaged:
			f.unmanaged++
		}
	}
}

// from is the index of the first point at or after t.
func (s *series) from(t time.Time) int {
	i, _ := slices.BinarySearchFunc(s.points, t.UnixMicro(), func(a point, at int64) int { return int(a.at - at) })
	return i
}

// Keys are the services that have observations, by name and host.
func (f *History) Keys() []Key {
	keys := make([]Key, 0, len(f.series))
	for key := range f.series {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, Key.compare)
	return keys
}

// Observations are the newest of all sources, oldest first.
func (f *History) Observations(key Key) []Observation {
	if s := f.series[key]; s != nil {
		return slices.Clone(s.recent)
	}
	return nil
}

// Own is the newest observation of our own check.
func (f *History) Own(key Key) (event.HealthLog, bool) {
	if s := f.series[key]; s != nil && s.own.Service != "" {
		return s.own, true
	}
	return event.HealthLog{}, false
}

// Newest is the newest observation of any source that counted, since when they
// say so, and when the newest record was taken.
func (f *History) Newest(key Key) (last event.HealthLog, since, lastRead time.Time) {
	if s := f.series[key]; s != nil {
		return s.last, s.since, s.lastRead
	}
	return event.HealthLog{}, time.Time{}, time.Time{}
}

// Known says whether key has observations.
func (f *History) Known(key Key) bool { return f.series[key] != nil }

// Drop forgets a service that was removed.
func (f *History) Drop(key Key) { delete(f.series, key) }

// Run is how many scheduled checks of our own in a row were good, the newest the
// last of them, of those that began after from. A check beside the schedule
// counts for nothing, and a gap of more than fresh starts the run over.
func (f *History) Run(key Key, from time.Time, fresh time.Duration, now time.Time) int {
	s := f.series[key]
	if s == nil {
		return 0
	}
	n, before := 0, from.UnixMicro()
	for _, p := range s.points[s.from(from.Add(time.Microsecond)):] {
		if p.at-before > fresh.Microseconds() {
			n = 0
		}
		before = p.at
		switch {
		case p.extra:
		case p.saw() == event.Down:
			n = 0
		default:
			n++
		}
	}
	if now.UnixMicro()-before > fresh.Microseconds() {
		return 0
	}
	return n
}

// points are what our own check saw from an instant on.
func (f *History) points(key Key, from time.Time) []point {
	if s := f.series[key]; s != nil {
		return s.points[s.from(from):]
	}
	return nil
}

// Since is for how long our own check was known not to see a service DOWN, and to
// see it DOWN, from an instant until now. An observation speaks until the next
// one, and for fresh at most: after that the service was not watched. What the fold
// doesn't remember is not known either.
func (f *History) Since(key Key, from time.Time, fresh time.Duration, now time.Time) (known Known) {
	s := f.series[key]
	if s == nil {
		return known
	}
	begin, end := from.UnixMicro(), now.UnixMicro()
	// One observation before may speak into the time.
	for i := max(s.from(from)-1, 0); i < len(s.points); i++ {
		p := s.points[i]
		until := min(p.at+fresh.Microseconds(), end)
		if i+1 < len(s.points) {
			until = min(until, s.points[i+1].at)
		}
		lasted := time.Duration(until-max(p.at, begin)) * time.Microsecond
		switch {
		case lasted <= 0:
		case p.saw() == event.Down:
			known.Down += lasted
		default:
			known.Good += lasted
		}
	}
	return known
}
