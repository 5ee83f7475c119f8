package healer

import (
	"slices"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

const republish = time.Hour

// publish writes a service's state where it changed, and each hour. What
// changes with every check (code, latency, the words of an error) is not a
// change: the health log has it.
func (w *World) publish(s *svc, now time.Time) {
	if !w.owner || s.publishing {
		return
	}
	next := w.record(s, now)
	if s.removed {
		if s.pending != nil || s.open() {
			return
		}
		next.Definition = nil
		w.drop(s)
	} else if sameState(s.published, next) && now.Sub(s.publishedAt) < republish {
		return
	}
	w.revision++
	next.Revision = w.revision
	s.published, s.publishing, s.publishedAt = next, true, now
	w.emit(Publish{next})
}

func (w *World) record(s *svc, now time.Time) event.Service {
	out := event.Service{Time: now.UTC(), Service: s.def.Name, Definition: s.masked, DefinitionHash: s.hash,
		Status: s.status.Value, Since: s.status.Since.UTC(), Code: s.status.Last.Code, LatencyMS: s.status.Last.LatencyMS,
		Error: s.status.Error, Sources: s.status.Sources(), Origin: w.origin()}
	if !s.status.FirstBad.IsZero() {
		out.FirstBad = at(s.status.FirstBad)
	}
	if s.container != nil {
		kept := *s.container
		out.Container = &kept
	}
	if s.open() {
		out.OpenIncident = s.incident.ID
		out.Held, out.HeldReason = s.incident.Held, s.incident.HeldReason
		last, acted := s.incident.Last(event.TypeActionStarted, event.TypeActionFinished)
		finished, done := last.Data.(event.ActionFinished)
		out.Healing = s.incident.State == state.Open && acted && (!done || finished.OK)
	}
	return out
}

func sameState(a, b event.Service) bool {
	return a.DefinitionHash == b.DefinitionHash && a.Status == b.Status && a.Since.Equal(b.Since) && sameTime(a.FirstBad, b.FirstBad) &&
		a.Healing == b.Healing && a.Held == b.Held && a.HeldReason == b.HeldReason && a.OpenIncident == b.OpenIncident &&
		sameContainer(a.Container, b.Container) && slices.EqualFunc(a.Sources, b.Sources, sameSource) && a.Origin == b.Origin
}

func sameSource(a, b event.Source) bool {
	return a.Instance == b.Instance && a.Check == b.Check && a.Status == b.Status && a.Since.Equal(b.Since)
}

func sameTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

func sameContainer(a, b *event.ServiceContainer) bool {
	return a == b || a != nil && b != nil && *a == *b
}
