package status

import (
	"fmt"
	"time"

	"logstream/internal/event"
)

// push is when the next report of a push:// service is due. Silence is decided
// here, like every status, and not by a record: a source that falls silent is
// stale, and of a service that reports by itself that means DOWN. A replay comes
// to it again from the reports alone.
//
// While no process ran nothing was heard, so a start expects the first report
// as late as if one had come then.
type push struct {
	due  time.Time // zero: never
	late time.Time // and the grace after it: without a report it is DOWN from here on
}

// silence is the source that stands for reports that did not come. Nobody else
// has its name.
var silence = [2]string{event.ByLogstream, event.CheckPush}

// expectReport expects the next report after now, of the service and of each of
// its sources.
func (s *Status) expectReport(now time.Time) {
	if !s.def.Pushes() {
		s.push = push{}
		return
	}
	s.push = s.expected(now)
	for key, src := range s.sources {
		if src.kind == Own && key != silence {
			src.until = s.push.late
		}
	}
}

func (s *Status) expected(after time.Time) push {
	due := s.def.Push.Due(after, s.def.Interval)
	if due.IsZero() {
		return push{}
	}
	return push{due, due.Add(s.def.Push.Grace + instant)}
}

// reported takes a report of that source.
func (s *Status) reported(src *source, now time.Time) {
	delete(s.sources, silence)
	s.push = s.expected(now)
	src.until = s.push.late
}

// overdue makes a service that has reported nothing in time DOWN, and counts
// each report that does not come.
func (s *Status) overdue(now time.Time) {
	if !s.def.Pushes() || s.push.late.IsZero() || now.Before(s.push.late) {
		return
	}
	src := s.sources[silence]
	if src == nil {
		src = &source{Source: event.Source{Instance: silence[0], Check: silence[1], Status: event.Pending, Since: now}, kind: Own}
		s.sources[silence] = src
	}
	src.lastRead = now
	src.last = event.HealthLog{Timestamp: event.Seconds(s.push.due), Service: s.def.Name, Status: event.Down, Check: event.CheckPush,
		Failure: event.FailureSilence, Error: s.silent(src)}
	src.count(event.Down, s.push.due, s.thresholds(Own))
	s.Last = src.last
	s.push = s.expected(s.push.due)
}

// silent says since when no report came.
func (s *Status) silent(src *source) string {
	first := src.first
	if first.IsZero() {
		first = s.push.due
	}
	return fmt.Sprintf("no report since one was due at %s", first.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// restoreReports takes up what the service last reported, or that it did not,
// from what was published: it may not report again before long.
func (s *Status) restoreReports(published *event.Service, now time.Time) {
	if !s.def.Pushes() || published.Definition == nil || !sameCheck(*published.Definition, *s.def.Masked()) {
		return
	}
	for _, said := range published.Sources[:min(len(published.Sources), maxSources)] {
		if said.Check == event.CheckContainer || said.Check == event.CheckHealth {
			continue
		}
		src := &source{Source: said, kind: Own, lastRead: now, until: s.push.late}
		src.last = event.HealthLog{Timestamp: event.Seconds(said.Since), Service: s.def.Name, Status: said.Status, Check: said.Check,
			Origin: event.Origin{Instance: said.Instance}}
		key := [2]string{said.Instance, said.Check}
		if said.Status == event.Down {
			src.first, src.bad, src.last.Error = said.Since, []time.Time{said.Since}, published.Error
		}
		if key == silence {
			src.until, src.last.Failure = time.Time{}, event.FailureSilence
		}
		s.sources[key] = src
	}
}
