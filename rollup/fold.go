package rollup

import (
	"maps"
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

const (
	// grace is how long after its end a minute is closed: what belongs into it
	// was read by then.
	grace = 5 * time.Second
	// closedAtOnce is how many minutes a tick closes at most.
	closedAtOnce = 10
	// maxLatencyMS is the longest that a check is believed to have taken.
	maxLatencyMS = 600_000
)

// The levels, as indexes of event.Levels.
const (
	minutes = iota
	hours
	days
	levels
)

// Closed is a bucket that is over.
type Closed struct {
	Level  int // of event.Levels
	Record event.Rollup
}

// Fold makes rollups of what the owner of a host publishes and observes. It is
// pure, and not safe for concurrent use. It first reads what was written before
// (ReadRollup), then records of services and health logs, in any order among
// the topics, and closes buckets as time passes (Tick).
type Fold struct {
	host     string
	epoch    int64 // of the claim under which it ticks
	services map[string]*track
	watched  watched
	open     time.Time // the start of the first minute that is not closed; zero: nothing was read yet
	ticked   time.Time
}

// track is one service.
type track struct {
	published state.Order
	observed  map[string]*state.Order // by check
	changes   []change                // of its status, in order: the last before the open minute and those after it
	buckets   [levels]map[int64]*bucket
	written   [levels]map[int64]event.Rollup // before the first tick: what was read, and is a part of what is not written
	until     [levels]time.Time              // what begins before it is written
}

// change is what a service was published to be from an instant on.
type change struct {
	at     time.Time
	status event.Status
}

// NewFold is the fold of an empty log, for the owner of host under a claim.
func NewFold(host string, epoch int64) *Fold {
	return &Fold{host: host, epoch: epoch, services: map[string]*track{}}
}

func (f *Fold) track(service string) *track {
	t := f.services[service]
	if t == nil {
		t = &track{observed: map[string]*state.Order{}}
		for level := range levels {
			t.buckets[level], t.written[level] = map[int64]*bucket{}, map[int64]event.Rollup{}
		}
		f.services[service] = t
	}
	return t
}

// ReadRollup takes a record that an owner of the host wrote before.
func (f *Fold) ReadRollup(level int, r event.Rollup) {
	length := event.Levels[level].Length
	if r.Host != f.host || !f.ticked.IsZero() || !r.Start.Equal(r.Start.Truncate(length)) {
		return
	}
	t := f.track(r.Service)
	if old, known := t.written[level][r.Start.Unix()]; known && !r.Supersedes(old.Epoch, old.Revision) {
		return
	}
	if level < days && !r.Start.Truncate(event.Levels[level+1].Length).Before(t.until[level+1]) {
		r.Service, r.Origin = "", event.Origin{Epoch: r.Epoch} // a start reads tens of thousands
		t.written[level][r.Start.Unix()] = r
	}
	t.until[level] = later(t.until[level], r.Start.Add(length))
	if level == minutes {
		f.open = later(f.open, r.Start) // not all services of the newest may have been written
	}
}

// begin makes the open hours and days of what was written of their parts.
func (f *Fold) begin() {
	for _, t := range f.services {
		for level := minutes; level < days; level++ {
			for _, r := range t.written[level] {
				t.part(level+1, bucketOf(r))
			}
		}
		t.written = [levels]map[int64]event.Rollup{}
	}
}

// part merges a closed bucket into the one of the level above.
func (t *track) part(level int, b *bucket) {
	start := b.start.Truncate(event.Levels[level].Length)
	whole := t.buckets[level][start.Unix()]
	if whole == nil {
		whole = &bucket{start: start}
		t.buckets[level][start.Unix()] = whole
	}
	whole.merge(b)
}

// ReadService takes what the owner published of a service.
func (f *Fold) ReadService(r event.Service) {
	if r.Host != f.host || r.Epoch < 1 {
		return
	}
	t := f.track(r.Service)
	if !t.published.Next(r.Epoch, r.Revision) {
		return
	}
	at, status := r.Time.Truncate(time.Millisecond), r.Status
	if r.Definition == nil {
		status = ""
	}
	if n := len(t.changes); n > 0 {
		at = later(at, t.changes[n-1].at) // the clock was set back
	}
	t.changes = append(t.changes, change{at, status})
	f.alive(at, r.Epoch)
}

// ReadHealth takes an observation of the owner's that the broker took at taken.
func (f *Fold) ReadHealth(h event.HealthLog, taken time.Time) {
	if h.Host != f.host || h.Epoch < 1 || !h.Timely(taken) {
		return
	}
	t := f.track(h.Service)
	order := t.observed[h.Check]
	if order == nil {
		order = &state.Order{}
		t.observed[h.Check] = order
	}
	if !order.Next(h.Epoch, h.Revision) {
		return
	}
	took := time.Duration(min(h.LatencyMS, maxLatencyMS) * float64(time.Millisecond))
	ended := h.Time().Add(took).Truncate(time.Millisecond)
	f.alive(ended, h.Epoch)
	start := ended.Truncate(time.Minute)
	if h.IsOfEngine() || start.Before(f.open) {
		return
	}
	b := t.buckets[minutes][start.Unix()]
	if b == nil {
		b = &bucket{start: start}
		t.buckets[minutes][start.Unix()] = b
	}
	b.observe(h)
}

func (f *Fold) alive(at time.Time, epoch int64) {
	f.watched.alive(at, epoch)
	if f.open.IsZero() {
		f.open = at.Truncate(time.Minute)
	}
}

// Tick says that the owner is watching now. It returns the buckets that are
// over, in order; at most closedAtOnce minutes, and the rest the next time.
func (f *Fold) Tick(now time.Time) []Closed {
	now = now.UTC().Truncate(time.Millisecond)
	if f.ticked.IsZero() {
		f.begin()
	}
	f.ticked = now
	f.alive(now, f.epoch)
	var closed []Closed
	for n := 0; n < closedAtOnce; {
		end := f.open.Add(time.Minute)
		if end.Add(grace).After(now) {
			break
		}
		if parts := f.watched.within(f.open, end); len(parts) > 0 {
			closed = append(closed, f.closeMinute(parts)...)
			n++
		}
		f.open = end
		closed = append(closed, f.closeWhole(hours)...)
		closed = append(closed, f.closeWhole(days)...)
	}
	f.forget()
	return closed
}

// closeMinute closes the open minute of every service. What was written of it
// before stands.
func (f *Fold) closeMinute(parts []span) []Closed {
	var closed []Closed
	for _, name := range slices.Sorted(maps.Keys(f.services)) {
		t := f.services[name]
		b := t.buckets[minutes][f.open.Unix()]
		delete(t.buckets[minutes], f.open.Unix())
		if f.open.Before(t.until[minutes]) {
			continue
		}
		if b == nil {
			b = &bucket{start: f.open}
		}
		for _, p := range parts {
			t.spend(b, p)
		}
		if !b.isEmpty() {
			closed = append(closed, Closed{minutes, b.record(name, time.Minute)})
			t.part(hours, b)
		}
	}
	return closed
}

// spend counts a watched time by what the service was published to be.
func (t *track) spend(b *bucket, p span) {
	for i, c := range t.changes {
		from, to := later(c.at, p.from), p.to
		if i+1 < len(t.changes) {
			to = earlier(to, t.changes[i+1].at)
		}
		if from.Before(to) {
			b.add(c.status, to.Sub(from))
		}
	}
}

// closeWhole closes the hours, or days, that ended before the open minute.
func (f *Fold) closeWhole(level int) []Closed {
	length := event.Levels[level].Length
	if !f.open.Equal(f.open.Truncate(length)) {
		return nil
	}
	var closed []Closed
	for _, name := range slices.Sorted(maps.Keys(f.services)) {
		t := f.services[name]
		for _, start := range slices.Sorted(maps.Keys(t.buckets[level])) {
			b := t.buckets[level][start]
			if b.start.Add(length).After(f.open) {
				continue
			}
			delete(t.buckets[level], start)
			if b.start.Before(t.until[level]) {
				continue // it is written, and a part of what is longer
			}
			closed = append(closed, Closed{level, b.record(name, length)})
			if level < days {
				t.part(level+1, b)
			}
		}
	}
	return closed
}

// forget drops what no open minute needs.
func (f *Fold) forget() {
	f.watched.forget(f.open)
	for name, t := range f.services {
		for len(t.changes) > 1 && !t.changes[1].at.After(f.open) {
			t.changes = t.changes[1:]
		}
		gone := len(t.changes) == 0 || len(t.changes) == 1 && t.changes[0].status == ""
		if gone && len(t.buckets[minutes])+len(t.buckets[hours])+len(t.buckets[days]) == 0 {
			delete(f.services, name)
		}
	}
}
