package healer

import (
	"slices"
	"time"

	"logstream/healer/gate"
	"logstream/healer/update"
	"logstream/internal/event"
	"logstream/internal/state"
)

// What is published of services.

const (
	republish    = time.Hour
	republishFew = time.Minute // while an update is watched: its figures go on
)

// republishAfter is when what was published is published again unchanged.
func republishAfter(last event.Service) time.Duration {
	if u := last.Update; u != nil && u.Verdict == event.UpdateWatching {
		return republishFew
	}
	return republish
}

// publish publishes a service's state where it changed, and each hour. What
// changes with every check (code, latency, the words of an error) is not a
// change: the health log has it.
func publish(c *Controller, s *serviceState, now time.Time) {
	p := &s.publication
	if !c.leads() || p.inFlight {
		return
	}
	next := publicRecord(c, s, now)
	switch {
	case s.removed && (s.journal.Pending() || s.open()):
		return
	case s.removed:
		next.Definition = nil
	case isSameState(p.last, next) && now.Sub(p.at) < republishAfter(p.last):
		return
	}
	c.revision++
	next.Revision = c.revision
	p.last, p.inFlight, p.at = next, true, now
	c.emit(Publish{next})
}

// published takes the outcome of a publication. One that failed is made again;
// a service that was removed is forgotten once that is on the topic. What changed
// meanwhile is published now.
func published(c *Controller, in Published, now time.Time) {
	s := c.services[in.Service]
	if s == nil {
		return
	}
	s.publication.inFlight = false
	switch {
	case !in.OK:
		s.publication.last = event.Service{}
	case s.removed && s.publication.last.Definition == nil && s.publication.last.Service != "":
		delete(c.prior, s.def.Name)
		depart(c, s, now)
		forget(c, s.def.Name)
		return
	}
	publish(c, s, now)
}

// publicRecord is what is published of a service now.
func publicRecord(c *Controller, s *serviceState, now time.Time) event.Service {
	out := event.Service{Time: now.UTC(), Service: s.def.Name, Definition: s.masked, DefinitionHash: s.hash,
		Status: s.status.Value, Since: s.status.Since.UTC(), Code: s.status.Last.Code, LatencyMS: s.status.Last.LatencyMS,
		Needs: needsOf(c, s.def.Name), Error: s.status.Error, Sources: s.status.Sources(), NeverUp: !s.status.WasUp(), Flapping: s.status.Flapping(), Origin: c.claim.Origin()}
	if !s.status.FirstBad.IsZero() {
		first := s.status.FirstBad.UTC()
		out.FirstBad = &first
	}
	if since := s.status.ThresholdsSince(); !since.IsZero() {
		since = since.UTC()
		out.ThresholdsSince = &since
	}
	recordSilence(s.silence, &out)
	out.Good, out.Attached, out.Update, out.Trust = s.memory.good, s.memory.attached, s.update.Update, s.trust.of(c, s, now)
	if s.container != nil {
		kept := *s.container
		out.Container = &kept
	}
	if disputed := gate.Healthcheck(); s.status.Good() && s.status.Disputed() {
		out.Held, out.HeldReason = disputed.Gate, disputed.Reason
	}
	if s.open() {
		out.OpenIncident = s.incident.ID
		out.Held, out.HeldReason = s.incident.Held, s.incident.HeldReason
		out.Healing = s.incident.State == state.Open && View{Incident: s.incident}.acts()
	}
	return out
}

func isSameState(a, b event.Service) bool {
	return (a.Definition == nil) == (b.Definition == nil) && a.DefinitionHash == b.DefinitionHash && a.Status == b.Status && a.Since.Equal(b.Since) && isSame(a.FirstBad, b.FirstBad, time.Time.Equal) &&
		a.Healing == b.Healing && isSame(a.SilencedUntil, b.SilencedUntil, time.Time.Equal) && a.SilencedBy == b.SilencedBy && a.SilenceReason == b.SilenceReason &&
		a.Held == b.Held && a.HeldReason == b.HeldReason && a.OpenIncident == b.OpenIncident && a.NeverUp == b.NeverUp && a.Flapping == b.Flapping &&
		isSame(a.Good, b.Good, isSameGood) && isSame(a.Attached, b.Attached, isSameAttached) && isSame(a.Update, b.Update, update.IsSame) && isSame(a.Trust, b.Trust, isSameTrust) && isSame(a.Container, b.Container, func(a, b event.ServiceContainer) bool { return a == b }) &&
		slices.EqualFunc(a.Sources, b.Sources, isSameSource) && slices.Equal(a.Needs, b.Needs) && a.Origin == b.Origin
}

func isSameSource(a, b event.Source) bool {
	return a.Instance == b.Instance && a.Check == b.Check && a.Status == b.Status && a.Since.Equal(b.Since)
}

func isSame[T any](a, b *T, equal func(a, b T) bool) bool {
	return a == b || a != nil && b != nil && equal(*a, *b)
}
