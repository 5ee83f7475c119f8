package monitor

import (
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// target is a service's container.
type target struct {
	service, ref string
	alone        bool          // nothing but its container says how the service is
	every        time.Duration // how often its level is written where it doesn't change
	startPeriod  time.Duration

	id        string // as last found
	name      string // the same
	project   string // Compose's
	destroyed bool   // an event said so, and it was not found since
	renamed   string // to what, where it was and is not found since

	wanted     time.Time // since when an inspection is wanted; zero: none is
	forced     bool      // its level is written, changed or not
	notBefore  time.Time // it waits until then
	forcedAt   time.Time // when such a one was last wanted
	inspecting bool      // one is under way

	announced   event.Status // the level by the events alone; empty: they have said nothing yet
	announcedAt time.Time    // when they first said so
	wokeAt      time.Time    // when an event last said that it runs
	gaveGrace   bool         // a change without an event was given time for its event
	written     level        // the last one; zero: none was
	stamp       time.Time    // its timestamp
	health      level        // what its HEALTHCHECK was last written to say; zero: nothing
	healthStamp time.Time
}

// newTarget is the container that a service names.
func newTarget(def service.Definition) *target {
	t := &target{service: def.Name, ref: def.Container, project: projectOf(def.Container)}
	t.define(def)
	return t
}

// define takes over what else of a service's definition matters here. Where
// nothing but the container says how the service is, its interval is how often
// the container is inspected.
func (t *target) define(def service.Definition) {
	t.alone, t.every, t.startPeriod = def.IsContainerAlone(), levelEvery, def.StartPeriod
	if t.alone {
		t.every = min(levelEvery, def.Interval)
	}
}

// record is what was seen as a record. What came beside the schedule says so
// where it stands for a check.
func (t *target) record(check string, seen level, stamp time.Time, scheduled bool, took time.Duration) event.HealthLog {
	return event.HealthLog{
		Timestamp: event.Seconds(stamp), Service: t.service, Status: seen.status, LatencyMS: milliseconds(took),
		Check: check, Error: seen.err, Failure: seen.failure, Extra: t.alone && !scheduled,
	}
}

// observe takes an event of the target's own container.
func (t *target) observe(e container.Event, now time.Time) {
	if e.Project != "" {
		t.project = e.Project
	}
	if status, is := announces(e.Action); is && status != t.announced {
		t.announced, t.announcedAt = status, now
	}
	if wakes(e.Action) {
		t.wokeAt = now
	}
	switch {
	case e.Action == container.ActionDestroy:
		t.destroyed = true
	case e.Action == container.ActionRename && e.ID == t.id:
		t.renamed = e.Name
	}
	if callsForInspection(e.Action) {
		t.want(now, false)
		t.notBefore, t.gaveGrace = time.Time{}, false
	}
}

// knownBy is the ID of the container whose exact name the service has; empty
// where that is not known, or where the service names it otherwise.
func (t *target) knownBy() string {
	if t.name != t.ref {
		return ""
	}
	return t.id
}

// want has the container inspected. With forced its level is written also where
// it is as before.
func (t *target) want(now time.Time, forced bool) {
	if forced {
		t.forced, t.forcedAt = true, now
	}
	if t.wanted.IsZero() {
		t.wanted = now
	}
}

// repeat has the level written where it is due, or anew for another claim. The
// times stand on a grid, whatever the loop's own rhythm is.
func (t *target) repeat(now time.Time, anew bool) {
	due := t.forcedAt.Add(t.every)
	if !anew && now.Before(due) {
		return
	}
	t.want(now, true)
	if !anew && now.Sub(due) < t.every {
		t.forcedAt = due
	}
}

// again has an inspection that said nothing made once more, not before a pause.
func (t *target) again(now time.Time, forced bool, pause time.Duration) {
	t.want(now, forced)
	t.notBefore = now.Add(pause)
}

// date is when what was seen came to be so. A change that an event announced
// dates from that event, and not from a later inspection: checks that began
// before a change to UP don't count, and the first ones follow the event at once.
func (t *target) date(seen level, wanted time.Time) time.Time {
	if seen.status != t.written.status && seen.status == t.announced && t.announcedAt.After(t.stamp) {
		return t.announcedAt
	}
	return wanted
}

// learn keeps by what a container's events are known.
func (t *target) learn(state container.State) {
	if state.ID != "" {
		t.id, t.name = state.ID, state.Name
	}
	if state.Project != "" {
		t.project = state.Project
	}
	t.destroyed, t.renamed = false, ""
}

// problem is the name under which problems with the container are reported.
func (t *target) problem() string { return "container of " + t.service }
