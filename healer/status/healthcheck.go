package status

import (
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// What a container's own HEALTHCHECK says of its service: nothing while a check
// of our own decides, and all where there is none.

// IsOwn says whether records of that kind are those of our own check, or stand
// for it: of a container alone its HEALTHCHECK does, or its level where there is
// none; of a service that reports by itself what it says, and its level.
func (s *Status) IsOwn(kind Kind, now time.Time) bool {
	switch {
	case kind == Own:
		return true
	case s.def.Pushes():
		return kind == Foreign || kind == OwnersLevel
	case !s.def.IsContainerAlone():
		return false
	}
	return kind == OwnersHealth || kind == OwnersLevel && !s.hasHealth() && !now.Before(s.healthDue)
}

func (s *Status) hasHealth() bool {
	for _, src := range s.sources {
		if src.kind == OwnersHealth {
			return true
		}
	}
	return false
}

// counts says whether a source has a say in what the service is: a level only
// where it is DOWN, for its UP only lifts that; a HEALTHCHECK only where no check
// of our own decides.
func (s *Status) counts(src, own *source, now time.Time) bool {
	switch {
	case s.def.IsContainerAlone():
		return true
	case src.kind == OwnersLevel:
		return src.Status == event.Down
	case src.kind == OwnersHealth:
		return own == nil && now.Sub(s.begin) > s.Fresh() || own != nil && own.Status == event.Down
	}
	return true
}

// Disputed says whether the container's HEALTHCHECK fails while our own check
// succeeds.
func (s *Status) Disputed() bool {
	own := s.own()
	return !s.def.IsContainerAlone() && s.down(OwnersHealth) && own != nil && (own.Status == event.Up || own.Status == event.Degraded)
}

// thresholds are those of a kind: what a HEALTHCHECK says was counted by the
// engine already, and a service that reports by itself is as it says.
func (s *Status) thresholds(kind Kind) service.Definition {
	def := s.def
	if kind == OwnersHealth || kind == Own && def.Pushes() {
		def.FailureThreshold, def.SuccessThreshold, def.Window = 1, 1, service.Window{}
	}
	return def
}

// awaitHealth begins to wait for what the HEALTHCHECK says next, where there is
// one: it decides nothing in the first moments after a start.
func (s *Status) awaitHealth(now time.Time) {
	if s.checked {
		s.healthDue = now.Add(max(levelFresh, s.def.StartPeriod))
	}
}

// NoteHealthcheck says whether the container was seen to have a HEALTHCHECK.
func (s *Status) NoteHealthcheck(has bool, now time.Time) {
	if has == s.checked {
		return
	}
	s.checked, s.healthDue, s.due = has, time.Time{}, time.Time{}
	if !s.hasHealth() {
		s.awaitHealth(now)
	}
}

// endHealth forgets what the container's HEALTHCHECK says, as endLevel does.
func (s *Status) endHealth(now time.Time) {
	s.awaitHealth(now)
	for key, src := range s.sources {
		if src.kind == OwnersHealth {
			delete(s.sources, key)
		}
	}
}
