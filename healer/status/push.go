package status

import (
	"fmt"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// push is when the next report of a push:// service is due. Silence is decided
// here, like every status, and not by a record: a source that stops reporting is
// stale, and of a service that reports by itself that means DOWN. A replay comes
// to it again from the reports alone.
//
// While no process ran no report was read, so a start expects the first report
// as late as if one had come then.
type push struct {
	due  time.Time // zero: never
	late time.Time // and the grace after it: without a report it is DOWN from here on
}

// silence is the source that stands for reports that did not come. No other source
// has its name.
var silence = [2]string{event.ByLogstream, event.CheckPush}

// reporting has the thresholds of a service that reports by itself: it is as it
// says.
func reporting(def service.Definition) service.Definition {
	def.FailureThreshold, def.SuccessThreshold, def.Window = 1, 1, service.Window{}
	return def
}

// expected is when a report after t is due.
func expected(def service.Definition, t time.Time) push {
	due := def.Push.Due(t, def.Interval)
	if due.IsZero() {
		return push{}
	}
	return push{due, due.Add(def.Push.Grace + instant)}
}

// expect expects the next report after now, of the service and of each of its
// sources.
func (p *push) expect(def service.Definition, sources map[[2]string]*source, now time.Time) {
	if *p = (push{}); !def.Pushes() {
		return
	}
	*p = expected(def, now)
	for key, src := range sources {
		if src.kind == Own && key != silence {
			src.until = p.late
		}
	}
}

// overdue is the source that says that a report did not come in time, made where
// there was none; nil where none is overdue. Each report that does not come counts.
func (p *push) overdue(def service.Definition, src *source, now time.Time) *source {
	if !def.Pushes() || p.late.IsZero() || now.Before(p.late) {
		return nil
	}
	if src == nil {
		src = &source{Source: event.Source{Instance: silence[0], Check: silence[1], Status: event.Pending, Since: now}, kind: Own, first: p.due}
	}
	src.lastRead = now
	src.last = event.HealthLog{Timestamp: event.Seconds(p.due), Service: def.Name, Status: event.Down, Check: event.CheckPush, Failure: event.FailureSilence,
		Error: fmt.Sprintf("no report; the first missing one was due at %s", src.first.UTC().Format("2006-01-02 15:04:05 UTC"))}
	src.count(event.Down, p.due, reporting(def))
	*p = expected(def, p.due)
	return src
}

// reports are what the service last reported, or that it did not, as it was
// published: it may not report again before long.
func (p *push) reports(def service.Definition, published *event.Service, now time.Time) map[[2]string]*source {
	all := map[[2]string]*source{}
	if !def.Pushes() || published.Definition == nil || !sameCheck(*published.Definition, *def.Masked()) {
		return all
	}
	for _, said := range published.Sources[:min(len(published.Sources), maxSources)] {
		if said.Check == event.CheckContainer || said.Check == event.CheckHealth {
			continue
		}
		src := &source{Source: said, kind: Own, lastRead: now, until: p.late}
		src.last = event.HealthLog{Timestamp: event.Seconds(said.Since), Service: def.Name, Status: said.Status, Check: said.Check,
			Origin: event.Origin{Instance: said.Instance}}
		key := [2]string{said.Instance, said.Check}
		if said.Status == event.Down {
			src.first, src.bad, src.last.Error = said.Since, []time.Time{said.Since}, published.Error
		}
		if key == silence {
			src.until, src.last.Failure = time.Time{}, event.FailureSilence
		}
		all[key] = src
	}
	return all
}
