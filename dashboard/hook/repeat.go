package hook

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
)

const (
	// A monitor reports a change once, or every few hours; a foreign source is
	// stale after a minute, and thresholds count observations. So what a sender
	// said last is said again in its name.
	repeatEvery = 10 * time.Second
	badFor      = 6 * time.Hour // longer than Alertmanager's own repeat_interval; a recovery that was lost ends then
	upFor       = time.Minute   // long enough for a threshold

	// deafFor is how long a source may have been stale before a start: for
	// longer, a recovery may have been missed.
	deafFor = time.Minute
	// keptFor is how long the newest of a source is remembered: while an older
	// record that is published again would still be timely.
	keptFor = 15 * time.Minute

	maxRepeated = 1000 // sources; what others say is published once
)

// Repeats folds the observations of hooks on TopicHealth into what is to be said
// again, so that a restart goes on with it.
//
// What a sender said of a service holds until it says otherwise, until the time
// that the record gives, or until a repair of the service begins: what was said
// before that is about the time before it.
type Repeats struct {
	hooks   map[string]bool
	sources map[source]said
	acted   map[string]time.Time // when the newest repair of a service began
}

type source struct{ instance, check, service string }

type said struct {
	last  event.HealthLog
	taken time.Time // when it was last on the log, or on its way there
	lost  bool      // a report may have been missed since
}

// first is when the sender itself said it: that is what Until counts from.
func (s said) first() time.Time {
	return event.FromSeconds(s.last.Until).Add(-speaksFor(s.last.Status))
}

func speaksFor(status event.Status) time.Duration {
	if status == event.Up {
		return upFor
	}
	return badFor
}

// NewRepeats is the fold of an empty log.
func NewRepeats(hooks []Config) *Repeats {
	r := &Repeats{hooks: map[string]bool{}, sources: map[source]said{}, acted: map[string]time.Time{}}
	for _, c := range hooks {
		r.hooks[c.Name] = true
	}
	return r
}

// Apply folds one record that the broker took at taken. Only what we signed
// under a hook's name counts, and of one source only what its sender said later,
// or what is repeated later: a record that is published again changes nothing.
func (r *Repeats) Apply(h event.HealthLog, signed bool, taken time.Time) {
	if !signed || h.Host != "" || h.Until == 0 || !r.hooks[h.Instance] || !h.Timely(taken) {
		return
	}
	key := source{h.Instance, h.Check, h.Service}
	before, known := r.sources[key]
	next := said{last: h, taken: taken}
	later := cmp.Or(next.first().Compare(before.first()), cmp.Compare(h.Timestamp, before.last.Timestamp)) > 0
	if known && !later || !known && len(r.sources) >= maxRepeated {
		return
	}
	r.sources[key] = next
}

// Acted says that a repair of a service began at a time.
func (r *Repeats) Acted(service string, at time.Time) {
	if at.After(r.acted[service]) {
		r.acted[service] = at
	}
}

// Resume says that the log was read to the end that it had at the start.
func (r *Repeats) Resume(now time.Time) {
	for key, s := range r.sources {
		s.lost = now.Sub(s.taken) > deafFor
		r.sources[key] = s
	}
}

// Due are the observations that are to be published now, by service.
func (r *Repeats) Due(now time.Time) []event.HealthLog {
	var due []event.HealthLog
	for key, s := range r.sources {
		over := s.lost || now.After(event.FromSeconds(s.last.Until)) || !s.first().After(r.acted[key.service])
		switch {
		case over && now.Sub(s.last.Time()) > keptFor:
			delete(r.sources, key)
		case !over && now.Sub(s.taken) >= repeatEvery:
			s.last.Timestamp, s.taken = event.Seconds(now), now
			r.sources[key] = s
			due = append(due, s.last)
		}
	}
	slices.SortFunc(due, func(a, b event.HealthLog) int { return strings.Compare(a.Service, b.Service) })
	return due
}
